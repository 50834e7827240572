"""Runs of estimators of scikit-learn's kind: stage by stage of a boosting, or out of fold."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from hcat_nb.errors import ModelError, SpecError

if TYPE_CHECKING:
    from hcat_nb.api.run import Run
    from hcat_nb.data.dataset import LabelledDataset
    from hcat_nb.runs.execution.inputs import Inputs
    from hcat_nb.spec import RunSpec

_STAGES, _FOLDS = 50, 5  # stages at most, evenly spaced
_ONE_MOMENT = ("cleanlab", "dataiq", "datamaps", "el2n", "loss")  # served out of fold
_COURSE = "needs the course of a training: the stages of a boosting, or a network"


def is_estimator(model: Any) -> bool:
    """Whether a model is an object with scikit-learn's interface."""
    wanted = ("fit", "get_params", "predict")
    return not isinstance(model, type) and all(hasattr(model, one) for one in wanted)


def of_estimator(spec: RunSpec, inputs: Inputs) -> Run:
    """Return the run of an estimator, of which copies are fitted; see :func:`characterize`."""
    import pandas as pd
    import torch

    from hcat_nb.api.characterize_dynamics import characterize_dynamics
    from hcat_nb.runs.execution.given_truth import with_hardness
    from hcat_nb.runs.execution.inputs import load_dataset
    from hcat_nb.runs.execution.tables import held_out_table

    began = time.perf_counter()
    if spec.seeds > 1 or spec.observe != "pass" or spec.keep_dynamics != "none":
        what = "seeds, observe and keep_dynamics are for networks, and the model is a classifier"
        raise SpecError(what, "none of these options")
    data, labels, name, model, classes, truth, _ = inputs
    if not hasattr(model, "predict_proba"):
        what = f"{type(model).__name__} has no predict_proba"
        raise ModelError(what, "a classifier with it", "wrap it in CalibratedClassifierCV")
    clean = load_dataset(data, labels, name, spec, classes, truth)
    perturbed, said = with_hardness(clean, spec)
    dataset = perturbed.dataset
    x = _own(data, spec, dataset) if dataset.features is clean.features else None
    x = dataset.features.flatten(1).numpy() if x is None else x
    folds = int(spec.folds) if spec.folds.isdecimal() else 0
    probs, note = _judged(model, x, dataset, folds, spec.effective_model_seed)
    fitted, staged = time.perf_counter() - began, len(probs) > 1
    names: str | Sequence[str] = "all" if spec.methods == ("all",) else spec.method_names()
    lost = [] if staged else [one for one in spec.method_names() if one not in _ONE_MOMENT]
    if lost and names != "all":
        raise SpecError(f"{lost[0]} {_COURSE}", f"methods among {', '.join(_ONE_MOMENT)}")
    run = characterize_dynamics(
        probs,
        pd.Series(dataset.label_values()),
        ids=dataset.sample_ids,
        classes=list(dataset.class_values),
        methods=names if staged or names != "all" else _ONE_MOMENT,
        method_options=spec.method_options,
        on_missing="keep",
        on_missing_label="keep",
        name=dataset.name,
    )
    info = run.info | {
        "kind": "estimator",
        "model": type(model).__name__,
        "skipped": run.info["skipped"] | dict.fromkeys(lost, _COURSE),
        "notes": [*run.info["notes"], note, *([said] if said else [])],
        "dataset": run.info["dataset"] | {"modality": dataset.modality},
    }
    return dataclasses.replace(
        run,
        spec=spec.replace(epochs=len(probs)),
        truth=perturbed.truth,
        dataset=dataset,
        timings=run.timings | {"train": fitted, "total": time.perf_counter() - began},
        info=info,
        held_out=None if staged else held_out_table(dataset, torch.from_numpy(probs[0])),
    )


def _own(data: Any, spec: RunSpec, dataset: LabelledDataset) -> Any:
    """Return the user's own rows, as an estimator of theirs takes them; None if they are others."""
    import pandas as pd

    data = data[0] if isinstance(data, tuple) and data else data
    if isinstance(data, pd.DataFrame):
        beside = {*map(str, (spec.target, spec.truth, spec.groups, spec.weights)), *spec.exclude}
        data = data.drop(columns=[one for one in data.columns if str(one) in beside])
    elif not (isinstance(data, np.ndarray) and data.ndim == 2):
        return None
    return data if len(data) == len(dataset) else None


def _judged(
    model: Any, x: Any, dataset: LabelledDataset, folds: int, seed: int
) -> tuple[np.ndarray, str]:
    """Return probabilities, (stages, n, C), float32, NaN where there are none, and a note."""
    from sklearn.base import clone

    from hcat_nb.data.folds import split_rows

    model, codes = clone(model), dataset.labels.numpy()
    if model.get_params().get("random_state", seed) is None:
        model.set_params(random_state=seed)
    at = x.iloc.__getitem__ if hasattr(x, "iloc") else x.__getitem__
    every, rows = (np.flatnonzero(one) for one in (dataset.readable, dataset.trainable))
    stages = None if folds else _stages(model)
    if stages is not None:
        made = stages(model.fit(at(rows), codes[rows]), at(every))
        whole = np.full((len(made), len(dataset), dataset.n_classes), np.nan, np.float32)
        for stage, probs in enumerate(made):
            whole[stage, every] = 0
            whole[stage][np.ix_(every, np.asarray(model.classes_, int))] = probs
        return whole, f"{len(made)} stages of one fit, which saw all labels, stand for epochs"
    whole = np.full((1, len(dataset), dataset.n_classes), np.nan, np.float32)
    for learned, held_out in split_rows(dataset, folds or _FOLDS, seed % 2**32):
        fitted = clone(model).fit(at(learned.numpy()), codes[learned.numpy()])
        own = held_out.numpy()
        whole[0, own] = 0
        whole[0][np.ix_(own, np.asarray(fitted.classes_, int))] = fitted.predict_proba(at(own))
    return whole, f"probabilities out of fold, by {folds or _FOLDS} fits"


def _stages(model: Any) -> Callable[[Any, Any], list[np.ndarray]] | None:
    """Return what gives a fitted model's probabilities after some of its stages, if it has any."""
    last = model.steps[-1][1] if hasattr(model, "steps") else model
    package = type(last).__module__.partition(".")[0]
    if not (hasattr(last, "staged_predict_proba") or package in ("xgboost", "lightgbm")):
        return None

    def stages(fitted: Any, x: Any) -> list[np.ndarray]:
        own, x = (fitted, x) if last is model else (fitted[-1], fitted[:-1].transform(x))
        if package == "xgboost":
            count = own.get_booster().num_boosted_rounds()
        else:
            count = int(getattr(own, "n_iter_", 0)) or len(own.estimators_)
        chosen = sorted({-(-count * one // _STAGES) for one in range(1, _STAGES + 1)})
        if package == "xgboost":
            return [own.predict_proba(x, iteration_range=(0, one)) for one in chosen]
        if package == "lightgbm":
            return [own.predict_proba(x, num_iteration=one) for one in chosen]
        made = enumerate(own.staged_predict_proba(x), start=1)
        return [probs for stage, probs in made if stage in chosen]

    return stages
