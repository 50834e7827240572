"""What an extra training measures, as a subscriber of its observer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from hcat_nb.observation.record import Need, Observation, Options

if TYPE_CHECKING:
    from torch import Tensor

    from hcat_nb.runs.execution.extra_jobs import Job

__all__ = ["Gauge", "make_gauge"]


class Gauge(Protocol):
    """A subscriber that tells in the end what it measured."""

    needs: frozenset[Need]
    sweeps: int

    def options(self, need: Need) -> Options:
        """Return how to measure ``need``."""

    def due(self, epoch: int) -> bool:
        """Whether this epoch's records are wanted."""

    def observe(self, record: Observation) -> None:
        """Take in a record of the extra training."""

    def record(self) -> Observation:
        """Return the ``extra`` record for the methods."""


def make_gauge(job: Job, labels: Tensor, epochs: int) -> Gauge:
    """Return what measures the quantity of ``job``.

    Parameters
    ----------
    job : Job
    labels : Tensor of shape (n,), int64
        The job's, on the device of the training.
    epochs : int
    """
    if job.quantity[0] is Need.OUT_OF_FOLD:
        return _HeldOutLogits(job, labels, epochs)
    return _ThresholdMargins(job, labels, epochs)


class _Plain:
    sweeps = 1

    def __init__(self, job: Job, labels: Tensor, epochs: int) -> None:
        self.job = job
        self.labels = labels
        self.epochs = epochs

    def options(self, need: Need) -> Options:
        return ()

    def due(self, epoch: int) -> bool:
        return True


class _HeldOutLogits(_Plain):
    """The final model's logits of the rows that it did not train on."""

    needs = frozenset({Need.FINAL_LOGITS})

    def __init__(self, job: Job, labels: Tensor, epochs: int) -> None:
        super().__init__(job, labels, epochs)
        self.logits = labels.new_zeros((len(labels), job.n_classes)).float()

    def observe(self, record: Observation) -> None:
        self.logits[record.rows] = record.logits

    def record(self) -> Observation:
        rows = self.job.watched.to(self.labels.device)
        labels, logits = self.labels[rows], self.logits[rows]
        return Observation("extra", self.epochs, rows, labels, logits, sweep=self.job.number)


class _ThresholdMargins(_Plain):
    """The AUM of all rows, and which of them are threshold samples: float64 of shape (b, 2)."""

    needs = frozenset({Need.TRAIN_LOGITS})

    def __init__(self, job: Job, labels: Tensor, epochs: int) -> None:
        from hcat_nb.methods.aum import AUM
        from hcat_nb.methods.base import Context

        super().__init__(job, labels, epochs)
        self.aum = AUM()
        self.aum.begin(Context(labels, job.n_classes, epochs))

    def observe(self, record: Observation) -> None:
        self.aum.observe(record)

    def record(self) -> Observation:
        import torch

        rows = self.job.rows.to(self.labels.device)
        labels = self.labels[rows]
        relabelled = labels == self.job.n_classes - 1
        measured = torch.stack([self.aum.raw()[rows], relabelled.double()], dim=1)
        return Observation(
            "extra",
            self.epochs,
            rows,
            labels,
            measured.new_zeros((len(rows), 0)),  # the logits are those of another set of classes
            {self.job.quantity: measured},
            self.job.number,
        )
