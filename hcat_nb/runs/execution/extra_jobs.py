"""Which extra trainings a run's methods ask for: on which rows, with which labels.

Drawn from streams of their own, so that neither the run's training nor another
method's jobs move.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

import torch
from torch import Tensor

from hcat_nb.observation.record import Need, Observation, Options
from hcat_nb.seeds import child_seed

if TYPE_CHECKING:
    from hcat_nb.data.dataset import LabelledDataset

Quantity = tuple[Need, Options]


class Asks(Protocol):
    """Who asks for extra trainings: a method, or the run itself."""

    needs: frozenset[Need]

    def options(self, need: Need) -> Options:
        """Return how to measure ``need``."""

    def observe(self, record: Observation) -> None:
        """Take in what was measured."""


@dataclass(frozen=True, eq=False)
class Job:
    """One extra training, the ``number``-th that measures its quantity.

    ``labels`` (n,) are -1 where missing; ``rows`` are positions to train on, ``watched`` those to
    observe, ascending; ``methods`` hear of it.
    """

    purpose: str
    quantity: Quantity
    number: int
    labels: Tensor
    n_classes: int
    rows: Tensor
    watched: Tensor
    methods: list[Asks] = field(default_factory=list)

    @property
    def stream(self) -> str:
        """Name of its random stream below the run's seed."""
        need, options = self.quantity
        return f"extra/{need.name.lower()}/{dict(options)}/{self.number}"


def plan_jobs(methods: Sequence[Asks], dataset: LabelledDataset, seed: int) -> list[Job]:
    """Return the extra trainings that ``methods`` need; methods with one need share them.

    Methods are begun, so that what a run cannot serve is refused already.
    """
    wanted: dict[Quantity, list[Asks]] = {}
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
    from hcat_nb.data.folds import split_rows

    k = dict(quantity[1])["folds"]
    state = child_seed(seed, f"extra/folds/{k}") % 2**32
    for number, (learned, held_out) in enumerate(split_rows(dataset, k, state)):
        purpose = f"fold {number + 1} of {k}"
        yield Job(purpose, quantity, number, dataset.labels, dataset.n_classes, learned, held_out)


def hold_out_job(
    who: Asks, dataset: LabelledDataset, seed: int, most: int, least_units: int
) -> Job | None:
    """Return one training that leaves a stratified fifth of the rows out, and watches all.

    It trains on at most ``most`` rows, drawn from the other four fifths; None if there are fewer
    than ``least_units`` of rows that belong together.
    """
    from hcat_nb.data.folds import split_rows, units

    if len(set(units(dataset)[dataset.trainable.numpy()].tolist())) < least_units:
        return None
    state = child_seed(seed, "extra/hold-out") % 2**32
    learned, held_out = split_rows(dataset, 5, state)[0]
    if len(learned) > most:
        generator = torch.Generator().manual_seed(state)
        learned = learned[torch.randperm(len(learned), generator=generator)[:most]].sort().values
    watched = torch.cat([learned, held_out]).sort().values
    quantity = (Need.OUT_OF_FOLD, (("folds", 1),))
    labels, n_classes = dataset.labels, dataset.n_classes
    return Job("learning check", quantity, 0, labels, n_classes, learned, watched, [who])


def _thresholds(quantity: Quantity, dataset: LabelledDataset, seed: int) -> Iterator[Job]:
    """Yield two trainings in which other samples each have the class C + 1."""
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
