"""Carries a run out: one training for each seed, checkpoints, and the folder in the end."""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from hcat_nb.errors import DivergedError, HcatError, StoreError
from hcat_nb.runs._fingerprint import (
    differences,
    environment,
    model_fingerprint,
    study_fingerprint,
)
from hcat_nb.runs._followers import check_spec, from_leader
from hcat_nb.runs._seeds import combined, seed_specs

if TYPE_CHECKING:
    from hcat_nb.models._backbone import Backbone
    from hcat_nb.perturbations.base import Perturbed
    from hcat_nb.runs._inputs import Inputs
    from hcat_nb.runs._journal import Journal
    from hcat_nb.runs._relay import Relay
    from hcat_nb.runs._study import Study
    from hcat_nb.runs.run import Run
    from hcat_nb.spec import RunSpec
    from hcat_nb.training.events import Control, Listener
    from hcat_nb.training.ranks import Ranks

__all__ = ["carry_out"]


def carry_out(
    make_study: Callable[..., Study],
    spec: RunSpec,
    inputs: Inputs,
    listeners: Sequence[Listener],
    control: Control | None,
    journal: Journal | None,
    ranks: Ranks | None = None,
) -> Run:
    """Return the run of ``spec``; see :func:`hcat_nb.characterize`.

    Parameters
    ----------
    make_study : callable
        ``Study``, called with a specification and ``given=`` data.
    spec : RunSpec
    inputs : Inputs
    listeners : sequence of Listener
    control : Control, optional
    journal : Journal, optional
        Where checkpoints and the run go; goes on from those that it reads.
    ranks : Ranks, optional
        The processes that all carry it out together, if this one is not alone.

    Raises
    ------
    HcatError
        See :func:`hcat_nb.characterize`.
    """
    from hcat_nb.training.events import Control

    control = control or Control()
    leads = ranks is None or ranks.leads
    specs = seed_specs(spec)
    if ranks is not None:
        check_spec(spec, ranks)
        listeners = listeners if ranks.leads else ()
    runs: list[Run | None] = [] if journal is None else [*journal.seeds()]
    heard = _heard(listeners, len(specs))
    given: Perturbed | None = None
    backbone: Backbone | None = None
    outcome = "finished"
    for number in range(len(runs), len(specs)):
        begun = None if journal is None else journal.index
        order = () if begun is None else begun["data"]["class values"]
        study = make_study(
            specs[number], given=given, backbone=backbone, ranks=ranks, class_order=order
        )
        study.prepare(*inputs)
        given, backbone = study.perturbed, study.backbone
        spec = spec.replace(epochs=study.epochs)
        essential = [] if journal is None else [_begin(study, journal, number)]
        for one in heard:
            one.at(number)
        try:
            training = study.train([*essential, *(heard or listeners)], control)
        except DivergedError as error:
            if error.training.history and not runs:
                study.gather()
                runs.append(study.run(error.training, "diverged") if leads else None)
            error.run = _ended(runs, spec, "diverged", study, journal)
            raise
        outcome = training.outcome
        if training.history and (outcome == "finished" or not runs):
            runs.append(study.run(training, outcome) if leads else None)
        if outcome != "finished":
            break
        if journal is not None and number + 1 < len(specs) and runs[-1] is not None:
            journal.keep_seed(number, runs[-1])
        if number + 1 < len(specs):
            del study, training  # one study's accumulators at a time
    run = _ended(runs, spec, outcome, study, journal)
    if run is None:
        raise HcatError("the run was stopped before its first epoch ended; there is no score yet")
    return run


def _heard(listeners: Sequence[Listener], n: int) -> list[Relay]:
    """Return what lets listeners hear several trainings as one; nothing for one training."""
    if n == 1:
        return []
    from hcat_nb.runs._relay import Relay

    return [Relay(listener, n) for listener in listeners]


def _ended(
    runs: Sequence[Run | None], spec: RunSpec, outcome: str, study: Study, journal: Journal | None
) -> Run | None:
    """Return the run of all trainings, saved; None if no epoch of any is finished."""
    if not runs:
        if journal is not None:
            journal.discard()
        return None
    ranks, scored = study.ranks, [run for run in runs if run is not None]
    if ranks is not None and not ranks.leads:
        return from_leader(ranks, None, study.dataset)
    run = scored[0] if spec.seeds == 1 else combined(scored, spec, outcome)
    run = replace(run, dataset=study.dataset)
    if journal is not None:
        if journal.resumed:
            run.info["resumed"] = journal.resumed
        journal.save(run, resumable=outcome == "stopped")
    return run if ranks is None else from_leader(ranks, run, study.dataset)


def _begin(study: Study, journal: Journal, number: int) -> Listener:
    """Return what writes the checkpoints of a study, which goes on from one if there is one."""
    from hcat_nb.runs._checkpoints import Checkpoints

    facts = {
        "data": study_fingerprint(study),
        "model": model_fingerprint(study.net),
        "epochs": study.epochs,
        "environment": environment(study.device, 1 if study.ranks is None else study.ranks.size),
    }
    index = journal.index
    if index is None:
        journal.head |= facts
        if number == 0:
            journal.begin()
    else:
        _compare(index, facts, journal)
        if index["seed"] == number and index["epoch"] > 0:
            _go_on(study, journal, index)
    return Checkpoints(study, journal, number)


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


def _go_on(study: Study, journal: Journal, index: dict[str, Any]) -> None:
    """Bring a prepared study to where the checkpoint was taken."""
    from hcat_nb.training.loop import EpochRecord, Progress

    parts, states = journal.tensors(index)
    accumulators = study.accumulators()
    # A run that was begun before there were judges goes on with them: they look at its end.
    fresh = {judge.name: judge.state() for judge in study.judges if judge.name in accumulators}
    states = fresh | states
    if states.keys() != accumulators.keys():
        raise StoreError(
            f"{journal.folder} holds the accumulators {', '.join(states)}",
            ", ".join(accumulators),
            "resume with the version of hcat_nb that began the run",
        )
    study.load_states(states)
    if study.epoch_files is not None:
        journal.give_back(index, study.epoch_files)
    study.trainer.observer.clock.seconds = dict(index["clock"])
    study.trainer.start = Progress([EpochRecord(**one) for one in index["history"]], parts)
    study.began = time.perf_counter() - index["seconds"]
