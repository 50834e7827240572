"""The end of a live view: one line of result, and the next step as a button."""

from __future__ import annotations

import weakref
from html import escape
from typing import TYPE_CHECKING, Any

from hcat_nb.jupyter.screens import WidgetScreen

if TYPE_CHECKING:
    from hcat_nb.runs.store.record import Record


def result_words(run: Record) -> str:
    """Return what a run found, in a line: hard samples among the first, or labels in doubt."""
    from hcat_nb.runs.first_look import rankings
    from hcat_nb.runs.review.hardest import ranking
    from hcat_nb.runs.review.queue import queue_of

    is_hard = run.truth["is_hard"].to_numpy(dtype=bool)
    hard = int(is_hard.sum())
    if hard and rankings(run):
        by = rankings(run)[0]
        found = int(is_hard[ranking(run, by)[:hard]].sum())
        return f"{found:,} of {hard:,} made hard stand among the first {hard:,} by {by}."
    queue = queue_of(run)
    if queue.words == "suspects":
        return f"{len(queue.rows):,} of {len(run.scores):,} labels are doubted."
    return "No label is doubted."


def offer_next(screen: Any, run: Record) -> None:
    """Show a run's result under its live view, with a button that opens the explorer there."""
    if not isinstance(screen, WidgetScreen):
        return
    import ipywidgets

    held = weakref.ref(run)  # a view must not keep data and model
    check = run.info.get("check") or {}
    told = f"<b>{escape(result_words(run))}</b>"
    if check.get("state") not in (None, "learned"):
        told += f" {escape(run.learning_check)}"
    words = ipywidgets.HTML(f'<span class="hcat-view">{told}</span>')
    button = ipywidgets.Button(description="Look at the suspects", button_style="primary")

    def explore(_: Any) -> None:
        alive = held()
        if alive is None:
            words.value = "The run is gone: load it, and run.explore() in a cell opens it."
            return
        from hcat_nb.jupyter.review.explore_panel import ExplorePanel
        from hcat_nb.jupyter.review.explore_screen import ExploreScreen
        from hcat_nb.runs.review.rebuilding import data_or_why

        button.disabled = True
        panel = ExplorePanel(alive, *data_or_why(alive), None)
        panel.attach(ExploreScreen(panel))
        assert panel.screen is not None
        screen.add(panel.screen.box, panel.close)

    button.on_click(explore)
    line = ipywidgets.HBox([words, button])
    line.add_class("hcat-result")
    screen.conclude(line)
