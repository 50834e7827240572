"""Tables of OpenML, through scikit-learn's client and its cache."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from http.client import HTTPException
from typing import ClassVar

import pandas as pd
from pandas.api import types

from hcat_nb.data.files.table_files import read_frame
from hcat_nb.data.sources._downloads import data_root
from hcat_nb.data.sources._table import TableSource
from hcat_nb.errors import DataError, MissingDataError, SpecError

_DRAWN = 50_000  # rows that H-CAT draws of a longer table, with pandas' sample and this seed:
_SEED = 0


@dataclass(frozen=True)
class OpenMLTable(TableSource):
    """A table of OpenML.

    Parameters
    ----------
    path : str, optional
        A copy of the table (CSV, Parquet, JSON) to read instead of asking
        OpenML; columns named as there.
    rows : int, optional
        Rows that are drawn of a longer table, always the same; None for all.
    """

    data_id: ClassVar[int]
    targets: ClassVar[tuple[str, ...]]  # what the target is called, there or in copies

    bundled = False
    cost = "download from OpenML"

    path: str | None = None
    rows: int | None = _DRAWN

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.rows is not None and (type(self.rows) is not int or self.rows < 2):
            raise SpecError(f"rows is {self.rows!r}", "a whole number, at least 2, or none for all")

    def frame(self) -> tuple[pd.DataFrame, str]:
        """Return the table, its 0/1 categories as numbers, and the target's name."""
        frame = self._fetched() if self.path is None else read_frame(self.path)
        target = next((name for name in self.targets if name in frame.columns), None)
        if target is None:
            raise DataError(
                f"{self.path} has no column {self.targets[0]!r}", f"the table {self.name!r}"
            )
        if self.rows is not None and len(frame) > self.rows:
            frame = frame.sample(self.rows, random_state=_SEED)
        return frame.apply(_as_numbers), target

    def _fetched(self) -> pd.DataFrame:
        from sklearn.datasets import fetch_openml

        home = data_root(self.root)
        if not self.download and not any((home / "openml").rglob(f"json/data/{self.data_id}.gz")):
            raise self._missing("it may not be downloaded")
        try:
            with warnings.catch_warnings():  # its retries; that they failed is told below
                warnings.filterwarnings("ignore", "A network error occurred")
                found = fetch_openml(
                    data_id=self.data_id,
                    data_home=home,
                    as_frame=True,
                    parser="pandas",
                    # as text: categories that are whole numbers fail in some versions of pandas
                    read_csv_kwargs={"dtype": "str"},
                )
        except (OSError, ValueError, HTTPException) as error:  # an HTTPError is an OSError
            reason = " ".join(str(error).split())
            raise self._missing(f"it could not be downloaded ({reason})") from error
        frame: pd.DataFrame = found.frame
        return frame

    def _missing(self, why: str) -> MissingDataError:
        return MissingDataError(
            f"the dataset {self.name!r} (OpenML {self.data_id}) is not in {data_root(self.root)}, "
            f"and {why}",
            "a network, or a copy",
            "dataset option path=: a CSV or Parquet file of the table",
        )


def _as_numbers(column: pd.Series) -> pd.Series:
    """Return texts or categories as numbers if all are; ARFF's flags and codes of classes are."""
    if types.is_numeric_dtype(column.dtype):
        return column
    texts = column.astype(object)
    levels = {one: _unquoted(one) for one in texts.dropna().unique()}
    numbers = pd.to_numeric(pd.Series(levels, dtype=object), errors="coerce")
    known: dict[object, object] = numbers.to_dict() if numbers.notna().all() else levels
    mapped = texts.map(known)
    return mapped.infer_objects() if known is levels else pd.to_numeric(mapped)


def _unquoted(value: object) -> object:
    quoted = isinstance(value, str) and len(value) > 1 and value[0] == value[-1] == "'"
    return value[1:-1] if quoted and isinstance(value, str) else value
