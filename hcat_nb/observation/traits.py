"""What a measurement has to know about the raw inputs beside the inputs themselves."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import torch
from torch import Tensor

from hcat_nb.data.dataset import LabelledDataset

__all__ = ["InputTraits"]


@dataclass(frozen=True, eq=False)
class InputTraits:
    """Traits of a dataset's raw features.

    Parameters
    ----------
    value_range : tuple of float, optional
        Images: the smallest and largest valid pixel value.
    flip_keeps_label : bool
        Images: whether a mirrored image is of the same class.
    column_stds : Tensor of shape (columns,), float32, optional
        Tables: population standard deviation of each column.
    """

    value_range: tuple[float, float] | None = None
    flip_keeps_label: bool = False
    column_stds: Tensor | None = None

    @classmethod
    def of(cls, dataset: LabelledDataset) -> Self:
        """Return the traits of ``dataset``; rows that cannot be read do not count."""
        if dataset.modality == "image":
            return cls(dataset.value_range, dataset.flip_keeps_label)
        rows = dataset.features[dataset.readable].double()
        return cls(column_stds=torch.std(rows, dim=0, correction=0).float())
