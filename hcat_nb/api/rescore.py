"""More methods for a run that is over, from the dynamics that it kept: nothing is trained."""

from __future__ import annotations

import dataclasses
import os
import time
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from hcat_nb.api.run import Run
from hcat_nb.errors import SpecError
from hcat_nb.registry import METHODS
from hcat_nb.runs.execution.info import describe_methods, versions
from hcat_nb.runs.execution.inputs import make_methods
from hcat_nb.runs.execution.tables import outcome
from hcat_nb.runs.measuring import metrics_to_keep
from hcat_nb.runs.recorded.kept import kept_dynamics
from hcat_nb.runs.recorded.replaying import ReplayPlan, plan_methods, score
from hcat_nb.runs.store.record import Record
from hcat_nb.spec import RunSpec

if TYPE_CHECKING:
    import pandas as pd

    from hcat_nb.methods.base import Method, Scored
    from hcat_nb.observation.recorded import Recorded


def rescore(
    run: Run | str | os.PathLike[str],
    methods: str | Sequence[str] = "all",
    *,
    method_options: Mapping[str, Mapping[str, Any]] | None = None,
) -> Run:
    """Add methods to a run that kept its dynamics; what it has stays as it is.

    Scores are those that the training itself would have given, up to the digits of the kept
    numbers.  Of a saved run's folder all of the run's files are replaced, or none; what else is in
    it stays.  With ``"all"``, methods that the run lacks and that its dynamics can serve are added,
    and ``run.info["skipped"]`` names the others.  Variant and epoch mean are the run's where
    ``method_options`` name none.

    >>> import hcat_nb as hcat
    >>> run = hcat.characterize("wine", epochs=2, methods="el2n", keep_dynamics="logits")
    >>> more = rescore(run, "loss forgetting", method_options={"forgetting": {"when": "epoch_end"}})
    >>> more.methods
    ['el2n', 'forgetting', 'loss']
    """
    began = time.perf_counter()
    if isinstance(run, Record):
        return _rescored(Run.of(run), methods, method_options or {}, began)
    from hcat_nb.runs.store.lock import owned
    from hcat_nb.runs.store.saving import folder_path, load_record, write_record

    folder = folder_path(run)
    saved = Run.of(load_record(folder))
    with owned(folder, "hcat rescore"):
        more = _rescored(saved, methods, method_options or {}, began)
        write_record(more, folder, metrics_to_keep(more), keep_checkpoint=True)
    return more


def _rescored(
    run: Run, methods: str | Sequence[str], options: Mapping[str, Mapping[str, Any]], began: float
) -> Run:
    import torch

    from hcat_nb.methods.base import NO_OUTPUT, UNREADABLE

    recorded = kept_dynamics(run)
    asked = RunSpec.from_options(
        methods=methods,
        method_options=options,
        variant=run.spec.variant,
        epoch_mean=run.spec.epoch_mean,
    )
    plan = _plan(run, asked, recorded)
    codes = run.details["label"].cat.codes.to_numpy().astype(np.int64)
    # Every method says so of the same samples.
    statuses = run.details.filter(items=[f"{name}_status" for name in run.methods]).astype("str")
    unreadable = statuses.iloc[:, 0].eq(UNREADABLE).to_numpy(copy=True)
    no_output = (statuses == NO_OUTPUT).all(axis=1).to_numpy(copy=True)
    scored = score(
        plan.methods,
        recorded,
        torch.from_numpy(codes),
        n_classes=len(run.info["dataset"]["class_values"]),
        n_epochs=run.spec.epochs or len(run.history),
        seed=run.spec.effective_model_seed,
        unreadable=torch.from_numpy(unreadable) if unreadable.any() else None,
        no_output=torch.from_numpy(no_output),
    )
    return _with(run, plan, asked, scored, recorded, began)


def _plan(run: Run, asked: RunSpec, recorded: Recorded) -> ReplayPlan:
    """Return what can be added; refuse what was asked for by name and cannot."""
    everything = asked.methods == ("all",)
    there = [name for name in asked.method_names() if name in run.methods]
    if there and not everything:
        raise SpecError(
            f"the run has {', '.join(there)} already",
            "methods that it lacks",
            "train again for other options",
        )
    fresh = [method for method in make_methods(asked) if method.name not in run.methods]
    plan = plan_methods(fresh, recorded, stand_in=False)
    if plan.refused and (not everything or not plan.methods):
        name, reason = next(iter(plan.refused.items()))
        raise SpecError(
            f"{name} {reason}, which the run did not keep",
            f"methods that need nothing else than {recorded.content.replace('_', ' of the ')}",
            _remedy(next(method for method in fresh if method.name == name)),
        )
    if not plan.methods:
        raise SpecError("the run has all methods already", "methods that it lacks")
    return plan


def _remedy(method: Method) -> str:
    if "when" in {item.name for item in dataclasses.fields(method)}:  # type: ignore[arg-type]
        return f"{method.name}.when=epoch_end reads the end of epochs, or train again"
    return "train again with this method"


def _with(
    run: Run,
    plan: ReplayPlan,
    asked: RunSpec,
    scored: Mapping[str, Scored],
    recorded: Recorded,
    began: float,
) -> Run:
    """Return the run with the new columns."""
    known = METHODS.names()
    names = sorted(
        [*run.methods, *scored],
        key=lambda name: (known.index(name) if name in known else len(known), name),
    )
    told = {method.name: outcome(method, scored[method.name]) for method in plan.methods}
    own = {key: value for one in told.values() for key, value in one.details.items()}
    details = {key: value for key, value in own.items() if key not in run.details}
    statuses = {f"{name}_status": one.status for name, one in told.items()}
    scores = run.scores.assign(**{name: one.scores for name, one in told.items()})
    flags = {name: one.flagged for name, one in told.items() if one.flagged is not None}
    spec = RunSpec.recorded(
        {
            **run.spec.to_dict(),
            "methods": names,
            "method_options": {**run.spec.method_options, **asked.method_options},
        }
    )
    described = {**run.info["methods"], **describe_methods(plan.methods)}
    entry = {"methods": list(scored), "from": recorded.content, "versions": versions()}
    return dataclasses.replace(
        run,
        spec=spec,
        scores=_ordered(scores, names),
        details=_statuses_last(run.details.assign(**details, **statuses), names),
        flags=_ordered(run.flags.assign(**flags), names),
        timings={**run.timings, "rescore": time.perf_counter() - began},
        info={
            **run.info,
            "methods": {name: described[name] for name in names},
            "skipped": plan.refused,
            "rescored": [*run.info.get("rescored", []), entry],
        },
    )


def _ordered(table: pd.DataFrame, names: Sequence[str]) -> pd.DataFrame:
    """Return the columns of ``table``, those of methods last and in order."""
    others = [column for column in table.columns if column not in names]
    return table[[*others, *(name for name in names if name in table.columns)]]


def _statuses_last(details: pd.DataFrame, names: Sequence[str]) -> pd.DataFrame:
    return _ordered(details, [f"{name}_status" for name in names])
