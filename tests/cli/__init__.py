"""The command line: in this process where words and codes are the point, as a process where streams and signals are."""
