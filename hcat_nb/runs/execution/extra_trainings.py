"""Trains what methods declare beside the run's own training, and hands it to them.

After the run's own epochs, with networks and random streams of their own: the
scores of methods that need none of it stay bit-identical.  A stop ends the
trainings that are left; what then lacks says so in its status.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import InitVar, dataclass, field, replace
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from hcat_nb.errors import DivergedError, ModelError
from hcat_nb.observation.clock import Clock
from hcat_nb.observation.dynamics import MapDynamics
from hcat_nb.observation.record import EachEpoch, Need, Observation
from hcat_nb.runs.execution.costs import EXTRA
from hcat_nb.runs.execution.extra_jobs import Job
from hcat_nb.runs.execution.held_out import HeldOut
from hcat_nb.seeds import child_seed
from hcat_nb.training import events

if TYPE_CHECKING:
    from hcat_nb.data.dataset import LabelledDataset
    from hcat_nb.methods.base import Method
    from hcat_nb.models._adapter import AdaptedModel
    from hcat_nb.training.loop import Notify, Outcome, Trainer, Training

MakeNetwork = Callable[["LabelledDataset"], "nn.Module"]


@dataclass(eq=False)
class ExtraTrainings:
    """The extra trainings of one run.

    ``dataset`` is as the run trains on it; ``trainer`` the run's own, whose features, scaling,
    epochs and control are shared; ``agreed`` returns what the process that leads says, of several.
    """

    methods: InitVar[Sequence[Method]]
    dataset: LabelledDataset
    make_network: MakeNetwork
    trainer: Trainer
    held_out: HeldOut
    agreed: Callable[[bool], bool] = bool
    clock: Clock = field(default_factory=Clock, init=False)
    jobs: list[Job] = field(init=False)

    def __post_init__(self, methods: Sequence[Method]) -> None:
        """Plan what ``methods`` and ``held_out`` need, and check that the model can serve it."""
        self.jobs = self.held_out.plan(methods)
        wider = [job for job in self.jobs if job.n_classes != self.dataset.n_classes]
        for job in wider[:1]:  # all by one class
            self._check(job)

    def timings(self) -> dict[str, float]:
        """Return the seconds that they took, all together and by what they are for, if any."""
        seconds = self.clock.seconds
        parts = {EXTRA + part: one for part, one in seconds.items()}
        return {"extra": sum(seconds.values()), **parts} if self.jobs else {}

    def run(self, training: Training, notify: Notify) -> None:
        """Train all of them, unless the run's own training did not finish.

        A DivergedError of one has the run's own ``training``.
        """
        self._run(self.jobs, training, notify)
        if training.outcome == "finished" and self.agreed(self.held_out.wants_folds(training)):
            self.jobs = self.held_out.auto_folds()
            self._run(self.jobs, training, notify)

    def _run(self, jobs: Sequence[Job], training: Training, notify: Notify) -> None:
        for number, job in enumerate(jobs, start=1):
            if training.outcome != "finished":
                break
            relay = _Relay(job.purpose, number, len(jobs), notify)
            try:
                with self.clock(job.quantity[0].name.lower()):
                    training.outcome = self._train(job, relay)
            except DivergedError as error:
                what = f"the extra training for {job.purpose}"
                raise DivergedError(error.epoch, error.loss, training, what) from error

    def _train(self, job: Job, relay: events.Listener) -> Outcome:
        """Train one, and hand over what it measured if it was not stopped."""
        from hcat_nb.observation.observer import Observer

        own, device = self.trainer, self.trainer.features.device
        seed = child_seed(own.seed, job.stream)
        labels = job.labels.to(device)
        dynamics = _FinalMap(labels, job.n_classes, own.epochs)
        model, _ = self._model(job, seed)
        gauge = make_gauge(job, labels, own.epochs)
        observer = Observer(
            model,
            own.features,
            labels,
            job.watched.to(device),
            [dynamics, gauge],
            n_classes=job.n_classes,
            batch_size=own.observer.batch_size,
            seed=seed,
            sharing=own.sharing_all(),
        )
        trainer = replace(
            own,
            model=model,
            labels=labels,
            rows=job.rows.to(device),
            observer=observer,
            dynamics=dynamics,
            seed=seed,
            listeners=[relay],
            start=None,
            afterwards=None,
        )
        outcome = trainer.fit(self._start(trainer, job)).outcome
        if outcome == "finished" and own.leads:
            record = gauge.record()
            for method in job.methods:
                method.observe(record)
        return outcome

    def _model(self, job: Job, seed: int) -> tuple[AdaptedModel, int]:
        """Return a fresh model for ``job``, behind the run's own scaling, and its outputs."""
        from hcat_nb.models._adapter import AdaptedModel
        from hcat_nb.models._embedding import output_width
        from hcat_nb.training.seed import isolated_rng

        codes = self.dataset.replace(labels=job.labels, class_values=tuple(range(job.n_classes)))
        features, own = self.trainer.features, self.trainer.model
        assert isinstance(own, AdaptedModel)
        with isolated_rng(child_seed(seed, "weights"), features.device):
            model = AdaptedModel(own.scaling, self.make_network(codes)).to(features.device)
            # A lazy module makes its parameters at its first forward.
            return model, output_width(model, features[job.rows[:2].to(features.device)])

    def _check(self, job: Job) -> None:
        """Raise ModelError if the model has another number of outputs than the job wants."""
        _, width = self._model(job, self.trainer.seed)
        if width != job.n_classes:
            raise ModelError(
                f"{job.purpose} train with {job.n_classes} outputs, and the model has {width}",
                "a model whose number of outputs can be chosen",
                "hand over its name, or a class or function that takes n_classes, not a module",
            )

    def _start(self, trainer: Trainer, job: Job) -> events.StartEvent:
        return events.StartEvent(
            n_epochs=trainer.epochs,
            n_steps=trainer.steps,
            dataset=self.dataset.name,
            model=job.purpose,
            device=str(trainer.features.device),
            sample_ids=self.dataset.sample_ids,
            labels=job.labels.numpy(),
            class_names=tuple(map(str, range(job.n_classes))),
        )


class _FinalMap(MapDynamics):
    """Coordinates that nobody looks at before the end: no pass is made for them until then."""

    def __init__(self, labels: Tensor, n_classes: int, last: int) -> None:
        super().__init__(labels, n_classes)
        self._last = last

    def due(self, epoch: int) -> bool:
        """Whether it is the last epoch."""
        return epoch == self._last


class _Relay(events.Listener):
    """Tells the run's listeners how far an extra training is."""

    essential = True  # what fails behind it is reported there

    def __init__(self, purpose: str, number: int, of: int, notify: Notify) -> None:
        self._purpose, self._number, self._of, self._notify = purpose, number, of, notify
        self._n_epochs = 0

    def on_start(self, event: events.StartEvent) -> None:
        self._n_epochs = event.n_epochs
        self._say(0, 0, event.n_steps)

    def on_step(self, event: events.StepEvent) -> None:
        self._say(event.epoch - 1, event.step, event.n_steps)

    def on_epoch(self, event: events.EpochEvent) -> None:
        self._say(event.epoch, 0, 1)

    def on_end(self, event: events.EndEvent) -> None:
        self._say(event.epochs, 0, 1, over=True)

    def _say(self, epoch: int, step: int, n_steps: int, *, over: bool = False) -> None:
        done = epoch, self._n_epochs, step, n_steps, over
        self._notify("on_extra", events.ExtraEvent(self._purpose, self._number, self._of, *done))


class _Gauge(EachEpoch, ABC):
    """A subscriber that tells in the end what it measured of a job."""

    needs: frozenset[Need]

    def __init__(self, job: Job, labels: Tensor, epochs: int) -> None:
        self.job = job
        self.labels = labels
        self.epochs = epochs

    @abstractmethod
    def observe(self, record: Observation) -> None:
        """Take in a record of the extra training."""

    @abstractmethod
    def record(self) -> Observation:
        """Return the ``extra`` record for the methods."""


def make_gauge(job: Job, labels: Tensor, epochs: int) -> _Gauge:
    """Return what measures the quantity of ``job``."""
    out_of_fold = job.quantity[0] is Need.OUT_OF_FOLD
    return (_HeldOutLogits if out_of_fold else _ThresholdMargins)(job, labels, epochs)


class _HeldOutLogits(_Gauge):
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


class _ThresholdMargins(_Gauge):
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
