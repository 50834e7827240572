"""How a file of text is written: encoding, separator, quotes, and where its rows begin."""

from __future__ import annotations

import codecs
import csv
import dataclasses
import io
import itertools
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hcat_nb.data.table_options import TableOptions
from hcat_nb.errors import DataError

SPACE = r"\s+"  # any run of blanks

_ROWS, _LINES = 1000, 300  # that are looked at: for a header, for a separator
_SEPARATORS = (",", ";", "\t", "|")
_MARKS = ("#", "%", "//")  # lines above a header that are comments
_BOMS = (  # the longer ones first
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_NUMBER = re.compile(r"\s*[+-]?\d*[.,]?\d+(?:[eE][+-]?\d+)?\s*")
_DIGITS = re.compile(r"\s*[+-]?[\d.,]*\d(?:[eE][+-]?\d+)?\s*")
_NAMES = {",": "a comma", ";": "a semicolon", "\t": "a tab", "|": "a bar", SPACE: "white space"}


@dataclass(frozen=True)
class Dialect:
    """How a file of text is written.

    ``sep``: one character, or ``SPACE``; ``quote``: one character, "" for none; ``skip``: lines
    above the header, or above the first row; ``header``: whether a header is there; ``comment``:
    one character, "" for none.
    """

    sep: str
    encoding: str
    quote: str
    skip: int
    header: bool
    comment: str = ""

    def notes(self, options: TableOptions, usual: str) -> list[str]:
        """Return what was found and is not usual; what the user said needs no telling."""
        told = []
        if options.sep is None and self.sep != usual:
            told.append(f"fields are separated by {_NAMES[self.sep]}")
        if options.encoding is None and self.encoding != "utf-8":
            told.append(f"encoding {self.encoding}")
        if options.quote is None and self.quote != '"':
            told.append(f"quote {self.quote or 'none'}")
        if self.skip and not isinstance(options.header, int):
            told.append(f"the first {self.skip} lines are comments or empty")
        return [f"found in the file: {'; '.join(told)}"] if told else []


def find_dialect(file: Path, head: bytes, kind: str, options: TableOptions) -> Dialect:
    """Return how a file is written, by its beginning and what the user said."""
    encoding = options.encoding or encoding_of(head)
    try:
        text = head.decode(encoding)
    except UnicodeError as error:
        if options.encoding:
            raise wrong_encoding(file, options, error) from error
        encoding = guess_encoding(file, head)
        text = head.decode(encoding)
    text = text.removeprefix("\ufeff")
    lines = list(io.StringIO(text, newline=""))
    told = lines[0].strip().removeprefix("sep=") if lines and lines[0].startswith("sep=") else ""
    start = int(bool(told))  # a line that Excel writes and reads
    if isinstance(options.header, int):
        start = options.header
    marks = (options.comment,) if options.comment else _MARKS
    first = start
    while first < len(lines) and (not lines[first].strip() or lines[first].startswith(marks)):
        first += 1
    if isinstance(options.header, int):
        first = start
    body = [one for one in lines[first:] if not options.comment or not one.startswith(marks)]
    sep, quote, width = _best(body[:_LINES], kind, options, told)
    dialect = Dialect(
        *(sep, encoding, quote, first, options.header != "none", options.comment or "")
    )
    if not dialect.header or isinstance(options.header, int) or first == len(lines):
        return dialect
    rows = records("".join(body[: _ROWS + 1]), dialect)
    above = records(lines[first - 1], dialect) if first > start and not options.comment else []
    if above and len(above[0]) == width and (above[0][0].strip() in marks or _odd(rows)):
        return dataclasses.replace(dialect, skip=first - 1)  # names behind a mark: "#,size,kind"
    if options.header is None and (odd := _odd(rows)):
        raise DataError(
            f"the first line of {file} looks like data, not like names of columns: "
            + ", ".join(map(repr, odd[:3])),
            "a header",
            "header='none' (columns are then called 0, 1, ..., the target by its number or "
            "target='last'), or header='first' if they are names",
        )
    names = [cell.strip() for cell in rows[0] if cell.strip()] if rows else []
    if twice := next((name for at, name in enumerate(names) if name in names[:at]), None):
        raise DataError(  # pandas calls the second name.1, a feature: of a target, a leak
            f"the header of {file} has several columns called {twice!r}",
            "different names",
            "rename or take out one of them in the first line",
        )
    if options.header is None and rows and rows[0] in rows[1:]:
        again = rows[1:].index(rows[0]) + 1
        raise DataError(f"row {again} of {file} repeats the header", "one header", "remove it")
    return dialect


def records(text: str, dialect: Dialect) -> list[list[str]]:
    """Return the fields of all lines that are not blank, by the standard library's reader."""
    if dialect.sep == SPACE:
        return [line.split() for line in text.splitlines() if line.strip()]
    return [row for row in csv.reader(io.StringIO(text, newline=""), **form(dialect)) if row]


def form(dialect: Dialect) -> dict[str, Any]:
    """Return the settings of the standard library's reader for a dialect."""
    csv.field_size_limit(2**30)  # texts are longer than 128 KiB now and then
    if not dialect.quote:
        return {"delimiter": dialect.sep, "quoting": csv.QUOTE_NONE}
    return {"delimiter": dialect.sep, "quotechar": dialect.quote}


def byte_order_mark(head: bytes) -> tuple[bytes, str]:
    """Return the mark at the beginning of a text, and the encoding of what follows; or "" both."""
    return next((one for one in _BOMS if head.startswith(one[0])), (b"", ""))


def encoding_of(head: bytes) -> str:
    """Return the encoding that the first bytes of a text tell, by which a mark is no text."""
    if name := byte_order_mark(head)[1]:
        return "utf-8-sig" if name == "utf-8" else name[:-3]
    if b"\0" in head[:1000]:  # every other byte of UTF-16, which may come without a mark
        return "utf-16-be" if head[:1000:2].count(0) > head[1:1000:2].count(0) else "utf-16-le"
    return "utf-8"


def wrong_encoding(file: Path, options: TableOptions, error: UnicodeError) -> DataError:
    """Return what to raise where a text is not in the encoding that was named, or found."""
    tried = options.encoding or getattr(error, "encoding", "text")
    return DataError(
        f"{file} cannot be read as {tried} ({getattr(error, 'reason', error)})",
        "the file's own encoding",
        "leave encoding= out, to have it found" if options.encoding else "name it: encoding=",
    )


def guess_encoding(file: Path, content: bytes) -> str:
    """Return the one-byte encoding of a text in Latin letters that is no UTF-8."""
    encoding = "cp1252" if any(0x80 <= byte < 0xA0 for byte in set(content)) else "latin-1"
    text = content.decode(encoding, errors="replace")
    runs = re.findall(r"[^\x00-\x7f]+", text)
    foreign = sum(len(run) for run in runs if len(run) > 1)
    if "\ufffd" in text or 2 * foreign > sum(map(len, runs)):  # words, not single letters
        raise DataError(
            f"{file} cannot be read as UTF-8, nor as {encoding}",
            "the file's own encoding",
            "encoding=, such as gb18030, shift_jis or cp1251",
        )
    return encoding


def _best(
    lines: Sequence[str], kind: str, options: TableOptions, told: str
) -> tuple[str, str, int]:
    """Return separator, quote and number of fields that fit most lines."""
    separators: list[str] = ["\t", *_SEPARATORS] if kind == ".tsv" else [*_SEPARATORS]
    separators += [SPACE] if kind not in (".csv", ".tsv") else []
    if options.sep or told:
        separators = [options.sep or told]
    quotes = ['"', "'", ""] if options.quote is None else [options.quote.replace("none", "")]
    best = (separators[0], quotes[0], 1)
    highest = (False, 0.0, 0.0)
    for sep in separators:
        for quote in quotes:
            rows = records("".join(lines), Dialect(sep, "", quote, 0, header=True))
            widths = Counter(map(len, rows))
            width, count = max(widths.items(), key=lambda item: item[1], default=(1, 0))
            if width < 2:
                continue
            cells = [cell for row in rows[1:] for cell in row] or [""]
            numbers = sum(_DIGITS.fullmatch(cell) is not None for cell in cells) / len(cells)
            # All lines alike first, as the header is; then what leaves numbers whole.
            score = (len(rows[0]) == width, round(count / len(rows), 2), round(numbers, 2))
            if score > highest:
                best, highest = (sep, quote, width), score
    return best


def _number(text: str) -> float | None:
    return float(text.replace(",", ".")) if _NUMBER.fullmatch(text) else None


def _odd(rows: Sequence[Sequence[str]]) -> list[str]:
    """Return the cells of a first row that look like data, where they are many; else none.

    That are numbers above numbers, and words that come again below.
    """
    if len(rows) < 3:
        return []
    header = rows[0]
    body = [row for row in rows[1:] if row != header]
    numbers = [_number(cell) for cell in header]
    below = [
        [row[place].strip() for row in body if len(row) > place] for place in range(len(header))
    ]
    again = [cell.strip() != "" and cell.strip() in below[at] for at, cell in enumerate(header)]
    counts = _counts([(n, again[at]) for at, n in enumerate(numbers) if n is not None])
    odd, fractions, above_numbers = [], False, False
    for place, (cell, number) in enumerate(zip(header, numbers, strict=True)):
        numeric = 2 * sum(_number(one) is not None for one in below[place]) > len(below[place])
        if number is None:
            odd += [cell] if again[place] else []
            above_numbers |= numeric
        elif not counts:
            odd += [cell] if numeric else []
            fractions |= odd[-1:] == [cell] and number % 1 > 0
    if len(body) < len(rows) - 1 and not above_numbers:
        return list(header)  # the same row twice, and nothing that only a name can be
    named = sum(1 for cell in header if cell.strip())
    return odd if fractions or 2 * len(odd) >= named else []


def _counts(numbers: Sequence[tuple[float, bool]]) -> bool:
    """Whether names that are numbers count something: columns, years, wavelengths.

    Each comes with whether it is found in its column, as most numbers of a row of data are.
    """
    values = [number for number, _ in numbers]
    steps = [after - before for before, after in itertools.pairwise(values)]
    if not steps:
        return False
    even = max(steps) - min(steps) < 1e-9 * max(map(abs, values))
    if even and values[0] == 0 and steps[0] == 1:
        return True
    ordered = min(steps) > 0 or max(steps) < 0
    found = sum(again for _, again in numbers)
    return 2 * found <= len(values) and ordered and len(steps) >= (2 if even else 4)
