"""How many wrong labels are left, and when to stop looking: error seeding.

Planted errors tell which share of errors a review has passed so far: if k of m
planted ones stand above the place that the reviewer reached, a share R about
k / m of the user's own ones does, too, as far as these are as hard to find.
R is drawn from Beta(k + 1/2, m - k + 1/2); its odds are blurred by
exp(Normal(0, s)), for they are not quite as hard; and what remains beside
``found`` is drawn from a negative binomial with found + 1/2 successes of
probability R.  s = .75 and the intervals' coverage: tests/benchmarks/answers.py.
(Error seeding: Mills 1972; with the binomial's noise as in capture-recapture.)
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from hcat_nb.errors import SpecError

_BLUR = 0.75
_DRAWS = 4000
_LEAST = 3  # planted errors passed, below which nothing can be said
TENTH, LOOK = 0.1, 25  # rule (a): what may remain, and reviews between the two looks at it
NEXT, RECENT, _AS_IF = 50, 300, 30  # rule (b)


@dataclass(frozen=True)
class Remaining:
    """Wrong labels that are left below the place that a review reached.

    ``estimate``, ``low``, ``high``: median, 5 % and 95 % quantiles; None: not known yet.
    """

    found: int
    estimate: float | None = None
    low: float | None = None
    high: float | None = None

    def __str__(self) -> str:
        if self.high is None:
            return f"{self.found:,} found; how many remain is not known yet"
        return (
            f"{self.found:,} found; {self.estimate:,.0f} more remain (90 %: {self.low:,.0f} to "
            f"{self.high:,.0f}), if they are about as hard to find as the planted ones"
        )


def remaining(
    found: int, passed: int, planted: int, *, elsewhere: int = 0, seed: int = 0
) -> Remaining:
    """Estimate how many wrong labels are left below a fully reviewed prefix of a ranking.

    The prefix holds ``found`` wrong labels and ``passed`` of the ``planted``; of those below it
    ``elsewhere`` were found, and remain no more.

    >>> left = remaining(40, 90, 100)
    >>> left.low < 40 / 9 < left.high
    True
    >>> print(remaining(0, 2, 100))
    0 found; how many remain is not known yet
    """
    if not 0 <= passed <= planted:
        raise SpecError(f"{passed} of {planted} planted errors are passed", "at most all of them")
    if passed < _LEAST:
        return Remaining(found + elsewhere)
    rng = np.random.default_rng(seed)
    share = rng.beta(passed + 0.5, planted - passed + 0.5, _DRAWS)
    odds = share / np.maximum(1 - share, 1e-12) * np.exp(rng.normal(0, _BLUR, _DRAWS))
    left = rng.negative_binomial(found + 0.5, odds / (1 + odds))
    low, middle, high = np.maximum(np.quantile(left, [0.05, 0.5, 0.95]) - elsewhere, 0)
    return Remaining(found + elsewhere, float(middle), float(low), float(high))


def may_stop(now: Remaining, before: Remaining) -> bool:
    """Return whether at most a tenth of all wrong labels remain, on two looks 25 reviews apart."""
    return all(
        one.high is not None and one.high <= TENTH * (one.found + one.high) for one in (now, before)
    )


def next_batch(answers: Sequence[bool]) -> tuple[float, float]:
    """Return how many wrong labels the next 50 hold, and at most hold (95 %).

    A logistic regression on the last 300 answers (was it wrong?) along the ranking, with a
    band as wide as 30 answers would give.

    >>> expected, most = next_batch([True] * 20 + [False] * 180)
    >>> expected < 5 and most > expected
    True
    """
    from scipy.stats import beta
    from sklearn.linear_model import LogisticRegression

    recent = np.asarray(answers[-RECENT:], dtype=bool)
    if len(recent) == 0:
        return float("nan"), float(NEXT)
    if recent.all() or not recent.any():
        chance = float((recent.sum() + 0.5) / (len(recent) + 1))
    else:
        place = np.arange(len(recent) + NEXT)[:, None] / RECENT
        model = LogisticRegression(C=1e4).fit(place[: len(recent)], recent)
        chance = float(model.predict_proba(place[len(recent) :])[:, 1].mean())
    weight = min(_AS_IF, len(recent))
    most = beta.ppf(0.95, chance * weight + 0.5, (1 - chance) * weight + 0.5)
    return NEXT * chance, NEXT * float(most)
