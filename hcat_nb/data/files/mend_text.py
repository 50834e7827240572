"""Cells of a file of text replaced, and rows left out; every other character stays as it is."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from hcat_nb.data.files.dialect import SPACE, Dialect, form
from hcat_nb.errors import StoreError

DROP = object()  # in place of a new cell: the row is left out

_BETWEEN = re.compile(r"[,\s]*")

_Spans = list[tuple[int, int, list[str]]]  # first line, line behind the last, fields


def row_cells(text: str, dialect: Dialect, target: str) -> list[str]:
    """Return the cells of a column as they are written, quotes taken off, one a row."""
    _, rows, place = _rows(text, dialect, target)
    return [fields[place] if place < len(fields) else "" for _, _, fields in rows]


def mend_rows(
    text: str, dialect: Dialect, target: str, changes: Mapping[int, Any], empty: str = ""
) -> str:
    """Return a text with separators in which cells of a column are others.

    ``changes``: by row; None: ``empty``; ``empty``: what a missing value is written as.
    """
    lines, rows, place = _rows(text, dialect, target)
    for row, new in changes.items():
        start, end, fields = rows[row]
        if new is DROP:
            lines[start:end] = [""] * (end - start)
            continue
        record = "".join(lines[start:end])
        before, after = _cell(record, fields, place, dialect)
        cell = _written(empty if new is None else new, record[before:after], dialect)
        lines[start:end] = [record[:before] + cell + record[after:], *[""] * (end - start - 1)]
    made = "".join(lines)
    new = {row: empty if one is None else one for row, one in changes.items()}
    wanted = [
        [*fields[:place], new[row], *fields[place + 1 :]] if row in new else fields
        for row, (_, _, fields) in enumerate(rows)
        if changes.get(row) is not DROP
    ]
    if [fields for _, _, fields in _rows(made, dialect, target)[1]] != wanted:
        raise StoreError("the file cannot be written as it is read", remedy="save it as Parquet")
    return made


def _rows(text: str, dialect: Dialect, target: str) -> tuple[list[str], _Spans, int]:
    """Return all lines, where each row of data lies in them, and the place of the column."""
    lines = list(io.StringIO(text, newline=""))
    spans: _Spans = []
    for start, end, fields in _records(lines[dialect.skip :], dialect):
        comment = dialect.comment and lines[start + dialect.skip].startswith(dialect.comment)
        if fields and not comment:
            spans.append((start + dialect.skip, end + dialect.skip, fields))
    if not dialect.header:
        return lines, spans, int(target)
    header = spans.pop(0)[2]
    return lines, spans, header.index(target)


def _records(lines: Sequence[str], dialect: Dialect) -> Iterator[tuple[int, int, list[str]]]:
    if dialect.sep == SPACE:
        for number, line in enumerate(lines):
            yield number, number + 1, line.split()
        return
    reader = csv.reader(lines, **form(dialect))
    start = 0
    for fields in reader:
        yield start, reader.line_num, [] if fields == [""] else fields
        start = reader.line_num


def _cell(record: str, fields: Sequence[str], place: int, dialect: Dialect) -> tuple[int, int]:
    """Return where a cell begins and ends in its record, by the standard library's reader."""
    if dialect.sep == SPACE:
        found = list(re.finditer(r"\S+", record))[place]
        return found.start(), found.end()
    body = record.rstrip("\r\n")
    parts = body.split(dialect.sep)
    start = at = 0
    for number, field in enumerate(fields):
        taken = 1
        while not (field == parts[at] == ""):
            piece = dialect.sep.join(parts[at : at + taken])
            if next(csv.reader([piece], **form(dialect)), []) == [field]:
                break
            taken += 1
            if at + taken > len(parts):
                raise StoreError(f"the row {body[:60]!r} cannot be taken apart")
        end = start + len(dialect.sep.join(parts[at : at + taken]))
        if number == place:
            return start, end
        start, at = end + len(dialect.sep), at + taken
    raise StoreError(f"the row {body[:60]!r} has no such cell")


def _written(new: str, old: str, dialect: Dialect) -> str:
    quote = dialect.quote
    if dialect.sep == SPACE and (not new or any(one.isspace() for one in new)):
        raise StoreError(
            "no cell can be empty between blanks", remedy="mislabeled='drop' leaves the rows out"
        )
    needed = any(sign in new for sign in (dialect.sep, "\r", "\n", quote or "\n"))
    if quote and (needed or (len(old) > 1 and old.startswith(quote) and old.endswith(quote))):
        return quote + new.replace(quote, 2 * quote) + quote
    if needed:
        raise StoreError(f"{new!r} cannot be written without quotes")
    return new


def json_cells(text: str, target: str) -> list[Any]:
    """Return the values of a key, one a record."""
    return [record.get(target) for _, _, record in _objects(text)]


def mend_json(text: str, target: str, changes: Mapping[int, Any]) -> str:
    """Return records in JSON in which values of a key are others; DROP leaves one out."""
    objects = list(_objects(text))
    pieces = [text[: objects[0][0]]]
    end = 0
    for row, (start, stop, record) in enumerate(objects):
        if (new := changes.get(row)) is not DROP:
            pieces += [text[end:start]] if len(pieces) > 1 else []  # what stands between two
            whole = text[start:stop]
            pieces.append(_with(whole, target, record, new) if row in changes else whole)
        end = stop
    made = "".join([*pieces, text[end:]])
    wanted = [
        {**record, target: changes[row]} if row in changes else record
        for row, (_, _, record) in enumerate(objects)
        if changes.get(row) is not DROP
    ]
    if [record for _, _, record in _objects(made)] != wanted:
        raise StoreError("the file cannot be written as it is read", remedy="save it as Parquet")
    return made


def _objects(text: str) -> Iterator[tuple[int, int, dict[str, Any]]]:
    decode = json.JSONDecoder().raw_decode
    at = _after(text, 0)
    at = _after(text, at + 1) if text[at : at + 1] == "[" else at
    while at < len(text) and text[at] != "]":
        record, end = decode(text, at)
        if not isinstance(record, dict):
            raise StoreError("the JSON is no list of records", "a list of records, or one a line")
        yield at, end, record
        at = _after(text, end)


def _after(text: str, at: int) -> int:
    """Return where the next record begins, or the list ends."""
    found = _BETWEEN.match(text, at)
    return at if found is None else found.end()


def _with(written: str, key: str, record: Mapping[str, Any], new: Any) -> str:
    """Return a record as it is written, but for one value."""
    for plain in (True, False):
        for slash in ("/", "\\/"):

            def say(value: Any, plain: bool = plain, slash: str = slash) -> str:
                return json.dumps(value, ensure_ascii=plain).replace("/", slash)

            name, old = re.escape(say(key)), re.escape(say(record[key]))
            found = list(re.finditer(rf"{name}\s*:\s*({old})(?=\s*[,}}])", written))
            if len(found) == 1:
                return written[: found[0].start(1)] + say(new) + written[found[0].end(1) :]
    raise StoreError(f"it is not clear where {key!r} stands in {written[:60]!r}")
