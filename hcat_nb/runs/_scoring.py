"""Scores methods one after the other, and lets go of what each remembered."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from hcat_nb.runs._tables import Outcome, outcome

if TYPE_CHECKING:
    from hcat_nb.methods.base import Method
    from hcat_nb.observation.clock import Clock

__all__ = ["score_and_release"]


def score_and_release(methods: Sequence[Method], clock: Clock) -> dict[str, Outcome]:
    """Return what each method says, by name; their states are gone afterwards.

    Those that hold least come first: what the others take to score finds the
    room of the first.

    Parameters
    ----------
    methods : sequence of Method
        With all that they observed.
    clock : Clock
        Told the seconds of each.
    """
    said: dict[str, Outcome] = {}
    for method in sorted(methods, key=_held):
        with clock(method.name):
            said[method.name] = outcome(method, method.scores())
        method.release()
    return {method.name: said[method.name] for method in methods}


def _held(method: Method) -> int:
    return sum(value.nbytes for value in method.state().values())
