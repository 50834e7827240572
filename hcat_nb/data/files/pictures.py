"""One image file as an upright picture of 8 bits a channel, whatever it was stored as."""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import IO, TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from PIL.Image import Image

# What Pillow reads without further packages and people keep as pictures.
SUFFIXES = (
    *(".jpg", ".jpeg", ".jfif", ".png", ".apng", ".gif", ".bmp", ".webp", ".tif", ".tiff"),
    *(".ppm", ".pgm", ".pbm", ".pnm", ".mpo", ".avif", ".jp2"),
)

_DEEP = (".png", ".apng", ".tif", ".tiff", ".pgm", ".pnm")  # may hold 16 bits a pixel
_DEPTHS = (8, 10, 12, 14, 16)  # of cameras and scanners
_ORIENTATION = 0x0112  # EXIF tag


def open_picture(path: str | os.PathLike[str] | IO[bytes]) -> Image:
    """Return the first picture in a file, in its own mode, turned as EXIF says.

    Raises Exception whatever Pillow raises for a file that is damaged, cut short, no image, or a
    bomb: an image or a text chunk that unpacks without end.
    """
    from PIL import Image, ImageOps

    with Image.open(path) as opened:
        opened.load()
        # Only for a turned picture: Pillow would rewrite, and may fail at, EXIF that it
        # need not touch.
        if _orientation(opened) in range(2, 9):
            return ImageOps.exif_transpose(opened)
        return opened.copy()


def _orientation(image: Image) -> object:
    try:
        return image.getexif().get(_ORIENTATION)
    except (OSError, SyntaxError, TypeError, ValueError, KeyError):
        return None  # EXIF that cannot be read says nothing about the pixels


def bits_of(paths: Iterable[str | os.PathLike[str]]) -> int:
    """Return how many bits the deep grey pictures among these files use: 8 to 16.

    A 12-bit sensor's values, stored in 16 bits, would be near black on the
    scale of 65,535; one depth for all files keeps them comparable.  A file
    that cannot be read is passed over here: reading it reports it.
    """
    from PIL import Image

    largest = -1
    for path in paths:
        if os.path.splitext(path)[1].lower() not in _DEEP:
            continue
        try:
            with Image.open(path) as opened:
                if opened.mode.startswith("I"):
                    largest = max(largest, int(np.asarray(opened).max()))
        except Exception:  # noqa: S112 (any decoder's error; it comes again, with its name)
            continue
    fitting = (bits for bits in _DEPTHS if largest < 2**bits)
    return _DEPTHS[-1] if largest < 0 else next(fitting, _DEPTHS[-1])


def plain(image: Image, mode: str, background: str = "white", bits: int = 16) -> Image:
    """Return a picture as ``mode``, of 8 bits a channel and without transparency.

    ``image``: of any mode; ``mode`` {"RGB", "L"}: colour or grey; ``background``: colour under
    transparent pixels, as Pillow's ImageColor names it; ``bits``: depth of a deep grey picture: ``2
    ** bits - 1`` becomes 255. Raises ValueError if pixels are floating point numbers, or integers
    beyond 16 bits, whose white is not known.
    """
    from PIL import Image

    if image.mode == "F":
        raise ValueError("its pixels are floating point numbers, whose white is not known")
    if image.mode.startswith("I"):
        image = _shallow(image, bits)
    if image.mode in ("RGBA", "LA", "PA", "RGBa", "La") or "transparency" in image.info:
        over = image.convert("RGBA")
        under = Image.new("RGBA", image.size, background)
        image = Image.alpha_composite(under, over).convert("RGB")
    return image if image.mode == mode else image.convert(mode)


def _shallow(image: Image, bits: int) -> Image:
    from PIL import Image

    values = np.asarray(image, dtype=np.float64)
    if values.min() < 0 or values.max() > 65535:
        raise ValueError("its pixels are integers beyond 16 bits, whose white is not known")
    scaled = np.round(values * (255 / (2**bits - 1))).clip(0, 255)
    return Image.fromarray(scaled.astype(np.uint8))
