"""The command line: one file a noun; ``main`` holds the table of commands."""
