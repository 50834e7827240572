"""Which rows are made hard: exactly the stated share, drawn without replacement."""

from __future__ import annotations

import math

import numpy as np
import torch
from torch import Tensor

from hcat_nb.data.dataset import LabelledDataset
from hcat_nb.errors import DataError, SpecError


def chosen_rows(
    name: str, dataset: LabelledDataset, p: float, rng: np.random.Generator, candidates: Tensor
) -> Tensor:
    """Draw floor(p n + .5) of the candidates, n the labelled samples; ascending, int64.

    ``name``: of the kind of hardness, for messages; ``p``: share of the labelled samples, in [0,
    1]; ``candidates`` (n,) bool: rows that can change.
    """
    n = int(dataset.trainable.sum())
    count = _count(p, n)
    rows = torch.nonzero(candidates).ravel().numpy()
    largest = min(len(rows), n - 1)
    if largest < 1:
        raise DataError(
            f"{name!r} can change no sample of {dataset.name!r}",
            "two labelled samples at least, one of them of a class that can change",
        )
    if not 1 <= count <= largest:
        asks = "no sample" if count == 0 else f"{count:,} samples"
        why = "" if count in (0, n) else f", more than {name!r} can change"
        raise SpecError(
            f"p = {p:.10g} changes {'all ' if count == n else ''}{asks} of {n:,}{why}",
            f"p from {_least(n):.10g} (1 sample) to {_largest(largest, n):.10g} "
            f"({largest:,} samples), or 0 for none",
        )
    return torch.from_numpy(np.sort(rng.choice(rows, size=count, replace=False)))


def _count(p: float, n: int) -> int:
    return math.floor(p * n + 0.5)


def _least(n: int) -> float:
    """Return the least p, rounded up to three digits, that changes one of n samples."""
    exact = 0.5 / n
    scale: float = 10.0 ** (2 - math.floor(math.log10(exact)))
    return math.ceil(exact * scale) / scale


def _largest(count: int, n: int) -> float:
    """Return the largest p, to as few digits as tell counts apart, that changes ``count`` of n."""
    scale: int = 10 ** math.ceil(math.log10(2 * n))  # steps no wider than half a sample
    steps = math.floor((count + 0.5) / n * scale)
    # At a count and a half exactly, rounding already asks for one more.
    return steps / scale if _count(steps / scale, n) == count else (steps - 1) / scale
