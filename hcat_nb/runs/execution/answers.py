"""What a run says beside its scores: whether the network learned, and which labels it doubts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from hcat_nb.evaluation.learning_check import LearningCheck, check_learning
from hcat_nb.evaluation.proposals import Proposals, Table, none_proposed, propose
from hcat_nb.observation.dynamics import ONE_EPOCH

if TYPE_CHECKING:
    import pandas as pd

    from hcat_nb.data.dataset import LabelledDataset
    from hcat_nb.observation.dynamics import MapDynamics
    from hcat_nb.runs.execution.held_out import HeldOut

_FEW = 1000  # rows that are compared before all are


@dataclass(frozen=True, eq=False)
class Answers:
    """What is said of a run as a whole (None where nothing was held out), and of its labels.

    ``judges``: whose probabilities the proposals rest on.  "network, mean over epochs" was trained
    on the labels that it judges; the others did not see them.
    ``also``: of folds that were not trained, and of a single epoch.
    """

    check: LearningCheck | None
    proposals: Proposals
    judges: tuple[str, ...]
    also: tuple[str, ...] = ()

    def columns(self, dataset: LabelledDataset) -> dict[str, Any]:
        """Return the columns of ``run.details``: the proposed label, where there is one."""
        suggested: pd.Categorical[Any] = dataset.label_values(self.proposals.codes)
        return {"suggested": suggested, "suggested_probability": self.proposals.probabilities}

    def info(self) -> dict[str, Any]:
        """Return plain values for ``run.info``."""
        said = self.proposals
        return {
            "check": None if self.check is None else asdict(self.check),
            "proposals": {
                "offered": int((said.codes >= 0).sum()),
                "margin": said.margin,
                "judges": list(self.judges),
                "reason": said.reason,
            },
        }

    def notes(self) -> list[str]:
        """Return the sentences for the run's notes."""
        check = "" if self.check is None else self.check.sentence
        why = f"No other label is proposed: {self.proposals.reason}." * self.proposals.untrusted
        return [one for one in (check, *self.also, why) if one]


def answer(
    dataset: LabelledDataset,
    dynamics: MapDynamics,
    *,
    held_out: HeldOut | None = None,
    accuracies: Sequence[float] = (),
    judges: dict[str, np.ndarray] | None = None,
) -> Answers:
    """Return what is said of the labels of a run.

    ``judges`` (n, C) are probabilities by those that did not see a row's label; ``accuracies`` of
    the training, after each epoch.  ``dynamics`` are not released yet.
    """
    labels = dataset.labels.numpy()
    tables: dict[str, Table] = {**(judges or {})}
    folds = None if held_out is None else held_out.probabilities()
    check = None if held_out is None else _checked(dataset, held_out, accuracies, 0)
    if folds is not None:
        tables["network, out of fold"] = folds.numpy()
    elif not dynamics.label_only and (check is None or check.state != "memorised"):
        tables["network, mean over epochs"] = _Means(dynamics)
    said = propose(list(tables.values()), labels)
    if check is not None and check.withholds:
        said = none_proposed(len(labels), "the network has not learned")
    elif held_out is not None:  # what is doubted decides whether there is nothing to find
        check = _checked(dataset, held_out, accuracies, int((said.codes >= 0).sum()))
    notes = ["" if held_out is None else held_out.note]
    told = check is not None and check.state == "still_rising"  # of one epoch it says so
    notes += [ONE_EPOCH] if int(dynamics.count.max()) == 1 and not told else []
    return Answers(check, said, tuple(tables), tuple(filter(None, notes)))


def _checked(
    dataset: LabelledDataset, held_out: HeldOut, accuracies: Sequence[float], n_doubted: int
) -> LearningCheck | None:
    """Return what the check says; None if nobody wanted it, or its training was stopped."""
    if held_out.logits is None and not held_out.impossible:
        return None
    trained = held_out.train_accuracy
    return check_learning(
        *held_out.judged(),
        float(accuracies[-1]) if trained is None else trained,
        accuracies,
        all_equal=_all_equal(dataset),
        folds=held_out.folds,
        n_doubted=n_doubted,
    )


class _Means:
    """Mean probabilities over epochs, (n, C), NaN where a sample was never observed."""

    def __init__(self, dynamics: MapDynamics) -> None:
        self._dynamics = dynamics

    def __getitem__(self, rows: slice) -> np.ndarray:
        """Return those of some rows."""
        count = self._dynamics.count[rows, None].cpu().numpy()
        with np.errstate(invalid="ignore"):
            return np.where(count > 0, self._dynamics.probs[rows].cpu().numpy() / count, np.nan)


def _all_equal(dataset: LabelledDataset) -> bool:
    features = dataset.features
    first = features[:1]
    return bool((features[:_FEW] == first).all()) and bool((features == first).all())
