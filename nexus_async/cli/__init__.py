"""The command line: one file a command, and one for each thing that they draw."""
