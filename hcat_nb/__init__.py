"""hcat_nb: how hard, and why, is each sample of a dataset.

>>> import hcat_nb as hcat
>>> dataset = hcat.load("wine")
>>> len(dataset)
178

Names arrive when they are first used (PEP 562); their one list is
``__init__.pyi``.  Until then importing this package loads neither torch nor
pandas.  Modules of the package import what they need from where it is
defined, never from here.
"""

from __future__ import annotations

import logging

import lazy_loader

__version__ = "0.1.0"

_attribute, _, __all__ = lazy_loader.attach_stub(__name__, __file__)


logging.getLogger(__name__).addHandler(logging.NullHandler())  # silent until somebody listens


def __getattr__(name: str) -> object:
    if name == "last_run":  # changes, and lazy_loader would keep its first value
        from hcat_nb.jupyter import latest

        return latest.last_run
    return _attribute(name)


def __dir__() -> list[str]:
    return sorted([*__all__, "last_run"])


def load_ipython_extension(ipython: object) -> None:
    """Add the magics to ``ipython``: what ``%load_ext hcat_nb`` calls."""
    from hcat_nb.magics.magics import load

    load(ipython)
