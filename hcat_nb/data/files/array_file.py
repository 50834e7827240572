"""Arrays in .npy files, mapped into memory instead of read."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np

from hcat_nb.casts import as_path
from hcat_nb.errors import DataError, MissingDataError
from hcat_nb.registry import ARRAY_SUFFIX


def names_array_file(path: str | os.PathLike[str]) -> bool:
    """Whether a path is that of an array.

    >>> names_array_file("features.npy"), names_array_file("birds.csv")
    (True, False)
    """
    return Path(path).suffix.lower() == ARRAY_SUFFIX


def read_arrays(
    path: str | os.PathLike[str], labels: Any, target: Any
) -> tuple[np.ndarray, np.ndarray | Any]:
    """Return the features of a .npy file, as a map of it, and their labels."""
    if (labels is None) == (target is None):
        raise DataError(
            f"{path} was given with " + ("no labels" if labels is None else "labels and target="),
            "labels beside it, or target=, the .npy file of the labels",
        )
    named = labels if target is None else target
    if isinstance(named, (str, os.PathLike)):
        named = np.array(_mapped(named))
    elif target is not None:
        raise DataError(f"target is {target!r}", "the path of a .npy file of the labels")
    return _mapped(path), named


def _mapped(path: str | os.PathLike[str]) -> np.ndarray:
    file = as_path(path)
    if not file.is_file():
        raise MissingDataError(f"{file} does not exist", "the .npy file of an array")
    try:
        # Without pickle: a file from elsewhere must not run code.
        array: np.ndarray = np.load(file, mmap_mode="r", allow_pickle=False)
    except (ValueError, EOFError, OSError) as error:
        reason = " ".join(str(error).split())
        raise DataError(
            f"{file} cannot be read ({reason})", "an array of numbers or text, as numpy.save makes"
        ) from error
    return array
