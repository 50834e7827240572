"""The explorer's widgets, and the picture that stands behind them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cache
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

import ipywidgets  # noqa: TID253 - this module is imported when a panel is shown
import numpy as np

from hcat_nb.charts.coloring import SCHEMES
from hcat_nb.charts.picture import picture
from hcat_nb.jupyter.copy_button import CopyButton
from hcat_nb.jupyter.live_map import LiveMap
from hcat_nb.jupyter.panels import show_panel
from hcat_nb.jupyter.review.exploration import DECISION
from hcat_nb.jupyter.review.gallery_page import kept_words
from hcat_nb.jupyter.review.retraining import Retraining
from hcat_nb.jupyter.review.sample_detail import SampleDetail
from hcat_nb.jupyter.review.sample_gallery import SampleGallery
from hcat_nb.jupyter.screens import classed, close_tree, raised
from hcat_nb.jupyter.static_view import StaticView
from hcat_nb.jupyter.throttle import Throttle
from hcat_nb.runs.review.drawing import drawn_map

if TYPE_CHECKING:
    from hcat_nb.jupyter.map_scene import MapScene
    from hcat_nb.jupyter.review.exploration import Exploration
    from hcat_nb.jupyter.review.explore_panel import ExplorePanel
    from hcat_nb.runs.review.decisions import Decisions
    from hcat_nb.runs.store.record import Record

_ALL = object()  # no class can be mistaken for it, whatever it is called
_BEHIND_SECONDS = 2.0  # decisions come faster, and the picture goes along
_EXPORT = ("Export", "write all decisions to this file")
_REPLACE = ("Replace the file?", "it was there before: press again to write over it")
_WORDS = {"label": "class", "group": "group", "truth": "truth", "decision": "decision"}


class ExploreScreen:
    """How far the review is, map, evidence card, queue and controls.

    ``map`` is replaced when the axes change.
    """

    def __init__(self, panel: ExplorePanel) -> None:
        self._panel = panel
        self.behind: list[Callable[[], object]] = []  # bring what stands behind it up to date
        self._behind = Throttle(_BEHIND_SECONDS, on_error=raised)
        self._row: int | None = None  # in focus
        self.gallery = SampleGallery(panel.classes, panel.heard)
        self.detail = SampleDetail()
        self.controls = ExploreControls(
            panel.exploration,
            ["group", "label", DECISION, *panel.run.methods],
            {"x": panel.x, "y": panel.y, "color": panel.color},
            panel.chosen,
            panel.pressed,
            truth=bool(panel.run.truth["is_hard"].any()),
            reveal=panel.reveal,
        )
        self._head = ipywidgets.HTML()
        self._bench = classed(ipywidgets.Box(), "hcat-bench")
        self.map = self._new_map()
        self.progress(0.0, "", "")
        # The outer box is what the inner one's layout measures (sample_gallery.css).
        self.retraining = Retraining(panel)
        self.box = classed(ipywidgets.VBox([self._bench, *self.retraining.parts]), "hcat-frame")
        self.controls.present.observe(
            lambda change: (self.box.add_class if change["new"] else self.box.remove_class)(
                "hcat-presented"
            ),
            names="value",
        )

    def progress(self, share: float, words: str, outcome: str) -> None:
        """Show how much of the queue is reviewed, in [0, 1] and in words, and what was decided."""
        run = self._panel.run
        about = [run.info["dataset"]["name"], f"{len(run.scores):,} samples", run.info["model"]]
        check = run.info.get("check") or {}
        warned = check.get("state") not in (None, "learned")
        bar = f'<progress value="{share:.4f}" max="1" aria-label="reviewed"></progress>'
        told = escape(f"{words} · {outcome}" if outcome else words)
        self._head.value = (
            f'<div class="hcat-view hcat-head"><h3>Review</h3>'
            f'<span class="hcat-about">{escape(", ".join(map(str, about)))}</span>'
            f'<span class="hcat-progress">{bar if words else ""}<span>{told}</span></span>'
            + (f'<p class="hcat-warned">{escape(run.learning_check)}</p>' if warned else "")
            + "</div>"
        )
        self._behind.offer(self._update_behind)

    def _update_behind(self) -> None:
        for update in self.behind:
            update()

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
        panel = self._panel
        live = LiveMap(fit=True, tip=lambda row: panel.page(np.array([row])).tip(panel.classes))
        live.on_brush(panel.brushed)
        live.on_pick(panel.picked)
        self._bench.children = (self._head, live, self.detail, self.gallery, self.controls.box)
        return live

    def show_sample(
        self, row: int | None, card: tuple[dict[str, Any], dict[str, bytes]] | None
    ) -> None:
        """Show the evidence card of a sample, and where it is on the map."""
        self._row = row
        if card is None:
            self.detail.card = {"heading": ""}
            return
        with self.detail.hold_sync():
            self.detail.card = card[0]
            for trait, picture in card[1].items():
                setattr(self.detail, trait, picture)
        scene = self.map.scene
        scene.follow(row)
        self.map.show(scene.marks)

    def close(self) -> None:
        """Take everything off the page."""
        self._behind.finish()
        self.retraining.close()
        close_tree(self.box)


def show_explorer(panel: ExplorePanel) -> None:
    """Display a panel: widgets where a person watches, and a picture that needs no kernel."""

    def widget() -> ipywidgets.Widget:
        if panel.screen is None:
            panel.attach(ExploreScreen(panel))
        assert panel.screen is not None
        return panel.screen.box  # a second view shows the same state

    run, decisions = panel.run, panel.decisions
    color = "truth" if run.truth["is_hard"].any() else "group"
    png = cache(lambda: picture(drawn_map(run, color=color)))
    shown = show_panel(panel, widget, lambda: StaticView(_static_words(run, decisions), png=png()))
    if panel.screen is not None:
        panel.screen.behind.append(shown)


def _static_words(run: Record, decisions: Decisions | None) -> str:
    """Say what was explored and decided, to those who have no kernel."""
    scheme = "group" if "group" in run.details else "datamaps_group"
    title, names = SCHEMES[scheme]
    groups = run.details[scheme].value_counts()
    shares = ", ".join(f"{int(groups.get(one, 0)):,} {one}" for one in names)
    name = run.info["dataset"]["name"]
    words = f"Explorer of {name}: {len(run.scores):,} samples · {title}: {shares}"
    if check := run.learning_check:
        words += f" · {check}"
    kept = f"; {kept_words(decisions)}" if decisions else ""
    return f"{words} · Run this cell to go on{kept}"


class ExploreControls:
    """What the user chooses with the mouse.

    ``on_change`` hears ``("x" | "y" | "color" | "by" | a filter, value)``, None for all;
    ``on_press`` hears ``("export" | "import" | "all", path)``, of an export over a file that is
    not from here when the button is pressed again.
    """

    def __init__(
        self,
        exploration: Exploration,
        colors: list[str],
        chosen: Mapping[str, str],
        on_change: Callable[[str, Any], object],
        on_press: Callable[[str, str], object],
        *,
        truth: bool = False,
        reveal: bool = True,
    ) -> None:
        self._on_change = on_change
        self._on_press = on_press
        self._boxes: dict[str, ipywidgets.Dropdown] = {}
        known = list(exploration.axes)
        colors = [*colors[:1], *(["truth"] if truth and reveal else []), *colors[1:]]
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
            if (reveal or name != "truth")
            and (pairs := [(one, one) for one in exploration.choices(name)])
        ]
        row = ipywidgets.Layout(flex_flow="row wrap", align_items="center")
        self._search = ipywidgets.Text(
            placeholder="search: id, text, aum > .5",
            continuous_update=False,
            layout=ipywidgets.Layout(width="210px"),
        )
        self._search.observe(lambda change: on_press("find", change["new"]), names="value")
        queue = exploration.queue
        first = f"{len(queue.rows):,} {queue.words}"
        chips = [
            self._button("queue", first, "what to review first"),
            self._button("all", "All samples", "take the selection away"),
        ]
        if truth and not reveal:
            chips.append(self._button("reveal", "Reveal truth", "show what was made hard"))
        self._reveal = chips[2:]
        self.present = ipywidgets.ToggleButton(
            description="Present",
            tooltip="larger type, and all the room there is",
            layout=ipywidgets.Layout(width="auto"),
        )
        self._path = ipywidgets.Text(
            value="decisions.csv",
            description="decisions",
            tooltip="a .csv or .parquet file",
            layout=ipywidgets.Layout(width="300px"),
        )
        ids = CopyButton(
            "Copy ids",
            "the ids of the samples shown, as a list",
            lambda: repr(exploration.ids[exploration.rows].tolist()),
        )
        self._kept = classed(ipywidgets.Label(), "hcat-kept")
        self._export = self._button("export", *_EXPORT)
        self._written: set[str] = set()  # files that are from here
        self._path.observe(lambda _: self._ask(False), names="value")
        files = [
            self._path,
            self._export,
            self._button("import", "Import", "take in the decisions of this file"),
        ]
        more = ipywidgets.VBox(
            [ipywidgets.HBox(plain + filters, layout=row), ipywidgets.HBox(files, layout=row)]
        )
        fold = ipywidgets.Accordion([more], titles=("axes, colour, order, filters, files",))
        fold.selected_index = None
        self.box = ipywidgets.VBox(
            [
                ipywidgets.HBox([*chips, self._search, ids, self.present, self._kept], layout=row),
                fold,
            ]
        )

    def say(self, words: str) -> None:
        """Say how many decisions there are and where they are kept."""
        self._kept.value = words

    def show(self, name: str, value: str | None) -> None:
        """Set a control to what was chosen elsewhere."""
        if name in self._boxes:
            if name == "color" and value not in self._boxes[name].options:  # a truth, revealed
                self._boxes[name].options = [*self._boxes[name].options, value]
                for button in self._reveal:
                    button.layout.display = "none"
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
