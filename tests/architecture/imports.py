"""Imports every module of the package: with the lowest versions, and on the newest Python."""

from __future__ import annotations

import importlib
import pkgutil
import platform

import numpy
import pandas
import torch

import hcat_nb

if __name__ == "__main__":
    names = [one.name for one in pkgutil.walk_packages(hcat_nb.__path__, "hcat_nb.")]
    for name in names:
        if not name.endswith("__main__"):
            importlib.import_module(name)
    used = f"Python {platform.python_version()}, torch {torch.__version__}, "
    used += f"numpy {numpy.__version__}, pandas {pandas.__version__}"
    print(f"{len(names):,} modules imported with {used}")
