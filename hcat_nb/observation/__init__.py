"""What is measured about a model during and after training.

Authors of methods import from here what a method asks for (``Need``), what it
gets (``Observation``), and what a measurement of their own is given (``Batch``).
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
