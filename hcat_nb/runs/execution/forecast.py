"""What a run will take, from a short trial on its own data, model and device.

A few batches are trained on, and some samples are observed as in each kind of
epoch that the run has (with and without checkpoints of gradients, the last
one); the rest is arithmetic: so many batches, so many epochs of each kind.
Judges judge some samples, and what they do with all of them follows from that.
Other scoring, saving and drawing are left out: they are small, or not the run's.
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from hcat_nb.casts import time_words
from hcat_nb.observation.clock import Clock
from hcat_nb.runs.execution.costs import EXTRA, OBSERVE, SCORE, costs_table, described_parts
from hcat_nb.runs.execution.info import start_event
from hcat_nb.runs.execution.inputs import Inputs, make_spec
from hcat_nb.runs.execution.judging import judge_seconds
from hcat_nb.runs.execution.memory_need import free_for, memory_need
from hcat_nb.runs.execution.pipeline import Pipeline

if TYPE_CHECKING:
    import pandas as pd

    from hcat_nb.models._building import ModelLike
    from hcat_nb.observation.observer import Observer, Subscriber
    from hcat_nb.spec import RunSpec
    from hcat_nb.training.events import StartEvent
    from hcat_nb.training.loop import Trainer

# Enough for a steady pace, little beside any run that is worth a forecast.
_STEPS, _WARM = 24, 4
_ROWS = 768
# Rows of the table beside those of methods.
TRAINING, REST = "(training)", "(data map, rest)"


@dataclass(frozen=True, eq=False)
class Forecast:
    """Time, and memory in bytes, that a run will take.

    ``table`` (index ``hcm``): the methods and judges, then ``(training)`` and ``(data map, rest)``.
    ``seconds``, of all seeds, extra trainings with who asked for them; ``of_training``: seconds
    over those of the run's own training; ``mb`` that it has yet to touch.  The first and the last
    column add up to the totals.
    """

    table: pd.DataFrame
    needed: int
    free: int
    epochs: int

    @property
    def training(self) -> float:
        """Seconds of the run's own training, of all seeds."""
        return float(self.table["seconds"][TRAINING])

    @property
    def seconds(self) -> float:
        """Seconds of training, extra trainings, observation and judges."""
        return float(self.table["seconds"].sum())

    def __repr__(self) -> str:
        styles = {"seconds": "{:.1f}", "of_training": "{:.1%}", "mb": "{:.1f}"}
        figures = self.table.to_string(
            formatters={name: style.format for name, style in styles.items()}
        )
        return (
            f"{figures}\nabout {time_words(self.seconds)} "
            f"({time_words(self.training)} of it training, {self.epochs} epochs); "
            f"{self.needed / 1e9:.2f} GB more memory, {self.free / 1e9:.2f} GB are free"
        )


def forecast(
    data: Any = None,
    labels: Any = None,
    *,
    name: str | None = None,
    model: ModelLike | None = None,
    classes: Sequence[Any] | None = None,
    truth: Any = None,
    features: Any = None,
    spec: RunSpec | None = None,
    **options: Any,
) -> Forecast:
    """Say what a run would take, without doing it; raises what the run would before it trains."""
    from hcat_nb.training.seed import undisturbed

    chosen = make_spec(data, model, spec, options, truth, features)
    pipeline = Pipeline(replace(chosen, seeds=1))
    with undisturbed():
        pipeline.prepare(*Inputs(data, labels, name, model, classes, truth, features))
        need = memory_need(pipeline.trainer, pipeline.accumulators())
        scorers = [*pipeline.methods, *pipeline.judges]
        judged = judge_seconds(scorers, pipeline.dataset, pipeline.embedding)
        parts = _timings(pipeline) | {SCORE + name: seconds for name, seconds in judged.items()}
    timings = {part: chosen.seeds * seconds for part, seconds in parts.items()}
    askers = pipeline.trainer.observer.askers()
    methods = [method.name for method in (*pipeline.methods, *pipeline.judges)]
    # As in a run, the passes are the methods' alone.
    shared = described_parts(askers, [method.name for method in pipeline.methods])
    costs = costs_table(timings, shared, methods)
    seconds = costs.groupby("hcm")["seconds"].sum().reindex(methods, fill_value=0.0)
    training = timings["train"]
    seconds[TRAINING] = training
    seconds[REST] = sum(timings.values()) - seconds.sum()
    megabytes = [need.get(name, 0) / 1e6 for name in [*methods, "training"]]
    rest = sum(need.values()) / 1e6 - sum(megabytes)
    table = seconds.to_frame().assign(of_training=seconds / training, mb=[*megabytes, rest])
    return Forecast(table, sum(need.values()), free_for(pipeline), pipeline.trainer.epochs)


def _timings(pipeline: Pipeline) -> dict[str, float]:
    """Return seconds by part, as a run's timings name them; the pipeline is used up."""
    trainer = pipeline.trainer
    observer = trainer.observer
    step, handing_over = _step_seconds(trainer, start_event(pipeline))
    timings = {"train": step * trainer.steps * trainer.epochs}
    for who, seconds in handing_over.items():
        timings[OBSERVE + who] = seconds * len(trainer.rows) * trainer.epochs
    for part, seconds in _observation(observer, trainer.epochs).items():
        timings[OBSERVE + part] = timings.get(OBSERVE + part, 0.0) + seconds
    forward = _forward_seconds(observer)
    for job in pipeline.extra.jobs:
        batches = -(-len(job.rows) // trainer.batch_size)
        epoch = step * batches + forward * len(job.watched)
        part = EXTRA + job.quantity[0].name.lower()
        timings[part] = timings.get(part, 0.0) + epoch * trainer.epochs
    return timings


def _step_seconds(trainer: Trainer, start: StartEvent) -> tuple[float, dict[str, float]]:
    """Return the seconds of a training step, and what handing a sample's logits over takes by name.

    A step of length 0 takes as long, and cannot diverge.
    """
    readers = [
        one
        for one in trainer.observer.subscribers
        if {need.kind for need in one.needs} <= {"train", "extra"}
    ]
    seconds, n = 0.0, 1
    for steps in (_WARM, _STEPS):  # the first few wake caches and allocators
        watching = _observer_like(trainer.observer, readers)
        rows = trainer.rows[: steps * trainer.batch_size]
        short = replace(
            trainer, rows=rows, observer=watching, epochs=1, lr=0.0, listeners=(), afterwards=None
        )
        record = short.fit(start).history[0]
        seconds, n = record.train_seconds / short.steps, len(rows)
    return seconds, {name: taken / n for name, taken in watching.clock.seconds.items()}


def _observer_like(observer: Observer, subscribers: Sequence[Subscriber]) -> Observer:
    """Return one that stages training logits for ``subscribers``, and looks at no sample."""
    from hcat_nb.observation.observer import Observer

    return Observer(
        observer.model,
        observer.features,
        observer.labels,
        observer.rows[:0],
        subscribers,
        n_classes=observer.n_classes,
        batch_size=observer.batch_size,
        seed=0,
    )


def _observation(observer: Observer, n_epochs: int) -> dict[str, float]:
    """Return the seconds of observing all rows in all epochs, by part; ``rest`` is nobody's."""
    kinds: dict[tuple[frozenset[int], bool], list[int]] = {}
    for epoch in range(1, n_epochs + 1):
        due = frozenset(i for i, one in enumerate(observer.subscribers) if one.due(epoch))
        kinds.setdefault((due, epoch == n_epochs), []).append(epoch)
    rows, taken = observer.rows, defaultdict[str, float](float)
    share = len(rows) / len(rows[:_ROWS])
    kept, observer.clock = observer.clock, Clock()
    try:
        for (_, last), epochs in kinds.items():
            for some in (rows[: observer.batch_size], rows[:_ROWS]):  # what happens once, first
                observer.rows, observer.clock = some, Clock()
                began = time.perf_counter()
                observer.end_epoch(epochs[0], last=last)
                whole = time.perf_counter() - began
            parts = observer.clock.seconds
            parts["rest"] = whole - sum(parts.values())
            for part, seconds in parts.items():
                taken[part] += seconds * share * len(epochs)
    finally:
        observer.rows, observer.clock = rows, kept
    return dict(taken)


def _forward_seconds(observer: Observer) -> float:
    """Return the seconds of observing a sample for the data map alone."""
    from hcat_nb.observation.dynamics import MapDynamics

    lone = _observer_like(observer, [MapDynamics(observer.labels, observer.n_classes)])
    seconds = 0.0
    for some in (observer.rows[: observer.batch_size], observer.rows[:_ROWS]):
        lone.rows = some
        began = time.perf_counter()
        lone.end_epoch(1, last=False)
        seconds = (time.perf_counter() - began) / len(some)
    return seconds
