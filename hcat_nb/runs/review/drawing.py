"""The data map of a run, from its tables."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from hcat_nb.charts.data_map import XAxis
    from hcat_nb.charts.theme import LayerChart
    from hcat_nb.runs.store.record import Record


def drawn_map(
    record: Record, *, x: XAxis = "variability", color: str = "group", **options: Any
) -> LayerChart:
    """Draw the data map of a run; see :meth:`hcat_nb.Run.data_map`."""
    from hcat_nb.charts.data_map import data_map

    scores = {
        name: record.scores[name].to_numpy()
        for name in record.methods
        if name not in record.details  # there, under some names, is the paper's own quantity
    }
    frame = record.details.assign(is_hard=record.truth["is_hard"].to_numpy(), **scores)
    note = record.learning_check
    if len(record.history) == 1:
        note = "One epoch: variability, and groups by it, need two. " + note
    return data_map(frame, x=x, color=color, **{"note": note.strip(), **options})
