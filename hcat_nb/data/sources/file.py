"""A table of the user's own in a file: CSV, Parquet or JSON."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hcat_nb.data._files import read_frame
from hcat_nb.data._table import nearest_columns
from hcat_nb.data.dataset import LabelledDataset
from hcat_nb.data.sources._table import TableSource
from hcat_nb.errors import DataError, SpecError
from hcat_nb.registry import COMPRESSIONS

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["File"]


@dataclass(frozen=True)
class File(TableSource):
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
    """

    name = "file"
    title = "A table of yours: CSV, Parquet or JSON, with target="
    n_samples = None
    bundled = False

    path: str = ""
    sep: str | None = None
    encoding: str = "utf-8"

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

    def load_as(self, *, target: Any = None, **reading: Any) -> LabelledDataset:
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
        return super().load_as(target=target, **reading)

    @property
    def called(self) -> str:
        """The file's name, without suffixes."""
        path = Path(self.path)
        return Path(path.stem).stem if path.suffix.lower() in COMPRESSIONS else path.stem
