"""The chart of a run that goes on: data map, learning curves, AUROC, and scores.

One concatenated specification on named datasets, which a live view fills:

- "points" ``x, y, color, label, id, row``; "bins" ``i, j, n, shade, color``;
  "selected" ``x, y, id, row, followed``; "decided" ``x, y``; "trail" ``epoch, x, y``: the map's
- "curves" ``epoch, loss, accuracy``
- "auroc" ``epoch, hcm, auroc``, where a truth is known
- "histograms" ``hcm, mark, low, high, n``
- "now" ``epoch``, one row while an earlier epoch is replayed

and on the parameters ``heading``, ``caption`` and ``ink``, the colour of
text.  A chart of your own may use any of them, with or without ours beside
it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from hcat_nb.charts.auroc import auroc_chart
from hcat_nb.charts.coloring import Coloring
from hcat_nb.charts.curves import curves_chart, epoch_axis
from hcat_nb.charts.data_map import map_chart
from hcat_nb.charts.histograms import histograms_chart
from hcat_nb.charts.layers import MapAxis
from hcat_nb.charts.theme import CLASSES, TRUTH, themed

if TYPE_CHECKING:
    import altair as alt

    from hcat_nb.charts.offline import OfflineConcat

DATASETS = (
    *("points", "bins", "selected", "decided", "trail"),
    *("curves", "auroc", "histograms", "now"),
)
_FEW = ("loss", "aum", "el2n", "datamaps")  # methods beside the map; all are in a chart of theirs
PLAIN = {"samples": CLASSES[0]}  # of a histogram without a truth
_WAITING = {"epoch": "", "final": "from the last epoch on", "end": "from the end on"}


def live_view(
    x: MapAxis,
    coloring: Coloring,
    *,
    title: str,
    caption: str,
    n_points: int,
    n_epochs: int,
    methods: Mapping[str, str],
    truth: bool,
) -> OfflineConcat:
    """Return the specification; ``title`` and ``caption`` are the first values of its parameters.

    ``methods`` have a histogram each, with a word about those that score late ("epoch", "final" or
    "end"). Where the ``truth`` is known there is an AUROC, and histograms are parted.
    """
    import altair as alt

    from hcat_nb.charts.offline import OfflineConcat

    data_map = map_chart(x, coloring, title=title, caption=caption, n_points=n_points, live=True)
    size = {"width": 170, "height": 130}
    curves = curves_chart(n_epochs, title="", caption="", **size)
    for plot in curves.concat:
        plot.data = curves.data  # Altair moves what plots share to what holds them
    loss, accuracy = (_with_now(plot, n_epochs) for plot in curves.concat)
    by_epoch = [accuracy.properties(name="live_accuracy")]
    few = [name for name in _FEW if name in methods] or list(methods)[:4]
    if truth:
        by_epoch.append(_auroc(few, n_epochs, size).properties(name="live_auroc"))
    by_epoch.append(loss.properties(name="live_loss"))
    if truth and len(methods) > len(few):
        by_epoch.append(_auroc(list(methods), n_epochs, size).properties(name="live_all"))
    scores = histograms_chart(
        list(methods),
        TRUTH if truth else PLAIN,
        notes=[_WAITING[moment] for moment in methods.values()],
        columns=5,
        title="",
        caption="",
        width=105,
        height=50,
    )
    scores.title = alt.TitleParams("scores, harder to the right", anchor="start", fontSize=12)
    rows = [data_map, alt.hconcat(*by_epoch, spacing=14)]
    if methods:
        rows.append(scores)
    whole: OfflineConcat = OfflineConcat(
        concat=[_part(row) for row in rows],
        columns=1,
        spacing=14,
        description=f"live view of a run: {caption}",
    ).resolve_scale(color="independent", strokeDash="independent")
    return themed(whole)


def _auroc(methods: list[str], n_epochs: int, size: dict[str, int]) -> alt.LayerChart:
    """Return the AUROC by epoch of some methods."""
    import altair as alt

    chart = auroc_chart(methods, n_epochs, title="", caption="", **size)
    chart.title = alt.Undefined
    chart = chart.transform_filter(alt.FieldOneOfPredicate(field="hcm", oneOf=methods))
    return _with_now(chart, n_epochs)


def _part(chart: Any) -> Any:
    """Return a chart without what only the outermost may have."""
    import altair as alt

    part = chart.copy()
    part.config = alt.Undefined
    if part.params is not alt.Undefined:
        part.params = [one for one in part.params if getattr(one, "name", None) != "ink"]
    return part


def _with_now(chart: Any, n_epochs: int) -> alt.LayerChart:
    """Return the plot with a line at the epoch that the map shows."""
    import altair as alt

    line = (
        alt.Chart(alt.NamedData("now"))
        .mark_rule(stroke=alt.expr("ink"), opacity=0.5)
        .encode(x=epoch_axis(n_epochs))
    )
    part = _part(chart)
    size = {"width": part.width, "height": part.height}
    part.width = part.height = alt.Undefined
    layered: alt.LayerChart = alt.LayerChart(layer=[part, line], **size)
    return layered
