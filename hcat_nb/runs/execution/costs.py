"""What each method of a run cost, from the clocks of its parts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd

EXTRA, OBSERVE, SCORE = "extra/", "observe/", "score/"


def described_parts(
    askers: Mapping[str, Sequence[str]], methods: Sequence[str]
) -> dict[str, list[str]]:
    """Return for each shared part of the observation the methods that asked for it."""
    return {part: [name for name in names if name in methods] for part, names in askers.items()}


def costs_table(
    timings: Mapping[str, float], parts: Mapping[str, Sequence[str]], methods: Sequence[str]
) -> pd.DataFrame:
    """Return ``hcm``, ``part``, ``seconds`` and ``of_training`` (over the training's seconds).

    ``timings`` has ``train``, and seconds by part (``observe/forward``, ``observe/aum``,
    ``extra/out_of_fold``, ``score/aum``); ``parts`` names who asked for each shared part: they bear
    its cost in equal shares.  ``own`` are the method's own sums.  Parts that took no time have no
    row; what only the data map asked for is nobody's cost.
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
        rows += [(method, part, seconds) for part, seconds in own.items() if (seconds or 0) > 0]
    frame = pd.DataFrame(rows, columns=["hcm", "part", "seconds"])
    return frame.assign(of_training=frame["seconds"] / timings["train"])
