"""The explorer: from a dot on a map to the sample behind it, and what to do about it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from hcat_nb.errors import DataError, HcatError, StoreError, UnknownNameError
from hcat_nb.jupyter.review.evidence_card import EvidenceCards
from hcat_nb.jupyter.review.exploration import DECISION, FILTERS, PAGE, Exploration
from hcat_nb.jupyter.review.explore_map import draw_map, filter_map, mark_decided, mark_selection
from hcat_nb.jupyter.review.gallery_page import PagePart, SampleViews, kept_words
from hcat_nb.jupyter.review.reviewer import Reviewer
from hcat_nb.registry import nearest
from hcat_nb.runs.review.decisions import Decisions, decisions_of
from hcat_nb.runs.review.queue import queue_of
from hcat_nb.runs.review.rebuilding import data_or_why

if TYPE_CHECKING:
    import pandas as pd

    from hcat_nb.data.dataset import LabelledDataset
    from hcat_nb.jupyter.map_scene import Bounds
    from hcat_nb.jupyter.review.explore_screen import ExploreScreen
    from hcat_nb.runs.store.record import Record

_CHOICES = ("x", "y", "color", "by", *FILTERS)


def explore(
    run: Record,
    *,
    dataset: Any = None,
    file: str | Path | None = None,
    x: str = "variability",
    y: str = "confidence",
    by: str | None = None,
    queue: Any = None,
    reveal: bool = True,
    remains: Callable[[], str] | None = None,
) -> ExplorePanel:
    """Open the explorer of a run, on the samples to review first; it shows itself in a cell.

    ``dataset`` (LabelledDataset, table or array) is what a loaded run was trained on, where its
    specification cannot make it again; without data there are ids, labels and scores only. ``file``
    (JSON) keeps the decisions; see :meth:`Run.decisions`. ``x`` and ``y`` are "variability",
    "aleatoric", "confidence", "correctness" or a method; ``by``, which orders the gallery, is a
    method, a judge or "first_look" (the default). ``queue`` (a DataFrame or mappings of
    ``sample_id``, ``proposal``, ``probability``, ``evidence``) is what to review first, in its own
    order; see :func:`hcat_nb.runs.review.queue.queue_of`. ``reveal``: whether an injected truth is
    told from the start; a button tells it later. ``remains`` says after each decision what is left
    to find; see :meth:`hcat_nb.Audit.explore`.

    A dataset that does not hold the run's samples is a DataError; a file of decisions that cannot
    be read, or holds those of other samples, a StoreError; an axis or method that there is not an
    UnknownNameError.
    """
    panel = ExplorePanel(
        run, *data_or_why(run, dataset), file, queue, reveal=reveal, remains=remains
    )
    panel.set(x=x, y=y, by=panel.exploration.by if by is None else by)
    return panel


@dataclass(eq=False)
class _Open:
    """What an open panel holds, and a closed one does not."""

    run: Record
    exploration: Exploration
    views: SampleViews
    cards: EvidenceCards
    reviewer: Reviewer


class ExplorePanel:
    """Map, gallery, sample in focus, and decisions, of one run; made by :func:`explore`.

    Safe in any thread: callbacks of widgets may run beside the main one.

    ``without`` says why there is no dataset; the others are those of :func:`explore`.
    """

    def __init__(
        self,
        run: Record,
        dataset: LabelledDataset | None,
        without: str,
        file: str | Path | None,
        queue: Any = None,
        *,
        reveal: bool = True,
        remains: Callable[[], str] | None = None,
    ) -> None:
        self._without = without
        self._remains = remains
        self.dataset = dataset
        self.retrained: Any = None  # the newest run on the data as decided, where there is one
        self._lock = threading.RLock()
        self._row: int | None = None  # in focus
        self.screen: ExploreScreen | None = None  # its widgets, once it was shown
        decisions, off = None, ""
        try:
            decisions = decisions_of(run, file)
        except DataError as error:  # ids that repeat; the samples can be looked at all the same
            if file is not None:
                raise
            off = f"decisions are off: {error}"
        asked = queue_of(run, queue)
        exploration = Exploration(run, None if decisions is None else decisions.codes, asked)
        exploration.review()
        views = SampleViews(run, dataset, asked.codes)
        cards = EvidenceCards(run, dataset, views, asked)
        reviewer = Reviewer(exploration, decisions, off, views.classes)
        self._opened: _Open | None = _Open(run, exploration, views, cards, reviewer)
        self.x, self.y = "variability", "confidence"
        self.reveal = reveal
        self.color = "truth" if reveal and run.truth["is_hard"].any() else "group"
        self._unlisten = None if decisions is None else decisions.listen(self._decided)

    # -- for Python -----------------------------------------------------------

    @property
    def exploration(self) -> Exploration:
        """Filters, selection, order and pages."""
        return self._state().exploration

    @property
    def decisions(self) -> Decisions | None:
        """The decisions; None where ids repeat, so that none could name a sample."""
        return self._state().reviewer.table

    @property
    def selected(self) -> pd.Index | None:
        """Ids of the selection, in the order of the dataset; None if there is none."""
        return self.exploration.selected

    def select(self, ids: Iterable[Hashable] | None) -> None:
        """Show the samples of these ids, marked on the map; None: all."""
        self._show_chosen(lambda: self.exploration.select(ids), unbrush=ids is None)

    def review(self) -> None:
        """Show what to review first."""
        self._show_chosen(self.exploration.review, unbrush=True)

    def set(self, **choices: str | None) -> None:
        """Choose as with the controls; the selection stays.

        ``x``, ``y``, ``color`` and ``by``; ``label``, ``group``, ``truth`` and ``decision`` are
        filters, and None takes one away. What there is not is an UnknownNameError.
        """
        with self._lock:
            for name, value in choices.items():
                if name not in _CHOICES:
                    raise UnknownNameError(f"there is no choice {name!r}", nearest(name, _CHOICES))
                self._choose(name, value)

    def close(self) -> None:
        """Take the panel off the page, and let go of the run and its data."""
        with self._lock:
            self._opened, screen, self.screen = None, self.screen, None
            self.retrained = self._remains = self.dataset = None
        if self._unlisten is not None:
            self._unlisten()
        if screen is not None:
            screen.close()

    def __repr__(self) -> str:
        if self._opened is None:
            return "<explorer, closed>"
        shown = self.exploration
        return f"<explorer: {len(shown.rows):,} of {len(shown):,} samples>"

    def _ipython_display_(self) -> None:
        from hcat_nb.jupyter.review.explore_screen import show_explorer

        show_explorer(self)

    # -- for the screen ---------------------------------------------------------

    def attach(self, screen: ExploreScreen) -> None:
        """Show everything on a screen."""
        with self._lock:
            self.screen = screen
            self._draw_map()
            self._show_page(said=self._without and f"without the samples: {self._without}")
            self._say_kept()

    @property
    def run(self) -> Record:
        """The run that is explored."""
        return self._state().run

    @property
    def classes(self) -> list[str]:
        """Names of all classes, by code."""
        return self._state().views.classes

    def page(self, rows: np.ndarray) -> PagePart:
        """Return the tiles of the samples at these positions."""
        table = self.decisions
        decided = table.of if table is not None else lambda _: None
        return self._state().views.page(rows, self.exploration.by, decided)

    def brushed(self, bounds: Bounds | None) -> None:
        """Show the samples inside the brush; without one, what to review, or all."""
        if bounds is None and self.exploration.reviewing:
            return  # the brush was taken away for the queue
        inside = None if bounds is None else (*bounds.x, *bounds.y)
        nothing = np.empty(0, dtype=np.int64)  # the brush itself shows what is selected
        self._show_chosen(lambda: self.exploration.brush(self.x, self.y, inside), marks=nothing)

    def picked(self, sample_id: Hashable) -> None:
        """Show the sample that was clicked."""
        self.select([sample_id])
        with self._lock:
            self._focus(int(self.exploration.rows[0]) if len(self.exploration.rows) else None)

    def chosen(self, name: str, value: str | None) -> None:
        """Take in what a control was set to, also by :meth:`set`, which has chosen it already."""
        now = {"x": self.x, "y": self.y, "color": self.color, "by": self.exploration.by}
        if {**dict.fromkeys(FILTERS), **now, **self.exploration.filters}[name] != value:
            self._guarded(lambda: self._choose(name, value))

    def pressed(self, name: str, path: str) -> None:
        """Take in a button: "all", "queue", "reveal", "find", "export" or "import"."""
        if name == "all":
            self.select(None)
        elif name == "queue":
            self.review()
        elif name == "find":
            said = self._state().views.said
            self._show_chosen(lambda: self.exploration.find(path, said))
        elif name == "reveal":
            self.reveal = True
            self._guarded(lambda: self._choose("color", "truth"))
            with self._lock:
                self._focus(self._row)
                self._say_kept()
        else:
            self.heard(name, {"path": path})

    def heard(self, kind: str, content: dict[str, Any]) -> None:
        """Take in what the user does in the gallery."""
        self._guarded(lambda: self._hear(kind, content))

    # -- within -----------------------------------------------------------------

    def _state(self) -> _Open:
        if self._opened is None:
            raise StoreError("the explorer is closed", remedy="run.explore() opens another")
        return self._opened

    def _guarded(self, act: Callable[[], object]) -> None:
        """Say a user's mistake on the page; a callback has nobody to raise it to."""
        with self._lock:
            try:
                act()
            except HcatError as error:
                self._say(str(error), bad=True)

    def _hear(self, kind: str, content: dict[str, Any]) -> None:
        if kind == "focus":
            self._focus(int(content["row"]))
        elif kind == "turn":
            self._turn(content["to"])
        else:
            self._say(*self._state().reviewer.act(kind, content))

    def _choose(self, name: str, value: str | None) -> None:
        exploration = self.exploration
        if name in FILTERS:
            exploration.filter(name, value)
            if self.screen is not None:
                filter_map(self.screen, self.exploration)
                self.screen.map.redraw()
        elif value is None:
            raise UnknownNameError(f"{name} is None", "the name of a column or method")
        elif name == "by":
            exploration.sort(value)
        elif name == "color":
            self._recolor(value)
        else:
            exploration.coordinates(value)
            setattr(self, name, value)
            self._draw_map()
        if self.screen is not None:
            self.screen.controls.show(name, value)
        if name in FILTERS or name == "by":  # colour and axes leave the gallery as it is
            self._show_page()

    def _recolor(self, color: str) -> None:
        coloring = self.exploration.coloring(color, self.x)
        self.color = color
        if self.screen is not None:
            self.screen.map.recolor(coloring)

    def _draw_map(self) -> None:
        if self.screen is not None:
            axes = (self.x, self.y, self.color)
            draw_map(self.screen, self.run, self.exploration, axes, self.decisions)

    def _show_chosen(
        self, choose: Callable[[], object], unbrush: bool = False, marks: np.ndarray | None = None
    ) -> None:
        with self._lock:
            choose()
            if unbrush and self.screen is not None:
                self.screen.map.clear_brush()
            mark_selection(self.screen, self.exploration, marks)
            self._show_page()

    def _turn(self, to: str) -> None:
        exploration = self.exploration
        if exploration.turn(exploration.page + (1 if to == "next" else -1)):
            # A walk goes on where it left the page before.
            self._show_page(focus=0 if to == "next" else PAGE - 1)
        else:
            self._say("the last page" if to == "next" else "the first page")

    def _show_page(self, focus: int = 0, said: str = "", stay: bool = False) -> None:
        if self.screen is None:
            return
        exploration, part = self.exploration, self.page(self.exploration.on_page())
        content = {
            **part.content,
            "first": exploration.page * PAGE,
            "total": len(exploration.rows),
            "focus": focus,
            "stay": stay,
            "brushed": exploration.chosen is not None and not exploration.reviewing,
            "said": said,
        }
        self.screen.gallery.show(content, part.buffers)

    def _focus(self, row: int | None) -> None:
        if self.screen is None:
            return
        self._row = row
        card = None
        if row is not None:
            card = self._state().cards.card(row, self.exploration, reveal=self.reveal)
        self.screen.show_sample(row, card)

    def _decided(self) -> None:
        """Show decisions that changed, whoever changed them."""
        with self._lock:
            if self._opened is not None:
                self.exploration.decisions_changed()
            if self._opened is None or self.screen is None:
                return
            decisions, exploration = self._state().reviewer.decisions, self.exploration
            if "decision" in exploration.filters:
                filter_map(self.screen, self.exploration)
                self.screen.map.redraw()
                self._show_page(focus=self.screen.gallery.place, stay=True)
            else:
                words = self._opened.views.decision_words
                rows = exploration.on_page().tolist()
                self.screen.gallery.mark({row: words(decisions.of(row)) for row in rows})
            mark_decided(self.screen, self.decisions)
            if self.color == DECISION:
                self._recolor(DECISION)
            self._say_kept()

    def _say(self, words: str, bad: bool = False) -> None:
        if self.screen is not None:
            self.screen.gallery.say(words, bad)

    def _say_kept(self) -> None:
        if self.screen is None:
            return
        reviewer = self._state().reviewer
        self.screen.controls.say(reviewer.off or kept_words(reviewer.table))
        if (table := reviewer.table) is not None:
            queue = self.exploration.queue
            share = queue.done(table) / max(len(queue.rows), 1)
            said = [queue.outcome(table), self.exploration.found() if self.reveal else ""]
            self.screen.progress(share, queue.progress(table), " · ".join(filter(None, said)))
            self.screen.retraining.tell(len(table), self._remains() if self._remains else "")
