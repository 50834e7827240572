"""The explorer's widgets, and the picture that stands behind them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import ipywidgets  # noqa: TID253 - this module is imported when a panel is shown
import numpy as np

from hcat_nb.charts.coloring import SCHEMES
from hcat_nb.charts.picture import picture
from hcat_nb.jupyter.live_map import LiveMap
from hcat_nb.jupyter.panels import show_panel
from hcat_nb.jupyter.review.gallery_page import number_words
from hcat_nb.jupyter.sample_detail import SampleDetail
from hcat_nb.jupyter.sample_gallery import SampleGallery
from hcat_nb.jupyter.screens import close_tree
from hcat_nb.jupyter.static_view import StaticView
from hcat_nb.runs.first_look import score_of
from hcat_nb.runs.review.drawing import drawn_map

if TYPE_CHECKING:
    from hcat_nb.jupyter.map_scene import MapScene
    from hcat_nb.jupyter.review.exploration import Exploration
    from hcat_nb.jupyter.review.explore_panel import ExplorePanel
    from hcat_nb.jupyter.review.gallery_page import SampleViews
    from hcat_nb.runs.store.record import Record

_NOT_KEPT = (
    "not kept by this run: keep_dynamics='probs' in Python, --keep-dynamics probs in "
    "%hcat_train, keeps it"
)
_ALL = object()  # no class can be mistaken for it, whatever it is called
_EXPORT = ("Export", "write all decisions to this file")
_REPLACE = ("Replace the file?", "it was there before: press again to write over it")
_WORDS = {"label": "class", "group": "group", "truth": "truth", "decision": "decision"}


class ExploreScreen:
    """Controls, map, sample in focus and gallery.

    Attributes
    ----------
    box : ipywidgets.Widget
        All of them.
    map : LiveMap
        Replaced when the axes change.
    gallery : SampleGallery
    detail : SampleDetail
    controls : ExploreControls
    """

    def __init__(self, panel: ExplorePanel) -> None:
        run = panel.run
        truth = ["truth"] if run.truth["is_hard"].any() else []
        self._panel = panel
        self._row: int | None = None  # in focus
        self.gallery = SampleGallery(panel.classes, panel.heard)
        self.detail = SampleDetail(layout={"flex": "1 1 0", "min_width": "180px"})
        self.controls = ExploreControls(
            panel.exploration,
            ["group", *truth, "label", *run.methods],
            {"x": panel.x, "y": panel.y, "color": panel.color},
            panel.chosen,
            panel.pressed,
        )
        # Above the gallery: its first fill would move a map below it under the mouse.
        self._middle = ipywidgets.HBox()
        self.map = self._new_map()
        self.box = ipywidgets.VBox(
            [self.controls.top, self._middle, self.gallery, self.controls.bottom]
        )

    def show_map(self, scene: MapScene) -> None:
        """Put another map in the place of the one before, without its brush and zoom."""
        before = self.map
        if before.spec:  # it shows something already
            self.map = self._new_map()
            before.layout.close()
            before.close()
        scene.follow(self._row)
        self.map.present(scene)

    def _new_map(self) -> LiveMap:
        live = LiveMap()
        live.on_brush(self._panel.brushed)
        live.on_pick(self._panel.picked)
        self._middle.children = (live, self.detail)
        return live

    def show_sample(
        self, run: Record, views: SampleViews, exploration: Exploration, row: int | None
    ) -> None:
        """Show all that is known of a sample, and where it is on the map."""
        self._row = row
        if row is None:
            self.detail.heading = ""
            return
        scores = [
            (name, number_words(score_of(run, name).iloc[row]), exploration.share_easier(row, name))
            for name in exploration.orders
        ]
        with self.detail.hold_sync():
            self.detail.heading = f"sample {exploration.ids[row]}"
            self.detail.text = views.text(row)
            self.detail.facts = views.facts(row)
            self.detail.scores = scores
            self.detail.trajectory = _trajectory(run, row)
            self.detail.note = _NOT_KEPT
            self.detail.picture = views.picture(row)
        scene = self.map.scene
        scene.follow(row)
        self.map.show(scene.marks)

    def close(self) -> None:
        """Take everything off the page."""
        close_tree(self.box)


def show_explorer(panel: ExplorePanel) -> None:
    """Display a panel: widgets where a person watches, and a picture that needs no kernel."""

    def widget() -> ipywidgets.Widget:
        if panel.screen is None:
            panel.attach(ExploreScreen(panel))
        assert panel.screen is not None
        return panel.screen.box  # a second view shows the same state

    show_panel(panel, widget, lambda: _static(panel))


def _static(panel: ExplorePanel) -> StaticView:
    run = panel.run
    scheme = "group" if "group" in run.details else "datamaps_group"
    title, names = SCHEMES[scheme]
    groups = run.details[scheme].value_counts()
    shares = ", ".join(f"{int(groups.get(one, 0)):,} {one}" for one in names)
    name = run.info["dataset"]["name"]
    words = f"Explorer of {name}: {len(run.scores):,} samples · {title}: {shares}"
    if check := run.learning_check:
        words += f" · {check}"
    decisions = panel.decisions
    if decisions is not None and len(decisions):
        words += f" · {repr(decisions)[1:-1]}"
    color = "truth" if run.truth["is_hard"].any() else "group"
    return StaticView(words, png=picture(drawn_map(run, color=color)))


def _trajectory(run: Record, row: int) -> list[float | None]:
    if run.dynamics is None:
        return []
    kept: Any = run.dynamics.iloc[row]  # of one sample first: an arrow key must not copy the table
    values: Any = kept[kept.index.str.fullmatch(r"epoch_\d+")].to_numpy(dtype=np.float64)
    return [None if value != value else round(value, 4) for value in values.tolist()]


class ExploreControls:
    """What the user chooses with the mouse.

    Parameters
    ----------
    exploration : Exploration
    colors : list of str
    chosen : mapping
        ``x``, ``y`` and ``color`` as they are.
    on_change : callable
        Hears ``("x" | "y" | "color" | "by" | a filter, value)``; None: all.
    on_press : callable
        Hears ``("export" | "import" | "all", path)``; of an export over a file
        that is not from here when the button is pressed again.

    Attributes
    ----------
    top : ipywidgets.Widget
        Axes, colour, filters and order.
    bottom : ipywidgets.Widget
        The file of decisions.
    """

    def __init__(
        self,
        exploration: Exploration,
        colors: list[str],
        chosen: Mapping[str, str],
        on_change: Callable[[str, Any], object],
        on_press: Callable[[str, str], object],
    ) -> None:
        self._on_change = on_change
        self._on_press = on_press
        self._boxes: dict[str, ipywidgets.Dropdown] = {}
        known = list(exploration.axes)
        plain = [
            self._dropdown("x", "x", known, chosen["x"]),
            self._dropdown("y", "y", known, chosen["y"]),
            self._dropdown("color", "colour", colors, chosen["color"]),
            self._dropdown("by", "hardest by", exploration.orders, exploration.by),
        ]
        on = exploration.filters
        filters = [
            self._dropdown(name, words, [("(all)", _ALL), *pairs], on.get(name, _ALL))
            for name, words in _WORDS.items()
            if (pairs := [(one, one) for one in exploration.choices(name)])
        ]
        row = ipywidgets.Layout(flex_flow="row wrap")
        show_all = self._button("all", "Show all", "take the selection away")
        self.top = ipywidgets.HBox([*plain, *filters, show_all], layout=row)
        self._path = ipywidgets.Text(
            value="decisions.csv",
            description="decisions",
            tooltip="a .csv or .parquet file",
            layout=ipywidgets.Layout(width="300px"),
        )
        self._kept = ipywidgets.Label()
        self._export = self._button("export", *_EXPORT)
        self._written: set[str] = set()  # files that are from here
        self._path.observe(lambda _: self._ask(False), names="value")
        self.bottom = ipywidgets.VBox(
            [
                ipywidgets.HBox(
                    [
                        self._path,
                        self._export,
                        self._button("import", "Import", "take in the decisions of this file"),
                    ],
                    layout=row,
                ),
                self._kept,
            ]
        )

    def say(self, words: str) -> None:
        """Say how many decisions there are and where they are kept."""
        self._kept.value = words

    def show(self, name: str, value: str | None) -> None:
        """Set a control to what was chosen elsewhere."""
        if name in self._boxes:
            self._boxes[name].value = _ALL if value is None else value

    def _dropdown(
        self, name: str, words: str, options: Sequence[Any], value: Any
    ) -> ipywidgets.Dropdown:
        box = ipywidgets.Dropdown(
            options=options,
            value=value,
            description=words,
            layout=ipywidgets.Layout(width="215px"),
            style={"description_width": "76px"},
        )
        box.observe(
            lambda change: self._on_change(name, None if change["new"] is _ALL else change["new"]),
            names="value",
        )
        self._boxes[name] = box
        return box

    def _button(self, name: str, words: str, tooltip: str) -> ipywidgets.Button:
        button = ipywidgets.Button(
            description=words, tooltip=tooltip, layout=ipywidgets.Layout(width="auto")
        )
        button.on_click(lambda _: self._press(name, self._path.value))
        return button

    def _press(self, name: str, path: str) -> None:
        if name == "export":
            asked, foreign = bool(self._export.button_style), path not in self._written
            self._ask(not asked and foreign and Path(path).expanduser().exists())
            if self._export.button_style:
                return
        self._on_press(name, path)
        if name == "export" and Path(path).expanduser().exists():  # not where it failed
            self._written.add(path)

    def _ask(self, whether: bool) -> None:
        """Let the button for an export ask whether to replace the file."""
        words, tooltip = _REPLACE if whether else _EXPORT
        self._export.description, self._export.tooltip = words, tooltip
        self._export.button_style = "warning" if whether else ""
