"""Kinds of hardness that are injected, one module each.

Who writes one imports ``Perturbation`` from here; ``Perturbed`` is what it
returns.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
