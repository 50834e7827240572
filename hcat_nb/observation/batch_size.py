"""How many samples an observation batch holds where the user does not say."""

from __future__ import annotations

import math

import torch

_CUDA = 4096
_TABLE = 1024
# Input values of a batch of images, and its limits, on a CPU: activations that
# leave the caches cost more than a second call.  Measured with LeNet (8 x 8 to
# 32 x 32 pixels) and ResNet-18; the minimum is flat, a factor 2 is within 5 %.
_VALUES = 2**17
_FEWEST, _MOST = 128, 1024


def default_batch_size(sample_shape: tuple[int, ...], device: torch.device) -> int:
    """Return a batch size for observing samples of ``sample_shape``.

    It follows from shape and kind of device alone, not from a trial, so that a repeated run repeats
    every bit.

    >>> cpu = torch.device("cpu")
    >>> default_batch_size((1, 28, 28), cpu), default_batch_size((1, 8, 8), cpu)
    (128, 1024)
    >>> default_batch_size((50,), cpu)
    1024
    """
    if device.type != "cpu":
        return _CUDA
    if len(sample_shape) == 1:
        return _TABLE
    rows = _VALUES // max(1, math.prod(sample_shape))
    return min(_MOST, max(_FEWEST, 1 << max(0, rows.bit_length() - 1)))
