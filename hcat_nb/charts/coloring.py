"""What the colour of a sample means: its group, the truth, or any column."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from hcat_nb.charts.theme import CLASSES, DOUBTS, GROUPS, NONE, OTHER, TRUTH

if TYPE_CHECKING:
    import altair as alt
    import pandas as pd

# Columns of groups: what the legend says, and the colours by name.
SCHEMES = {
    "group": ("label is", DOUBTS),
    "group_so_far": ("label is, so far", {name: DOUBTS[name] for name in ("fine", "uncertain")}),
    "datamaps_group": ("Data Maps' thirds", GROUPS),
    "dataiq_group": ("Data-IQ's groups", GROUPS),
}
_FEW = 20  # distinct whole numbers up to which they are read as names


@dataclass(frozen=True, eq=False)
class Coloring:
    """A colour for each of n samples, under a ``title`` in the legend.

    ``data`` holds codes into ``levels`` and their ``palette`` (int64), or numbers where both are
    empty.
    """

    title: str
    data: np.ndarray
    levels: tuple[str, ...] = ()
    palette: tuple[str, ...] = ()


def by_group(groups: np.ndarray, scheme: str = "group") -> Coloring:
    """Colour by one of ``SCHEMES``, which the legend names; ``groups`` are its names, shape (n,).

    Anything else has no place on the map and takes the first colour.
    """
    title, colors = SCHEMES[scheme]
    names = tuple(colors)
    values = np.zeros(len(groups), dtype=np.int64)
    for code, name in enumerate(names):
        values[np.asarray(groups) == name] = code
    return Coloring(title, values, names, tuple(colors.values()))


def by_truth(is_hard: np.ndarray) -> Coloring:
    """Colour by the injected truth, an array of bool."""
    codes = np.asarray(is_hard, dtype=bool).astype(np.int64)
    return Coloring("ground truth", codes, tuple(TRUTH), tuple(TRUTH.values()))


def by_column(column: pd.Series[Any]) -> Coloring:
    """Colour by a column: numbers on a scale, everything else as names.

    Missing values are grey and called "none"; of more classes than the
    palette has colours, the smallest share one and are called "other".  Where
    a class is called so itself, the word stands in brackets.
    """
    import pandas as pd

    title = str(column.name)
    numeric = pd.api.types.is_numeric_dtype(column) and not pd.api.types.is_bool_dtype(column)
    whole = pd.api.types.is_integer_dtype(column)
    if numeric and not (whole and column.nunique() <= _FEW):
        return Coloring(title, column.to_numpy(dtype=np.float64, na_value=np.nan))
    codes, values = pd.factorize(column.astype(object), sort=False)
    names = [str(value) for value in values]
    order = sorted(range(len(names)), key=lambda code: (_natural(values[code]), names[code]))
    palette = list(CLASSES)
    if len(order) > len(palette):
        counts = np.bincount(codes[codes >= 0], minlength=len(names))
        large = set(np.argsort(-counts, kind="stable")[: len(palette) - 1].tolist())
        order = [code for code in order if code in large]
    levels = [names[code] for code in order]
    colors = palette[: len(levels)]
    place = np.full(len(names) + 1, len(levels), dtype=np.int64)
    place[order] = np.arange(len(order))
    if len(order) < len(names):
        levels.append(unused("other", names))
        colors.append(OTHER)
    place[-1] = len(levels)  # factorize gives -1 where a value is missing
    if (codes < 0).any():
        levels.append(unused("none", names))
        colors.append(NONE)
    return Coloring(title, place[codes], tuple(levels), tuple(colors))


def paint(coloring: Coloring) -> alt.Color:
    """Return the encoding of the field ``color`` by a scale that does not depend on what is drawn.

    A colouring without a title has no legend; numbers take a scale over their range.
    """
    import altair as alt

    if coloring.levels:
        scale = alt.Scale(domain=list(coloring.levels), range=list(coloring.palette))
        legend = alt.Undefined if coloring.title else None
        return alt.Color("color:N", title=coloring.title, scale=scale, legend=legend)
    finite = coloring.data[np.isfinite(coloring.data)]
    low, high = (float(finite.min()), float(finite.max())) if len(finite) else (0.0, 1.0)
    scale = alt.Scale(domain=[low, high], scheme="viridis")
    return alt.Color("color:Q", title=coloring.title, scale=scale)


def unused(word: str, names: Collection[str]) -> str:
    """Return a word that is none of the names: in brackets, as often as it takes.

    >>> unused("none", ["oak"]), unused("none", ["none", "(none)"])
    ('none', '((none))')
    """
    while word in names:
        word = f"({word})"
    return word


def _natural(value: Any) -> tuple[int, float]:
    """Sort numbers by size, before names."""
    return (0, float(value)) if isinstance(value, (int, float, np.number)) else (1, 0.0)
