"""What all kinds of hardness that redraw images share.

Images are redrawn in blocks, in the raw pixel domain: shape, type and valid
range stay.  A redrawn image also keeps its own darkest and brightest value
(no clamping or rescaling may give away which are hard).  Interpolation
and blur lower peaks, noise raises them and a photograph has none, so that
otherwise the minimum or the maximum alone would find most hard samples: AUROC
up to .82 for Gaussian noise on CIFAR-10, .12 for zoomed MNIST.  Float images
that were made from integers keep their grey levels, as bytes do.

Pixels such as k / 255, k / 127.5 - 1 or (k / 255 - mean) / std lie on evenly
spaced levels.  A redrawn image that left them would be given away by one
pixel, whatever it shows, as a byte of 3.7 would if there were one.
"""

from __future__ import annotations

import math
from abc import abstractmethod
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np
import torch
from torch import Tensor

from hcat_nb.data.dataset import LabelledDataset
from hcat_nb.errors import DataError
from hcat_nb.perturbations._strength import Strength, drawn
from hcat_nb.perturbations.base import H_CAT, Perturbation

_VALUES = 2**18  # float32 values in a block: 1 MiB, which stays in a processor's cache
_ATTEMPTS = 20
_LUMA = (0.299, 0.587, 0.114)  # ITU-R BT.601
_FEWEST = 16  # of fewer (black and white, say) redrawn images need levels in between
_MOST_SEEN = 256
_MOST = 2**16
_SLACK = 0.01  # of a step: float32 misses a level of 256 by less than a thousandth


@dataclass(frozen=True)
class ImageShift(Perturbation):
    """Redraws each chosen image from itself, by a strength of its own."""

    modality: ClassVar[frozenset[Literal["image", "table"]]] = frozenset({"image"})
    paper: ClassVar[str] = H_CAT
    cost: ClassVar[str] = "a copy of the images"

    @abstractmethod
    def strengths(self) -> Strength:
        """Return the strength or strengths in use."""

    @abstractmethod
    def redraw(
        self, images: Tensor, strength: Tensor, valid: tuple[float, float], rng: np.random.Generator
    ) -> Tensor:
        """Return images redrawn.

        ``images`` (b, channels, height, width) float32: raw pixels; not to be written to;
        ``strength`` (b,) float32; ``valid``: smallest and largest valid pixel value. Returns (b,
        channels, height, width) float32: within the valid range; rounded afterwards where pixels
        are integers.
        """

    def outcomes(self, images: Tensor, valid: tuple[float, float]) -> Iterator[Tensor]:
        """Yield each picture that may become of ``images``, so that :meth:`eligible` is exact.

        Default: none, for a kind that says in another way which images change.
        """
        return iter(())

    def eligible(self, dataset: LabelledDataset) -> Tensor:
        """Return the images that change, whatever is drawn: a blank one, say, does not."""
        found = dataset.trainable.clone()
        valid, pixels = value_range(dataset), Pixels(dataset)
        for block in blocks(torch.arange(len(dataset)), dataset):
            before = dataset.features[block]
            for after in self.outcomes(before.float(), valid):
                found[block] &= (pixels.nearest(after) != before).flatten(1).any(1)
        return found

    def change(
        self, dataset: LabelledDataset, chosen: Tensor, rng: np.random.Generator
    ) -> tuple[LabelledDataset, np.ndarray]:
        """Redraw the chosen images."""
        strength = drawn(self.strengths(), len(chosen), rng)
        features = redrawn(
            dataset,
            chosen,
            lambda images, places: self.redraw(
                images, torch.from_numpy(strength[places]).float(), value_range(dataset), rng
            ),
            self.name,
        )
        return dataset.replace(features=features), strength


def value_range(dataset: LabelledDataset) -> tuple[float, float]:
    """Return the valid range of an image dataset's pixels."""
    assert dataset.value_range is not None  # the dataset refuses images without one
    return dataset.value_range


def blocks(rows: Tensor, dataset: LabelledDataset) -> Iterator[Tensor]:
    """Yield ``rows`` in parts whose images take about a MiB."""
    size = max(1, _VALUES // math.prod(dataset.sample_shape))
    yield from torch.split(rows, size)


def redrawn(
    dataset: LabelledDataset,
    rows: Tensor,
    make: Callable[[Tensor, np.ndarray], Tensor],
    name: str,
) -> Tensor:
    """Return the dataset's features with ``rows`` redrawn: one copy and small blocks.

    ``dataset``: images; left as they are; ``rows`` (k,) int64; ``make``: of images, float32 of
    shape (b, channels, height, width), and their places among ``rows``, int64 of shape (b,);
    returns them redrawn. An image that comes out as it was is made again; ``name``: the hardness,
    for the error.
    """
    features, pixels = dataset.copied_features(), Pixels(dataset)
    for place in blocks(torch.arange(len(rows)), dataset):
        left = place
        for _ in range(_ATTEMPTS):
            before = dataset.features[rows[left]]
            after = pixels.nearest(make(before.float(), left.numpy()))
            features[rows[left]] = after
            left = left[(after == before).flatten(1).all(1)]
            if not len(left):
                break
        else:
            raise DataError(
                f"{name!r} leaves {len(left)} images of {dataset.name!r} as they are",
                "a change of at least one pixel",
                "give a larger strength",
            )
    return features


class Pixels:
    """What a pixel of a dataset can be: its type, and its grey levels where there are such."""

    def __init__(self, dataset: LabelledDataset) -> None:
        self._dtype = dataset.features.dtype
        self._levels: list[GreyLevels | None] = []
        if self._dtype.is_floating_point:
            readable = torch.nonzero(dataset.readable).ravel()
            self._levels = [
                grey_levels(
                    (dataset.features[rows] for rows in blocks(readable, dataset)),
                    channel,
                    value_range(dataset),
                )
                for channel in range(dataset.sample_shape[0])
            ]

    def nearest(self, images: Tensor) -> Tensor:
        """Return images, float32, in the dataset's type, each pixel at the nearest that can be."""
        if not self._dtype.is_floating_point:
            return images.round().to(self._dtype)
        result = images.to(self._dtype)
        for channel, levels in enumerate(self._levels):
            if levels is not None:
                result = result.clone() if result is images else result
                result[:, channel] = levels.nearest(images[:, channel])
        return result


def extremes(images: Tensor) -> tuple[Tensor, Tensor]:
    """Return the darkest and brightest value of each channel: two of shape (b, channels, 1, 1)."""
    return images.amin(dim=(2, 3), keepdim=True), images.amax(dim=(2, 3), keepdim=True)


def with_extremes(
    images: Tensor, like: Tensor, valid: tuple[float, float], *, most_stretch: float = 3.0
) -> Tensor:
    """Return images stretched so that the extremes of each channel are exactly those of ``like``.

    A channel that would have to be stretched more than ``most_stretch`` times is clipped to them
    instead: what is left of a picture there is a flat region's grain, and blown up it would be
    another picture. Where ``like`` is blank, all of it one colour, there is nothing to keep, and
    the image is clipped to the valid range.

    >>> like = torch.tensor([[[[10.0, 14.0]]]])
    >>> with_extremes(torch.tensor([[[[0.0, 1.0, 2.0]]]]), like, (0, 255)).tolist()
    [[[[10.0, 12.0, 14.0]]]]
    """
    (low, high), (least, greatest) = extremes(images), extremes(like)
    stretched = torch.lerp(least, greatest, (images - low) / (high - low))
    # Exact, for a maximum that is off by one rounding error gives the flag away as well.
    stretched = torch.where(images == low, least, stretched)
    stretched = torch.where(images == high, greatest, stretched)
    enough = greatest - least <= most_stretch * (high - low)
    stretched = torch.where(enough & (high > low), stretched, images)
    return _within(stretched, images, least, greatest, valid)


def clipped(images: Tensor, like: Tensor, valid: tuple[float, float]) -> Tensor:
    """Return images clipped to the extremes of each channel of ``like``.

    Where that is blank, all of it one colour, to the valid range.

    >>> like = torch.tensor([[[[10.0, 30.0]]]])
    >>> clipped(torch.tensor([[[[0.0, 20.0, 40.0]]]]), like, (0, 255)).tolist()
    [[[[10.0, 20.0, 30.0]]]]
    """
    least, greatest = extremes(like)
    return _within(images, images, least, greatest, valid)


def _within(
    images: Tensor, otherwise: Tensor, least: Tensor, greatest: Tensor, valid: tuple[float, float]
) -> Tensor:
    blank = (least == greatest).all(dim=1, keepdim=True)
    inside = torch.minimum(torch.maximum(images, least), greatest)
    return torch.where(blank, otherwise.clamp(*valid), inside)


def background(images: Tensor) -> Tensor:
    """Return each image's background, the median of its outermost pixels.

    Returns (b, channels, 1, 1): a value that occurs (of an even number the lower middle one).
    """
    border = torch.cat(
        [images[:, :, 0], images[:, :, -1], images[:, :, 1:-1, 0], images[:, :, 1:-1, -1]], dim=2
    )
    return border.median(dim=2).values[:, :, None, None]


def grey(images: Tensor) -> Tensor:
    """Return images of shape (b, channels, height, width) in one channel.

    RGB by luma, a fourth channel (transparency) left out; else the mean.
    """
    channels = images.shape[1]
    if channels in (3, 4):
        weights = torch.tensor(_LUMA, dtype=images.dtype)[:, None, None]
        return (images[:, :3] * weights).sum(dim=1, keepdim=True)
    return images.mean(dim=1, keepdim=True)


@dataclass(frozen=True, eq=False)
class GreyLevels:
    """Evenly spaced levels of one channel, ascending; those that occur, bit by bit as they do."""

    lowest: float
    step: float
    values: Tensor

    def nearest(self, pixels: Tensor) -> Tensor:
        """Return each pixel's nearest level; any shape, float32.

        >>> levels = GreyLevels(0.0, 0.25, torch.tensor([0.0, 0.25, 0.5]))
        >>> levels.nearest(torch.tensor([0.1, 0.3, 9.0])).tolist()
        [0.0, 0.25, 0.5]
        """
        place = ((pixels - self.lowest) / self.step).round_().long()
        return self.values[place.clamp_(0, len(self.values) - 1)]


def grey_levels(
    blocks: Iterable[Tensor], channel: int, valid: tuple[float, float]
) -> GreyLevels | None:
    """Return the levels of a channel; None where its values are not evenly spaced.

    ``blocks`` (b, channels, height, width) float32: all images, part by part; ``valid``: smallest
    and largest valid pixel value.

    >>> image = (torch.arange(64) % 17 / 16).reshape(1, 1, 8, 8)
    >>> len(grey_levels([image], 0, (0.0, 1.0)).values)
    17
    >>> grey_levels([image.sqrt()], 0, (0.0, 1.0)) is None
    True
    """
    seen, found = torch.empty(0), None
    for block in blocks:
        pixels = block[:, channel]
        if found is not None and torch.equal(found.nearest(pixels), pixels):
            continue
        seen = torch.unique(torch.cat([seen, pixels.flatten()]))
        if len(seen) > _MOST_SEEN:
            return None
        found = _through(seen, valid)
    return found if len(seen) >= _FEWEST else None


def _through(seen: Tensor, valid: tuple[float, float]) -> GreyLevels | None:
    """Return evenly spaced levels among which all of ``seen``, ascending, are; None if none are."""
    if len(seen) < 2:
        return None
    exact = seen.double()
    first, span = float(exact[0]), float(exact[-1] - exact[0])
    steps = round(span / float(exact.diff().min()))
    if steps >= _MOST:
        return None
    step = span / steps
    below = math.floor((first - valid[0]) / step + _SLACK)
    above = math.floor((valid[1] - first) / step + _SLACK)
    if below + above >= _MOST:
        return None
    places = (exact - first) / step
    whole = places.round()
    if ((places - whole).abs() > _SLACK).any():
        return None
    values = (first + torch.arange(-below, above + 1, dtype=torch.float64) * step).float()
    values.clamp_(*valid)
    values[whole.long() + below] = seen
    return GreyLevels(first - below * step, step, values)
