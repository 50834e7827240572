"""Tables in files as DataFrames, by pandas and pyarrow, and what was guessed on the way."""

from __future__ import annotations

import dataclasses
import glob
import json
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from io import StringIO
from pathlib import Path
from typing import Any

import pandas as pd

from hcat_nb.casts import as_path
from hcat_nb.data.files.compressed import read_bytes
from hcat_nb.data.files.dialect import Dialect, encoding_of, wrong_encoding
from hcat_nb.data.files.number_texts import blanked, told_missing
from hcat_nb.data.files.text_files import read_text
from hcat_nb.data.table_options import TableOptions
from hcat_nb.errors import DataError, HcatError, MissingDataError, TooLargeError, some
from hcat_nb.registry import COMPRESSIONS, TABLE_SUFFIXES, split_of

_TEXT = (".csv", ".tsv", ".data", ".txt")
_LINES = (".jsonl", ".ndjson")
_LISTED = 5


@dataclass(frozen=True, eq=False)
class TableFile:
    """A table that was read, and what was guessed.

    ``notes``: what was found and done, words taken as missing among it; ``missing``: by column,
    which words were taken as missing, and how often; ``dialects``: of each file; None where it is
    no text; ``files``: one, or the parts of a table; ``rows``: of each file.
    """

    frame: pd.DataFrame
    notes: tuple[str, ...] = ()
    missing: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    dialects: tuple[Dialect | None, ...] = ()
    files: tuple[Path, ...] = ()
    rows: tuple[int, ...] = ()


def read_frame(path: str | Path, options: TableOptions | None = None) -> pd.DataFrame:
    """Return the frame alone of :func:`read_file`."""
    return read_file(path, options).frame


def read_file(
    path: str | Path, options: TableOptions | None = None, *, words: tuple[str, ...] = ()
) -> TableFile:
    """Read a table, by the suffix of its file.

    ``path``: text with separators (``.csv``, ``.tsv``, ``.data``, ``.txt``), Parquet, ARFF, a
    workbook (``.xlsx``), or JSON: a list of records (``.json``) or a record a line (``.jsonl``,
    ``.ndjson``, also ``.json``); text may be compressed (``.gz``, ``.zip``, ...). A folder, or a
    pattern like ``"data/*.parquet"``: parts of one table, in the order of their names; ``options``:
    how it is written, where that is not to be found out; words that are missing values; ``words``:
    columns whose texts are words, never numbers: the target, say. A first column without a name, as
    pandas writes an index, is the index.
    """
    options = options or TableOptions()
    files = table_files(path)
    parts = [_one(file, options, {*words, *options.categorical}) for file in files]
    if len(parts) == 1:
        return parts[0]
    return _joined(str(path), parts)


def table_files(path: str | Path) -> list[Path]:
    """Return the file of a table, or its parts in the order of their names."""
    file = as_path(path)
    if file.is_file():
        return [file]
    pattern = any(sign in str(path) for sign in "*?[")
    if not (file.is_dir() or pattern):
        raise MissingDataError(f"{file} does not exist", "the file of a table")
    found = sorted(file.iterdir()) if file.is_dir() else sorted(map(Path, glob.glob(str(file))))
    parts = [one for one in found if one.is_file() and not one.name.startswith((".", "_"))]
    tables = [one for one in parts if kind_of_file(one) in TABLE_SUFFIXES]
    if not tables:
        raise MissingDataError(f"{file} holds no file of a table", ", ".join(TABLE_SUFFIXES))
    kinds = {kind_of_file(one) for one in tables}
    splits = dict.fromkeys(filter(None, (split_of(one.name) for one in tables)))
    if len(kinds) > 1 or len(splits) > 1:
        several = sorted(kinds) if len(kinds) > 1 else splits
        stem = "" if len(kinds) > 1 else min(splits, key=lambda one: "train" not in one.lower())
        example = next(one for one in tables if one.name.startswith(stem))
        raise DataError(
            f"{file} holds tables of {' and '.join(several)}",
            "the parts of one table",
            f"{example.parent}/{stem}*{kind_of_file(example)}",
        )
    return tables


def kind_of_file(file: Path) -> str:
    """Return the suffix that tells how to read a file, in lower case, that of packing left out."""
    suffixes = [suffix.lower() for suffix in file.suffixes]
    if suffixes and suffixes[-1] in COMPRESSIONS:
        suffixes.pop()
    return suffixes[-1] if suffixes else ""


def _one(file: Path, options: TableOptions, words: set[str]) -> TableFile:
    kind = kind_of_file(file)
    if kind not in TABLE_SUFFIXES:
        raise DataError(
            f"{file} ends in {kind or 'no suffix'!r}",
            ", ".join(TABLE_SUFFIXES),
            "save it as CSV or Parquet",
        )
    readers: Mapping[str, Callable[[], TableFile]] = {
        ".parquet": lambda: _parquet(file),
        ".arff": lambda: _arff(file, options.encoding),
        ".xlsx": lambda: _sheet(file, options),
        ".json": lambda: _json(file, options.encoding, lines=False),
        **dict.fromkeys(_LINES, lambda: _json(file, options.encoding, lines=True)),
        **dict.fromkeys(_TEXT, lambda: TableFile(*read_text(file, kind, options, words))),
    }
    try:
        read = readers[kind]()
    except HcatError:
        raise
    except MemoryError as error:
        raise TooLargeError(
            f"{file} does not fit into the memory that is free",
            remedy="hcat check reads it in part; see whether it unpacks without end, or read less",
        ) from error
    except UnicodeError as error:
        raise wrong_encoding(file, options, error) from error
    except Exception as error:  # parsers raise whatever they like
        reason = " ".join(str(error).split()) or type(error).__name__
        raise DataError(
            f"{file} cannot be read ({reason})",
            f"a table as {kind}",
            "see whether the file is whole and what its suffix says; else save it again as CSV",
        ) from error
    if not len(read.frame):
        raise DataError(f"{file} holds no row", "at least two rows of different classes")
    frame, found = blanked(read.frame, options)
    names = dict.fromkeys([*read.missing, *found])
    missing = {name: {**read.missing.get(name, {}), **found.get(name, {})} for name in names}
    return dataclasses.replace(
        read,
        frame=frame,
        notes=(*read.notes, *told_missing(missing)),
        missing=missing,
        files=(file,),
        rows=(len(frame),),
        dialects=read.dialects or (None,),
    )


def _joined(path: str, parts: list[TableFile]) -> TableFile:
    names = list(parts[0].frame.columns)
    for part in parts[1:]:
        if set(part.frame.columns) != set(names):
            odd = sorted(map(str, set(part.frame.columns) ^ set(names)))
            raise DataError(
                f"{part.files[0].name} and {parts[0].files[0].name} have not the same columns: "
                + ", ".join(odd[:_LISTED]),
                "parts of one table",
            )
    frames = [part.frame for part in parts]
    for name in names:  # else pandas makes objects of categories that differ
        kinds = [frame[name].dtype for frame in frames]
        if all(isinstance(kind, pd.CategoricalDtype) for kind in kinds) and len(set(kinds)) > 1:
            joined = pd.api.types.union_categoricals([frame[name] for frame in frames])
            frames = [
                frame.assign(**{name: frame[name].cat.set_categories(joined.categories)})
                for frame in frames
            ]
    missing: dict[str, dict[str, int]] = {}
    for part in parts:
        for name, words in part.missing.items():
            total = missing.setdefault(name, {})
            for word, n in words.items():
                total[word] = total.get(word, 0) + n
    told = [
        note for part in parts for note in part.notes if not note.startswith("taken as missing")
    ]
    files = tuple(part.files[0] for part in parts)
    listed = some((file.name for file in files), _LISTED)
    note = f"{len(files)} files of {path} read as one table: {listed}"
    return TableFile(
        pd.concat(frames, ignore_index=True),
        (note, *dict.fromkeys(told), *told_missing(missing)),
        missing,
        tuple(part.dialects[0] for part in parts),
        files,
        tuple(part.rows[0] for part in parts),
    )


def _parquet(file: Path) -> TableFile:
    import pyarrow.parquet as pq

    frame: pd.DataFrame = pd.read_parquet(os.fspath(file))
    told = (pq.read_schema(file).metadata or {}).get(b"huggingface", b"{}")
    features = json.loads(told).get("info", {}).get("features", {})
    notes = []
    for name, kind in features.items():
        names = kind.get("names") if isinstance(kind, dict) else None
        if names and name in frame and pd.api.types.is_integer_dtype(frame[name].dtype):
            codes = frame[name].fillna(-1).astype(int).to_numpy()  # -1 is its missing label
            frame[name] = pd.Categorical.from_codes(codes, categories=names)
            notes.append(f"{name!r}: codes read as the {len(names)} class names of the file")
    return TableFile(frame, tuple(notes))


def _decoded(file: Path, encoding: str | None) -> StringIO:
    content = read_bytes(file)
    return StringIO(content.decode(encoding or encoding_of(content)).removeprefix("\ufeff"))


def _arff(file: Path, encoding: str | None) -> TableFile:
    from scipy.io import arff

    try:
        rows, meta = arff.loadarff(_decoded(file, encoding))
    except (NotImplementedError, UnicodeEncodeError) as error:  # SciPy keeps texts as ASCII
        raise DataError(
            f"{file} cannot be read ({error})",
            "numeric and nominal attributes, of ASCII",
            "save it as CSV",
        ) from error
    frame = pd.DataFrame(rows)
    for name in meta.names():
        kind, levels = meta[name]
        if kind == "nominal":
            texts = frame[name].str.decode("utf-8")
            frame[name] = pd.Categorical(texts.where(texts != "?"), categories=list(levels))
    return TableFile(frame)


def _sheet(file: Path, options: TableOptions) -> TableFile:
    try:
        book = pd.ExcelFile(file, engine="openpyxl")
    except ImportError:
        raise MissingDataError(
            f"{file} is a workbook, and openpyxl is not installed",
            remedy="pip install 'hcat-nb[excel]', or save it as CSV",
        ) from None
    with book:
        sheet = book.sheet_names[0] if options.sheet is None else options.sheet
        if sheet not in book.sheet_names and sheet not in range(len(book.sheet_names)):
            raise DataError(
                f"{file} has no sheet {sheet!r}", "one of " + ", ".join(map(str, book.sheet_names))
            )
        header = {None: 0, "first": 0, "none": None}.get(options.header, options.header)  # type: ignore[arg-type]
        how: dict[str, Any] = {"header": header, "keep_default_na": False, "na_values": [""]}
        frame: pd.DataFrame = pd.read_excel(book, sheet_name=sheet, **how)
    notes = []
    if header is None:
        frame = frame.set_axis([str(place) for place in range(frame.shape[1])], axis=1)
    if len(book.sheet_names) > 1 and options.sheet is None:
        notes.append(f"sheet {sheet!r} of {len(book.sheet_names)}; sheet= names another")
    return TableFile(frame, tuple(notes))


def _json(file: Path, encoding: str | None, *, lines: bool) -> TableFile:
    text = _decoded(file, encoding)
    try:
        # JSON has types; guessing others would turn codes of digits into numbers
        frame: pd.DataFrame = pd.read_json(text, lines=lines, dtype=False)
    except ValueError:
        if lines:
            raise
        text.seek(0)
        frame = pd.read_json(text, lines=True, dtype=False)
    return TableFile(frame)
