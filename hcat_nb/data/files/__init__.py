"""Tables, images and logs in files: how they are written, read, and written back mended."""
