"""A table of image paths and labels: a frame, a dict of columns, or a file."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Mapping
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from hcat_nb.data.files.image_files import ImageFiles, ImageRow, missing_files
from hcat_nb.data.files.pictures import open_picture
from hcat_nb.data.image_options import ImageOptions
from hcat_nb.data.reading.table import nearest_columns
from hcat_nb.errors import DataError, UnknownNameError

if TYPE_CHECKING:
    from PIL.Image import Image

_NAMED = 5  # rows that a message names
# How files of JPEG, PNG, GIF, BMP, TIFF and WebP begin.
_MAGIC = (b"\xff\xd8", b"\x89PNG", b"GIF8", b"BM", b"II*\0", b"MM\0*", b"RIFF")


def files_of(
    frame: pd.DataFrame, labels: Any, target: Any, options: Mapping[str, Any], name: str = "frame"
) -> ImageFiles:
    """Return the image files that a table names, not yet read.

    ``frame``: its index becomes the sample ids; columns but the two are not used. The column of
    images may also hold their bytes; ``target``: column of the labels; ``options``: ``image``: the
    column of paths; ``image_root``: the folder that they start from (default: the current one);
    ``transform``; and those of :class:`~hcat_nb.data.image_options.ImageOptions`.
    """
    rest = dict(options)
    column, root = rest.pop("image"), rest.pop("image_root", None)
    transform = rest.pop("transform", None)
    chosen = ImageOptions.of(**rest)
    if (labels is None) == (target is None):
        raise DataError(
            "image= was given with " + ("no labels" if labels is None else "labels and target="),
            "labels beside the paths, or target=, the column of labels",
        )
    for one in (column,) if target is None else (column, target):
        if one not in frame.columns:
            raise UnknownNameError(
                f"the table has no column {one!r}",
                nearest_columns(str(one), [str(name) for name in frame.columns]),
            )
        if (frame.columns == one).sum() > 1:
            raise DataError(f"the table has several columns called {one!r}", "different names")
    pictures = frame[column]
    unused = [str(one) for one in frame.columns if one not in (column, target)]
    inside = holds_image(pictures)
    notes = f"images of the column {column!r}; other columns are no features: {', '.join(unused)}"
    files = ImageFiles(
        [] if inside else _paths(pictures, root),
        frame[target] if labels is None else labels,
        name,
        frame.index,
        chosen,
        transform,
        (notes,) if unused else (),
    )
    if not inside:
        return files
    cells = pictures.tolist()

    def opens(row: ImageRow) -> Image:
        cell = cells[row]
        stored = cell if isinstance(cell, dict) else {"bytes": cell}
        if stored.get("bytes") is not None:
            return open_picture(BytesIO(stored["bytes"]))
        if not stored.get("path"):
            raise ValueError("no image")
        return open_picture(Path(root or "", stored["path"]).expanduser())

    return dataclasses.replace(
        files, paths=[ImageRow(row) for row in range(len(cells))], opens=opens
    )


def image_column(frame: pd.DataFrame, target: Any) -> str | None:
    """Return the column that holds images, as Hugging Face or others keep them in Parquet."""
    places = [at for at, name in enumerate(frame.columns) if str(name) != str(target)]
    found = [str(frame.columns[at]) for at in places if holds_image(frame.iloc[:, at])]
    if len(found) > 1:
        raise DataError(f"{len(found)} columns hold images", "image=, one of " + ", ".join(found))
    return found[0] if found else None


def holds_image(column: pd.Series) -> bool:
    """Whether the cells are images: their bytes, or a dict with ``bytes`` and ``path``."""
    first = next((one for one in column if one is not None), None) if column.dtype == object else 0
    if isinstance(first, dict):
        return "bytes" in first and set(first) <= {"bytes", "path"}
    return isinstance(first, bytes) and first.startswith(_MAGIC)


def _paths(column: pd.Series, root: str | os.PathLike[str] | None) -> list[Path]:
    wrong = [
        row for row, one in column.items() if not (isinstance(one, (str, os.PathLike)) and one)
    ]
    if wrong:
        named = ", ".join(map(str, wrong[:_NAMED]))
        raise DataError(
            f"{len(wrong)} of {len(column)} rows of {column.name!r} hold no path: {named}",
            "the path of an image in every row",
        )
    folder = Path() if root is None else Path(root).expanduser()
    paths = [folder / Path(one).expanduser() for one in column]
    missing_files(paths)
    return paths
