"""Rows inside a specification, as CSV: a third of the size of JSON rows, which a notebook keeps.

Altair's own way from a frame to a specification refuses more than 5,000 rows;
ours is for rows that are aggregated already.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from hcat_nb.errors import DataError

if TYPE_CHECKING:
    import pandas as pd

    from hcat_nb.charts.coloring import Coloring


def need(table: pd.DataFrame, columns: Iterable[str], whose: str, source: str) -> None:
    """Refuse a table that lacks a column; ``whose`` begins the message: "the pairs have"."""
    for name in columns:
        if name not in table:
            raise DataError(f"{whose} no column {name!r}", source)


def csv_table(columns: Mapping[str, Sequence[Any]], text: Collection[str]) -> dict[str, Any]:
    """Return Altair data of columns of one length; those not in ``text`` are numbers or None.

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


def point_rows(
    frame: pd.DataFrame,
    x: Sequence[float | None],
    y: Sequence[float | None],
    coloring: Coloring,
    rows: np.ndarray,
) -> dict[str, Any]:
    """Return the rows of "points": a sample each, at ``x`` and ``y``.

    Frame and colouring are of all samples; ``rows`` are the positions of those drawn.
    """
    labels = [""] * len(rows)
    if "label" in frame:
        column = frame["label"].iloc[rows]
        gaps = column.isna().tolist()
        labels = ["" if gap else one for one, gap in zip(column.tolist(), gaps, strict=True)]
    return csv_table(
        {
            "x": x,
            "y": y,
            "color": shown(coloring, coloring.data[rows]),
            "label": labels,
            "id": frame.index[rows].tolist(),
        },
        text={"label", "id"} | ({"color"} if coloring.levels else set()),
    )
