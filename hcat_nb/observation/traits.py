"""What a measurement has to know about the raw inputs beside the inputs themselves."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Self

import torch
from torch import Tensor

from hcat_nb.data.column_moments import column_moments
from hcat_nb.data.dataset import LabelledDataset


@dataclass(frozen=True, eq=False)
class InputTraits:
    """Traits of a dataset's raw features.

    ``value_range``: images: the smallest and largest valid pixel value; ``flip_keeps_label``:
    images: whether a mirrored image is of the same class; ``column_stds`` (columns,) float32:
    tables: population standard deviation of each column of numbers; 0 of all others; ``marginals``
    (levels,) float32: tables: position of each categorical column, and the shares of its levels,
    summed up; the last is 1; ``words``: tables: columns that are TF-IDF weights.
    """

    value_range: tuple[float, float] | None = None
    flip_keeps_label: bool = False
    column_stds: Tensor | None = None
    marginals: Mapping[int, Tensor] = field(default_factory=dict)
    words: range = range(0)

    @classmethod
    def of(cls, dataset: LabelledDataset) -> Self:
        """Return the traits of ``dataset``; rows that cannot be read do not count."""
        if dataset.modality == "image":
            return cls(dataset.value_range, dataset.flip_keeps_label)
        features, rows = dataset.features, dataset.readable
        stds = column_moments(features, rows)[0].float()
        stds[[*dataset.levels, *dataset.words]] = 0.0
        marginals = {
            column: _marginal(features[:, column][rows], len(levels))
            for column, levels in dataset.levels.items()
        }
        return cls(column_stds=stds, marginals=marginals, words=dataset.words)


def _marginal(codes: Tensor, n_levels: int) -> Tensor:
    counts = torch.bincount(codes.long(), minlength=n_levels).double()
    shares = (counts.cumsum(0) / counts.sum()).float()
    shares[-1] = 1.0
    return shares
