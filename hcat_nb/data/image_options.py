"""How image files become samples of one shape: size, colour, transparency."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from hcat_nb.data.files.pictures import plain
from hcat_nb.errors import SpecError
from hcat_nb.registry import refuse_unknown

if TYPE_CHECKING:
    from PIL.Image import Image

COLORS = {"rgb": "RGB", "grey": "L"}
FITS = ("crop", "pad", "stretch")


@dataclass(frozen=True)
class ImageOptions:
    """Options of every source of image files: folders, and tables of paths.

    Files are turned as their EXIF orientation says; of a file with several
    pictures the first is taken; palettes, 1-bit, 16-bit and CMYK pictures
    become 8 bits a channel.

    Parameters
    ----------
    size : int or pair of int
        Height and width in pixels; one number for a square.
    fit : {"crop", "pad", "stretch"}
        What becomes of a picture of another shape: crop, pad or stretch.  Its
        middle is cut out, it is framed by ``background``, or its sides are
        scaled unlike.
    color : {"rgb", "grey"}
        Three channels or one: rgb or grey.
    background : str
        Colour under transparent pixels and of frames.

    Raises
    ------
    SpecError
        If a value is out of range.
    """

    size: int | tuple[int, int] = 64
    fit: str = "crop"
    color: str = "rgb"
    background: str = "white"

    def __post_init__(self) -> None:
        from PIL import ImageColor

        pair = (self.size, self.size) if isinstance(self.size, int) else self.size
        sides = pair if isinstance(pair, Sequence) else ()
        if len(sides) != 2 or not all(type(side) is int and side >= 1 for side in sides):
            raise SpecError(
                f"size is {self.size!r}", "pixels a side: one number, or a pair (height, width)"
            )
        if self.fit not in FITS:
            raise SpecError(f"fit is {self.fit!r}", "one of " + ", ".join(FITS))
        if self.color not in COLORS:
            raise SpecError(f"color is {self.color!r}", "one of " + ", ".join(COLORS))
        try:
            ImageColor.getrgb(self.background)
        except (ValueError, AttributeError, TypeError) as error:
            raise SpecError(
                f"background is {self.background!r}", "a colour: white, black, #7f7f7f"
            ) from error

    @classmethod
    def of(cls, **options: Any) -> Self:
        """Return options made of keywords; UnknownNameError, with the nearest, of one unknown."""
        known = [item.name for item in dataclasses.fields(cls)]
        refuse_unknown(options, known, "images have no option {!r}")
        return cls(**options)

    @classmethod
    def chosen(cls, options: Any) -> Self:
        """Return the part of another object's fields that are options of images."""
        return cls(**{item.name: getattr(options, item.name) for item in dataclasses.fields(cls)})

    @property
    def sides(self) -> tuple[int, int]:
        """Height and width."""
        height, width = (self.size, self.size) if isinstance(self.size, int) else self.size
        return height, width

    def plain(self, image: Image, bits: int = 16) -> Image:
        """Return a picture in the chosen colours, in its own size."""
        return plain(image, COLORS[self.color], self.background, bits)

    def pixels(self, image: Image) -> np.ndarray:
        """Return a plain picture as uint8 of shape (channels, height, width)."""
        from PIL import Image, ImageOps

        height, width = self.sides
        bilinear = Image.Resampling.BILINEAR  # Pillow averages over what it scales down
        if image.size == (width, height):
            fitted = image
        elif self.fit == "crop":
            fitted = ImageOps.fit(image, (width, height), bilinear)
        elif self.fit == "pad":
            fitted = ImageOps.pad(image, (width, height), bilinear, color=self.background)
        else:
            fitted = image.resize((width, height), bilinear)
        array = np.asarray(fitted)
        return array[None] if array.ndim == 2 else array.transpose(2, 0, 1)
