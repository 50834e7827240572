"""The newest run of this notebook: what ``hcat_nb.last_run`` gives."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from hcat_nb.api.run import Run

# The newest run that a magic or a panel trained, resumed or scored again, also one
# that was stopped, or whose cell was interrupted twice; None before the first.
last_run: Run | None = None


def keep(run: Run) -> Run:
    """Make ``run`` the newest one, and return it."""
    global last_run
    last_run = run
    return run
