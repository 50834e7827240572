"""Scores from dynamics that were recorded elsewhere: nothing is trained."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from hcat_nb.api.run import Run
from hcat_nb.errors import SpecError
from hcat_nb.fields import USERS_OWN
from hcat_nb.runs.execution.answers import answer
from hcat_nb.runs.execution.info import describe_dataset, describe_methods, peak_memory_mb, versions
from hcat_nb.runs.execution.inputs import make_methods
from hcat_nb.runs.execution.tables import (
    details_table,
    flags_table,
    map_columns,
    outcome,
    scores_table,
)
from hcat_nb.runs.recorded.inputs import RecordedInput, read_input
from hcat_nb.runs.recorded.replaying import (
    EpochTally,
    ReplayPlan,
    plan_methods,
    reads_the_end_only,
    score,
)
from hcat_nb.spec import RunSpec

if TYPE_CHECKING:
    from hcat_nb.methods.base import Method

_STAND_IN = {
    "epoch_end": "the logits at the end of each epoch in place of the training forward's, which "
    "its paper reads (recorded='train' if these are the training's own)",
    "train": "the logits of the training forward in place of the ones at the end of each epoch",
}


def characterize_dynamics(
    probs: Any = None,
    labels: Any = None,
    *,
    logits: Any = None,
    log_file: str | os.PathLike[str] | Sequence[str | os.PathLike[str]] | None = None,
    ids: Any = None,
    classes: Sequence[Any] | None = None,
    positive: Any = None,
    recorded: Literal["epoch_end", "train"] = "epoch_end",
    methods: str | Sequence[str] = "all",
    method_options: Mapping[str, Mapping[str, Any]] | None = None,
    on_missing: Literal["error", "drop", "keep"] = "error",
    on_missing_label: Literal["error", "drop", "keep"] = "error",
    truth: Any = None,
    name: str | None = None,
    out: str | Path | None = None,
    overwrite: bool = False,
) -> Run:
    """Score how hard each sample is from the dynamics of a training that is over.

    Give one of ``probs``, ``logits`` and ``log_file``.  Arrays are read in
    chunks and never copied whole: memory-mapped ones may be larger than
    memory.

    Parameters
    ----------
    probs : array of shape (epochs, samples, classes) or (epochs, samples), in [0, 1]
        Probabilities of all classes, or of the label alone, which serve fewer
        methods.  NumPy, torch, memory-mapped, or a list of one array an
        epoch; or of one DataFrame an epoch, whose rows are matched by its
        index and whose columns by the names of the classes.  Of a single epoch
        also (samples, classes).  A sample whose values are all NaN was not
        recorded in that epoch.
    labels : array-like of length n
        One label a sample, of any kind that :func:`hcat_nb.load` takes.  For
        a ``log_file`` only to replace the labels in it: a Series whose index
        holds its ids.
    logits : array of shape (epochs, samples, classes)
        Outputs before the softmax, in place of ``probs``.
    log_file : str, Path or sequence
        In place of both, the training dynamics of Dataset Cartography: a
        folder of ``dynamics_epoch_{k}.jsonl``, or such files; or those that
        :func:`hcat_nb.record` wrote (``.parquet``).  Samples are
        ordered by ``guid``, which is their id.
    ids : sequence of length n, optional
        Names of the samples (default: the index of a Series of labels, else
        positions).
    classes : sequence, optional
        All class values, in the order of the last axis (default: the values
        that occur, ascending).
    positive : class value or "label", optional
        Of ``probs`` (epochs, samples) with two classes: the class that they
        are the probability of, or ``"label"``, each sample's own.
    recorded : {"epoch_end", "train"}
        When they were recorded: at the end of each epoch by the model in
        evaluation mode, or in the forward pass of training.  A method defined
        on the other ones uses these, and ``run.info["notes"]`` says so;
        ``forgetting`` is then counted as with its option ``when="epoch_end"``.
    methods : str or sequence of str
        With ``"all"``, those that cannot be scored so are named with the
        reason in ``run.info["skipped"]``.
    method_options : mapping, optional
        Options by method.
    on_missing : {"error", "drop", "keep"}
        What to do with samples that some epochs lack.  Kept, they are scored from what
        exists, with the status ``2_of_3_epochs``, and have no score where a
        method needs more than there is.
    on_missing_label : {"error", "drop", "keep"}
        What to do with samples without a label.
    truth : array-like of length n, optional
        As in :func:`hcat_nb.characterize`; a Series is matched by its index.
    name : str, optional
        What the data are called in tables and on charts.
    out : str or Path, optional
        Folder to save the run to.
    overwrite : bool
        Replace a run that stands at ``out``.

    Returns
    -------
    Run
        ``run.info["model"]`` is ``"precomputed"``; there are no weights and
        no dataset.

    Raises
    ------
    HcatError
        Before scoring, if the dynamics cannot be used as they are, or if a
        method that is asked for by name needs what they do not hold.

    Examples
    --------
    >>> import numpy as np, hcat_nb as hcat
    >>> z = np.array([[[1.0, 0.0], [0.0, 1.0]], [[3.0, 0.0], [2.0, 0.0]]])
    >>> run = hcat.characterize_dynamics(logits=z, labels=["cat", "dog"], methods="datamaps")
    >>> run.scores["datamaps"].round(2).tolist()
    [0.16, 0.57]
    >>> hcat.characterize_dynamics(logits=z, labels=["cat", "dog"], methods="vog")
    Traceback (most recent call last):
    hcat_nb.errors.SpecError: vog needs the model's gradients with respect to the inputs, which \
these dynamics do not hold; expected methods that need nothing else than logits; to mend it: \
train with hcat.characterize, or leave it out
    """
    began = time.perf_counter()
    if out is not None:
        from hcat_nb.runs.store.saving import check_folder

        check_folder(out, overwrite=overwrite)
    asked = RunSpec.from_options(
        dataset=USERS_OWN, model=USERS_OWN, methods=methods, method_options=method_options or {}
    )
    everything = make_methods(asked)
    given = read_input(
        probs,
        labels,
        logits,
        log_file,
        ids=ids,
        classes=classes,
        positive=positive,
        name=name,
        recorded=recorded,
        on_missing=on_missing,
        on_missing_label=on_missing_label,
        truth=truth,
    )
    if truth is not None:
        asked = asked.replace(truth=USERS_OWN)
    plan = _plan(asked, everything, given)
    spec = asked.replace(
        epochs=given.recorded.n_epochs,
        methods=tuple(method.name for method in plan.methods),
        method_options={
            method.name: dict(asked.method_options.get(method.name, {}))
            for method in plan.methods
            if method.name in asked.method_options
        },
        on_missing_label=on_missing_label,
    )
    run = _run(spec, plan, given, began)
    if out is not None:
        run.save(out, overwrite=overwrite)
    return run


def _plan(spec: RunSpec, methods: Sequence[Method], given: RecordedInput) -> ReplayPlan:
    """Return what can be scored; refuse what was asked for by name and cannot."""
    chosen = [name for name, options in spec.method_options.items() if "when" in options]
    plan = plan_methods(methods, given.recorded, stand_in=True, chosen=chosen)
    last = given.dataset.labels[given.counts > 0]
    if len(last[last >= 0].unique()) < 2:
        for method in [one for one in plan.methods if reads_the_end_only(one)]:
            plan.methods.remove(method)
            plan.refused[method.name] = "needs samples of two classes in the last epoch"
    if plan.refused and (spec.methods != ("all",) or not plan.methods):
        name, reason = next(iter(plan.refused.items()))
        what = given.recorded.content.replace("_", " of the ")
        others = [one for one in plan.refused if one != name]
        raise SpecError(
            f"{name} {reason}, which these dynamics do not hold"
            + (f" (nor what {', '.join(others)} need)" if others else ""),
            f"methods that need nothing else than {what}",
            "train with hcat.characterize, or leave it out",
        )
    return plan


def _run(spec: RunSpec, plan: ReplayPlan, given: RecordedInput, began: float) -> Run:
    import pandas as pd

    from hcat_nb.observation.dynamics import MapDynamics
    from hcat_nb.runs.execution.given_truth import with_hardness

    recorded, dataset = given.recorded, given.dataset
    label_only = recorded.content == "label_probs"
    dynamics = MapDynamics(dataset.labels, dataset.n_classes, label_only=label_only)
    tally = EpochTally(dataset.labels, label_only=label_only)
    now = time.perf_counter()
    timings = {"load": now - began}
    scored = score(
        plan.methods,
        recorded,
        dataset.labels,
        n_classes=dataset.n_classes,
        n_epochs=recorded.n_epochs,
        seed=spec.effective_model_seed,
        counts=given.counts,
        dynamics=dynamics,
        tally=tally,
    )
    hard, note = with_hardness(dataset, spec)
    said = answer(dataset, dynamics)
    on_map = map_columns(dataset, dynamics, recorded.n_epochs, plan.methods, said)
    del dynamics  # as large as an epoch's logits, and cleanlab's own copies come next
    outcomes = {method.name: outcome(method, scored[method.name]) for method in plan.methods}
    timings["score"] = time.perf_counter() - now
    timings["total"] = time.perf_counter() - began
    if (peak := peak_memory_mb()) is not None:
        timings["peak_memory_mb"] = peak
    history = pd.DataFrame(tally.rows).set_index("epoch")
    return Run(
        spec=spec,
        scores=scores_table(dataset, outcomes),
        details=details_table(dataset, on_map, outcomes),
        truth=hard.truth,
        flags=flags_table(dataset, outcomes),
        history=history.assign(train_seconds=0.0, observe_seconds=0.0),
        timings=timings,
        info=_info(plan, given, [note, *said.notes()]) | said.info(),
    )


def _info(plan: ReplayPlan, given: RecordedInput, more: list[str]) -> dict[str, Any]:
    recorded = given.recorded
    notes = [*given.notes, *filter(None, more)]
    if plan.stand_ins:
        verb = "reads" if len(plan.stand_ins) == 1 else "read"
        notes.append(f"{', '.join(plan.stand_ins)} {verb} {_STAND_IN[recorded.moment]}")
    return {
        "outcome": "finished",
        "dataset": {
            **describe_dataset(given.dataset),
            "modality": "dynamics",
            "notes": list(given.dataset.notes),
        },
        "model": "precomputed",
        "model_parameters": None,
        "embedding": None,
        "methods": describe_methods(plan.methods),
        "skipped": plan.refused,
        "recorded": {
            "content": recorded.content,
            "moment": recorded.moment,
            "epochs": recorded.n_epochs,
        },
        "device": "cpu",
        "notes": notes,
        "versions": versions(),
    }
