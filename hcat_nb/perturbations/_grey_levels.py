"""The grey levels of float images that were made from integers.

Pixels such as k / 255, k / 127.5 - 1 or (k / 255 - mean) / std lie on evenly
spaced levels.  A redrawn image that left them would be given away by one
pixel, whatever it shows, as a byte of 3.7 would if there were one.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

import torch
from torch import Tensor

__all__ = ["GreyLevels", "grey_levels"]

_FEWEST = 16  # of fewer (black and white, say) redrawn images need levels in between
_MOST_SEEN = 256
_MOST = 2**16
_SLACK = 0.01  # of a step: float32 misses a level of 256 by less than a thousandth


@dataclass(frozen=True, eq=False)
class GreyLevels:
    """Evenly spaced levels of one channel.

    Parameters
    ----------
    lowest, step : float
    values : Tensor of shape (m,), float32
        Ascending; those that occur bit by bit as they occur.
    """

    lowest: float
    step: float
    values: Tensor

    def nearest(self, pixels: Tensor) -> Tensor:
        """Return each pixel's nearest level; any shape, float32.

        Examples
        --------
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

    Parameters
    ----------
    blocks : iterable of Tensor of shape (b, channels, height, width), float32
        All images, part by part.
    channel : int
    valid : tuple of float
        Smallest and largest valid pixel value.

    Examples
    --------
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
