"""A table of the user's own in a file: CSV, Parquet or JSON; it may name image files."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hcat_nb.data._files import read_frame
from hcat_nb.data._image_table import files_of
from hcat_nb.data._table import nearest_columns
from hcat_nb.data.coerce import coerce
from hcat_nb.data.dataset import LabelledDataset
from hcat_nb.data.image_options import ImageOptions
from hcat_nb.data.sources._table import TableSource
from hcat_nb.data.table_options import TableOptions
from hcat_nb.data.truth import split_beside
from hcat_nb.errors import DataError, SpecError
from hcat_nb.registry import COMPRESSIONS

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["File"]


@dataclass(frozen=True)
class File(ImageOptions, TableSource):
    """A table in a file; ``load("birds.csv", target="species")`` is short for it.

    Parameters
    ----------
    path : str
        The file: .csv, .tsv, .parquet, .json, .jsonl or .ndjson; text may be
        compressed (.gz, .zip, ...).
    sep : str, optional
        What stands between the fields of a CSV; default: a comma, in .tsv a
        tab.
    encoding : str
        Encoding of a CSV.
    image : str, optional
        Column of image paths; the dataset is then one of images.
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
    sep: str | None = None
    encoding: str = "utf-8"
    image: str | None = None
    image_root: str | None = None
    transform: Callable[..., Any] | None = None

    def __post_init__(self) -> None:
        ImageOptions.__post_init__(self)
        TableSource.__post_init__(self)
        # A table is either one of numbers or one of image paths: an option of the
        # other kind would do nothing, which its giver should learn.
        unused = TableOptions if self.image else ImageOptions
        names = [item.name for item in fields(unused)]
        names += [] if self.image else ["image_root", "transform"]
        standard = {item.name: item.default for item in fields(self)}
        for name in names:
            if getattr(self, name) != standard[name]:
                raise SpecError(
                    f"{name} was given with {'image=' if self.image else 'no image='}",
                    "options of a table of "
                    + ("image paths" if self.image else "features, or image=, a column of paths"),
                )

    def frame(self) -> tuple[pd.DataFrame, None]:
        """Return the table; which column is the target, the user says.

        Raises
        ------
        SpecError
            If no path was given.
        MissingDataError, DataError
            If there is no such file, or it cannot be read.
        """
        if not self.path:
            raise SpecError(
                "the dataset 'file' was given no path", "the path of a table", "path=birds.csv"
            )
        return read_frame(self.path, self.sep, self.encoding), None

    def load_as(self, *, target: Any = None, truth: Any = None, **reading: Any) -> LabelledDataset:
        """Return the table with ``target`` as its labels.

        Raises
        ------
        DataError
            If no target was named, or the table cannot be used as it is.
        """
        if target is None:
            names = [str(name) for name in self.frame()[0].columns]
            raise DataError(
                f"which column of {self.path} holds the labels was not said",
                "target=, " + nearest_columns("target label class", names),
            )
        if self.image is None:
            return super().load_as(target=target, truth=truth, **reading)
        options = {
            "image": self.image,
            "image_root": self.image_root or Path(self.path).expanduser().parent,
            "transform": self.transform,
            **{item.name: getattr(self, item.name) for item in fields(ImageOptions)},
        }
        frame, truth = split_beside(self.frame()[0], "truth", truth, target)
        frame, groups = split_beside(frame, "groups", reading.pop("groups", None), target)
        files = files_of(frame, None, target, options, self.called)
        return coerce(files, truth=truth, groups=groups, **reading)

    @property
    def called(self) -> str:
        """The file's name, without suffixes."""
        path = Path(self.path)
        return Path(path.stem).stem if path.suffix.lower() in COMPRESSIONS else path.stem
