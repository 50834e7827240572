"""Gaussian noise on pixels or on the numeric columns of a table.

Source: Seedat et al. 2024 (H-CAT), arXiv 2403.04551.  It measures "the range" of images
normalised to [-1, 1] from 0 to their maximum, a half of it, and clamps the
result to [0, 1]: every hard image lies in the upper half of the valid range,
so that its minimum alone gives it away.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np
import torch
from torch import Tensor

from hcat_nb.data.dataset import LabelledDataset
from hcat_nb.errors import DataError
from hcat_nb.perturbations._images import clipped, redrawn, value_range
from hcat_nb.perturbations._strength import Strength, check_variant, checked, drawn
from hcat_nb.perturbations._tables import Column, numeric_columns
from hcat_nb.perturbations.base import H_CAT, Perturbation

_ATTEMPTS = 1000  # of a row that rounding left as it was: few, and cheap


@dataclass(frozen=True)
class GaussianNoise(Perturbation):
    """Adds independent Gaussian noise to each pixel or each numeric column.

    Pixels are clipped to the channel's own extremes (so never leave the valid
    range), a blank image's to the valid range.  In a table each column keeps
    the decimals and digits it is written with; constant, two-valued and
    categorical columns are left as they are.

    Parameters
    ----------
    strength : float or list of float
        Standard deviation of the noise: for images in value ranges, for
        tables in standard deviations of the column.
    keep_extremes : bool
        Images: whether pixels are clipped to the channel's own extremes.
        Without it, to the valid range, whose ends then give flags away where
        images do not reach them by themselves.
    variant : {"paper", "hcat"}
        ``"hcat"``: for images a half of the strength, clamped to the upper
        half of the valid range; for tables in raw units, on all columns of
        numbers.
    """

    modality: ClassVar[frozenset[Literal["image", "table"]]] = frozenset({"image", "table"})
    paper: ClassVar[str] = H_CAT
    cost: ClassVar[str] = "a copy of the features"

    strength: Strength = 0.0
    keep_extremes: bool = True
    variant: Literal["paper", "hcat"] = "paper"

    def __post_init__(self) -> None:
        object.__setattr__(self, "strength", checked(self.strength, "strength", 0.0))
        check_variant(self.variant)

    def check(self, dataset: LabelledDataset) -> None:
        """Raise DataError if a table has no numeric column."""
        super().check(dataset)
        if dataset.modality == "table" and (self.variant == "paper" or dataset.words):
            numeric_columns(dataset, self.name)

    def change(
        self, dataset: LabelledDataset, chosen: Tensor, rng: np.random.Generator
    ) -> tuple[LabelledDataset, np.ndarray]:
        """Add noise to the chosen samples."""
        strength = drawn(self.strength, len(chosen), rng)
        if dataset.modality == "table":
            return dataset.replace(features=self._table(dataset, chosen, strength, rng)), strength

        valid = value_range(dataset)

        def noisy(images: Tensor, places: np.ndarray) -> Tensor:
            std = torch.from_numpy(strength[places]).float()[:, None, None, None]
            noise = torch.from_numpy(rng.standard_normal(images.shape, dtype=np.float32))
            return self._clipped(images, noise * (std * (valid[1] - valid[0])), valid)

        return dataset.replace(features=redrawn(dataset, chosen, noisy, self.name)), strength

    def _clipped(self, images: Tensor, noise: Tensor, valid: tuple[float, float]) -> Tensor:
        if self.variant == "hcat":
            return (images + noise / 2).clamp(sum(valid) / 2, valid[1])
        if self.keep_extremes:
            return clipped(images + noise, images, valid)
        return (images + noise).clamp(*valid)

    def _table(
        self,
        dataset: LabelledDataset,
        chosen: Tensor,
        strength: np.ndarray,
        rng: np.random.Generator,
    ) -> Tensor:
        features = dataset.copied_features()
        left = np.arange(len(chosen))
        columns = self._columns(dataset)
        for _ in range(_ATTEMPTS):
            rows = chosen[torch.from_numpy(left)]
            for column in columns:
                values = dataset.features[rows, column.index].double().numpy()
                noise = rng.standard_normal(len(left)) * (strength[left] * column.std)
                noisy = column.rounded(values + noise)
                features[rows, column.index] = torch.from_numpy(noisy).float()
            same = (features[rows] == dataset.features[rows]).all(dim=1).numpy()
            left = left[same]
            if not len(left):
                return features
        raise DataError(
            f"{self.name!r} leaves {len(left)} samples of {dataset.name!r} as they are",
            "a change of at least one value",
            "give a larger strength",
        )

    def _columns(self, dataset: LabelledDataset) -> tuple[Column, ...]:
        """Return the columns that get noise; the strength is in their standard deviations."""
        if self.variant == "hcat":
            coded = {*dataset.levels, *dataset.words}
            columns = [i for i in range(dataset.sample_shape[0]) if i not in coded]
            return tuple(Column(index, 0.0, 0.0, 1.0, None) for index in columns)
        return numeric_columns(dataset, self.name)
