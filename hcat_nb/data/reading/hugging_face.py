"""Datasets of Hugging Face's package ``datasets`` as the parts of a dataset.

The package is not needed: who has such an object has imported it.
"""

from __future__ import annotations

import dataclasses
import sys
from collections.abc import Mapping
from io import BytesIO
from typing import TYPE_CHECKING, Any

import pandas as pd

from hcat_nb.data.files.image_files import ImageFiles, ImageRow, from_files
from hcat_nb.data.files.pictures import open_picture
from hcat_nb.data.image_options import ImageOptions
from hcat_nb.data.reading.arrays import Parts
from hcat_nb.data.reading.frames import nameless
from hcat_nb.data.table_options import TableOptions
from hcat_nb.errors import DataError, UnknownNameError
from hcat_nb.registry import nearest

if TYPE_CHECKING:
    from PIL.Image import Image


def is_hugging_face(data: Any) -> bool:
    """Whether this is a dataset, or a dict of splits, of the package ``datasets``."""
    package = sys.modules.get("datasets")
    kinds = ("Dataset", "IterableDataset", "DatasetDict", "IterableDatasetDict")
    classes = tuple(getattr(package, kind) for kind in kinds if hasattr(package, kind))
    return isinstance(data, classes)


def from_hugging_face(
    data: Any, labels: Any, target: Any, options: Mapping[str, Any], seed: int
) -> Parts:
    """Read one split: images and labels, or a table.

    ``data``: with a column of images (``datasets.Image``), or else a table whose columns but the
    target are features; ``target``: column of labels; default the only ``datasets.ClassLabel``,
    whose names become the class values; ``options``: of images: ``image`` (their column, where
    there are several), ``transform``, and ImageOptions; of a table: TableOptions; ``seed``: parent
    of what the transform draws at random.
    """
    if isinstance(data, dict):
        raise DataError(
            f"{type(data).__name__} holds several splits ({', '.join(map(str, data))})",
            "one of them",
            f"load(data[{next(iter(data), 'train')!r}])",
        )
    if not hasattr(data, "__len__"):
        raise DataError(
            f"the rows of {type(data).__name__} cannot be counted or read again",
            "a Dataset",
            "load_dataset without streaming=True",
        )
    data, told = _unformatted(data)
    if labels is None:
        target = _target(data, target)
        labels = _labels(data, target)
    elif target is not None:
        raise DataError("both labels and target= were given", "one of them")
    name = data.info.dataset_name or "hugging_face"
    image = _image(data, options.get("image"))
    if image is not None:
        files = _pictures(data, image, labels, options, name)
        return from_files(dataclasses.replace(files, notes=told), seed)
    table = TableOptions.of(**options)
    frame = data.to_pandas()
    parts = nameless(frame if target is None else frame.drop(columns=target), labels, None, table)
    return dataclasses.replace(parts, name=name, notes=(*told, *parts.notes))


def _unformatted(data: Any) -> tuple[Any, tuple[str, ...]]:
    """Return the dataset as it is stored, and a note about columns that its format leaves out."""
    form = data.format
    plain = data.with_format(None)
    if form["type"] == "custom":
        function = form["format_kwargs"].get("transform")
        called = getattr(function, "__name__", type(function).__name__)
        raise DataError(
            f"the dataset's own transform {called!r} (with_transform, set_transform) would be left "
            "out: columns are read as they are stored",
            "a dataset without one",
            "load([row[x] for row in dataset], [row[y] for row in dataset]), x and y the columns "
            "that it makes; dataset.with_format(None) leaves it out",
        )
    left_out = [name for name in plain.column_names if name not in form["columns"]]
    if not left_out:
        return plain, ()
    note = f"left out by the dataset's format (set_format): {', '.join(left_out)}"
    return plain.select_columns(form["columns"]), (note,)


def column_values(data: Any, column: str) -> Any:
    """Return a column's values; of class labels, their names."""
    return _labels(data, _known(data, column))


def _known(data: Any, column: str) -> str:
    if column not in data.column_names:
        raise UnknownNameError(
            f"the dataset has no column {column!r}", nearest(str(column), data.column_names)
        )
    return column


def _of_kind(data: Any, kind: str) -> list[str]:
    wanted = getattr(sys.modules["datasets"], kind)
    return [name for name, feature in data.features.items() if isinstance(feature, wanted)]


def _target(data: Any, target: Any) -> str:
    if target is not None:
        return _known(data, target)
    classes = _of_kind(data, "ClassLabel")
    if len(classes) != 1:
        raise DataError(
            f"which column holds the labels was not said, and {len(classes)} are class labels",
            "target=, one of " + ", ".join(data.column_names),
        )
    return classes[0]


def _labels(data: Any, target: str) -> Any:
    values = data.select_columns(target).to_pandas()[target]
    names = getattr(data.features[target], "names", None)
    if names is None:
        return values
    # -1 and null are its missing labels, as they are of a Categorical
    codes = values.fillna(-1).astype(int)
    return pd.Categorical.from_codes(codes.to_numpy(), categories=pd.Index(names), ordered=True)


def _image(data: Any, chosen: Any) -> str | None:
    if chosen is not None:
        return _known(data, chosen)
    images = _of_kind(data, "Image")
    if len(images) > 1:
        raise DataError(f"{len(images)} columns hold images", "image=, one of " + ", ".join(images))
    return images[0] if images else None


def _pictures(
    data: Any, image: str, labels: pd.Categorical | Any, options: Mapping[str, Any], name: str
) -> ImageFiles:
    rest = {key: value for key, value in options.items() if key != "image"}
    transform = rest.pop("transform", None)
    if image not in _of_kind(data, "Image"):
        raise DataError(
            f"the column {image!r} is {data.features[image]}", "a column of datasets.Image"
        )
    # Undecoded: the file's own bytes get the treatment of every image file.
    column = data.select_columns(image).cast_column(
        image, sys.modules["datasets"].Image(decode=False)
    )

    def opens(row: int) -> Image:
        stored = column[int(row)][image]
        if stored is None:
            raise ValueError("no image")
        return open_picture(stored["path"] if stored["bytes"] is None else BytesIO(stored["bytes"]))

    rows = [ImageRow(row) for row in range(len(data))]
    return ImageFiles(
        rows, labels, name, options=ImageOptions.of(**rest), transform=transform, opens=opens
    )
