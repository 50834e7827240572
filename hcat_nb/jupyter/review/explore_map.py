"""What the explorer's map shows: the filters, the selection, what is decided."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from hcat_nb.jupyter.review.exploration import Exploration
    from hcat_nb.jupyter.review.explore_screen import ExploreScreen
    from hcat_nb.runs.review.decisions import Decisions
    from hcat_nb.runs.store.record import Record

WIDTH, HEIGHT = 384, 384  # until the page says how much room there is; whole cells of the density


def draw_map(
    screen: ExploreScreen,
    run: Record,
    shown: Exploration,
    axes: tuple[str, str, str],
    decisions: Decisions | None,
) -> None:
    """Draw a map anew, of ``axes`` x, y and colour, with all that is marked on it."""
    from hcat_nb.jupyter.run_scene import run_scene

    screen.show_map(run_scene(run, *axes, width=WIDTH, height=HEIGHT))
    filter_map(screen, shown)
    mark_selection(screen, shown)
    mark_decided(screen, decisions)
    screen.map.redraw()


def filter_map(screen: ExploreScreen, exploration: Exploration) -> None:
    """Show what the filters let through, at the next draw."""
    on = exploration.filters
    screen.map.scene.show_only(np.flatnonzero(exploration.passing()) if on else None)


def mark_selection(
    screen: ExploreScreen | None, exploration: Exploration, rows: np.ndarray | None = None
) -> None:
    """Mark samples on the map: these, or the selection; a whole queue is not marked."""
    if screen is None:
        return
    scene = screen.map.scene
    if rows is None:
        chosen = None if exploration.reviewing else exploration.chosen
        rows = np.empty(0, dtype=np.int64) if chosen is None else chosen
    if len(rows) or len(scene.selected):
        scene.select(rows)
        screen.map.show(scene.marks)


def mark_decided(screen: ExploreScreen | None, decisions: Decisions | None) -> None:
    """Mark on the map what is decided."""
    if screen is not None and decisions is not None:
        scene = screen.map.scene
        scene.mark_decided(np.flatnonzero(decisions.codes() >= 0))
        screen.map.show(scene.marks)
