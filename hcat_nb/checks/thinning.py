"""Each k-th row of a table that is too large for memory, as files of the same kind."""

from __future__ import annotations

import csv
import dataclasses
import json
import re
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from io import TextIOWrapper
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, TextIO

import pyarrow as pa

from hcat_nb.data.files.compressed import opened
from hcat_nb.data.files.dialect import SPACE, encoding_of, find_dialect, form
from hcat_nb.data.files.table_files import kind_of_file, table_files
from hcat_nb.data.files.text_files import head_of
from hcat_nb.data.table_options import TableOptions
from hcat_nb.registry import COMPRESSIONS, TABLE_SUFFIXES

_LINES = (".jsonl", ".ndjson", ".arff")  # kinds of which each line is a row
_BLOCK = 1 << 20  # bytes


@contextmanager
def thinned(
    path: Path, most: int, options: TableOptions | None = None
) -> Iterator[tuple[str, int]]:
    """Give the path of a table of each k-th row of a larger one, and k; 1: the table itself.

    ``path``: a file, packed or not, a folder of parts, or a pattern of their names; ``most``:
    bytes, unpacked, that are not too many; ``options``: how a text is written.
    """
    files = table_files(path)
    kind, how = kind_of_file(files[0]), options or TableOptions()
    known = kind in TABLE_SUFFIXES and (kind != ".json" or _is_list(files[0], how) is not None)
    step = -(-sum(_size(file, kind) for file in files) // most) if known else 1
    if step <= 1:
        yield str(path), 1
        return
    with TemporaryDirectory() as folder:
        # Named as the table is: so is the page.
        place = Path(folder, path.parent.name if any(one in str(path) for one in "*?[") else "")
        place = place / path.name if path.is_dir() else place
        place.mkdir(exist_ok=True)
        seen = 0
        for number, file in enumerate(files):
            stem = Path(file.stem).stem if file.suffix.lower() in COMPRESSIONS else file.stem
            part = place / f"{stem}{kind}"
            part = place / f"{number}-{stem}{kind}" if part.exists() else part
            if kind == ".parquet":
                count = _thin_parquet(file, part, step, seen)
            elif kind == ".xlsx":
                count = _thin_sheets(file, part, step, seen, how)
            elif kind == ".json" and _is_list(file, how):
                count = _thin_list(file, part, step, seen, how)
            elif kind in (".json", *_LINES):
                count = _thin_lines(file, part, step, seen, how)
            else:
                count = _thin_text(file, part, step, seen, how)
            if seen % step and seen % step + count <= step:  # no row of it is kept
                part.unlink()
            seen += count
        yield str(part if len(files) == 1 else place / f"*{kind}"), step


def _size(file: Path, kind: str) -> int:
    """Return how many bytes a table has at least, when it is read."""
    try:
        if kind == ".parquet":
            import pyarrow.parquet as pq

            about = pq.read_metadata(file)
            groups = (about.row_group(at).total_byte_size for at in range(about.num_row_groups))
            return int(max(sum(groups), 8 * about.num_rows * about.num_columns))
        if kind == ".xlsx":
            import openpyxl  # type: ignore[import-untyped]  # noqa: F401 (reading tells what to install)

            with zipfile.ZipFile(file) as book:
                return sum(one.file_size for one in book.infolist())
        if file.suffix.lower() not in COMPRESSIONS:
            return file.stat().st_size
        with opened(file) as stream:
            return sum(map(len, iter(partial(stream.read, _BLOCK), b"")))
    except Exception:  # parsers raise whatever they like; reading the file tells what is wrong
        return 0


def _thin_parquet(file: Path, part: Path, step: int, seen: int) -> int:
    import pyarrow.parquet as pq

    source, count = pq.ParquetFile(file), 0
    with pq.ParquetWriter(part, source.schema_arrow) as sink:
        for batch in source.iter_batches():
            rows = pa.array(range(-(seen + count) % step, len(batch), step), pa.int64())
            sink.write_batch(batch.take(rows))
            count += len(batch)
    return count


def _thin_sheets(file: Path, part: Path, step: int, seen: int, options: TableOptions) -> int:
    from openpyxl import Workbook, load_workbook

    source, sink, longest = load_workbook(file, read_only=True), Workbook(write_only=True), 0
    above = {None: 1, "first": 1, "none": 0}.get(options.header)  # type: ignore[arg-type]
    above = int(options.header or 0) + 1 if above is None else above
    for sheet in source:
        copy, count = sink.create_sheet(sheet.title), 0
        for place, row in enumerate(sheet.iter_rows(values_only=True)):
            if place < above or (seen + place - above) % step == 0:
                copy.append(row)
            count = place + 1 - above
        longest = max(longest, count)
    source.close()
    sink.save(part)
    return longest


def _as_text(file: Path, options: TableOptions) -> dict[str, Any]:
    """Return how a text is opened, bytes of another encoding staying what they are."""
    encoding = options.encoding or encoding_of(head_of(file))
    return {"encoding": encoding, "errors": "surrogateescape", "newline": ""}


def _is_list(file: Path, options: TableOptions) -> bool | None:
    """Return whether JSON is a list of records, or has one in each line; None: neither."""
    try:
        head = head_of(file).decode(options.encoding or encoding_of(head_of(file)), "ignore")
    except Exception:  # no such file: reading it tells what is wrong
        return None
    first, _, second = head.lstrip("\ufeff \t\r\n").partition("\n")
    if re.match(r"\[\s*\{", first + second):
        return True
    return False if first.startswith("{") and second.lstrip().startswith("{") else None


def _thin_list(file: Path, part: Path, step: int, seen: int, options: TableOptions) -> int:
    count, how = 0, _as_text(file, options)
    with (
        opened(file) as stream,
        TextIOWrapper(stream, **how) as text,
        part.open("w", **how) as sink,
    ):
        for record, whole in _records(text):
            kept = (seen + count) % step == 0 or not whole
            sink.writelines(["," if sink.tell() else "[", record] if kept else ())
            count += 1
        sink.write("]")
    return count


def _records(text: TextIO) -> Iterator[tuple[str, bool]]:
    """Give the records of a list as written, and whether each is one: the last may be cut."""
    read, between = json.JSONDecoder().raw_decode, re.compile(r"[\s,\ufeff]*")
    held = text.read(_BLOCK)
    at = held.index("[") + 1
    while True:
        at = between.match(held, at).end()  # type: ignore[union-attr]  # it matches nothing, too
        try:
            end = read(held, at)[1]
        except ValueError:  # not all of the record was read, or there is none
            more = text.read(_BLOCK)
            held, at = held[at:] + more, 0
            if not more:
                if held.strip() != "]":
                    yield held, False
                return
            continue
        yield held[at:end], True
        at = end


def _thin_lines(file: Path, part: Path, step: int, seen: int, options: TableOptions) -> int:
    """Write each k-th line; of ARFF all that is above its rows, and no comment among these."""
    count, how = 0, _as_text(file, options)
    above = part.suffix == ".arff"
    with (
        opened(file) as stream,
        TextIOWrapper(stream, **how) as text,
        part.open("w", **how) as sink,
    ):
        for line in text:
            if above:
                sink.write(line)
                above = line.strip().lower() != "@data"
            elif line.strip() and not (part.suffix == ".arff" and line.startswith("%")):
                sink.writelines([line] if (seen + count) % step == 0 else ())
                count += 1
    return count


def _thin_text(file: Path, part: Path, step: int, seen: int, options: TableOptions) -> int:
    """Write each k-th row of a text, which may be of several lines, and what is above them."""
    options = dataclasses.replace(options, header=options.header or "first")
    found = find_dialect(file, head_of(file), kind_of_file(file), options)
    # A byte of another encoding far below stays what it is: reading the part tells of it.
    how: Any = {"encoding": found.encoding, "errors": "surrogateescape", "newline": ""}
    count = -int(found.header)
    with (
        opened(file) as stream,
        TextIOWrapper(stream, **how) as lines,
        part.open("w", **how) as sink,
    ):
        sink.writelines(islice(lines, found.skip))
        held: list[str] = []

        def following() -> Iterator[str]:
            for line in lines:
                held.append(line)
                yield line

        rows = following() if found.sep == SPACE else csv.reader(following(), **form(found))
        for _ in rows:
            sink.writelines(held if count < 0 or (seen + count) % step == 0 else ())
            held.clear()
            count += 1
    return count
