"""Files in the published formats, made small."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest


def idx(array: np.ndarray) -> bytes:
    """Return an idx file written from its published definition."""
    head = bytes([0, 0, 8, array.ndim])
    return head + np.array(array.shape, dtype=">i4").tobytes() + array.tobytes()


@pytest.fixture
def images() -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (6, 28, 28), dtype=np.uint8)


@pytest.fixture
def labels() -> np.ndarray:
    return np.array([3, 1, 4, 1, 5, 9], dtype=np.uint8)


@pytest.fixture
def write_idx(images: np.ndarray, labels: np.ndarray) -> Callable[..., None]:
    """Write the small training (and test) set into a folder."""

    def write(folder: Path, *, gzipped: bool) -> None:
        folder.mkdir(parents=True)
        for split in ("train", "t10k"):
            for kind, array in (("images-idx3", images), ("labels-idx1", labels)):
                content = idx(array)
                name = f"{split}-{kind}-ubyte"
                if gzipped:
                    (folder / f"{name}.gz").write_bytes(gzip.compress(content))
                else:
                    (folder / name).write_bytes(content)

    return write
