"""Labels of the user's data changed where they lie: a copy in the same format, nothing else new."""

from __future__ import annotations

import codecs
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from hcat_nb.data.files.compressed import read_bytes, write_bytes
from hcat_nb.data.files.dialect import Dialect, byte_order_mark, encoding_of
from hcat_nb.data.files.mend_text import DROP, json_cells, mend_json, mend_rows, row_cells
from hcat_nb.data.files.table_files import TableFile, kind_of_file
from hcat_nb.errors import DataError, StoreError

_JSON = (".json", ".jsonl", ".ndjson")


def mend_files(
    read: TableFile,
    target: str,
    codes: Sequence[int],
    changes: Mapping[int, Any],
    out: Path,
    sheet: str | int | None = None,
    encoding: str | None = None,
) -> list[str]:
    """Write the files of a table again, with other labels.

    ``codes``: the class of each row: a row's new label is written as that class is elsewhere;
    ``changes``: by row: the new class, as its code and its value; None for no label; ``out``: a
    file, or where there are several a folder; ``sheet``: of a workbook; ``encoding``: of JSON or
    ARFF, if the file does not tell it. What else changed.
    """
    told: list[str] = []
    start = 0
    cells = [
        _cells(file, dialect, target, sheet, encoding)
        for file, dialect in zip(read.files, read.dialects, strict=True)
    ]
    if [*map(len, cells)] != [*read.rows]:
        raise StoreError("the rows cannot be told apart as they were when the file was read")
    written = [cell for part in cells for cell in part]
    if len({(cell, code) for cell, code in zip(map(repr, written), codes, strict=True)}) != len(
        set(map(repr, written))
    ):
        raise StoreError("the labels in the file are not those that were read")
    first = {code: cell for cell, code in zip(reversed(written), reversed(codes), strict=True)}
    wanted = {row: _raw(new, first) for row, new in changes.items()}
    for file, dialect, rows in zip(read.files, read.dialects, read.rows, strict=True):
        place = out if len(read.files) == 1 else out / file.name
        mine = {row - start: new for row, new in wanted.items() if start <= row < start + rows}
        start += rows
        if not mine and place.suffix.lower() == file.suffix.lower():
            shutil.copyfile(file, place)
        else:
            told += _mend(file, dialect, target, mine, place, sheet, encoding)
    return list(dict.fromkeys(told))


def _raw(new: Any, first: Mapping[int, Any]) -> Any:
    """Return a new label as the file writes it; a class that no row has as text or number."""
    if new is None or new is DROP:
        return new
    code, value = new
    return first.get(code, value)


def _cells(
    file: Path,
    dialect: Dialect | None,
    target: str,
    sheet: str | int | None,
    encoding: str | None,
) -> list[Any]:
    kind = kind_of_file(file)
    if dialect is not None or kind == ".arff":
        _, text, _ = _decoded(file, dialect, encoding)
        return [*row_cells(text, *_as_rows(text, dialect, target))]
    if kind in _JSON:
        return json_cells(_decoded(file, None, encoding)[1], target)
    if kind == ".parquet":
        import pyarrow.parquet as pq

        values: list[Any] = pq.read_table(file)[target].to_pylist()
        return values
    _, page, place = _page(file, target, sheet)
    return [row[place].value for row in page.iter_rows(min_row=2)]


def _mend(
    file: Path,
    dialect: Dialect | None,
    target: str,
    changes: Mapping[int, Any],
    out: Path,
    sheet: str | int | None,
    told: str | None,
) -> list[str]:
    kind = kind_of_file(file)
    if kind == ".xlsx":
        book, page, place = _page(file, target, sheet)
        for row, new in changes.items():
            if new is not DROP:
                page.cell(row + 2, place + 1).value = new
        for row in sorted((row for row, new in changes.items() if new is DROP), reverse=True):
            page.delete_rows(row + 2)
        book.save(out)
        return ["a workbook is written anew: its cells are the same, its bytes are not"]
    if kind == ".parquet":
        _write_parquet(file, target, changes, out)
        return ["the file is written anew: values, schema and metadata are the same"]
    mark, text, encoding = _decoded(file, dialect, told)
    if kind in _JSON:
        made = mend_json(text, target, changes)
    else:
        rows = _as_rows(text, dialect, target)
        plain = {
            row: new if new is None or new is DROP else str(new) for row, new in changes.items()
        }
        made = mend_rows(text, *rows, plain, "?" if kind == ".arff" else "")
    try:
        content = mark + made.encode(encoding)
    except UnicodeEncodeError as error:
        raise StoreError(f"a label cannot be written as {encoding} ({error.reason})") from error
    packing = out.suffix.lower() if kind_of_file(out) != out.suffix.lower() else ""
    write_bytes(out, content, packing, out.stem)
    return []


def _decoded(file: Path, dialect: Dialect | None, told: str | None) -> tuple[bytes, str, str]:
    """Return the mark of an encoding, the text behind it, and the encoding that gives it back."""
    content = read_bytes(file)
    encoding = told or encoding_of(content) if dialect is None else dialect.encoding
    mark, name = byte_order_mark(content)
    if not codecs.lookup(encoding).name.startswith("utf"):
        mark = b""
    encoding = name if mark else encoding
    return mark, content[len(mark) :].decode(encoding), encoding


def _as_rows(text: str, dialect: Dialect | None, target: str) -> tuple[Dialect, str]:
    """Return how to read the rows of a text, and what the column is called there."""
    if dialect is not None:
        return dialect, target
    lines = text.splitlines()  # of ARFF: names above, rows below @data
    names = [one.split()[1].strip("'\"") for one in lines if one.lower().startswith("@attribute")]
    skip = next(at for at, one in enumerate(lines) if one.lower().startswith("@data")) + 1
    return Dialect(",", "utf-8", "'", skip, False, "%"), str(names.index(target))


def _write_parquet(file: Path, target: str, changes: Mapping[int, Any], out: Path) -> None:
    import pyarrow.parquet as pq

    table = pq.read_table(file)
    place = table.schema.get_field_index(target)
    field = table.schema.field(place)
    values = table.column(place).to_pylist()
    kept = np.ones(len(values), dtype=bool)
    for row, new in changes.items():
        kept[row] = new is not DROP
        values[row] = values[row] if new is DROP else new
    if pa.types.is_dictionary(field.type):  # with its categories, in their order
        levels = table.column(place).combine_chunks().dictionary
        at = {level: position for position, level in enumerate(levels.to_pylist())}
        indices = pa.array(
            [None if one is None else at[one] for one in values], field.type.index_type
        )
        column = pa.DictionaryArray.from_arrays(indices, levels, ordered=field.type.ordered)
    else:
        column = pa.array(values, field.type)
    table = table.set_column(place, field, column).filter(pa.array(kept))
    meta = pq.read_metadata(file)
    groups = [meta.row_group(at) for at in range(meta.num_row_groups)]
    packing = groups[0].column(0).compression.lower() if groups else "snappy"
    pq.write_table(
        table,
        out,
        compression={"uncompressed": "none"}.get(packing, packing),
        row_group_size=max((one.num_rows for one in groups), default=None),
    )


def _page(file: Path, target: str, sheet: str | int | None) -> tuple[Any, Any, int]:
    import openpyxl  # type: ignore[import-untyped]

    book = openpyxl.load_workbook(file)
    page = book.worksheets[sheet or 0] if not isinstance(sheet, str) else book[sheet]
    names = [cell.value for cell in next(page.iter_rows(max_row=1))]
    if target not in map(str, names):
        raise StoreError(f"the first row of {file} has no column {target!r}")
    return book, page, [*map(str, names)].index(target)


def mend_images(
    root: Path, ids: Sequence[str], labels: Sequence[str], changes: Mapping[int, Any], out: Path
) -> None:
    """Copy a folder of images with each in the folder of its new class.

    Images without a label, or left out, are not copied.
    """
    taken = {Path(name) for row, name in enumerate(ids) if row not in changes}
    for row, (name, label) in enumerate(zip(ids, labels, strict=True)):
        new = changes.get(row, (0, label))
        if new is None or new is DROP:
            continue
        parts = list(Path(name).parts)
        parts[parts.index(label)] = str(new[1])
        place = Path(*parts)
        if row in changes and place in taken:
            place = place.with_name(f"{place.stem}_from_{label}{place.suffix}")
        if row in changes and place in taken:
            raise DataError(f"two images would be called {place}", "other names")
        taken.add(place)
        (out / place).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(root / name, out / place)
