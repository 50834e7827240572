"""A table of the user's own in a file, or in several; it may hold images, or name their files."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import pandas as pd

from hcat_nb.casts import as_path
from hcat_nb.data.dataset import LabelledDataset
from hcat_nb.data.files.image_table import files_of, image_column
from hcat_nb.data.files.table_files import TableFile, kind_of_file, read_file
from hcat_nb.data.image_options import ImageOptions
from hcat_nb.data.reading.coerce import coerce
from hcat_nb.data.reading.table import nearest_columns
from hcat_nb.data.sources._table import TableSource
from hcat_nb.data.table_options import TableOptions
from hcat_nb.data.truth import split_beside
from hcat_nb.errors import DataError, SpecError
from hcat_nb.registry import COMPRESSIONS, TABLE_SUFFIXES

_TABLE = [item.name for item in fields(TableOptions)]
# How columns become numbers; the others tell how a file is read, whatever it holds.
_ENCODING = [*_TABLE[: _TABLE.index("sep")]]
_ENCODING.remove("missing")


@dataclass(frozen=True)
class File(ImageOptions, TableSource):
    """A table in a file; ``load("birds.csv", target="species")`` is short for it.

    Parameters
    ----------
    path : str
        The file of a table, or its parts: a folder, or a pattern (``data/*.parquet``).
        Kinds: .csv, .tsv, .data, .txt, .parquet, .json, .jsonl, .ndjson,
        .xlsx and .arff; text may be compressed (.gz, .zip, ...).
    image : str, optional
        Column of image paths, or of the images themselves; the dataset is then
        one of images.  Default: the only column that holds images.
    image_root : str, optional
        Folder that these paths start from; default that of the table's file.
    transform : callable, optional
        Takes a PIL image and returns an image, array or tensor; takes the
        place of ``size`` and ``fit``.  What it draws at random is drawn once
        a sample.
    """

    name = "file"
    title = "A table of yours, with target=: CSV, Parquet, JSON; or of image paths"
    n_samples = None
    bundled = False
    paper = "your own"
    cost = "a file of yours"

    path: str = ""
    image: str | None = None
    image_root: str | None = None
    transform: Callable[..., Any] | None = None

    def __post_init__(self) -> None:
        ImageOptions.__post_init__(self)
        TableSource.__post_init__(self)
        # A file that may hold images has to be read before it is known what it is.
        kind = kind_of_file(Path(self.path))
        if self.image or (kind in TABLE_SUFFIXES and kind != ".parquet"):
            self._refuse_unused(self.image)

    def _refuse_unused(self, image: str | None) -> None:
        # A table is either one of numbers or one of image paths: an option of the
        # other kind would do nothing, which its giver should learn.
        unused = _ENCODING if image else [item.name for item in fields(ImageOptions)]
        names = [*unused, *([] if image else ["image_root", "transform"])]
        standard = {item.name: item.default for item in fields(self)}
        for name in names:
            if getattr(self, name) != standard[name]:
                raise SpecError(
                    f"{name} was given with {'image=' if image else 'no image='}",
                    "options of a table of "
                    + ("image paths" if self.image else "features, or image=, a column of paths"),
                )

    def frame(self) -> tuple[pd.DataFrame, None]:
        """Return the table; which column is the target, the user says."""
        return self.read()[0].frame, None

    def read(self, target: Any = None) -> tuple[TableFile, Any]:
        """Return the table, with what was guessed, and what ``target`` is called, "last" too.

        Texts of the target stay words.
        """
        if not self.path:
            raise SpecError(
                "the dataset 'file' was given no path", "the path of a table", "path=birds.csv"
            )
        options = TableOptions(**{name: getattr(self, name) for name in _TABLE})
        read = read_file(self.path, options, words=() if target is None else (str(target),))
        if target == "last" and "last" not in map(str, read.frame.columns):
            return self.read(str(read.frame.columns[-1]))
        return read, target

    def load_as(self, *, target: Any = None, truth: Any = None, **reading: Any) -> LabelledDataset:
        """Return the table with ``target`` as its labels."""
        if target is None:
            names = [str(name) for name in self.frame()[0].columns]
            raise DataError(
                f"which column of {self.path} holds the labels was not said",
                "target=, " + nearest_columns("target label class", names),
            )
        read, target = self.read(target)
        frame = read.frame
        image = self.image or image_column(frame, target)
        if not self.image:
            self._refuse_unused(image)
        frame, truth = split_beside(frame, "truth", truth, target)
        for option in ("groups", "weights"):
            frame, reading[option] = split_beside(frame, option, reading.get(option), target)
        given: Any = frame
        if image is None:
            options = {name: getattr(self, name) for name in _TABLE}
            reading |= {"target": target, "options": options, "name": self.called}
        else:
            options = {
                "image": image,
                "image_root": self.image_root or as_path(self.path).parent,
                "transform": self.transform,
                **{item.name: getattr(self, item.name) for item in fields(ImageOptions)},
            }
            given = files_of(frame, None, target, options, self.called)
        dataset = coerce(given, truth=truth, **reading)
        return dataset.replace(notes=(*read.notes, *dataset.notes))

    @property
    def called(self) -> str:
        """The file's name, without suffixes; of several, that of their folder."""
        path = Path(self.path)
        path = path.parent if any(sign in path.name for sign in "*?[") else path
        return Path(path.stem).stem if path.suffix.lower() in COMPRESSIONS else path.stem
