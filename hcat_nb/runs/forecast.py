"""What a run will take, from a short trial on its own data, model and device.

A few batches are trained on and a few are observed; the rest is arithmetic:
so many batches an epoch, so many passes of each kind.  Scoring, saving and
drawing are left out: they are small, or not the run's.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from hcat_nb.runs._costs import OBSERVE, costs_table, described_parts
from hcat_nb.runs._inputs import Inputs, make_spec
from hcat_nb.runs._memory_need import free_memory, memory_need
from hcat_nb.runs._study import Study

if TYPE_CHECKING:
    import pandas as pd
    from torch import Tensor

    from hcat_nb.models._building import ModelLike
    from hcat_nb.spec import RunSpec
    from hcat_nb.training.events import StartEvent
    from hcat_nb.training.loop import Trainer

__all__ = ["Forecast", "forecast"]

# Enough for a steady pace, little beside any run that is worth a forecast.
_STEPS, _WARM = 24, 4
_ROWS = 2048


@dataclass(frozen=True, eq=False)
class Forecast:
    """Time and memory that a run will take.

    Parameters
    ----------
    table : pandas.DataFrame
        Index ``hcm``: ``seconds``; ``of_training``: seconds over those of the
        training; ``mb``: megabytes that its accumulators will hold.
    training : float
        Seconds of all training, extra trainings and further seeds included.
    observation : float
        Seconds of all observation.
    needed, free : int
        Bytes that the run has yet to touch, and that there are.
    """

    table: pd.DataFrame
    training: float
    observation: float
    needed: int
    free: int

    @property
    def seconds(self) -> float:
        """Seconds of training and observation."""
        return self.training + self.observation

    def __repr__(self) -> str:
        styles = {"seconds": "{:.1f}", "of_training": "{:.1%}", "mb": "{:.1f}"}
        figures = self.table.to_string(
            formatters={name: style.format for name, style in styles.items()}
        )
        return (
            f"{figures}\nabout {_time(self.seconds)} ({_time(self.training)} of it training); "
            f"{self.needed / 1e9:.2f} GB more memory, {self.free / 1e9:.2f} GB are free"
        )


def forecast(
    data: Any = None,
    labels: Any = None,
    *,
    name: str | None = None,
    model: ModelLike | None = None,
    classes: Sequence[Any] | None = None,
    spec: RunSpec | None = None,
    **options: Any,
) -> Forecast:
    """Say what a run would take, without doing it.

    Parameters
    ----------
    data, labels, name, model, classes, spec, **options
        As for :func:`hcat_nb.characterize`.

    Returns
    -------
    Forecast

    Raises
    ------
    HcatError
        Whatever the run itself would raise before it trains, TooLargeError
        included.
    """
    chosen = make_spec(data, model, spec, options)
    study = Study(replace(chosen, seeds=1))
    study.prepare(*Inputs(data, labels, name, model, classes))
    trainer = study.trainer
    observer = trainer.observer
    need = memory_need(trainer, study.accumulators())
    n = len(observer.rows)
    some = observer.rows[:_ROWS]
    share = n / len(some)
    passes = observer.passes(trainer.epochs)
    timings = {
        OBSERVE + part: chosen.seeds * seconds * share * passes.get(part, 0)
        for part, seconds in observer.trial(some).items()
    }
    step = _step_seconds(trainer, trainer.rows, study.start_event())
    lengths = [len(trainer.rows), *(len(job.rows) for job in study.extra.jobs)]
    steps = sum(-(-length // trainer.batch_size) for length in lengths)
    timings["train"] = chosen.seeds * step * steps * trainer.epochs
    methods = [method.name for method in study.methods]
    costs = costs_table(timings, described_parts(observer.askers(), methods), methods)
    table = costs.groupby("hcm")[["seconds", "of_training"]].sum().reindex(methods, fill_value=0.0)
    return Forecast(
        table=table.assign(mb=[need[name] / 1e6 for name in methods]),
        training=timings["train"],
        observation=sum(seconds for part, seconds in timings.items() if part != "train"),
        needed=sum(need.values()),
        free=free_memory(study.device),
    )


def _step_seconds(trainer: Trainer, rows: Tensor, start: StartEvent) -> float:
    """Return the seconds of a training step; the trainer's model is trained by it."""
    from hcat_nb.observation.observer import Observer

    nobody = Observer(
        trainer.model,
        trainer.features,
        trainer.labels,
        rows[:0],
        [],
        n_classes=trainer.observer.n_classes,
        batch_size=trainer.batch_size,
        seed=trainer.seed,
    )
    seconds = 0.0
    for steps in (_WARM, _STEPS):  # the first few wake caches and allocators
        short = replace(
            trainer,
            rows=rows[: steps * trainer.batch_size],
            observer=nobody,
            epochs=1,
            listeners=(),
            afterwards=None,
        )
        record = short.run(start).history[0]
        seconds = record.train_seconds / short.steps
    return seconds


def _time(seconds: float) -> str:
    if seconds < 100:
        return f"{seconds:.0f} s"
    minutes = seconds / 60
    return f"{minutes:.0f} min" if minutes < 100 else f"{minutes / 60:.1f} h"
