"""The notebook layer: magics and widgets."""
