"""What a bad day brings: faults that befall the requests of a local Nexus."""
