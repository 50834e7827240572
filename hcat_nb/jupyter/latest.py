"""The newest run of this notebook: what ``hcat_nb.last_run`` gives."""

from __future__ import annotations

from typing import Any, TypeVar

R = TypeVar("R")  # a run

# The newest run that a magic or a panel trained, resumed or scored again, also one
# that was stopped, or whose cell was interrupted twice; None before the first.
last_run: Any = None


def keep(run: R) -> R:
    """Make ``run`` the newest one, and return it."""
    global last_run
    last_run = run
    return run
