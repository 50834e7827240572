"""Reproducible blocks that leave the notebook's own randomness alone."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import torch

__all__ = ["isolated_rng"]


@contextmanager
def isolated_rng(seed: int, device: torch.device | None = None) -> Iterator[None]:
    """Seed all global generators for a block, and put them back as they were.

    Covers torch (CPU and ``device``), NumPy's legacy generator and
    ``random``, because a user's module may draw from any of them.

    Parameters
    ----------
    seed : int
        In ``[0, 2**63)``.
    device : torch.device, optional
        A CUDA device whose generator belongs to the block, too.
    """
    cuda = [device] if device is not None and device.type == "cuda" else []
    numpy_state = np.random.get_state()  # noqa: NPY002  (what a user's module may use)
    python_state = random.getstate()
    with torch.random.fork_rng(devices=cuda):
        torch.manual_seed(seed)
        np.random.seed(seed % 2**32)  # noqa: NPY002
        random.seed(seed)
        try:
            yield
        finally:
            np.random.set_state(numpy_state)  # noqa: NPY002
            random.setstate(python_state)
