"""An audit: trains on data as they are and on copies with planted faults, and concludes."""

from __future__ import annotations

import dataclasses
import os
import shutil
import warnings
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from hcat_nb.api.characterize import characterize
from hcat_nb.api.resume import resume
from hcat_nb.api.run import Run, load_run
from hcat_nb.audits.causes import causes
from hcat_nb.audits.outcome import Audit
from hcat_nb.audits.plan import Plan, planned, seconds_of
from hcat_nb.audits.probes import offered, plant
from hcat_nb.audits.ranking import Copies, candidates, judge
from hcat_nb.audits.samples import samples_table
from hcat_nb.audits.signals import Signals, signals_of
from hcat_nb.audits.store import begin, check_place, read_plan
from hcat_nb.commands.table import DATA_FIELDS
from hcat_nb.data.folds import units
from hcat_nb.data.loading import load
from hcat_nb.errors import DataError, HcatError, SpecError
from hcat_nb.evaluation._truth import UNKNOWN
from hcat_nb.fields import USERS_OWN
from hcat_nb.registry import FURTHER
from hcat_nb.runs.execution.forecast import forecast
from hcat_nb.runs.execution.inputs import check_audience, load_dataset, make_spec
from hcat_nb.runs.review.rebuilding import data_given
from hcat_nb.runs.review.samples import Samples
from hcat_nb.runs.store.checkpoint import unfinished
from hcat_nb.runs.store.folder import is_run
from hcat_nb.seeds import child_seed
from hcat_nb.spec import RunSpec

if TYPE_CHECKING:
    from hcat_nb.models._building import ModelLike
    from hcat_nb.training.events import Control, Listener

# Fields that say how the data are read or judged, not how a network is trained.
_NOT_OF_COPIES = {
    *DATA_FIELDS,
    *("truth", "groups", "weights", "join_spellings", "exclude", "strict", "seeds", "model_seed"),
    *("folds", "learning_check", "keep_dynamics"),
}
_LEAST = 20  # rows, of which a tenth can be planted into
RUN = "run"  # in the audit's folder: what stays of its trainings


def audit(
    data: Any = None,
    labels: Any = None,
    *,
    budget: str | float | None = None,
    trusted: Any = None,
    name: str | None = None,
    model: ModelLike | None = None,
    classes: Sequence[Any] | None = None,
    features: Any = None,
    listeners: Sequence[Listener] = (),
    control: Control | None = None,
    out: str | Path | None = None,
    overwrite: bool = False,
    spec: RunSpec | None = None,
    **options: Any,
) -> Audit:
    """Say what is wrong with a dataset, how sure that is, and what to look at first.

    Trains on the data as they are (run A), plants plausible faults into a copy
    and trains on that (run B), and applies what found the planted ones to run A.

    Parameters
    ----------
    data, labels, name, model, classes, features, listeners, control, spec
        As of :func:`hcat_nb.characterize`; listeners are called for run A only.
    budget : str or float, optional
        Time for all trainings ("90s", "10min", "1h", or seconds).  As many
        seeds are trained, up to 3, as fit by a forecast; if none fits, one
        seed, with only the methods that need no pass of their own.  The plan is
        recorded: with the same plan an audit gives identical numbers.
    trusted : array-like of length n or str, optional
        Right labels of some rows, None elsewhere (or the name of a column):
        no fault is planted into these rows, and they tell how far the other
        labels can be believed.
    out : str or Path, optional
        Folder to save to; an audit that was interrupted there goes on.
    overwrite : bool
        Replace an audit that stands there.
    **options
        Fields of :class:`RunSpec`; default of ``methods``: all, ``alt_prob``,
        ``nearest_twin``, ``knn_ood`` and ``embedding_norm``.

    Returns
    -------
    Audit

    Raises
    ------
    HcatError
        As :func:`hcat_nb.characterize`; if the network agrees with too few
        labels to plant wrong ones; if it is stopped (with ``out`` it goes on later).

    Examples
    --------
    >>> import hcat_nb as hcat
    >>> found = hcat.audit("wine", epochs=8, methods="aum el2n", seed=0)
    >>> len(found.samples), found.recommended in found.methods.index
    (178, True)
    """
    if int(os.environ.get("WORLD_SIZE", "1")) > 1:
        raise SpecError("torchrun started an audit", "one process", "start it without torchrun")
    check_audience(listeners, control, overwrite=overwrite)
    options.setdefault("methods", ("all", *FURTHER))
    chosen = make_spec(data, model, spec, options, trusted, features)
    wanted = chosen.seeds if "seeds" in options else None
    inputs = {"labels": labels, "name": name, "model": model, "classes": classes}
    given = {**inputs, "features": features, "truth": trusted}
    limit = seconds_of(budget)
    with ExitStack() as held:
        folder = None if out is None else check_place(out, chosen, held, overwrite=overwrite)
        work = _Work(folder, control)
        plan = None if folder is None or overwrite else read_plan(folder)
        if plan is None:
            plan = _plan(chosen, wanted, limit, data, given)
            if folder is not None:  # what stands there goes only now that the data can be read
                begin(folder, plan, chosen)
        first = chosen.replace(seeds=1, keep_dynamics="logits", methods=plan.methods)
        run = work.trained(RUN, data, given, first, listeners)
        held.enter_context(warnings.catch_warnings())
        warnings.simplefilter("ignore", UserWarning)  # of the data: run A told them already
        if run.dataset is None:  # it was trained before an interruption
            again = load(data, labels, name=name, classes=classes) if labels is not None else data
            run.dataset = data_given(run, None if isinstance(data, str) else again)
        later = {"folds": "0", "learning_check": False}
        clean = [run]
        for number in range(1, plan.seeds):
            seed = first.effective_model_seed + number
            again = first.replace(model_seed=seed, data_seed=first.effective_data_seed, **later)
            clean.append(work.trained(f"run_{number}", data, given, again))
        found = _conclude(run, clean, plan, work, model, features)
        if folder is not None:
            found.write(folder)
            for one in folder.iterdir():  # of the trainings, run A alone is looked at later
                if one.name != RUN and is_run(one):
                    shutil.rmtree(one)
        return found


@dataclasses.dataclass(frozen=True)
class _Work:
    """Trains the parts of an audit, each in a folder of its own from which it goes on."""

    _folder: Path | None
    _control: Control | None

    def trained(
        self,
        name: str,
        data: Any,
        given: dict[str, Any],
        spec: RunSpec,
        listeners: Sequence[Listener] = (),
    ) -> Run:
        """Return a run that is finished, trained now or before."""
        place = None if self._folder is None else self._folder / name
        told: dict[str, Any] = {"listeners": listeners, "control": self._control}
        if place is not None and place.is_dir() and unfinished(place) is not None:
            # Also one that was stopped, which left a run of fewer epochs there.
            objects = {key: given[key] for key in ("labels", "model", "features", "truth")}
            run = resume(place, None if isinstance(data, str) else data, **objects, **told)
        elif place is not None and is_run(place):
            return load_run(place)
        else:
            run = characterize(data, spec=spec, out=place, overwrite=True, **given, **told)
        if run.info["outcome"] != "finished":
            raise HcatError(
                f"the audit was stopped in its part {name!r}",
                remedy="call it again to begin anew"
                if place is None
                else "call it again with the same out to go on",
            )
        return run


def _plan(
    spec: RunSpec, wanted: int | None, limit: float | None, data: Any, given: dict[str, Any]
) -> Plan:
    methods = tuple(spec.method_names())

    def seconds(names: tuple[str, ...]) -> float:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # of the data: run A will tell them
            return forecast(data, spec=spec.replace(seeds=1, methods=names), **given).seconds

    dataset = load_dataset(
        data, given["labels"], given["name"], spec, given["classes"], given["truth"]
    )
    Samples(dataset.sample_ids, pd.Categorical([]))  # ids that repeat cannot be reviewed
    if (n := int(dataset.trainable.sum())) < _LEAST:
        raise DataError(f"{n} rows can be trained on", f"{_LEAST} at least: fewer tell nothing")
    if (few := len(np.unique(units(dataset)[dataset.trainable.numpy()]))) < 5:
        wrong = f"the data are {few} groups of rows that belong together or are equal"
        raise DataError(wrong, "5 at least, to judge by groups left out")
    return planned(n, wanted, methods, limit, seconds)


def _conclude(
    run: Run, clean: Sequence[Run], plan: Plan, work: _Work, model: Any, features: Any
) -> Audit:
    """Plant faults, train on the copies, and apply what finds them to the data as they are."""
    dataset = run.dataset
    assert dataset is not None
    views = [signals_of(one, dataset) for one in clean]
    seed = child_seed(run.spec.seed, "audit")
    kinds, note = offered(dataset, features_fixed=run.spec.features == USERS_OWN)
    probabilities = np.mean([one.probabilities for one in views], axis=0)
    if run.spec.truth:  # rows of which more is known are never planted into
        probabilities[(run.truth["hardness"] != UNKNOWN).to_numpy()] = np.nan
    own = {item.name for item in dataclasses.fields(RunSpec)} - _NOT_OF_COPIES
    shared = {name: getattr(run.spec, name) for name in own}
    parts = []
    for number in range(plan.copies):
        planted = plant(dataset, probabilities, kinds, child_seed(seed, f"copy/{number}"))
        spec = RunSpec(
            **shared,
            seed=run.spec.seed,
            model_seed=run.spec.effective_model_seed + plan.seeds + number,
            folds="0",
            learning_check=False,
            keep_dynamics="logits",
            on_missing_label="keep",
            on_bad_row="keep",
        )
        given = {"labels": None, "model": model, "features": features, "truth": None}
        trained = work.trained(f"copy_{number}", planted.dataset, given, spec)
        parts.append((signals_of(trained, planted.dataset), planted))
    copies = _stacked(parts, units(dataset))
    judged = judge(copies, views, seed % 2**32)
    every = np.ones(len(dataset), dtype=bool)
    why = causes(copies, [one.features(every) for one in views], kinds, seed % 2**32)
    return Audit(
        run=run,
        samples=samples_table(run, views, judged, why),
        methods=judged.table,
        causes=why.table,
        recommended=judged.recommended,
        probes=judged.probes,
        plan=plan,
        notes=[one for one in (plan.too_short(), note) if one],
    )


def _stacked(parts: Sequence[tuple[Signals, Any]], group: np.ndarray) -> Copies:
    """Return what is known of all copies, one below the other; ``group``: who shares a fold."""
    scores, features, codes, members = [], [], [], []
    for signals, planted in parts:
        free = planted.causes < 0
        used = planted.dataset.trainable.numpy()  # of the others nothing is known
        own = candidates(signals, free)
        scores.append({name: score[used] for name, score in own.items()})
        features.append(signals.features(free)[used])
        codes.append(planted.causes[used])
        joined = np.minimum(group, group[planted.parents])  # a blend is with its parent
        members.append(joined[used])
    known = [name for name in scores[0] if all(name in one for one in scores)]
    return Copies(
        {name: np.concatenate([one[name] for one in scores]) for name in known},
        np.concatenate(features),
        np.concatenate(codes),
        np.concatenate(members),
    )
