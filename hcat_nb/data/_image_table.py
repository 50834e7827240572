"""A table of image paths and labels: a frame, a dict of columns, or a file."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hcat_nb.data._image_files import ImageFiles, missing_files
from hcat_nb.data._table import nearest_columns
from hcat_nb.data.image_options import ImageOptions
from hcat_nb.errors import DataError, UnknownNameError

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["files_of"]

_NAMED = 5  # rows that a message names


def files_of(
    frame: pd.DataFrame, labels: Any, target: Any, options: Mapping[str, Any], name: str = "frame"
) -> ImageFiles:
    """Return the image files that a table names, not yet read.

    Parameters
    ----------
    frame : pandas.DataFrame
        Its index becomes the sample ids; columns but the two are not used.
    labels : object, optional
        Labels beside the frame.
    target : hashable, optional
        Column of the labels.
    options : mapping
        ``image``: the column of paths; ``image_root``: the folder that they
        start from (default: the current one); ``transform``; and those of
        :class:`~hcat_nb.data.image_options.ImageOptions`.
    name : str
        What the dataset is called.

    Raises
    ------
    UnknownNameError
        If there is no such column or option.
    DataError
        If labels or paths are absent, or files do not exist.
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
    return ImageFiles(
        _paths(frame[column], root),
        frame[target] if labels is None else labels,
        name,
        frame.index,
        chosen,
        transform,
    )


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
