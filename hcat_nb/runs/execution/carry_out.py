"""Carries a run out: one training for each seed, checkpoints, and the folder in the end."""

from __future__ import annotations

import dataclasses
import logging
import time
import warnings
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from hcat_nb.errors import DivergedError, HcatError, StoreError
from hcat_nb.runs.execution.followers import broadcast, check_spec
from hcat_nb.runs.execution.seeds import combined, seed_specs
from hcat_nb.runs.execution.state import OUTPUTS
from hcat_nb.runs.measuring import metrics_to_keep
from hcat_nb.runs.store.fingerprint import (
    differences,
    environment,
    model_fingerprint,
    seen_fingerprint,
)
from hcat_nb.training import events

if TYPE_CHECKING:
    from hcat_nb.models._backbone import Backbone
    from hcat_nb.perturbations.base import Perturbed
    from hcat_nb.runs.execution.inputs import Inputs
    from hcat_nb.runs.execution.pipeline import Pipeline
    from hcat_nb.runs.store.journal import Journal
    from hcat_nb.runs.store.record import Record
    from hcat_nb.spec import RunSpec
    from hcat_nb.training.ranks import Ranks


_log = logging.getLogger(__name__)


def carry_out(
    make_pipeline: Callable[..., Pipeline],
    spec: RunSpec,
    inputs: Inputs,
    listeners: Sequence[events.Listener],
    control: events.Control | None,
    journal: Journal | None,
    ranks: Ranks | None = None,
) -> Record:
    """Return the run of ``spec``; see :func:`hcat_nb.characterize`.

    ``make_pipeline`` is called with a specification and ``given=`` data.  Checkpoints and the run
    go to ``journal``; the run goes on from those that it reads.  ``ranks`` are the processes that
    all carry it out together, if this one is not alone.
    """
    control = control or events.Control()
    leads = ranks is None or ranks.leads
    specs = seed_specs(spec)
    if ranks is not None:
        check_spec(spec, ranks)
        listeners = listeners if ranks.leads else ()
    runs: list[Record | None] = [] if journal is None else [*journal.seeds()]
    # What lets listeners hear several trainings as one.
    heard = [Relay(one, len(specs)) for one in listeners] if len(specs) > 1 else []
    given: Perturbed | None = None
    backbone: Backbone | None = None
    outcome = "finished"
    for number in range(len(runs), len(specs)):
        begun = None if journal is None else journal.index
        order = () if begun is None else begun["data"]["class values"]
        pipeline = make_pipeline(
            specs[number], given=given, backbone=backbone, ranks=ranks, class_order=order
        )
        pipeline.prepare(*inputs)
        given, backbone = pipeline.perturbed, pipeline.backbone
        spec = spec.replace(epochs=pipeline.epochs)
        essential = [] if journal is None else [_begin(pipeline, journal, number)]
        for one in heard:
            one.at(number)
        _log.info(
            "%s begins: %s, %d epochs, %s, seed %d of %d%s",
            pipeline.dataset.name,
            pipeline.model_name,
            pipeline.epochs,
            pipeline.device,
            number + 1,
            len(specs),
            "" if journal is None else f", in {journal.folder}",
        )
        try:
            training = pipeline.train([*essential, *(heard or listeners)], control)
        except DivergedError as error:
            if error.training.history and not runs:
                pipeline.gather()
                runs.append(pipeline.run(error.training, "diverged") if leads else None)
            error.run = _ended(runs, spec, "diverged", pipeline, journal)
            raise
        outcome = training.outcome
        if training.history and (outcome == "finished" or not runs):
            runs.append(pipeline.run(training, outcome) if leads else None)
        if outcome != "finished":
            break
        if journal is not None and number + 1 < len(specs) and runs[-1] is not None:
            # The run of all seeds has intervals; nobody looks at those of one.
            journal.keep_seed(number, runs[-1], metrics_to_keep(runs[-1], n_resamples=0))
        if number + 1 < len(specs):
            del pipeline, training  # one pipeline's accumulators at a time
    run = _ended(runs, spec, outcome, pipeline, journal)
    _log.info("%s: %s", pipeline.dataset.name, outcome)
    if run is None:
        raise HcatError("the run was stopped before its first epoch ended; there is no score yet")
    return run


def _ended(
    runs: Sequence[Record | None],
    spec: RunSpec,
    outcome: str,
    pipeline: Pipeline,
    journal: Journal | None,
) -> Record | None:
    """Return the run of all trainings, saved; None if no epoch of any is finished."""
    if not runs:
        if journal is not None:
            journal.discard()
        return None
    ranks, scored = pipeline.ranks, [run for run in runs if run is not None]
    if ranks is not None and not ranks.leads:
        return broadcast(ranks, None, pipeline.dataset)
    run = scored[0] if spec.seeds == 1 else combined(scored, spec, outcome)
    run = replace(run, dataset=pipeline.dataset)
    if journal is not None:
        if journal.resumed:
            run.info["resumed"] = journal.resumed
        journal.save(run, metrics_to_keep(run), resumable=outcome == "stopped")
    return run if ranks is None else broadcast(ranks, run, pipeline.dataset)


def _begin(pipeline: Pipeline, journal: Journal, number: int) -> events.Listener:
    """Return what writes the checkpoints of a pipeline, which goes on from one if there is one."""
    facts = {
        "data": seen_fingerprint(pipeline.dataset, pipeline.backbone),
        "model": model_fingerprint(pipeline.net),
        "epochs": pipeline.epochs,
        "environment": environment(
            pipeline.device, 1 if pipeline.ranks is None else pipeline.ranks.size
        ),
    }
    index = journal.index
    if index is None:
        journal.head |= facts
        if number == 0:
            journal.begin()
    else:
        _compare(index, facts, journal)
        if index["seed"] == number and index["epoch"] > 0:
            _resume(pipeline, journal, index)
    return Checkpoints(pipeline, journal, number)


def _compare(index: dict[str, Any], facts: dict[str, Any], journal: Journal) -> None:
    """Refuse other data and another model; warn of another environment."""
    for what in ("data", "model"):
        if words := differences(index[what], facts[what]):
            raise StoreError(
                f"{journal.folder} was begun with other {what} ({'; '.join(words)})",
                f"the {what} of that run",
            )
    if words := differences(index["environment"], facts["environment"]):
        warnings.warn(
            f"the run goes on under other conditions ({'; '.join(words)}), "
            "so its last digits may differ from those of an uninterrupted run",
            stacklevel=2,
        )


def _resume(pipeline: Pipeline, journal: Journal, index: dict[str, Any]) -> None:
    """Bring a prepared pipeline to where the checkpoint was taken; its next epoch comes next."""
    from hcat_nb.training.loop import EpochRecord, TrainState

    parts, states = journal.tensors(index)
    accumulators = pipeline.accumulators()
    # A run that was begun before there were judges goes on with them: they look at its end.
    fresh = {judge.name: judge.state() for judge in pipeline.judges if judge.name in accumulators}
    fresh[OUTPUTS] = pipeline.outputs.state()  # nor did it watch for samples without an output
    states = fresh | states
    if states.keys() != accumulators.keys():
        raise StoreError(
            f"{journal.folder} holds the accumulators {', '.join(states)}",
            ", ".join(accumulators),
            "resume with the version of hcat_nb that began the run",
        )
    pipeline.load_states(states)
    if pipeline.epoch_files is not None:
        journal.give_back(index, pipeline.epoch_files)
    pipeline.trainer.observer.clock.seconds = dict(index["clock"])
    pipeline.trainer.start = TrainState([EpochRecord(**one) for one in index["history"]], parts)
    pipeline.began = time.perf_counter() - index["seconds"]


class Checkpoints(events.Listener):
    """Writes a pipeline's checkpoints, of the run's ``number``-th seed; a failure stops the run.

    Goes before other listeners: what they draw from the global generators is
    no part of the training.
    """

    essential = True

    def __init__(self, pipeline: Pipeline, journal: Journal, number: int) -> None:
        self._pipeline: Pipeline | None = pipeline
        self._journal = journal
        self._number = number

    def on_epoch(self, event: events.EpochEvent) -> None:
        """Write a checkpoint."""
        pipeline = self._pipeline
        assert pipeline is not None, "no epoch comes after the end"
        states = pipeline.states()
        seconds = time.perf_counter() - pipeline.began
        self._journal.write(
            self._number,
            pipeline.trainer.progress(),
            states,
            seconds,
            pipeline.epoch_files,
            pipeline.trainer.observer.clock.seconds,
        )

    def on_end(self, event: events.EndEvent) -> None:
        """Let go of the pipeline: a cycle would keep its tensors alive."""
        self._pipeline = None


class Relay(events.Listener):
    """Stands between one listener and each of ``n`` trainings."""

    def __init__(self, listener: events.Listener, n: int) -> None:
        self.essential = listener.essential
        self._listener = listener
        self._n = n
        self._number = 0
        self._epochs = 0
        self._began = time.perf_counter()
        self._heard_start = False
        self._failed = False

    def at(self, number: int) -> None:
        """Say which training comes, from 0."""
        self._number = number

    def on_start(self, event: events.StartEvent) -> None:
        """Pass the first one on."""
        self._epochs = event.n_epochs
        if not self._heard_start:
            self._heard_start = True
            self._tell("on_start", dataclasses.replace(event, n_epochs=self._n * event.n_epochs))

    def on_step(self, event: events.StepEvent) -> None:
        """Pass it on."""
        self._tell("on_step", dataclasses.replace(event, epoch=self._before + event.epoch))

    def on_epoch(self, event: events.EpochEvent) -> None:
        """Pass it on as an epoch of the whole."""
        epoch, n_epochs = self._before + event.epoch, self._n * event.n_epochs
        elapsed = time.perf_counter() - self._began
        self._tell(
            "on_epoch",
            dataclasses.replace(
                event,
                epoch=epoch,
                n_epochs=n_epochs,
                elapsed=elapsed,
                remaining=elapsed / epoch * (n_epochs - epoch),
                map=dataclasses.replace(event.map, epoch=epoch),
            ),
        )

    def on_extra(self, event: events.ExtraEvent) -> None:
        """Pass it on."""
        self._tell("on_extra", event)

    def on_end(self, event: events.EndEvent) -> None:
        """Pass the last one on, or the one that ends it all."""
        if event.outcome != "finished" or self._number == self._n - 1:
            self._tell("on_end", dataclasses.replace(event, epochs=self._before + event.epochs))

    @property
    def _before(self) -> int:
        return self._number * self._epochs

    def _tell(self, what: str, event: object) -> None:
        """Pass ``event`` on, unless the listener failed in an earlier training."""
        if self._failed:
            return
        try:
            getattr(self._listener, what)(event)
        except Exception:
            self._failed = True
            raise
