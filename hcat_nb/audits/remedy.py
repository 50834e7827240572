"""What mending is worth, measured on rows that no decision touches.

Every arm trains the same network with the same seeds on the rows that are not
held out, and is judged by these: keep all; drop the first share of the
ranking, of each class alike or whatever the class; let the same count a quarter
in the loss; drop as many at random; and, if somebody has decided, drop or
relabel what was confirmed.  Rows that are left out or held out lose their
label, so that networks see all arms alike; groups and duplicates are held out
together.
Intervals: paired bootstrap over held-out rows and seeds, 95 % for all arms
together (Bonferroni).  Labels of held-out rows may be wrong, too.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import torch

from hcat_nb.api.characterize import characterize
from hcat_nb.data.dataset import NO_LABEL, LabelledDataset
from hcat_nb.data.folds import units
from hcat_nb.errors import DataError, SpecError
from hcat_nb.methods.linear import stratified_folds
from hcat_nb.runs.review.decisions import decisions_of
from hcat_nb.runs.review.rebuilding import data_given
from hcat_nb.runs.review.samples import positions
from hcat_nb.seeds import child_seed

if TYPE_CHECKING:
    from hcat_nb.audits.outcome import Audit

KEEP = "keep all"
_FOLDS = 4  # a quarter of the rows is held out
_RESAMPLES = 2000
_WORSE = 0.05  # of a class's recall: a warning
_LEVEL = 0.05
_LIGHT = 0.25  # what a row counts in the loss that an arm does not trust


@dataclass(frozen=True, eq=False)
class Remedy:
    """How accurate networks are after each way of mending (an arm).

    Parameters
    ----------
    table : pandas.DataFrame
        Index ``arm``: ``rows`` trained on; ``accuracy`` on the held-out rows, in [0, 1], mean over
        seeds; ``gain`` over keeping all, with ``gain_low`` and ``gain_high`` (95 %);
        ``worst_class``, the class that loses most recall, and ``worst_change``.
    sentence : str
        The result in words.
    held_out : int
        How many rows were held out.
    """

    table: pd.DataFrame
    sentence: str
    held_out: int

    def __repr__(self) -> str:
        return f"{self.table.to_string()}\n{self.sentence}"


def remedy(
    audit: Audit,
    *,
    held_out: Any = None,
    share: float = 0.1,
    seeds: int = 5,
    model: Any = None,
    data: Any = None,
    features: Any = None,
) -> Remedy:
    """Measure how much mending improves accuracy; the head of this module names the arms.

    Parameters
    ----------
    audit : Audit
    held_out : array-like of sample ids, optional
        Rows to judge by; default: a quarter of each class, groups and duplicates whole.
    share : float
        Share of the rows, above 0 and below 0.5, that arms without decisions drop or weigh less.
    seeds : int
        Networks an arm; at least 2.
    model : str, Module or callable, optional
        Default: the run's, unless that was an object.
    data, features : optional
        Again what the audit was given as objects, if it was loaded, or had ``features``.

    Raises
    ------
    SpecError
        If a number is out of range.
    DataError
        If too few rows are left to train on, or to judge by.
    """
    if not isinstance(share, (int, float)) or not 0 < share < 0.5:
        raise SpecError(f"share is {share!r}", "a share of the rows, above 0 and below 0.5")
    if type(seeds) is not int or seeds < 2:
        raise SpecError(f"seeds is {seeds!r}", "at least 2 networks an arm")
    dataset = data_given(audit.run, data)
    own = {"model": model, "features": features}
    judge = _held_out(dataset, audit, held_out)
    arms = _arms(dataset, audit, judge, share)
    right = {name: _trained(audit, arm, dataset, judge, seeds, own) for name, arm in arms.items()}
    return _compared(dataset, arms, right, judge, child_seed(audit.run.spec.seed, "remedy"))


def _held_out(dataset: LabelledDataset, audit: Audit, ids: Any) -> np.ndarray:
    """Return which rows judge: (n,), bool."""
    labels = dataset.labels.numpy()
    chosen = np.zeros(len(dataset), dtype=bool)
    if ids is not None:
        chosen[positions(dataset.sample_ids, ids)] = True
    else:
        rows = np.flatnonzero(dataset.trainable.numpy())
        groups = units(dataset)[rows]
        seed = child_seed(audit.run.spec.seed, "held out") % 2**32
        chosen[rows[stratified_folds(labels[rows], groups, _FOLDS, seed) == 0]] = True
    # What somebody decided on is mended, and cannot judge the mending.
    chosen[[row for row, _ in decisions_of(audit.run).items()]] = False
    chosen &= dataset.trainable.numpy()
    left = dataset.trainable.numpy() & ~chosen
    if chosen.sum() < 20 or len(np.unique(labels[left])) < 2:
        raise DataError(
            f"{int(chosen.sum())} rows are held out and {int(left.sum())} are left",
            "20 at least, and two classes to train on",
        )
    return chosen


def _arms(
    dataset: LabelledDataset, audit: Audit, judge: np.ndarray, share: float
) -> dict[str, LabelledDataset]:
    """Return what each arm trains with; a row that is left out has no label."""
    base = dataset.labels.numpy().copy()
    base[judge | ~dataset.trainable.numpy()] = NO_LABEL
    place = dataset.sample_ids.get_indexer(audit.samples.index)
    ranked = place[base[place] >= 0]  # hardest first
    rng = np.random.default_rng(child_seed(audit.run.spec.seed, "random arm"))
    k = max(1, round(share * len(ranked)))
    first = np.concatenate(
        [
            own[: round(share * len(own))]
            for code in np.unique(base[ranked])
            for own in [ranked[base[ranked] == code]]
        ]
    )
    dropped = {
        f"drop the first {share:.0%} of each class": first,
        f"drop the first {share:.0%}": ranked[:k],
        f"drop {share:.0%} at random": rng.permutation(ranked)[:k],
    }
    labels = {KEEP: base} | {name: _without(base, rows) for name, rows in dropped.items()}
    decided = decisions_of(audit.run).items()
    wrong = [row for row, one in decided if one.action != "keep"]
    if wrong:
        labels["drop what was confirmed"] = _without(base, np.array(wrong))
        mended = labels["drop what was confirmed"].copy()
        new = {row: one.code for row, one in decided if one.action == "relabel"}
        mended[list(new)] = list(new.values())
        if new:
            labels["relabel what was confirmed"] = mended
    arms = {
        name: dataset.replace(labels=torch.from_numpy(one), truth=None)
        for name, one in labels.items()
    }
    weights = torch.ones(len(dataset)) if dataset.weights is None else dataset.weights.clone()
    weights[torch.from_numpy(first)] *= _LIGHT
    light = f"count the first {share:.0%} of each class a quarter"
    return arms | {light: arms[KEEP].replace(weights=weights)}


def _without(labels: np.ndarray, rows: np.ndarray) -> np.ndarray:
    left = labels.copy()
    left[rows] = NO_LABEL
    return left


def _trained(
    audit: Audit,
    arm: LabelledDataset,
    dataset: LabelledDataset,
    judge: np.ndarray,
    seeds: int,
    own: dict[str, Any],
) -> np.ndarray:
    """Return whether each network of an arm is right about each held-out row: (seeds, m), bool."""
    spec, true = audit.run.spec, dataset.labels.numpy()[judge]
    kept = ("model", "model_options", "features", "normalize", "epochs", "batch_size", "lr")
    options = {name: getattr(spec, name) for name in (*kept, "device", "data_on")}
    options |= {name: value for name, value in own.items() if value is not None}
    found = []
    for number in range(seeds):
        run = characterize(
            arm,
            **options,
            methods="loss",
            judges=False,
            folds="0",
            learning_check=False,
            on_missing_label="keep",
            on_bad_row="keep",
            seed=spec.seed,
            model_seed=spec.effective_model_seed + number,
        )
        found.append(run.details["predicted"].cat.codes.to_numpy()[judge] == true)
    return np.stack(found)


def _compared(
    dataset: LabelledDataset,
    arms: Mapping[str, LabelledDataset],
    right: Mapping[str, np.ndarray],
    judge: np.ndarray,
    seed: int,
) -> Remedy:
    rng = np.random.default_rng(seed)
    labels = dataset.labels.numpy()[judge]
    n_seeds, m = right[KEEP].shape
    draws = [
        (rng.integers(n_seeds, size=n_seeds), rng.integers(m, size=m)) for _ in range(_RESAMPLES)
    ]
    tail = _LEVEL / 2 / max(1, len(arms) - 1)
    rows = {}
    for name, hits in right.items():
        gains = hits.astype(float) - right[KEEP]
        drawn = [gains[some][:, others].mean() for some, others in draws]
        change = {
            dataset.class_values[code]: gains[:, labels == code].mean()
            for code in np.unique(labels)
        }
        worst = min(change, key=lambda one: change[one])
        rows[name] = {
            "rows": int(arms[name].trainable.sum()),
            "accuracy": hits.mean(),
            "gain": gains.mean(),
            "gain_low": np.quantile(drawn, tail),
            "gain_high": np.quantile(drawn, 1 - tail),
            "worst_class": worst,
            "worst_change": change[worst],
        }
    table = pd.DataFrame.from_dict(rows, orient="index").rename_axis("arm")
    return Remedy(table, _sentence(table), int(judge.sum()))


def _sentence(table: pd.DataFrame) -> str:
    others = table.drop(index=KEEP)
    sure, harmful = others[others["gain_low"] > 0], others[others["worst_change"] < -_WORSE]
    if len(sure):
        best = str(sure["gain"].idxmax())
        row = sure.loc[best]
        text = (
            f"{best}: {row['gain']:+.3f} accuracy on held-out rows "
            f"({row['gain_low']:+.3f} to {row['gain_high']:+.3f})."
        )
    else:
        effect = (
            "helps measurably" if (others["gain_high"] < 0).any() else "has a measurable effect"
        )
        text = f"No arm {effect} on these held-out rows."
    if len(harmful):
        costs = [
            f"{name} costs the class {row['worst_class']} {-row['worst_change']:.0%} of its recall"
            for name, row in harmful.iterrows()
        ]
        text += f" {'; '.join(costs)}."
    return text + " The labels of held-out rows may be wrong, too."
