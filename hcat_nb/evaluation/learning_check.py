"""Whether a network has learned what can be learned, told by rows that it did not see.

Training accuracy cannot tell: a network reaches 1.0 on shuffled labels of
texts, and a healthy one .99 on an easy table.  So the check compares the
log-loss of held-out rows with that of class frequencies alone.  Probabilities
of a network that memorised are far too sure, so they are first recalibrated,
by two numbers that each half of the held-out rows finds for the other half:
what counts is whether they tell anything, not how loudly.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np

State = Literal[
    "learned", "not_learned", "memorised", "nothing_to_find", "still_rising", "not_known"
]
_LEAST_ROWS = 30  # held out; with fewer, an interval says nothing
_ONE_SIDED = 1.645  # standard errors below the mean: the lower 95 % bound
# Upper bounds of the gain, in nats, where its lower one is not above 0.  Of 30 or more rows with
# labels by chance 18 % reach the first, which costs folds, and 3 % the second; of 36 rows of three
# classes, seven in ten of them predicted, nearly all that have a lower bound below 0 reach it.
_PERHAPS, _UNDENIED = 0.05, 0.15
_GAP = 0.2  # of training accuracy over held-out accuracy
_SURE = 0.98
_RISE = 0.05  # of accuracy, in the last quarter of the epochs
_FLOOR = 1e-6  # of a probability: float32 logits say no more


@dataclass(frozen=True)
class LearningCheck:
    """What the check found: a sentence for people, empty where there is nothing to say."""

    state: State
    sentence: str = ""
    figures: dict[str, Any] = field(default_factory=dict)

    @property
    def withholds(self) -> bool:
        """Whether verdicts and proposals would be noise."""
        return self.state == "not_learned"


def check_learning(
    probs: np.ndarray,
    labels: np.ndarray,
    frequencies: np.ndarray,
    train_accuracy: float,
    accuracies: Sequence[float],
    *,
    all_equal: bool = False,
    folds: int = 1,
    n_doubted: int = 0,
) -> LearningCheck:
    """Return what held-out rows say of a network.

    ``probs`` (m, C) and ``labels`` (m,) are of rows that it did not train on, ``frequencies`` (C,)
    of the classes; ``accuracies`` of the run's own training, after each epoch.  ``folds``
    networks judged the rows (1: one that left a part of them out); ``n_doubted`` labels are
    worth a look.

    >>> import numpy as np
    >>> rng = np.random.default_rng(0)
    >>> labels = rng.integers(0, 2, 200)
    >>> unsure = np.full((200, 2), 0.5)
    >>> check_learning(unsure, labels, np.array([0.5, 0.5]), 0.5, [0.5] * 10).state
    'not_learned'
    >>> sure = np.where(labels[:, None] == [0, 1], 0.9, 0.1)
    >>> check_learning(sure, labels, np.array([0.5, 0.5]), 0.99, [0.9] * 10, n_doubted=3).state
    'learned'
    """
    figures: dict[str, Any] = {"held_out_rows": len(labels), "train_accuracy": train_accuracy}

    def found(state: State, sentence: str = "") -> LearningCheck:
        return LearningCheck(state, sentence, figures)

    if all_equal:
        words = "all inputs are equal, so nothing can be learned; look at how the data are read"
        return found("not_learned", f"Not learned: {words}.")
    if len(labels) < _LEAST_ROWS:
        words = (
            f"{len(labels)} rows could be held out, and fewer than {_LEAST_ROWS} cannot tell; "
            "more rows would"
        )
        return found("not_known", f"Whether the network learned is not known: {words}.")
    right = probs.argmax(1) == labels
    held_out = float(right.mean())
    lower, mean, upper = _bounds(probs, labels, frequencies)
    figures |= {"held_out_accuracy": held_out, "gain": mean, "gain_low": lower}
    figures["most_frequent"] = float(frequencies.max())
    seen = f"of {len(labels):,} rows that it did not see it predicts {held_out:.0%}"
    if lower <= 0 and upper > _UNDENIED:
        return found(
            "not_known",
            f"Whether the network learned is not known: {seen}, too few to tell that from labels "
            f"by their frequency alone (the most frequent class: {frequencies.max():.0%}). "
            + ("More rows would tell." if folds > 1 else "More rows, or folds=5, would tell."),
        )
    if lower <= 0:
        return found(
            "not_learned",
            f"Not learned: {seen}, and labels by their frequency alone are as good a guess (the "
            f"most frequent class: {frequencies.max():.0%}). Scores rank noise; verdicts and "
            "proposals are withheld. More epochs, another model, or other features may help.",
        )
    if memorised(train_accuracy, right):
        remedy = (
            "folds=5 judges each row by a network that did not see it."
            if folds < 2
            else f"Proposals rest on {folds} networks that each left a part of the rows out."
        )
        return found(
            "memorised",
            f"Memorised: the network knows {train_accuracy:.0%} of the labels it was trained on; "
            f"{seen}. What it says of its own rows is partly their labels. {remedy}",
        )
    if min(train_accuracy, held_out) >= _SURE and not n_doubted:
        return found("nothing_to_find", f"Nothing to find: {seen}, and no label is worth a doubt.")
    if (rise := _rise(accuracies)) is None:
        return found(
            "still_rising",
            "One epoch was trained: how a label fares over epochs cannot be told; train longer.",
        )
    if rise > _RISE:
        figures["rise"] = rise
        return found(
            "still_rising",
            f"Still rising: the last quarter of the epochs gained {rise:.0%} of accuracy; "
            "more epochs would tell hard samples from those that are learned late.",
        )
    return found("learned")


def undecided(probs: np.ndarray, labels: np.ndarray, frequencies: np.ndarray) -> bool:
    """Say whether held-out rows tell neither that a network learned nor that it did not."""
    if len(labels) < _LEAST_ROWS:
        return False
    lower, _, upper = _bounds(probs, labels, frequencies)
    return lower <= 0 and upper > _PERHAPS


def memorised(train_accuracy: float, right: np.ndarray) -> bool:
    """Say whether training accuracy exceeds held-out accuracy by more than a fifth.

    ``right`` (m,) says which held-out rows are predicted.  Of few rows, a gap that chance makes
    does not count.
    """
    if not len(right):
        return False
    held_out = float(right.mean())
    error = np.sqrt(max(held_out * (1 - held_out), 1 / len(right)) / len(right))
    gap = train_accuracy - held_out
    return bool(gap > _GAP and gap > _ONE_SIDED * error)


def _bounds(
    probs: np.ndarray, labels: np.ndarray, frequencies: np.ndarray
) -> tuple[float, float, float]:
    """Return the gain in log-loss over class frequencies, nats: lower bound, mean, upper bound."""
    gains = _gains(probs, labels, frequencies)
    mean, error = float(gains.mean()), float(gains.std(ddof=1) / np.sqrt(len(gains)))
    return mean - _ONE_SIDED * error, mean, mean + _ONE_SIDED * error


def _gains(probs: np.ndarray, labels: np.ndarray, frequencies: np.ndarray) -> np.ndarray:
    """Return how much better each row's label is foretold than by its frequency, in nats, (m,)."""
    from scipy.optimize import minimize
    from scipy.special import log_softmax

    own = np.log(np.clip(probs, _FLOOR, 1))
    prior = np.log(np.clip(frequencies, _FLOOR, 1))[None]
    half = np.random.default_rng(0).permutation(len(labels)) % 2 == 0
    gains = np.empty(len(labels))
    for fitted, judged in ((half, ~half), (~half, half)):

        def loss(weights: np.ndarray, rows: np.ndarray = fitted) -> float:
            mixed = log_softmax(weights[0] * own[rows] + weights[1] * prior, axis=1)
            return float(-mixed[np.arange(rows.sum()), labels[rows]].mean())

        found = minimize(loss, np.array([0.5, 0.5]), bounds=[(0, 2), (0, 2)], method="L-BFGS-B")
        mixed = log_softmax(found.x[0] * own[judged] + found.x[1] * prior, axis=1)
        gains[judged] = mixed[np.arange(judged.sum()), labels[judged]] - prior[0, labels[judged]]
    return gains


def _rise(accuracies: Sequence[float]) -> float | None:
    """Return what the last quarter of the epochs gained; None of one epoch."""
    if len(accuracies) < 2:
        return None
    back = max(1, round(len(accuracies) / 4))
    return accuracies[-1] - accuracies[-1 - back]
