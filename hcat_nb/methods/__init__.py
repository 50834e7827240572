"""Methods that score how hard a sample is, one module each.

Who writes one imports ``Method`` and ``Context`` from here, and ``Need`` and
``Observation`` from :mod:`hcat_nb.observation`; ``notebooks/extending.ipynb``
shows how.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
