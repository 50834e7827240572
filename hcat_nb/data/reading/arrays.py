"""Whatever a user calls an array, as one NumPy array."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from hcat_nb.data.placement import allocate
from hcat_nb.errors import DataError

_UNSIGNED = np.dtype(np.uint8)


@dataclass(frozen=True, eq=False)
class Parts:
    """What every way into a dataset yields: columns that belong together by position.

    Nothing here is checked yet, and ``features`` may still be the user's own memory.

    ``features`` (n, ...): as it came; ``labels``: as they came; ``name``: what the data are called
    unless the user says otherwise; ``ids``: names of the samples; without them their positions are
    the names; ``channels_first``: whether images follow torch's convention, which settles shapes
    that could be read in two ways; ``owned``: whether ``features`` is a copy already; ``levels``,
    ``words``, ``text``, ``original``, ``offsets``: of a table with named columns, as in
    LabelledDataset; ``unread``: positions of samples whose file cannot be read (their features are
    0), and the file and the reason; ``files``: the image file of each sample.
    """

    features: np.ndarray
    labels: Any
    name: str
    ids: pd.Index | None = None
    feature_names: tuple[str, ...] | None = None
    channels_first: bool = False
    owned: bool = False
    notes: tuple[str, ...] = ()
    levels: Mapping[int, tuple[Any, ...]] = field(default_factory=dict)
    words: range = range(0)
    text: str | None = None
    original: pd.DataFrame | None = None
    unread: Mapping[int, str] = field(default_factory=dict)
    offsets: Mapping[int, float] = field(default_factory=dict)
    files: tuple[str, ...] | None = None


def as_array(data: Any) -> tuple[np.ndarray, bool, bool]:
    """Return features as an array, whether channels come first, and whether it is a copy.

    ``data``: a list may hold rows of numbers, arrays, tensors or PIL images.
    """
    if isinstance(data, Tensor):
        if data.is_meta or data.is_quantized:
            kind = "on the meta device" if data.is_meta else "quantized"
            raise DataError(f"the features are {kind}", "a tensor of plain numbers")
        return _from_tensor(data), True, False
    if isinstance(data, np.ma.MaskedArray):
        raise DataError(
            "the features are a masked array", "a plain array", "fill it: features.filled(nan)"
        )
    if isinstance(data, np.ndarray):
        return data, False, False
    if isinstance(data, (list, tuple)):
        array, channels_first = stack(data, len(data))
        return array, channels_first, True
    if hasattr(data, "toarray"):
        raise DataError(
            f"the features are sparse ({type(data).__name__})",
            "a dense array",
            "features.toarray()",
        )
    if hasattr(data, "__array__"):
        return np.asarray(data), False, False
    raise DataError(
        f"features of the type {type(data).__name__} cannot be read",
        "the name of a dataset, a DataFrame, arrays or tensors (X, y), a map-style torch Dataset, "
        "or a DataLoader over one",
    )


def stack(samples: Iterable[Any], n: int, data_on: str = "auto") -> tuple[np.ndarray, bool]:
    """Return ``n`` samples of one shape as one new array, and whether channels come first."""
    out = np.empty((n, 0))
    convention = False
    for position, sample in enumerate(samples):
        array, channels_first = _sample_array(sample, position)
        if array.dtype.kind not in "buif":
            raise DataError(
                f"sample {position} is not numeric (its type is {array.dtype})", "numbers"
            )
        if position == 0:
            out = allocate((n, *array.shape), array.dtype, data_on)
            convention = channels_first
        if array.shape != out.shape[1:] or channels_first != convention:
            raise DataError(
                f"samples 0 and {position} have the shapes {out.shape[1:]} and {array.shape}"
                + (" and differ in type" if array.shape == out.shape[1:] else ""),
                "one shape and type for all samples",
                "resize or pad them alike",
            )
        if array.dtype != out.dtype:
            out = _promote(out, position, array.dtype, data_on)
        out[position] = array
    return out, convention


def _promote(out: np.ndarray, position: int, dtype: np.dtype[Any], data_on: str) -> np.ndarray:
    # uint8 and float pixels have different scales: joining them would mix two units
    if _UNSIGNED in (out.dtype, dtype):
        raise DataError(
            f"samples 0 and {position} have the types {out.dtype} and {dtype}",
            "one type for all samples",
            "convert them alike",
        )
    wider = allocate(out.shape, np.result_type(out.dtype, dtype), data_on)
    wider[:position] = out[:position]
    return wider


def _sample_array(sample: Any, position: int) -> tuple[np.ndarray, bool]:
    if isinstance(sample, Tensor):
        return _from_tensor(sample), True
    if isinstance(sample, np.ndarray):
        return sample, False
    from PIL import Image

    if isinstance(sample, Image.Image):
        return _from_pil(sample), True
    try:
        return np.asarray(sample), False
    except ValueError:
        raise DataError(
            f"sample {position} is no array: its rows differ in length", "numbers in one shape"
        ) from None


def _from_tensor(tensor: Tensor) -> np.ndarray:
    if tensor.layout != torch.strided:
        raise DataError("the features are a sparse tensor", "a dense one", "features.to_dense()")
    tensor = tensor.detach().cpu()
    # NumPy has no bfloat16
    return (tensor.float() if tensor.dtype == torch.bfloat16 else tensor).numpy()


def _from_pil(image: Any) -> np.ndarray:
    """Return C x H x W, uint8; 16-bit and float pictures as float32, not cut to white."""
    if image.mode.startswith(("I", "F")):
        return np.asarray(image, dtype=np.float32)[None]
    if image.mode == "1":
        image = image.convert("L")
    elif image.mode not in ("L", "LA", "RGB", "RGBA"):
        image = image.convert("RGB")
    array = np.asarray(image)
    return array[None] if array.ndim == 2 else array.transpose(2, 0, 1)
