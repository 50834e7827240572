"""Tables in files as DataFrames, by pandas."""

from __future__ import annotations

import os
import re
import warnings
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hcat_nb.errors import DataError, MissingDataError
from hcat_nb.registry import COMPRESSIONS, TABLE_SUFFIXES

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["read_frame"]


def read_frame(path: str | Path, sep: str | None = None, encoding: str = "utf-8") -> pd.DataFrame:
    """Read a table, by the suffix of its file.

    Parameters
    ----------
    path : str or Path
        CSV (``.csv``, ``.tsv``), Parquet, or JSON: a list of records
        (``.json``) or a record a line (``.jsonl``, ``.ndjson``, also
        ``.json``); text may be compressed (``.gz``, ``.zip``, ...).
    sep, encoding : str
        Of CSV: what stands between fields (default: a comma, in ``.tsv`` a
        tab), and the encoding.

    Returns
    -------
    pandas.DataFrame
        A first column without a name, as pandas writes an index, is the index.

    Raises
    ------
    MissingDataError
        If there is no such file.
    DataError
        If it cannot be read, or holds no row.
    """
    file = Path(path).expanduser()
    if not file.is_file():
        what = "is a folder" if file.is_dir() else "does not exist"
        raise MissingDataError(f"{file} {what}", "the file of a table")
    kind = _kind(file)
    readers: Mapping[str, Callable[[], pd.DataFrame]] = {
        ".parquet": lambda: _parquet(file),
        ".json": lambda: _json(file, lines=False),
        ".jsonl": lambda: _json(file, lines=True),
        ".ndjson": lambda: _json(file, lines=True),
        ".csv": lambda: _csv(file, sep or ",", encoding),
        ".tsv": lambda: _csv(file, sep or "\t", encoding),
    }
    try:
        frame = readers[kind]()
    except DataError:
        raise
    except UnicodeError as error:
        raise DataError(
            f"{file} cannot be read as {encoding} ({error.reason})",  # type: ignore[attr-defined]
            "the file's own encoding",
            "encoding='latin-1', say",
        ) from error
    except (ValueError, OSError, EOFError) as error:  # the parsers' errors are ValueErrors
        reason = " ".join(str(error).split())
        raise DataError(f"{file} cannot be read ({reason})", f"a table as {kind}") from error
    if not len(frame):
        raise DataError(f"{file} holds no row", "at least two rows of different classes")
    return frame


def _kind(file: Path) -> str:
    suffixes = [suffix.lower() for suffix in file.suffixes]
    if suffixes and suffixes[-1] in COMPRESSIONS:
        suffixes.pop()
    kind = suffixes[-1] if suffixes else ""
    if kind not in TABLE_SUFFIXES:
        raise DataError(f"{file} ends in {kind or 'no suffix'!r}", ", ".join(TABLE_SUFFIXES))
    return kind


def _csv(file: Path, sep: str, encoding: str) -> pd.DataFrame:
    import pandas as pd

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", pd.errors.ParserWarning)
            # In one piece: read in parts, a column's type would depend on where a stray text
            # stands.  And by the header: else pandas takes a surplus first field as the index.
            frame = pd.read_csv(file, sep=sep, encoding=encoding, low_memory=False, index_col=False)
            _refuse_repeated(file, frame.columns, sep=sep, encoding=encoding)
    except pd.errors.ParserWarning as error:
        raise DataError(
            f"the rows of {file} have more fields than its header",
            "one name a column",
            "name all columns in the first line",
        ) from error
    if frame.shape[1] == 1:
        others = [one for one in (";", "\t", "|", ",") if one != sep and one in frame.columns[0]]
        if others:
            raise DataError(
                f"{file} has one column, {frame.columns[0]!r}",
                f"fields separated by {sep!r}",
                f"sep={others[0]!r}",
            )
    if frame.columns[0] == "Unnamed: 0" and frame.iloc[:, 0].is_unique:
        frame = frame.set_index("Unnamed: 0").rename_axis(index=None)
        frame.attrs["notes"] = ("the first column has no name: it names the samples, no feature",)
    return frame


def _refuse_repeated(file: Path, columns: pd.Index, **options: Any) -> None:
    """Refuse names that stand twice in a header: pandas calls the second ``name.1``, a feature."""
    import pandas as pd

    if not any(re.search(r"\.\d+$", str(name)) for name in columns):
        return
    names = pd.read_csv(file, header=None, nrows=1, dtype=str, **options).iloc[0].dropna()
    if len(twice := names[names.duplicated()].unique()):
        raise DataError(
            f"the header of {file} has several columns called {twice[0]!r}",
            "different names",
            "rename or take out one of them in the first line",
        )


def _json(file: Path, *, lines: bool) -> pd.DataFrame:
    import pandas as pd

    try:
        # JSON has types; guessing others would turn codes of digits into numbers
        frame: pd.DataFrame = pd.read_json(file, lines=lines, dtype=False)
    except ValueError:
        if lines:
            raise
        frame = pd.read_json(file, lines=True, dtype=False)
    return frame


def _parquet(file: Path) -> pd.DataFrame:
    import pandas as pd

    frame: pd.DataFrame = pd.read_parquet(os.fspath(file))
    return frame
