"""Randomness of the user's own code, drawn once: the same for a row wherever it is read."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import torch

from hcat_nb.seeds import child_seed


@contextmanager
def drawn_for(row: int, seed: int) -> Iterator[None]:
    """Seed ``random``, NumPy's and torch's global streams for one row; restore them after.

    What a dataset or a transform draws from them depends on the row and the seed only: not on the
    order of reading, on workers, or on what ran before.

    >>> with drawn_for(row=3, seed=0):
    ...     first = random.random()
    >>> with drawn_for(row=3, seed=0):
    ...     assert random.random() == first
    """
    own = child_seed(seed, f"rows/{row}")
    python, numpy, torch_ = random.getstate(), np.random.get_state(), torch.get_rng_state()  # noqa: NPY002
    try:
        random.seed(own)
        np.random.seed(own % 2**32)  # noqa: NPY002 (the stream that others' code draws from)
        torch.default_generator.manual_seed(own)  # not torch.manual_seed: that moves devices too
        yield
    finally:
        random.setstate(python)
        np.random.set_state(numpy)  # noqa: NPY002
        torch.set_rng_state(torch_)
