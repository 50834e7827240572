"""The end of a live view: one line of result, and the next step as a button."""

from __future__ import annotations

import weakref
from html import escape
from typing import TYPE_CHECKING, Any

from hcat_nb.jupyter.screens import WidgetScreen, classed

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


def offer_next(screen: Any, run: Any, audit: Any = None) -> None:
    """Show the result of a run, or of its audit, under its live view, with a button that explores.

    ``run`` is a :class:`hcat_nb.Run`, ``audit`` an :class:`hcat_nb.Audit`: they stand above.
    """
    if not isinstance(screen, WidgetScreen):
        return
    import ipywidgets

    held = weakref.ref(run if audit is None else audit)  # a view must not keep data and model
    check = run.info.get("check") or {}
    more = "" if check.get("state") in (None, "learned") else run.learning_check
    more = more if audit is None else audit.summary()
    told = f"<b>{escape(result_words(run))}</b> {escape(more)}"
    words = ipywidgets.HTML(f'<span class="hcat-view">{told}</span>')
    button = ipywidgets.Button(description="Look at the suspects", button_style="primary")

    def explore(_: Any) -> None:
        alive = held()
        if alive is None:
            words.value = "The run is gone: load it, and run.explore() in a cell opens it."
            return
        from hcat_nb.jupyter.review.explore_screen import ExploreScreen

        button.disabled = True
        panel = alive.explore()
        panel.attach(ExploreScreen(panel))
        assert panel.screen is not None
        screen.add(panel.screen.box, panel.close)

    button.on_click(explore)
    screen.conclude(classed(ipywidgets.HBox([words, button]), "hcat-result"))
