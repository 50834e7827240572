"""The training loop, and the events it sends."""
