"""How property tests draw, and what is accepted or refused."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis.internal.conjecture import providers

from hcat_nb.errors import HcatError

# Hypothesis draws constants of the modules that are imported, which are others in each order of
# tests, with each number of workers: the same examples have to be drawn whatever ran before.
if hasattr(providers, "_get_local_constants"):  # of versions that do
    providers._get_local_constants = providers.Constants


def examples(number: int) -> Callable[[Any], Any]:
    """Run a test on so many examples, the same ones each time, without a database or a clock."""
    return settings(
        max_examples=number, derandomize=True, database=None, deadline=None,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
    )  # fmt: skip


def accepted(act: Callable[[], Any]) -> Any:
    """What ``act`` returns; None where one line of ours refuses it."""
    said = ""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # findings in the data
            return act()
    except HcatError as error:
        said = str(error)
    assert said
    assert "\n" not in said, said
    assert len(said) < 3000, said[:3000]
    return None
