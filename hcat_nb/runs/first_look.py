"""Which samples to look at first: the dynamics of training and two judges, in equal parts.

No single method is best on every kind of data.  ``first_look`` is the mean of
three ranks: the mean rank of those of ``aum``, ``el2n``, ``datamaps`` and
``loss`` that the run has, the rank by ``linear``, and the rank by
``knn_label``.  What a run lacks takes no part, and is named.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from hcat_nb.errors import UnknownNameError
from hcat_nb.registry import JUDGES, nearest

if TYPE_CHECKING:
    import pandas as pd

    from hcat_nb.runs.store.record import Record

FIRST_LOOK = "first_look"
DYNAMICS = ("aum", "el2n", "datamaps", "loss")


@dataclass(frozen=True, eq=False)
class FirstLook:
    """A ranking made of others: of the methods in ``dynamics`` together, and of each judge.

    ``scores`` (n,) lie in (0, 1], higher = look first; NaN where no part has a score.
    """

    scores: np.ndarray
    dynamics: tuple[str, ...]
    judges: tuple[str, ...]

    @property
    def words(self) -> str:
        """What it is made of, and what it lacks."""
        parts = [f"dynamics ({', '.join(self.dynamics)})"] if self.dynamics else []
        parts += self.judges
        lacking = [name for name in JUDGES if name not in self.judges]
        if not self.dynamics:
            lacking.insert(0, f"dynamics ({', '.join(DYNAMICS)})")
        made = "the rank by " if len(parts) == 1 else "the mean rank of "
        return made + ", ".join(parts) + (f"; without {', '.join(lacking)}" if lacking else "")


def first_look(run: Record) -> FirstLook | None:
    """Return the ranking of a run's samples, made once; None if it has no part of it."""
    made = vars(run)  # no field: it is not copied with the tables, nor saved
    if "_first_look" not in made:
        made["_first_look"] = _first_look(run)
    found: FirstLook | None = made["_first_look"]
    return found


def _first_look(run: Record) -> FirstLook | None:
    dynamics = tuple(name for name in DYNAMICS if name in run.methods)
    judges = tuple(name for name in JUDGES if name in judges_of(run))
    # Each sample's share of the scored ones that are not harder, in (0, 1]; NaN takes no part.
    ranks = [run.scores[list(dynamics)].rank(pct=True).mean(axis=1)] if dynamics else []
    ranks += [run.details[name].rank(pct=True) for name in judges]
    if not ranks:
        return None
    mean = np.ma.masked_invalid(ranks).mean(axis=0).filled(np.nan)
    return FirstLook(mean.astype(np.float32), dynamics, judges)


def judges_of(run: Record) -> list[str]:
    """Return the judges that the run used, among its methods or beside them."""
    asked = {*run.info.get("judges", {}), *run.methods}
    return [name for name in JUDGES if name in asked]


def rankings(run: Record) -> list[str]:
    """Return what the samples of a run can be ranked by, the default first."""
    first = [FIRST_LOOK] if first_look(run) is not None else []
    return [*first, *run.methods, *(name for name in judges_of(run) if name not in run.methods)]


def score_of(run: Record, by: str) -> pd.Series:
    """Return a score for each sample, higher = harder: a method's, a judge's, the first look's."""
    if by not in (known := rankings(run)):
        raise UnknownNameError(f"this run has no method {by!r}", nearest(by, known))
    if by == FIRST_LOOK and by not in run.methods:
        import pandas as pd

        look = first_look(run)
        assert look is not None
        return pd.Series(look.scores, index=run.scores.index, name=FIRST_LOOK)
    return run.scores[by] if by in run.methods else run.details[by]
