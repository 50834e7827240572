"""Several trainings of one specification: their model seeds, and one run made of theirs."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from hcat_nb.errors import SpecError
from hcat_nb.registry import METHODS
from hcat_nb.runs.execution.info import GIVEN
from hcat_nb.runs.store.record import Record

if TYPE_CHECKING:
    import pandas as pd

    from hcat_nb.spec import RunSpec

# Proposals rest on the first network and on what was held out from it.
_OF_FIRST = ("suggested", "suggested_probability")
_ONE_START = (
    "every seed starts from the weights of the module that was handed over: seeds differ in order "
    "and dropout only; hand over a class, or a function that makes the module, to vary the weights"
)


def seed_specs(spec: RunSpec) -> list[RunSpec]:
    """Return the specification of each training: the same data, model seeds that count up.

    >>> from hcat_nb.spec import RunSpec
    >>> [one.model_seed for one in seed_specs(RunSpec(seed=5, seeds=3))]
    [5, 6, 7]
    """
    if spec.seeds == 1:
        return [spec]
    if spec.keep_dynamics == "logits":
        raise SpecError(
            f"keep_dynamics is 'logits' with seeds={spec.seeds}",
            "'none' or 'probs' (their means)",
            "keep the logits of one training (seeds=1)",
        )
    data, model = spec.effective_data_seed, spec.effective_model_seed
    # One network in doubt is enough to tell whether networks like it learn.
    later = {"folds": "0", "learning_check": False} if spec.folds == "auto" else {}
    return [
        spec.replace(
            seeds=1, data_seed=data, model_seed=model + number, **(later if number else {})
        )
        for number in range(spec.seeds)
    ]


def combined(runs: Sequence[Record], spec: RunSpec, outcome: str) -> Record:
    """Return one run that holds means over ``runs``, which differ in their model seeds only.

    Numbers are means, in ``details`` and ``history`` too (seconds are sums);
    ``details["<method>_std"]`` is the sample standard deviation of a score, NaN
    for a single seed.  A class or group is the one that most seeds give (equal
    counts: the earliest seed among them), a flag is set where more than half of
    the seeds set it.  Weights are those of the first seed.
    """
    first = runs[0]
    methods = first.methods
    scores = np.stack([run.scores[methods].to_numpy(np.float64) for run in runs])
    details = _votes_and_means([run.details for run in runs])
    for method in methods:  # who has no score in a seed has no mean, for that seed's reason
        column = f"{method}_status"
        details[column] = _first_words([run.details[column] for run in runs])
    spread = np.std(scores, axis=0, ddof=1) if len(runs) > 1 else np.full_like(scores[0], np.nan)
    spreads = {f"{method}_std": spread[:, i].astype(np.float32) for i, method in enumerate(methods)}
    return dataclasses.replace(
        first,
        spec=spec,
        scores=_filled(first.scores, scores.mean(axis=0), methods),
        details=details.assign(**spreads, **{name: first.details[name] for name in _OF_FIRST}),
        flags=_majority([run.flags for run in runs]),
        history=_history([run.history for run in runs]),
        timings=_timings([run.timings for run in runs]),
        info=_info(runs, outcome),
        dynamics=_means_where_kept([run.dynamics for run in runs]),
        held_out=_means_where_kept([run.held_out for run in runs]),
        seed_scores=_seed_scores(runs),
    )


def _filled(table: pd.DataFrame, values: np.ndarray, columns: Sequence[str]) -> pd.DataFrame:
    made = table.copy()
    for number, column in enumerate(columns):
        made[column] = values[:, number].astype(np.float32)
    return made


def _seed_scores(runs: Sequence[Record]) -> pd.DataFrame:
    """Return every seed's scores, one column each, ``el2n_seed_0 ...``."""
    columns = {
        f"{method}_seed_{number}": run.scores[method].to_numpy()
        for method in runs[0].methods
        for number, run in enumerate(runs)
    }
    known = [name for name in runs[0].scores.columns if name not in runs[0].methods]
    return runs[0].scores[known].assign(**columns)


def _means_where_kept(tables: Sequence[pd.DataFrame | None]) -> pd.DataFrame | None:
    kept = [table for table in tables if table is not None]
    return _votes_and_means(kept) if kept else None


def _votes_and_means(tables: Sequence[pd.DataFrame]) -> pd.DataFrame:
    import pandas as pd

    made = tables[0].copy()
    for name in made.columns:
        columns = [table[name] for table in tables]
        if isinstance(made[name].dtype, pd.CategoricalDtype):
            if not name.endswith("_status"):
                made[name] = _most_frequent(columns)
        elif made[name].dtype.kind == "f":
            values = np.stack([column.to_numpy(np.float64) for column in columns])
            made[name] = values.mean(axis=0).astype(made[name].dtype)
    return made


def _most_frequent(columns: Sequence[pd.Series[Any]]) -> pd.Categorical:
    import pandas as pd

    categories = columns[0].cat.categories
    codes = np.stack([column.cat.set_categories(categories).cat.codes for column in columns])
    votes = (codes[:, None] == codes[None]).sum(axis=1)  # how many agree with each seed's code
    chosen = np.take_along_axis(codes, votes.argmax(axis=0)[None], axis=0)[0]
    return pd.Categorical.from_codes(chosen, categories=categories)


def _first_words(columns: Sequence[pd.Series[Any]]) -> pd.Categorical:
    import pandas as pd

    words = columns[0].astype(object).to_numpy(copy=True)
    for column in columns[1:]:
        words = np.where(words == "", column.astype(object).to_numpy(), words)
    return pd.Categorical(words)


def _majority(tables: Sequence[pd.DataFrame]) -> pd.DataFrame:
    made = tables[0].copy()
    for name in made.columns:
        if made[name].dtype == bool:
            flagged = sum(table[name].to_numpy().astype(int) for table in tables)
            made[name] = np.asarray(flagged) * 2 > len(tables)
    return made


def _history(tables: Sequence[pd.DataFrame]) -> pd.DataFrame:
    total, n = sum(tables[1:], start=tables[0]), len(tables)
    means = [name for name in total.columns if not name.endswith("_seconds")]
    return total.assign(**{name: total[name] / n for name in means})


def _timings(timings: Sequence[dict[str, float]]) -> dict[str, float]:
    merge: dict[str, Callable[[list[float]], float]] = {"peak_memory_mb": max}
    names = list(dict.fromkeys(name for one in timings for name in one))
    return {
        name: merge.get(name, sum)([one[name] for one in timings if name in one]) for name in names
    }


def _info(runs: Sequence[Record], outcome: str) -> dict[str, Any]:
    info = dict(runs[0].info)
    one_start = info.get("initial_weights") == GIVEN
    methods = {}
    for name, described in info["methods"].items():
        methods[name] = dict(described)
        if name not in METHODS.names():
            continue
        averaged = METHODS.get(name).averaged(len(runs), described["options"])
        if averaged and one_start:
            averaged = (
                f"over {len(runs)} trainings from the same weights; "
                "the paper averages over initialisations"
            )
        if averaged:
            methods[name]["averaged"] = averaged
    return info | {
        "outcome": outcome,
        "methods": methods,
        "notes": [
            *dict.fromkeys(note for run in runs for note in run.info["notes"]),
            *([_ONE_START] if one_start else []),
        ],
        "model_seeds": [run.spec.effective_model_seed for run in runs],
        "accuracy_by_seed": [float(run.history["accuracy"].iloc[-1]) for run in runs],
    }
