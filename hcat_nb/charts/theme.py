"""Colours and type shared by all charts.

The colours of groups and of truth stay apart for red-, green- and blue-blind
readers, and have a contrast of 3 : 1 or more against white and against the
dark page of a notebook.  Text is drawn in the signal ``ink``, so that a live
view follows the page's theme without being embedded anew.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    import altair as alt
    from altair import LayerChart as LayerChart  # for those who do not import altair

    from hcat_nb.charts.offline import OfflineChart, OfflineConcat

    ChartT = TypeVar("ChartT", bound=alt.TopLevelMixin)

GROUPS = {"easy": "#3478B8", "ambiguous": "#C98500", "hard": "#C2255C"}
DOUBTS = {"fine": "#8C8C8C", "uncertain": "#9A7D00", "doubted": "#D55E00"}
TRUTH = {"untouched": "#8C8C8C", "made hard": "#D55E00"}
# Okabe and Ito's, yellow darkened and black left out for the two backgrounds,
# followed by three of Paul Tol's.
CLASSES = (
    *("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9", "#E69F00"),
    *("#9A8C1E", "#6F56C9", "#A33B6B", "#2E8B3D"),
)
DECIDED = "#1A8F78"  # the outline of samples that a person decided on
OTHER = "#7A7A7A"  # the classes beyond the palette
NONE = "#A8A8A8"  # no value
INK = "#333333"  # text on a light page


def overlaid(layers: list[Any], title: str, caption: str, **size: Any) -> OfflineChart:
    """Return marks over each other, headed by a title and one line that says what is drawn."""
    from hcat_nb.charts.offline import OfflineChart

    return themed(OfflineChart(layer=layers, title=_heading(title, caption), **size))


def side_by_side(plots: list[Any], title: str, caption: str, **looks: Any) -> OfflineConcat:
    """Return plots under a title and one line that says what is drawn."""
    from hcat_nb.charts.offline import OfflineConcat

    return themed(OfflineConcat(concat=plots, title=_heading(title, caption), **looks))


def _heading(title: str, caption: str) -> alt.TitleParams:
    import altair as alt

    return alt.TitleParams(text=title, subtitle=caption, anchor="start")


def line_styles(names: Sequence[str], field: str, title: str | None = None) -> dict[str, Any]:
    """Return the encodings that tell lines apart: the palette, then again with dashes."""
    import altair as alt

    domain = list(names)
    colors = [CLASSES[i % len(CLASSES)] for i in range(len(domain))]
    dashes = [[1, 0] if i // len(CLASSES) % 2 == 0 else [5, 3] for i in range(len(domain))]
    both: dict[str, Any] = {"title": title or field, "legend": alt.Legend(symbolType="stroke")}
    return {
        name: channel(f"{field}:N", scale=alt.Scale(domain=domain, range=levels), **both)
        for name, channel, levels in (
            ("color", alt.Color, colors),
            ("strokeDash", alt.StrokeDash, dashes),
        )
    }


def heat_map(
    base: Any, color: alt.Color, flag: str, dark: alt.ExpressionFunction, outline: float
) -> list[Any]:
    """Return cells with their ``figure``, outlined and bold where the column ``flag`` is 1."""
    import altair as alt

    field = str(color.shorthand).partition(":")[0]
    shown = alt.condition(f"isValid(datum.{field})", color, alt.value(NONE))
    return [
        base.mark_rect(stroke="#88888840", strokeWidth=0.5).encode(color=shown),
        base.transform_filter(f"datum.{flag} == 1").mark_rect(
            fillOpacity=0, stroke="#333333", strokeWidth=outline
        ),
        *(
            base.transform_filter(f"datum.{flag} == {number}")
            .mark_text(fontSize=10, fontWeight=weight)
            .encode(text="figure:N", color=alt.value(dark))
            for number, weight in ((0, "normal"), (1, "bold"))
        ),
    ]


def themed(chart: ChartT) -> ChartT:
    """Return ``chart`` in the project's type and colours; it gains the parameter ``ink``.

    A chart with a heading and no description is described by it, to those
    who do not see it.
    """
    import altair as alt

    ink = alt.expr("ink")
    words: dict[str, Any] = {
        "labelColor": ink,
        "titleColor": ink,
        "labelFontSize": 11,
        "titleFontSize": 12,
    }
    axis: dict[str, Any] = {
        **words,
        "labelSeparation": 6,  # a zoomed axis has longer numbers; those too near are left out
        "gridColor": "#88888840",
        "domainColor": "#888888",
        "tickColor": "#888888",
    }
    described: Any = chart.properties(**_description(chart))
    return described.add_params(alt.param(name="ink", value=INK)).configure(  # type: ignore[no-any-return]
        background="transparent",
        font="system-ui, 'Helvetica Neue', Arial, sans-serif",
        axis=alt.AxisConfig(**axis, titleFontWeight="normal"),
        legend=alt.LegendConfig(**words, titleFontWeight="normal", symbolOpacity=1),
        title=alt.TitleConfig(color=ink, subtitleColor=ink, fontSize=14, subtitleFontSize=11),
        view=alt.ViewConfig(stroke="#88888880"),
    )


def _description(chart: Any) -> dict[str, str]:
    import altair as alt

    title = chart.title
    known = isinstance(title, alt.TitleParams) and isinstance(title.text, str)
    if not known or chart.description is not alt.Undefined:
        return {}
    return {"description": f"{title.text}: {title.subtitle}"}
