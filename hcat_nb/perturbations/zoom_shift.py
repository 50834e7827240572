"""Zoom: an atypical view of the same thing, its centre enlarged.

Source: Seedat et al. 2024 (H-CAT), arXiv 2403.04551:
zoom_shift, factor 1.75.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from hcat_nb.perturbations._images import ImageShift, with_extremes
from hcat_nb.perturbations._strength import Strength, checked, levels


@dataclass(frozen=True)
class ZoomShift(ImageShift):
    """The centre of the image, enlarged to full size by bilinear interpolation.

    Parameters
    ----------
    strength : float or list of float
        Factor of enlargement, above 1.
    keep_extremes : bool
        Whether each channel keeps its own darkest and brightest value.  Without
        it they give most flags away, for the crop loses and interpolation
        lowers them.
    """

    name: ClassVar[str] = "zoom_shift"
    title: ClassVar[str] = "Atypical: zoomed in"
    family: ClassVar[Literal["atypical"]] = "atypical"

    strength: Strength = 1.75
    keep_extremes: bool = True

    def __post_init__(self) -> None:
        object.__setattr__(self, "strength", checked(self.strength, "strength", 1.0))

    def strengths(self) -> Strength:
        """Return the factors."""
        return self.strength

    def redraw(
        self, images: Tensor, strength: Tensor, valid: tuple[float, float], rng: np.random.Generator
    ) -> Tensor:
        """Enlarge the centre of each image by its factor."""
        return self._zoomed(images, strength, valid)

    def outcomes(self, images: Tensor, valid: tuple[float, float]) -> Iterator[Tensor]:
        """Yield the images at each factor."""
        for factor in levels(self.strength):
            yield self._zoomed(images, torch.full((len(images),), factor), valid)

    def _zoomed(self, images: Tensor, factor: Tensor, valid: tuple[float, float]) -> Tensor:
        result = zoomed(images, factor)
        return with_extremes(result, images, valid) if self.keep_extremes else result


def zoomed(images: Tensor, factor: Tensor) -> Tensor:
    """Return the centre of each image at full size.

    Returns (b, channels, height, width) float32: pixel ``i`` of ``n`` shows the place ``(i + .5 - n
    / 2) / factor + n / 2 - .5``.
    """
    theta = torch.zeros(len(images), 2, 3)
    theta[:, 0, 0] = theta[:, 1, 1] = 1.0 / factor
    grid = functional.affine_grid(theta, list(images.shape), align_corners=False)
    return functional.grid_sample(
        images, grid, mode="bilinear", padding_mode="border", align_corners=False
    )
