"""One process for each way to get a run."""
