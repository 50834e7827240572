"""Rows inside a specification, as CSV: a third of the size of JSON rows, which a notebook keeps.

Altair's own way from a frame to a specification refuses more than 5,000 rows;
ours is for rows that are aggregated already.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from hcat_nb.charts.coloring import Coloring

__all__ = ["csv_table", "numbers", "shown"]


def csv_table(columns: Mapping[str, Sequence[Any]], text: Collection[str]) -> dict[str, Any]:
    """Return Altair data.

    Parameters
    ----------
    columns : mapping of str to sequence
        Of one length; None where there is no value.
    text : collection of str
        Columns that are read as text; the others are numbers.

    Examples
    --------
    >>> csv_table({"id": ["a,b"], "x": [None]}, text={"id"})["values"].split()
    ['id,x', '"a,b",']
    """
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows(zip(*columns.values(), strict=True))
    parse = {name: "string" if name in text else "number" for name in columns}
    return {"values": buffer.getvalue(), "format": {"type": "csv", "parse": parse}}


def numbers(values: Any) -> list[float | None]:
    """Return numbers to four digits, None where there is none.

    Examples
    --------
    >>> numbers([0.123456, float("nan")])
    [0.1235, None]
    """
    array = np.asarray(values, dtype=np.float64)
    return [float(f"{value:.4g}") if np.isfinite(value) else None for value in array.tolist()]


def shown(coloring: Coloring, values: np.ndarray) -> list[Any]:
    """Return level names, or numbers with None where there is none."""
    if coloring.levels:
        return [coloring.levels[code] for code in values.tolist()]
    return numbers(values)
