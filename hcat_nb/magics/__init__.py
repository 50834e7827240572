"""What lines in a notebook do: magics, and the panel that sets up a run."""
