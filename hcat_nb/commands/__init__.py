"""The commands, as one table for the command line and for magics."""
