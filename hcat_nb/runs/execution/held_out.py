"""What networks say of rows whose labels they never saw: one mechanism for all who ask.

``folds=K`` trains K networks, each without one fold.  Otherwise one more
network, without a fifth of the rows, tells the learning check how well what
was learned carries over; where it memorised, or too few rows were held out to
tell, ``folds="auto"`` trains five.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from hcat_nb.observation.record import Need, Observation, Options
from hcat_nb.runs.execution.extra_jobs import Asks, Job, hold_out_job, plan_jobs

if TYPE_CHECKING:
    import numpy as np

    from hcat_nb.data.dataset import LabelledDataset
    from hcat_nb.spec import RunSpec
    from hcat_nb.training.loop import Training

AUTO_FOLDS = 5
_AUTO_SECONDS = 300  # that they may take, as the run's own training foretells
_SHARE = 0.2  # of the run's own training that the check may cost
_VISITS = 10_000  # of samples, that it may cost at least: a second
_LEAST_UNITS = 10  # with fewer, no fifth can be held out


@dataclass(eq=False)
class HeldOut:
    """Collects the logits of held-out rows, (n, C), float32; None before anything was measured.

    ``known`` (n,): a network judged the row which did not train on it.  ``folds`` networks did: 0
    (none), 1 (the check's, of ``train_accuracy`` on its own rows) or K.  ``impossible``: there are
    too few rows to hold some out.  ``note`` tells of folds that were not trained.
    """

    spec: RunSpec
    dataset: LabelledDataset
    seed: int
    epochs: int
    logits: Tensor | None = None
    known: Tensor | None = None
    folds: int = 0
    train_accuracy: float | None = None
    impossible: bool = False
    note: str = ""

    def plan(self, methods: Sequence[Asks]) -> list[Job]:
        """Return the trainings to do after the run's own: those of methods, folds, the check's."""
        asked = self._asked()
        jobs = plan_jobs([*methods, _Folds(self, asked)] if asked else methods, *self._drawn)
        if not asked and self.spec.learning_check and self.spec.variant != "hcat":
            rows = int(self.dataset.trainable.sum())
            most = max(int(_SHARE * rows), _VISITS // self.epochs)
            job = hold_out_job(_Folds(self, 1), *self._drawn, most, _LEAST_UNITS)
            self.impossible = job is None
            jobs += [] if job is None else [job]
        return self._heard(jobs)

    def wants_folds(self, training: Training) -> bool:
        """Say whether more rows have to be judged, and there is time to train the folds."""
        from hcat_nb.evaluation.learning_check import undecided

        if self.spec.folds != "auto" or self.folds != 1:
            return False
        if not (self._memorised() or undecided(*self.judged())):
            return False
        seconds = (AUTO_FOLDS - 1) * sum(one.train_seconds for one in training.history)
        if seconds > _AUTO_SECONDS:
            self.note = (
                f"{AUTO_FOLDS} folds would take about {seconds / 60:.0f} minutes more and were not "
                f"trained; folds={AUTO_FOLDS} trains them"
            )
            return False
        return True

    def auto_folds(self) -> list[Job]:
        """Return the trainings of the folds that nobody asked for."""
        return self._heard(plan_jobs([_Folds(self, AUTO_FOLDS)], *self._drawn))

    def probabilities(self) -> Tensor | None:
        """Return out-of-fold probabilities, (n, C), NaN where no fold judged; None of no folds."""
        if self.folds < 2 or self.logits is None or self.known is None:
            return None
        probs = torch.softmax(self.logits, dim=1)
        probs[~self.known] = torch.nan
        return probs

    def take(self, job: Job, folds: int, record: Observation) -> None:
        """Take in what the network of a training says of the rows that it watched."""
        n, rows = len(self.dataset), record.rows.cpu()
        logits = record.logits.float().cpu()
        if self.logits is None or self.known is None or folds != self.folds:
            self.logits = torch.zeros((n, logits.shape[1]))
            self.known = torch.zeros(n, dtype=torch.bool)
            self.folds = folds
        learned = torch.zeros(n, dtype=torch.bool)
        learned[job.rows] = True
        own = learned[rows]
        self.logits[rows[~own]] = logits[~own]
        self.known[rows[~own]] = logits[~own].amax(dim=1).isfinite()
        if bool(own.any()):
            right = logits[own].argmax(1) == self.dataset.labels[rows[own]]
            self.train_accuracy = float(right.float().mean())

    @property
    def _drawn(self) -> tuple[LabelledDataset, int]:
        return self.dataset, self.seed

    def _asked(self) -> int:
        """Return how many folds are named, for all or for Confident Learning; 0 for none."""
        if self.spec.folds != "auto":
            return int(self.spec.folds)
        named = self.spec.method_options.get("cleanlab", {}).get("cv")
        return named if isinstance(named, int) and "cleanlab" in self.spec.method_names() else 0

    def _memorised(self) -> bool:
        from hcat_nb.evaluation.learning_check import memorised

        if self.train_accuracy is None or self.logits is None or self.known is None:
            return False
        right = self.logits[self.known].argmax(1) == self.dataset.labels[self.known]
        return memorised(self.train_accuracy, right.numpy())

    def judged(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return of held-out rows probabilities (m, C) and labels (m,), and class shares (C,)."""
        rows, logits = self.known, self.logits
        if rows is None or logits is None:
            rows, logits = torch.zeros(0, dtype=torch.int64), torch.zeros(0, self.dataset.n_classes)
        counts = self.dataset.class_counts.double()
        probs = logits[rows].double().softmax(dim=1).numpy()
        return probs, self.dataset.labels[rows].numpy(), (counts / counts.sum()).numpy()

    def _heard(self, jobs: list[Job]) -> list[Job]:
        """Let those who asked for us know which training a record is of."""
        for job in jobs:
            for asks in job.methods:
                if isinstance(asks, _Folds):
                    asks.jobs[job.number] = job
        return jobs


class _Folds:
    """Asks for so many folds on behalf of what collects them."""

    needs = frozenset({Need.OUT_OF_FOLD})

    def __init__(self, owner: HeldOut, folds: int) -> None:
        self._owner, self._folds = owner, folds
        self.jobs: dict[int, Job] = {}

    def options(self, need: Need) -> Options:
        """Return the number of folds."""
        return (("folds", self._folds),)

    def observe(self, record: Observation) -> None:
        """Hand on what was measured, with the training that it is of."""
        self._owner.take(self.jobs[record.sweep], self._folds, record)
