"""What nexus-async costs, against what a user would otherwise pick: `python -m benchmarks [NAME ...]`."""
