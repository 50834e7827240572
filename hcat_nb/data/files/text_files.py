"""Text with separators as a DataFrame, by pandas: dialect and numbers are found."""

from __future__ import annotations

import csv
import dataclasses
import warnings
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd
from pandas.api import types

from hcat_nb.data.files.compressed import read_bytes, unpacked
from hcat_nb.data.files.dialect import Dialect, find_dialect, guess_encoding
from hcat_nb.data.files.number_texts import NumberText, number_text, without
from hcat_nb.data.table_options import TableOptions
from hcat_nb.errors import DataError, some

_HEAD = 1 << 20  # bytes of a file that tell how it is written
_LOOK = 300  # rows that tell the decimal sign

_Found = dict[str, dict[str, int]]


def read_text(
    file: Path, kind: str, options: TableOptions, words: set[str]
) -> tuple[pd.DataFrame, tuple[str, ...], _Found, tuple[Dialect]]:
    """Read a file of text: frame, notes, counts by column of words taken as missing, dialect."""
    dialect = find_dialect(file, head_of(file), kind, options)
    try:
        frame, missing, told = _numbers(partial(_csv, file, dialect), options, words)
    except UnicodeDecodeError:
        if options.encoding:
            raise
        dialect = dataclasses.replace(dialect, encoding=guess_encoding(file, read_bytes(file)))
        frame, missing, told = _numbers(partial(_csv, file, dialect), options, words)
    notes = dialect.notes(options, {".csv": ",", ".tsv": "\t"}.get(kind, dialect.sep))
    if not dialect.header:
        notes.append("no header: columns are called by their position, from 0")
    if dialect.header and frame.columns[0] == "Unnamed: 0" and frame.iloc[:, 0].is_unique:
        frame = frame.set_index("Unnamed: 0").rename_axis(index=None)
        notes.append("the first column has no name: it names the samples, no feature")
    return frame, (*notes, *told), missing, (dialect,)


def head_of(file: Path) -> bytes:
    """Return the lines at the beginning of a file."""
    head = read_bytes(file, _HEAD)
    if len(head) < _HEAD or b"\n" not in head[:-1]:
        return head
    head = head[: head.rindex(b"\n") + 1]
    # In UTF-16 and UTF-32 a line may end in zeros.
    return head + b"\0" * (-len(head) % 4 if b"\0" in head[:1000] else 0)


def _csv(file: Path, dialect: Dialect, **how: Any) -> pd.DataFrame:
    quoting = {"quotechar": dialect.quote} if dialect.quote else {"quoting": csv.QUOTE_NONE}
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", pd.errors.ParserWarning)
            # In one piece: read in parts, a column's type would depend on where a stray text
            # stands.  And by the header: else pandas takes a surplus first field as the index.
            # Only empty cells are missing: other words may be levels and classes.
            frame: pd.DataFrame = pd.read_csv(
                unpacked(file),
                sep=dialect.sep,
                encoding=dialect.encoding,
                skiprows=dialect.skip,
                header=0 if dialect.header else None,
                comment=dialect.comment or None,
                keep_default_na=False,
                na_values=[""],
                low_memory=False,
                index_col=False,
                **quoting,
                **how,
            )
    except pd.errors.ParserWarning as error:
        raise DataError(
            f"the rows of {file} have more fields than its header",
            "one name a column",
            "name all columns in the first line",
        ) from error
    if not dialect.header:
        frame = frame.set_axis([str(place) for place in range(frame.shape[1])], axis=1)
    if frame.shape[1] == 1:
        others = [one for one in (";", "\t", "|", ",") if one in str(frame.columns[0])]
        if others:
            raise DataError(
                f"{file} has one column, {frame.columns[0]!r}",
                f"fields separated by {dialect.sep!r}",
                f"sep={others[0]!r}",
            )
    return frame


def _numbers(
    read: Callable[..., pd.DataFrame], options: TableOptions, words: set[str]
) -> tuple[pd.DataFrame, _Found, list[str]]:
    """Return a frame in which texts that are numbers are numbers; see :func:`number_text`.

    ``read`` takes further settings of pandas: a first look at some rows tells the decimal sign,
    for column by column, as text, a large file would take minutes.
    """
    skipped = (*options.drop, options.text)
    head = read(dtype=str, nrows=_LOOK)
    names = [str(name) for name in head.columns]

    def settled(texts: Mapping[int, pd.Series], likely: str | None) -> dict[int, NumberText]:
        made: dict[int, NumberText] = {}
        for place, column in texts.items():
            name = names[place]
            found = number_text(column, name, options, likely, signs=name not in words)
            made |= {} if found is None else {place: found}
        return made

    look = {
        place: without(head.iloc[:, place], options.missing_in(name))[0]
        for place, name in enumerate(names)
        if name not in skipped
    }
    signs = {found.sign for found in settled(look, None).values()} - {""}
    likely = "," if options.decimal == "," else signs.pop() if len(signs) == 1 else ""
    as_words = {  # a class may be called "1,5"
        place: str
        for place, name in enumerate(names)
        if name in words and head.iloc[:, place].str.contains(",", na=False).any()
    }
    frame = read(decimal=",", dtype=as_words) if likely == "," else read()
    frame = frame.copy(deep=False)
    missing: _Found = {}
    texts: dict[int, pd.Series] = {}
    for place, kind in enumerate(frame.dtypes):
        name = names[place]
        if types.is_numeric_dtype(kind) or name in skipped:
            continue
        texts[place], taken = without(frame.iloc[:, place], options.missing_in(name))
        missing |= {name: taken} if taken else {}
    numbers = settled(texts, likely)
    for place, column in texts.items():
        found = numbers.get(place)
        frame.isetitem(place, (column if found is None else found.content).array)
        if found is not None and found.missing:
            missing[names[place]] = {**missing.get(names[place], {}), **found.missing}
    told: dict[str, list[str]] = {}
    if likely == ",":  # of columns that pandas made numbers
        numbers = settled(look, likely) | numbers
    for place, one in sorted(numbers.items()):
        for note in one.notes:
            told.setdefault(note, []).append(names[place])
    return frame, missing, [f"{note}: {some(columns, 8)}" for note, columns in told.items()]
