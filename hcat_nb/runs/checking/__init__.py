"""Looking at data before anything is trained, and mending what is safe to mend."""
