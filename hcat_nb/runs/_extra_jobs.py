"""Which extra trainings a run's methods ask for: on which rows, with which labels.

Drawn from streams of their own, so that neither the run's training nor another
method's jobs move.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from hcat_nb.observation.record import Need, Options
from hcat_nb.seeds import child_seed

if TYPE_CHECKING:
    from torch import Tensor

    from hcat_nb.data.dataset import LabelledDataset
    from hcat_nb.methods.base import Method

__all__ = ["Job", "plan_jobs"]

Quantity = tuple[Need, Options]


@dataclass(frozen=True, eq=False)
class Job:
    """One extra training.

    Parameters
    ----------
    purpose : str
        What for, in words.
    quantity : (Need, options)
        What it measures.
    number : int
        Which of that quantity's trainings, from 0.
    labels : Tensor of shape (n,), int64
        Class codes of this training, -1 where missing.
    n_classes : int
        Outputs of the network.
    rows : Tensor of shape (m,), int64
        Positions to train on.
    watched : Tensor of shape (w,), int64
        Positions to observe, ascending.
    methods : list of Method
        Who hears of it.
    """

    purpose: str
    quantity: Quantity
    number: int
    labels: Tensor
    n_classes: int
    rows: Tensor
    watched: Tensor
    methods: list[Method] = field(default_factory=list)

    @property
    def stream(self) -> str:
        """Name of its random stream below the run's seed."""
        need, options = self.quantity
        return f"extra/{need.value[1]}/{dict(options)}/{self.number}"


def plan_jobs(methods: Sequence[Method], dataset: LabelledDataset, seed: int) -> list[Job]:
    """Return the extra trainings that ``methods`` need; methods with one need share them.

    Parameters
    ----------
    methods : sequence of Method
        Begun, so that what a run cannot serve is refused already.
    dataset : LabelledDataset
        As it is trained on.
    seed : int
        Parent of what is drawn.
    """
    wanted: dict[Quantity, list[Method]] = {}
    for method in methods:
        for need in sorted(method.needs, key=lambda need: need.name):
            if need.kind == "extra":
                wanted.setdefault((need, method.options(need)), []).append(method)
    jobs: list[Job] = []
    for quantity, who in wanted.items():
        make = _folds if quantity[0] is Need.OUT_OF_FOLD else _thresholds
        for job in make(quantity, dataset, seed):
            job.methods.extend(who)
            jobs.append(job)
    return jobs


def _folds(quantity: Quantity, dataset: LabelledDataset, seed: int) -> Iterator[Job]:
    """Yield one training a stratified fold, which watches what it did not train on."""
    import torch
    from sklearn.model_selection import StratifiedKFold

    k = dict(quantity[1])["folds"]
    rows = torch.nonzero(dataset.trainable).ravel()
    codes = dataset.labels[rows].numpy()
    state = child_seed(seed, f"extra/folds/{k}") % 2**32
    folds = StratifiedKFold(k, shuffle=True, random_state=state)
    with warnings.catch_warnings():
        # A class with fewer samples than folds is absent from some of them; a
        # lone sample is then judged by a model without its class (`rare_class`).
        warnings.filterwarnings("ignore", message="The least populated class")
        parts = list(folds.split(np.zeros(len(codes)), codes))
    for number, (learned, held_out) in enumerate(parts):
        yield Job(
            f"fold {number + 1} of {k}",
            quantity,
            number,
            dataset.labels,
            dataset.n_classes,
            rows[torch.from_numpy(learned)],
            rows[torch.from_numpy(np.sort(held_out))],
        )


def _thresholds(quantity: Quantity, dataset: LabelledDataset, seed: int) -> Iterator[Job]:
    """Yield two trainings in which other samples each have the class C + 1."""
    import torch

    rows = torch.nonzero(dataset.trainable).ravel()
    extra = dataset.n_classes
    size = len(rows) // (extra + 1)
    generator = torch.Generator().manual_seed(child_seed(seed, "extra/threshold samples"))
    drawn = rows[torch.randperm(len(rows), generator=generator)]
    for number, chosen in enumerate(drawn[: 2 * size].split(size)):
        labels = dataset.labels.clone()
        labels[chosen] = extra
        purpose = f"threshold samples {number + 1} of 2"
        yield Job(purpose, quantity, number, labels, extra + 1, rows, chosen.sort().values)
