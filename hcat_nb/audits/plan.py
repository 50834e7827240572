"""What an audit will train, chosen to fit a budget of time before anything long begins."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from hcat_nb.audits.probes import copies_needed
from hcat_nb.errors import SpecError

# The methods of an audit that has no time for all: nothing but the passes that training shares.
CHEAP = (
    *("aum", "cleanlab", "dataiq", "datamaps", "el2n", "forgetting", "loss"),
    *("prototypicality", "detector"),
)
_MOST_SEEDS = 3
_UNITS = {"s": 1, "min": 60, "h": 3600}


@dataclass(frozen=True)
class Plan:
    """What an audit trains.

    ``seeds`` networks on the data as they are, one on each of ``copies`` with planted faults;
    ``seconds`` as forecast (None where nobody asked), of the ``budget``.
    """

    seeds: int
    copies: int
    methods: tuple[str, ...]
    seconds: float | None = None
    budget: float | None = None

    @property
    def trainings(self) -> int:
        """Networks to train, folds of the first one not counted."""
        return self.seeds + self.copies

    def too_short(self) -> str:
        """Return what there is to say of a budget that the least plan does not keep, or ""."""
        if self.seconds is None or self.budget is None or self.seconds <= self.budget:
            return ""
        return (
            f"The budget of {self.budget:,.0f} s was too short: the least that tells anything was "
            f"trained, forecast to take {self.seconds:,.0f} s."
        )


def seconds_of(budget: Any) -> float | None:
    """Return a budget in seconds.

    >>> seconds_of("10min"), seconds_of("1.5 h"), seconds_of(90)
    (600.0, 5400.0, 90.0)
    """
    if budget is None:
        return None
    found = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*(s|min|h)?\s*", str(budget))
    if isinstance(budget, bool) or found is None or not float(found[1]) > 0:
        raise SpecError(f"budget is {budget!r}", "a time such as 90s, 10min or 1h")
    return float(found[1]) * _UNITS[found[2] or "s"]


def planned(
    n: int, seeds: int | None, methods: tuple[str, ...], budget: float | None, forecast: Any
) -> Plan:
    """Return the largest plan that fits ``n`` rows and a budget in seconds.

    ``seeds`` None: as many as the budget allows, up to 3, else one.  ``forecast`` gives the seconds
    of one training with some methods; it is asked only with a budget.
    """
    copies = copies_needed(n)
    if budget is None:
        return Plan(seeds or 1, max(copies, seeds or 1), methods)
    once = forecast(methods)
    for count in [seeds] if seeds else range(_MOST_SEEDS, 0, -1):
        plan = Plan(count, max(copies, count), methods, None, budget)
        if once * plan.trainings <= budget:
            break
    else:
        methods = tuple(name for name in methods if name in CHEAP) or methods
        once = forecast(methods)
        plan = Plan(seeds or 1, max(copies, seeds or 1), methods, None, budget)
    return Plan(plan.seeds, plan.copies, methods, once * plan.trainings, budget)
