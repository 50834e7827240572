"""A sample of an image dataset as a PNG file, for pages that hold their pictures themselves."""

from __future__ import annotations

import base64
import io
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from hcat_nb.data.dataset import LabelledDataset

__all__ = ["data_url", "png"]


def png(dataset: LabelledDataset, row: int) -> bytes:
    """Return one image; the valid range of its pixels becomes black to white.

    One channel is grey, three are red, green and blue; of any other number
    the mean is shown.
    """
    from PIL import Image

    assert dataset.value_range is not None  # the dataset refuses images without one
    low, high = dataset.value_range
    pixels = (dataset.features[row].float() - low) / max(high - low, 1e-12) * 255
    array = pixels.clamp(0, 255).round().byte().permute(1, 2, 0).numpy()
    if array.shape[2] == 1:
        array = array[:, :, 0]
    elif array.shape[2] != 3:
        array = array.mean(axis=2).astype(np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(array).save(buffer, format="PNG")
    return buffer.getvalue()


def data_url(picture: bytes) -> str:
    """Return a PNG file as the ``src`` of an HTML image."""
    return "data:image/png;base64," + base64.b64encode(picture).decode()
