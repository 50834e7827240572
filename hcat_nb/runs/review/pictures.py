"""Samples of an image dataset as PNG files, for pages that hold their pictures themselves."""

from __future__ import annotations

import base64
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from hcat_nb.data.dataset import LabelledDataset

_SPRITE_COLUMNS = 10


def png(dataset: LabelledDataset, row: int) -> bytes:
    """Return one image; the valid range of its pixels becomes black to white.

    One channel is grey, three are red, green and blue; of any other number
    the mean is shown.
    """
    return _encoded(_pixels(dataset, np.array([row]))[0])


@dataclass(frozen=True, eq=False)
class Sprite:
    """Several images in one picture, row by row, each in the middle of a square of ``pixels``."""

    png: bytes
    columns: int
    rows: int
    pixels: int


def sprite(dataset: LabelledDataset, rows: np.ndarray, *, largest: int) -> Sprite:
    """Return the images at these positions, one at least, as one picture.

    Images of more than ``largest`` pixels a side are reduced to it.
    """
    from PIL import Image

    images = _pixels(dataset, rows)
    height, width = images.shape[1:3]
    side = min(max(height, width), largest)
    scale = side / max(height, width)
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    columns = min(len(rows), _SPRITE_COLUMNS)
    lines = -(-len(rows) // columns)
    # Transparent where there is no image, for light and dark pages.
    sheet = np.zeros((lines * side, columns * side, 4 if images.ndim == 4 else 2), np.uint8)
    left, top = (side - size[0]) // 2, (side - size[1]) // 2
    for place, image in enumerate(images):
        if scale < 1:
            image = np.asarray(Image.fromarray(image).resize(size, Image.Resampling.BOX))
        y, x = divmod(place, columns)
        cell = sheet[y * side + top :, x * side + left :][: size[1], : size[0]]
        cell[..., :-1] = image if image.ndim == 3 else image[..., None]
        cell[..., -1] = 255
    return Sprite(_encoded(sheet, level=1), columns, lines, side)


def file_picture(path: str, largest: int) -> bytes:
    """Return an image file, upright and reduced to a size, as JPEG; raises what Pillow does."""
    from PIL import Image

    from hcat_nb.data.files.pictures import open_picture, plain

    made = io.BytesIO()
    picture = plain(open_picture(path), "RGB")
    picture.thumbnail((largest, largest), Image.Resampling.LANCZOS)
    picture.save(made, "JPEG", quality=90)
    return made.getvalue()


def _pixels(dataset: LabelledDataset, rows: np.ndarray) -> np.ndarray:
    """Return images as uint8, grey (k, height, width) or colour (k, height, width, 3)."""
    assert dataset.value_range is not None  # the dataset refuses images without one
    low, high = dataset.value_range
    pixels = (dataset.features[rows].float() - low) / max(high - low, 1e-12) * 255
    array = pixels.clamp(0, 255).round().byte().permute(0, 2, 3, 1).numpy()
    if array.shape[3] == 1:
        return array[..., 0]
    return array if array.shape[3] == 3 else array.mean(axis=3).astype(np.uint8)


def _encoded(array: np.ndarray, level: int = 6) -> bytes:
    from PIL import Image

    buffer = io.BytesIO()
    Image.fromarray(array).save(buffer, format="PNG", compress_level=level)
    return buffer.getvalue()


def figure(pictures: Mapping[str, bytes], caption: str, pixels: int) -> str:
    """Return pictures by their words side by side, over a caption; words and caption are HTML."""
    images = "".join(
        f'<img alt="{words}" width="{pixels}" src="{data_url(picture)}" '
        'style="display:inline-block;margin:0 2px 0 0;image-rendering:pixelated">'
        for words, picture in pictures.items()
    )
    style = "margin:0;text-align:center;font-size:12px;line-height:1.4"
    return (
        f'<figure style="{style}"><div style="display:flex">{images}</div>'
        f"<figcaption>{caption}</figcaption></figure>"
    )


def side_by_side(figures: Sequence[str]) -> str:
    """Return figures in rows."""
    return f'<div style="display:flex;flex-wrap:wrap;gap:8px 16px">{"".join(figures)}</div>'


def data_url(picture: bytes) -> str:
    """Return a PNG file as the ``src`` of an HTML image."""
    return "data:image/png;base64," + base64.b64encode(picture).decode()
