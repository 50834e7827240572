"""Hardness by class: how a score is distributed in each."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np

from hcat_nb.charts.coloring import unused
from hcat_nb.charts.rows import csv_table, numbers
from hcat_nb.charts.theme import CLASSES, overlaid
from hcat_nb.errors import DataError, SpecError

if TYPE_CHECKING:
    import pandas as pd

    from hcat_nb.charts.offline import OfflineChart

MOST_CLASSES = 40
QUANTILES = {"low": 0.05, "lower": 0.25, "median": 0.5, "upper": 0.75, "high": 0.95}
_NO_LABEL = "none"


def by_class(
    scores: pd.Series[Any],
    labels: Any,
    *,
    most: int = MOST_CLASSES,
    title: str | None = None,
    width: int = 420,
    row: int = 18,
) -> OfflineChart:
    """Draw the quantiles of a score in each class, the hardest class first.

    A bar spans the middle half of a class, a line the middle nine tenths, and a tick marks the
    median. Samples without a score are left out, a missing label counts as the class "none", and
    the ``most`` classes of the highest median are drawn, ``row`` pixels each.
    """
    import altair as alt

    if most < 1:
        raise SpecError(f"most is {most!r}", "a whole number from 1")
    table = class_quantiles(scores, labels)
    drawn = table.head(most)
    name = str(scores.name) if scores.name is not None else "score"
    # A class is its place: two whose names are alike in print stay two.
    places = list(range(len(drawn)))
    columns = {"place": places, "class": drawn.index.astype(str).tolist(), "n": drawn["n"].tolist()}
    columns |= {key: numbers(drawn[key]) for key in QUANTILES}
    data = csv_table(columns, text={"class"})
    names = alt.Axis(
        labelExpr=f"{json.dumps(columns['class'])}[datum.value]",
        labelLimit=220,
        ticks=False,
        domain=False,
    )
    y = alt.Y("place:O", title=None, sort=None, axis=names, scale=alt.Scale(domain=places))
    base = alt.Chart(data).encode(
        y=y,
        tooltip=[
            alt.Tooltip("class:N"),
            alt.Tooltip("n:Q", title="samples", format=","),
            *(
                alt.Tooltip(f"{key}:Q", title=f"{share:.0%}", format=".4g")
                for key, share in QUANTILES.items()
            ),
        ],
    )
    x = alt.X("low:Q", title=f"{name} (higher = harder)", scale=alt.Scale(zero=False))
    return overlaid(
        [
            base.mark_rule(color="#8C8C8C").encode(x=x, x2="high:Q"),
            base.mark_bar(color=CLASSES[0], height={"band": 0.6}).encode(x="lower:Q", x2="upper:Q"),
            base.mark_tick(color=CLASSES[5], thickness=3, height=row).encode(x="median:Q"),
        ],
        title or f"{name} by class",
        _caption(scores, table, len(drawn)),
        width=width,
        height=row * max(1, len(drawn)),
    )


def class_quantiles(scores: pd.Series[Any], labels: Any) -> pd.DataFrame:
    """Return quantiles of a score by class, the hardest class first.

    Index: class, a missing label as "none", or "(none)" where a class is called that. Columns:
    ``n`` scored samples, ``low`` (5 %), ``lower`` (25 %), ``median``, ``upper`` (75 %) and
    ``high`` (95 %). Classes without a score are not in it.

    >>> import pandas as pd
    >>> table = class_quantiles(pd.Series([1.0, 3.0, 9.0]), ["cat", "cat", "dog"])
    >>> table[["n", "median"]].to_numpy().tolist()
    [[1.0, 9.0], [2.0, 2.0]]
    """
    import pandas as pd

    column = pd.Series(labels).reset_index(drop=True)
    if len(column) != len(scores):
        raise DataError(f"{len(column)} labels for {len(scores)} scores", "one each")
    codes, classes = pd.factorize(column.astype(object))
    known_classes = classes.tolist()
    missing = unused(_NO_LABEL, known_classes)
    names = pd.Index([*known_classes, missing], dtype=object, name="class")
    values = scores.to_numpy(dtype=np.float64)
    known = np.isfinite(values)
    codes = np.where(codes < 0, len(classes), codes)[known]
    values = values[known]
    order = np.argsort(codes, kind="stable")
    there, starts = np.unique(codes[order], return_index=True)
    parts = np.split(values[order], starts[1:]) if len(there) else []
    shares = list(QUANTILES.values())
    table = pd.DataFrame(
        [[len(part), *np.quantile(part, shares)] for part in parts],
        columns=["n", *QUANTILES],
        index=names[there],
    )
    return table.sort_values("median", ascending=False, kind="stable")


def _caption(scores: pd.Series[Any], table: pd.DataFrame, drawn: int) -> str:
    n = int(table["n"].sum())
    words = f"{n:,} samples in {len(table):,} class{'es' * (len(table) != 1)}"
    if drawn < len(table):
        words += f", the {drawn} hardest drawn"
    missing = len(scores) - n
    return words + (f"; {missing:,} without a score" if missing else "")
