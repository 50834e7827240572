"""What people call, and the run that they get."""
