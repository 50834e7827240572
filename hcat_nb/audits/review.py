"""A review down the ranking of an audit: what comes next, what remains, and when to stop."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from hcat_nb.errors import SpecError
from hcat_nb.evaluation.error_seeding import LOOK, Remaining, may_stop, next_batch, remaining

if TYPE_CHECKING:
    import pandas as pd

    from hcat_nb.runs.store.record import Record

_WRONG = ("mislabeled", "relabel")


def next_ones(samples: pd.DataFrame, k: int) -> pd.DataFrame:
    """Return the first ``k`` rows; raise SpecError unless that is a whole number from 1."""
    if isinstance(k, bool) or not isinstance(k, (int, np.integer)) or k < 1:
        raise SpecError(f"k is {k!r}", "a whole number of samples, at least 1")
    return samples.head(k)


@dataclass(frozen=True, eq=False)
class Review:
    """The queue of an audit and its counts, as the run's decisions stand now.

    The ranking does not change with the answers; counts use its longest
    prefix that was decided without a gap.  Wrong: marked so, or relabelled;
    dropped samples are neither wrong nor right.

    Parameters
    ----------
    run : Record
    samples : pandas.DataFrame
        As of ``Audit.samples``.
    probes : array of shape (k,)
        For each planted wrong label, the share of unplanted rows ranked above it.
    """

    run: Record
    samples: pd.DataFrame
    probes: np.ndarray

    def queue(self, k: int = 50) -> pd.DataFrame:
        """Return the next samples to look at: rows of ``samples`` that are not decided."""
        return next_ones(self.samples[self._actions() == ""], k)

    @property
    def reviewed(self) -> int:
        """How many samples are decided, from the top of the ranking without a gap."""
        open_ = np.flatnonzero(self._actions() == "")
        return int(open_[0]) if len(open_) else len(self.samples)

    @property
    def answers(self) -> np.ndarray:
        """Whether each of the reviewed was wrong, in the order of the ranking: bool."""
        return np.isin(self._actions()[: self.reviewed], _WRONG)

    def remaining(self, reviewed: int | None = None) -> Remaining:
        """Return how many wrong labels are left below the reviewed ones.

        Parameters
        ----------
        reviewed : int, optional
            Count as if only these first ones were reviewed; default: all that are.
        """
        actions = self._actions()
        upto = self.reviewed if reviewed is None else reviewed
        wrong = np.isin(actions, _WRONG)
        passed = int((self.probes * len(actions) < upto).sum())
        return remaining(
            int(wrong[:upto].sum()), passed, len(self.probes), elsewhere=int(wrong[upto:].sum())
        )

    @property
    def tenth_left(self) -> bool:
        """Stop rule (a): at most a tenth of all wrong labels remains, now and 25 reviews ago."""
        before = self.reviewed - LOOK
        return before > 0 and may_stop(self.remaining(), self.remaining(before))

    def next_few(self, fewer_than: float = 5) -> bool:
        """Stop rule (b): the next 50 hold fewer wrong labels than this, with 95 % confidence."""
        return next_batch(self.answers.tolist())[1] < fewer_than

    def so_far(self) -> str:
        """Return what was found, what remains, and whether to stop, in a line; "" at the start."""
        return " · ".join(self._lines()) if self.reviewed else ""

    def __repr__(self) -> str:
        if not self.reviewed:
            return f"nothing reviewed of {len(self.samples):,}; .queue() is where to begin"
        found, *more = self._lines()
        return "\n".join([f"{self.reviewed:,} of {len(self.samples):,} reviewed; {found}", *more])

    def _lines(self) -> list[str]:
        expected, most = next_batch(self.answers.tolist())
        lines = [
            str(self.remaining()),
            f"the next 50 hold about {expected:.0f} wrong labels (95 %: at most {most:.0f})",
        ]
        if self.tenth_left:
            lines.append("you may stop: at most a tenth of all wrong labels is left")
        elif self.next_few():
            lines.append("you may stop: the next 50 hold fewer than 5")
        return lines

    def _actions(self) -> np.ndarray:
        """Return what was decided about each sample, in the order of the ranking: (n,), object."""
        from hcat_nb.runs.review.decisions import decisions_of

        actions = np.full(len(self.run.details), "", dtype=object)
        for row, decision in decisions_of(self.run).items():
            actions[row] = decision.action
        place: np.ndarray = self.run.details.index.get_indexer(self.samples.index)
        ordered: np.ndarray = actions[place]
        return ordered
