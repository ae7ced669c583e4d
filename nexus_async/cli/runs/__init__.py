"""`nexus-async runs`: one file a command, or a few that belong together."""
