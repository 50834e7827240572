"""The map of a finished run: its data map, or any two of its columns."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from hcat_nb.charts.coloring import SCHEMES, Coloring, by_column, by_group, by_truth
from hcat_nb.charts.data_map import CONFIDENCE, GROUP_COLUMN, X_AXES, map_chart
from hcat_nb.charts.layers import CELLS, MapAxis
from hcat_nb.errors import UnknownNameError
from hcat_nb.jupyter.map_scene import MapScene
from hcat_nb.registry import nearest

if TYPE_CHECKING:
    import pandas as pd

    from hcat_nb.charts.offline import OfflineChart
    from hcat_nb.runs.store.record import Record

_MARGIN = 0.02  # of the range, so that the outermost samples are not cut


def run_scene(
    run: Record,
    x: str = "variability",
    y: str = "confidence",
    color: str = "group",
    *,
    width: int = 4 * CELLS,
    height: int = 3 * CELLS,
) -> MapScene:
    """Return the scene of a run, for a :class:`~hcat_nb.jupyter.live_map.LiveMap`.

    ``x`` and ``y`` are columns of ``run.scores`` or of numbers in ``run.details``; ``color`` see
    :func:`run_coloring`. Of more samples than can be drawn, those of lowest confidence are points
    on the data map; on another map those that rank hard on both.
    """
    columns = {name: _numbers(run, name) for name in (x, y)}
    axes = [_axis(name, columns[name]) for name in (x, y)]
    coloring = run_coloring(run, color, x)

    def chart(coloring: Coloring, caption: str, n_points: int) -> OfflineChart:
        return map_chart(
            axes[0],
            coloring,
            axes[1],
            title="",
            caption=caption,
            n_points=n_points,
            width=width,
            height=height,
            live=True,
        )

    labels = run.details["label"]
    scene = MapScene(
        run.details.index,
        *axes,
        chart=chart,
        color=lambda *_: coloring,
        labels=labels.cat.codes.to_numpy(dtype=np.int64),
        class_names=tuple(map(str, labels.cat.categories)),
        hardness=_hardness(run, x, y),
    )
    scene.move(len(run.history), run.info["dataset"]["name"], columns[x], columns[y])
    return scene


def run_coloring(run: Record, color: str, x: str = "variability") -> Coloring:
    """Return colours for the samples of a run.

    ``color`` is "group" (fine, uncertain, doubted; of runs of earlier versions the papers' groups:
    Data-IQ's where ``x`` is "aleatoric", else Data Maps'), "truth" (what was made hard), or any
    column of ``run.scores`` or ``run.details``.
    """
    if color == "group" and "group" not in run.details:
        color = GROUP_COLUMN.get(x, GROUP_COLUMN["variability"])
    if color in SCHEMES:
        return by_group(_column(run, color).to_numpy(dtype=object), color)
    if color == "truth":
        return by_truth(run.truth["is_hard"].to_numpy())
    return by_column(_column(run, color))


def _column(run: Record, name: str) -> pd.Series:
    for table in (run.scores, run.details):
        if name in table:
            return table[name]
    known = ["group", "truth", *run.scores.columns, *run.details.columns]
    raise UnknownNameError(f"this run has no column {name!r}", nearest(name, known))


def _numbers(run: Record, name: str) -> np.ndarray:
    column = _column(run, name)
    if column.dtype.kind not in "fiu":
        raise UnknownNameError(
            f"the column {name!r} holds no numbers", nearest(name, [*run.scores])
        )
    return column.to_numpy(dtype=np.float64)


def _hardness(run: Record, x: str, y: str) -> np.ndarray | None:
    """Return what decides who is a point; None: the lowest confidence, which is y."""
    if y == CONFIDENCE.name:
        return None
    ranks = [run.scores[name].rank().to_numpy() for name in (x, y) if name in run.scores]
    if not ranks:
        return -run.details["confidence"].to_numpy(dtype=np.float64)
    hardness: np.ndarray = np.sum(ranks, axis=0)
    return hardness


def _axis(name: str, values: np.ndarray) -> MapAxis:
    if name in X_AXES:
        return X_AXES[name]
    if name == CONFIDENCE.name:
        return CONFIDENCE
    known = values[np.isfinite(values)]
    low, high = (float(known.min()), float(known.max())) if len(known) else (0.0, 1.0)
    margin = _MARGIN * (high - low) or 0.5
    return MapAxis(name, f"{name} (higher = harder)", low - margin, high + margin)
