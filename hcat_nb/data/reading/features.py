"""Features as one tensor of their own: layout, type, value range, unreadable rows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor

from hcat_nb.data.placement import allocate, is_mapped, lies_on_disk, private_map
from hcat_nb.data.reading.offsets import difference, find_offsets, offset_notes
from hcat_nb.errors import DataError

_CHANNELS = (1, 2, 3, 4)
_BLOCK = 1 << 16  # rows that offsets are taken off at a time


@dataclass(frozen=True, eq=False)
class Features:
    """Features in the form of a LabelledDataset.

    ``tensor``: float32 of shape (n, columns), or uint8 or float32 of shape (n, channels, height,
    width); shares no memory with the input, unless that is a memory map; ``bad`` (n,) bool: rows
    that hold NaN, infinity, or a number beyond float32; ``value_range``: images only: smallest and
    largest valid pixel value; ``notes``: how shape and range were read; ``mapped``: whether
    ``tensor`` lies in a memory-mapped file; ``offsets``: what was taken off columns of a table, by
    place.
    """

    tensor: Tensor
    bad: Tensor
    value_range: tuple[float, float] | None
    notes: tuple[str, ...]
    mapped: bool = False
    offsets: Mapping[int, float] = field(default_factory=dict)


def to_features(
    array: np.ndarray, *, channels_first: bool, owned: bool, data_on: str = "auto"
) -> Features:
    """Return a numeric array as features; at most one copy is made.

    None is made of a memory map that holds features in this form, where they are to lie on disk.

    ``array`` (n, columns), (n, h, w), (n, c, h, w) or (n, h, w, c): integers, booleans or floats;
    ``channels_first``: whether a shape that could be read in two ways is (n, c, h, w); ``owned``:
    whether the memory of ``array`` may be kept; ``data_on`` {"auto", "device", "host", "disk"}:
    where features may lie, as in :func:`~hcat_nb.data.placement.allocate`.
    """
    if array.dtype.kind not in "buif":
        raise DataError(
            f"the features have the type {array.dtype}, which is not numeric",
            "integers, booleans or floats",
            "encode text as numbers, or features.astype(float)",
        )
    view, notes = _as_layout(array, channels_first)
    if 0 in view.shape[1:]:
        raise DataError(f"the features have the shape {array.shape}", "at least one feature")
    is_image = view.ndim == 4
    dtype = np.dtype(np.uint8 if is_image and view.dtype == np.uint8 else np.float32)
    found = {} if is_image else find_offsets(view)
    offsets = {place: one.value for place, one in found.items() if one.value}
    notes = (*notes, *offset_notes(found, None))
    own, mapped = _own(view, dtype, owned, data_on)
    for start in range(0, len(own), _BLOCK) if offsets else ():
        part = slice(start, start + _BLOCK)
        for place, offset in offsets.items():
            with np.errstate(over="ignore"):  # beyond float32 becomes infinite, a bad row
                own[part, place] = difference(view[part, place], offset)
    tensor = torch.from_numpy(own)
    if tensor.dtype == torch.uint8:
        bad = torch.zeros(len(tensor), dtype=torch.bool)
        return Features(tensor, bad, (0.0, 255.0), notes, mapped)
    # the extremes of a row are NaN or infinite exactly if one of its values is: one
    # pass without temporaries finds both the unreadable rows and the range
    low, high = tensor.flatten(1).aminmax(dim=1)
    readable = torch.isfinite(low) & torch.isfinite(high)
    if not is_image:
        return Features(tensor, ~readable, None, notes, mapped, offsets)
    value_range, note = _range_of(low[readable], high[readable])
    return Features(tensor, ~readable, value_range, (*notes, note), mapped)


def _own(
    view: np.ndarray, dtype: np.dtype[np.generic], owned: bool, data_on: str
) -> tuple[np.ndarray, bool]:
    """Return the array in memory of its own, or in a file, and whether it is in one."""
    if owned and view.dtype == dtype and view.flags.c_contiguous and view.flags.writeable:
        return view, is_mapped(view)
    if view.dtype == dtype and lies_on_disk(view.nbytes, data_on):
        there = private_map(view)
        if there is not None:
            return there, True
    out = allocate(view.shape, dtype, data_on)
    # a number beyond float32 becomes infinite and is reported with its row
    with np.errstate(over="ignore", invalid="ignore"):
        np.copyto(out, view, casting="unsafe")
    return out, is_mapped(out)


def _as_layout(array: np.ndarray, channels_first: bool) -> tuple[np.ndarray, tuple[str, ...]]:
    shape = array.shape
    if array.ndim == 2:
        return array, ()
    if array.ndim == 3:
        return array[:, None], (f"shape {shape} read as images N x H x W with one channel",)
    if array.ndim != 4:
        remedy = "features.reshape(-1, 1)" if array.ndim == 1 else None
        raise DataError(
            f"the features have the shape {shape}",
            "a table (n, columns) or images (n, h, w), (n, channels, h, w), (n, h, w, channels)",
            remedy,
        )
    first, last = shape[1] in _CHANNELS, shape[3] in _CHANNELS
    if first and not last:
        return array, ()
    if last and not first:
        return array.transpose(0, 3, 1, 2), (f"shape {shape} read as images N x H x W x C",)
    if channels_first:
        return array, (f"shape {shape} read as images N x C x H x W, as torch has them",)
    raise DataError(
        f"images of the shape {shape} can be read as N x C x H x W and as N x H x W x C",
        f"one of the two with {_CHANNELS[0]} to {_CHANNELS[-1]} channels",
        "hand over a tensor, which is read as N x C x H x W: torch.as_tensor(features)",
    )


def _range_of(low: Tensor, high: Tensor) -> tuple[tuple[float, float], str]:
    if len(low) == 0:
        return (0.0, 1.0), "no readable image: value range taken as (0, 1)"
    least, greatest = low.min().item(), high.max().item()
    for start, end in ((0.0, 1.0), (0.0, 255.0), (-1.0, 1.0)):
        if start <= least and greatest <= end:
            span = f"({start:g}, {end:g})"
            return (start, end), f"pixels lie in [{least:g}, {greatest:g}]: value range {span}"
    return (least, greatest), f"value range ({least:g}, {greatest:g}), as observed"
