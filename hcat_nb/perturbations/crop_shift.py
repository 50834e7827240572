"""Crop: an atypical view of the same thing, moved partly out of the picture.

Source: Seedat et al. 2024 (H-CAT), arXiv 2403.04551 (10 pixels of 28,
always to the right, filled with the middle of the normalised range).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np
import torch
from torch import Tensor

from hcat_nb.data.dataset import LabelledDataset
from hcat_nb.errors import DataError
from hcat_nb.perturbations._images import ImageShift, background
from hcat_nb.perturbations._strength import Strength, check_variant, checked, levels

_HCAT_PIXELS = 10


@dataclass(frozen=True)
class CropShift(ImageShift):
    """The image moved sideways; what is left free takes the colour of its background.

    The background is the median of the outermost pixels, channel by channel.

    Parameters
    ----------
    strength : float or list of float
        How far, as a share of the width; rounded to whole pixels, one at least.
    variant : {"paper", "hcat"}
        ``"hcat"``: always to the right, and filled with the middle of the
        valid range, which alone gives the flag away.
    """

    name: ClassVar[str] = "crop_shift"
    title: ClassVar[str] = "Atypical: partly out of the picture"
    family: ClassVar[Literal["atypical"]] = "atypical"

    strength: Strength = _HCAT_PIXELS / 28
    variant: Literal["paper", "hcat"] = "paper"

    def __post_init__(self) -> None:
        object.__setattr__(self, "strength", checked(self.strength, "strength", 0.0, 1.0))
        check_variant(self.variant)

    def strengths(self) -> Strength:
        """Return the shares."""
        return self.strength

    def check(self, dataset: LabelledDataset) -> None:
        """Raise DataError if the images are too narrow to be moved by less than their width."""
        super().check(dataset)
        width = dataset.sample_shape[-1]
        if width < 2:
            raise DataError(f"the images of {dataset.name!r} are one pixel wide", "two at least")

    def redraw(
        self, images: Tensor, strength: Tensor, valid: tuple[float, float], rng: np.random.Generator
    ) -> Tensor:
        """Move each image by its share, to the left or the right with equal odds."""
        by = pixels_of(strength, images.shape[-1])
        if self.variant == "paper":
            by = by * torch.from_numpy(rng.integers(2, size=len(images)) * 2 - 1)
        return shifted(images, by, self._fill(images, valid))

    def outcomes(self, images: Tensor, valid: tuple[float, float]) -> Iterator[Tensor]:
        """Yield the images at each share, moved either way."""
        for share in levels(self.strength):
            by = pixels_of(torch.full((len(images),), share), images.shape[-1])
            yield shifted(images, by, self._fill(images, valid))
            if self.variant == "paper":
                yield shifted(images, -by, self._fill(images, valid))

    def _fill(self, images: Tensor, valid: tuple[float, float]) -> Tensor:
        if self.variant == "hcat":
            return torch.full((len(images), 1, 1, 1), sum(valid) / 2)
        return background(images)


def pixels_of(share: Tensor, width: int) -> Tensor:
    """Return shares of a width as whole pixels, from 1 to ``width - 1``: int64.

    >>> pixels_of(torch.tensor([10 / 28]), 28), pixels_of(torch.tensor([10 / 28]), 32)
    (tensor([10]), tensor([11]))
    """
    return (share * width).round().long().clamp(1, width - 1)


def shifted(images: Tensor, by: Tensor, fill: Tensor) -> Tensor:
    """Return images moved sideways.

    ``images`` (b, channels, height, width); ``by`` (b,) int64: pixels to the right; negative: to
    the left; ``fill``: what stands where nothing was.

    >>> shifted(torch.tensor([[[[1, 2, 3, 4]]]]), torch.tensor([1]), torch.tensor(0)).tolist()
    [[[[0, 1, 2, 3]]]]
    """
    width = images.shape[-1]
    origin = (torch.arange(width) - by[:, None])[:, None, None, :]
    inside = (origin >= 0) & (origin < width)
    moved = images.gather(3, origin.clamp(0, width - 1).expand_as(images))
    return torch.where(inside, moved, fill)
