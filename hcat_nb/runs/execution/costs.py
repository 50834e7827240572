"""What each method of a run cost, from the clocks of its parts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd

    from hcat_nb.observation.clock import Clock

EXTRA, OBSERVE, SCORE = "extra/", "observe/", "score/"


def described_parts(
    askers: Mapping[str, Sequence[str]], methods: Sequence[str]
) -> dict[str, list[str]]:
    """Return for each shared part of the observation the methods that asked for it."""
    return {part: [name for name in names if name in methods] for part, names in askers.items()}


def part_timings(observing: Clock, scoring: Clock) -> dict[str, float]:
    """Return the seconds of both clocks as entries of ``run.timings``."""
    return {OBSERVE + name: seconds for name, seconds in observing.seconds.items()} | {
        SCORE + name: seconds for name, seconds in scoring.seconds.items()
    }


def costs_table(
    timings: Mapping[str, float], parts: Mapping[str, Sequence[str]], methods: Sequence[str]
) -> pd.DataFrame:
    """Return a table of seconds, one row for each method and part.

    Parameters
    ----------
    timings : mapping of str to float
        ``train``, and seconds by part: ``observe/forward``, ``observe/aum``,
        ``extra/out_of_fold``, ``score/aum``.
    parts : mapping of str to sequence of str
        Who asked for each shared part; they bear its cost in equal shares.
    methods : sequence of str

    Returns
    -------
    pandas.DataFrame
        Columns ``hcm``; ``part`` (``forward``, ``dropout``, ``augmented``,
        ``gradient_norm``, ``input_gradients``; ``out_of_fold``,
        ``threshold_samples``: extra trainings; ``own``: the method's own sums;
        ``score``); ``seconds``; ``of_training``: seconds over those of the
        training.  Parts that took no time have no row; what only the data map
        asked for is nobody's cost.
    """
    import pandas as pd

    rows = []
    for method in methods:
        own = {
            part: sum(timings.get(kind + part, 0.0) for kind in (OBSERVE, EXTRA)) / len(names)
            for part, names in parts.items()
            if method in names
        }
        own["own"] = timings.get(OBSERVE + method, 0.0)
        own["score"] = timings.get(SCORE + method, 0.0)
        rows += [(method, part, seconds) for part, seconds in own.items() if seconds > 0]
    frame = pd.DataFrame(rows, columns=["hcm", "part", "seconds"])
    return frame.assign(of_training=frame["seconds"] / timings["train"])
