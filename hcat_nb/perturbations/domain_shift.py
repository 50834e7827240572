"""Domain shift: the same shapes in another texture, a cartoon of the image.

Source: Seedat et al. 2024 (H-CAT), arXiv 2403.04551.  Its settings of OpenCV: median blur
of 5 pixels; edges by an adaptive threshold, 9 of 255 grey levels below the
mean of 9 x 9 pixels; bilateral filter of diameter 9, sigma 250; edges black.
Written anew here, borders replicated.  H-CAT adds noise of .5 first (``noise``).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from hcat_nb.data.dataset import LabelledDataset
from hcat_nb.perturbations._images import ImageShift, extremes, grey, with_extremes
from hcat_nb.perturbations._strength import Strength, check_variant, checked

_MEDIAN = 5
_BLOCK = 9
_BELOW = 9 / 255
_DIAMETER = 9
_SIGMA_COLOUR = 250 / 255
_SIGMA_PLACE = 250.0
_HCAT_NOISE = 0.5


@dataclass(frozen=True)
class DomainShift(ImageShift):
    """A cartoon: flat areas, dark outlines.

    Windows are those that H-CAT published for 28 and 32 pixels, or half the
    image's smaller side where that is less (8 x 8 digits: 3 pixels).

    Parameters
    ----------
    noise : float or list of float
        Standard deviation, in value ranges, of Gaussian noise that is added
        before; H-CAT: .5.
    keep_extremes : bool
        Whether each channel keeps its own darkest and brightest value; outlines
        take the darkest.  Without it blur lowers the contrast and outlines
        are black, which gives flags away.
    variant : {"paper", "hcat"}
        ``"hcat"``: the noise is .5 unless another is given, a half of it is
        added, and all happens in the upper half of the valid range, into
        which images are clamped: their minimum alone gives them away.  Grey
        images are smoothed by the median alone.
    """

    name: ClassVar[str] = "domain_shift"
    title: ClassVar[str] = "Near OOD: other texture (cartoon)"
    family: ClassVar[Literal["near_ood"]] = "near_ood"

    noise: Strength = 0.0
    keep_extremes: bool = True
    variant: Literal["paper", "hcat"] = "paper"

    def __post_init__(self) -> None:
        check_variant(self.variant)
        noise = checked(self.noise, "noise", 0.0, low_allowed=True)
        if self.variant == "hcat" and noise == 0.0:
            noise = _HCAT_NOISE
        object.__setattr__(self, "noise", noise)

    def strengths(self) -> Strength:
        """Return the levels of noise."""
        return self.noise

    def redraw(
        self, images: Tensor, strength: Tensor, valid: tuple[float, float], rng: np.random.Generator
    ) -> Tensor:
        """Draw a cartoon of each image."""
        if self.variant == "hcat":
            strength = strength / 2
        source = images
        if strength.any():
            noise = torch.from_numpy(rng.standard_normal(images.shape, dtype=np.float32))
            std = strength[:, None, None, None] * (valid[1] - valid[0])
            source = (images + noise * std).clamp(*valid)
        if self.variant == "hcat":
            middle = sum(valid) / 2
            source, black = source.clamp(min=middle), torch.full((1, 1, 1, 1), middle)
            return cartoon(source, black, valid[1] - middle, by_median=source.shape[1] == 1)
        return self._cartoon(source, images, valid)

    def eligible(self, dataset: LabelledDataset) -> Tensor:
        """Return the images that are not blank; blur changes every other."""
        low, high = dataset.features.flatten(1).aminmax(dim=1)
        return dataset.trainable & (low < high)

    def _cartoon(self, source: Tensor, images: Tensor, valid: tuple[float, float]) -> Tensor:
        if not self.keep_extremes:
            black = torch.full((len(images), 1, 1, 1), valid[0])
            return cartoon(source, black, valid[1] - valid[0])
        result = cartoon(source, extremes(source)[0], valid[1] - valid[0])
        return with_extremes(result, images, valid)


def cartoon(images: Tensor, outline: Tensor, span: float, *, by_median: bool = False) -> Tensor:
    """Return images smoothed, with their edges in one colour.

    ``images`` (b, channels, height, width) float32; ``outline`` (b, 1, 1, 1): value of the edges;
    ``span``: width of the valid range; ``by_median``: whether the median smooths (grey images),
    instead of the bilateral filter.
    """
    side = min(images.shape[-2:])
    blurred = median(grey(images), _window(_MEDIAN, side))
    lines = edges(blurred, _window(_BLOCK, side), _BELOW * span)
    if by_median:
        return torch.where(lines, outline, blurred)
    smooth = bilateral(images, _window(_DIAMETER, side), _SIGMA_COLOUR * span, _SIGMA_PLACE)
    return torch.where(lines, outline, smooth)


def edges(images: Tensor, block: int, below: float) -> Tensor:
    """Return where images are darker, by ``below`` or more, than the mean of ``block`` x ``block``.

    ``images`` (b, 1, height, width) float32; ``block``: odd.
    """
    return images <= functional.avg_pool2d(_padded(images, block // 2), block, stride=1) - below


def median(images: Tensor, window: int) -> Tensor:
    """Return each pixel as the median of the ``window`` x ``window`` pixels around it.

    By forgetful selection: of just over half the values the least and the greatest cannot be the
    median; drop both, take in the next value, repeat. That needs no copy of ``window``² the size
    and is five times as fast as sorting.

    ``images`` (b, channels, height, width) float32; ``window``: odd.
    """
    radius = window // 2
    height, width = images.shape[-2:]
    padded = _padded(images, radius)
    waiting = [
        padded[:, :, top : top + height, left : left + width]
        for top in range(window)
        for left in range(window)
    ]
    kept = waiting[: len(waiting) // 2 + 2]
    del waiting[: len(kept)]
    while len(kept) > 1:
        kept = _without_extremes(kept)
        if waiting:
            kept.append(waiting.pop())
    return kept[0]


def _without_extremes(values: list[Tensor]) -> list[Tensor]:
    """Return values, pixel by pixel, less the least and the greatest; their order is lost."""
    least, *rest = values
    for place, value in enumerate(rest):
        least, rest[place] = torch.minimum(least, value), torch.maximum(least, value)
    greatest, *rest = rest
    for place, value in enumerate(rest):
        greatest, rest[place] = torch.maximum(greatest, value), torch.minimum(greatest, value)
    return rest


def bilateral(images: Tensor, diameter: int, sigma_colour: float, sigma_place: float) -> Tensor:
    """Return images smoothed by a mean weighted by closeness in place and in colour.

    Tomasi and Manduchi, ICCV 1998; the difference in colour is summed over channels, the window is
    round.

    ``images`` (b, channels, height, width) float32; ``diameter``: of the window, odd, in pixels;
    ``sigma_colour``, ``sigma_place``: widths of the two Gaussians, in pixel values and in pixels.
    """
    radius = diameter // 2
    height, width = images.shape[-2:]
    padded = _padded(images, radius)
    total, weights = torch.zeros_like(images), torch.zeros_like(images[:, :1])
    for down in range(-radius, radius + 1):
        for right in range(-radius, radius + 1):
            away = down**2 + right**2
            if away > radius**2:
                continue
            top, left = radius + down, radius + right
            there = padded[:, :, top : top + height, left : left + width]
            colour = (there - images).abs().sum(dim=1, keepdim=True)
            near = colour.square() / (2 * sigma_colour**2) + away / (2 * sigma_place**2)
            weight = torch.exp(-near)
            total += weight * there
            weights += weight
    return total / weights


def _padded(images: Tensor, by: int) -> Tensor:
    return functional.pad(images, (by, by, by, by), mode="replicate")


def _window(published: int, side: int) -> int:
    """Return the published window, or the largest odd one of at most half the side.

    >>> [_window(9, side) for side in (32, 28, 16, 8, 3)]
    [9, 9, 7, 3, 1]
    """
    half = side // 2
    return min(published, max(1, half - 1 + half % 2))
