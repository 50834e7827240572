"""Faults planted into a copy of the user's own data, to see on these data what finds them.

Wrong labels are drawn as they are plausible: pairs (row i, label k), k not the
label, with odds p(i, k) of a network that was trained on the data as they are,
among rows whose label it agrees with.  Uniform ones would be too easy to find,
and flatter every method.  Beside them, on other rows: what does not belong,
what is right but rare, what lies between two classes, and near copies under
another class.  The copy keeps ids, order and size of the data.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from hcat_nb.data.dataset import LabelledDataset
from hcat_nb.errors import HcatError
from hcat_nb.perturbations._apply import make_perturbation
from hcat_nb.perturbations._images import Pixels, value_range
from hcat_nb.perturbations._tables import layout
from hcat_nb.perturbations.base import Perturbation
from hcat_nb.seeds import child_seed

MISLABEL = "mislabel"
CAUSES = (MISLABEL, "off", "atypical", "ambiguous", "conflict")
# Of the rows, beside wrong labels (a twentieth); at least so many, if they are few enough.
SHARES = {"off": 0.02, "atypical": 0.02, "ambiguous": 0.02, "conflict": 0.01}
LEAST = 30  # probes of a cause, below which it is not offered
_MISLABEL, _LEAST_MISLABEL, _MOST_MISLABEL, _MOST = 0.05, 100, 0.10, 0.03
_MOST_COPIES = 6
_KINDS = {"off": ("far_ood", "ood_covariate"), "atypical": ("zoom_shift", "crop_shift")}
_NUDGE = 0.05  # of a column's spread, or of the value range of images: how far a copy is moved


@dataclass(frozen=True, eq=False)
class Planted:
    """A copy of a dataset with faults.

    ``causes`` (n,) are positions in ``CAUSES``, -1 where none was planted; ``parents`` (n,) the row
    that a blend or a copy was also made of, the row itself for others.
    """

    dataset: LabelledDataset
    causes: np.ndarray
    parents: np.ndarray


def copies_needed(n: int) -> int:
    """Return how many copies of ``n`` rows hold probes enough between them."""
    return min(_MOST_COPIES, -(-_LEAST_MISLABEL // max(1, _mislabels(n))))


def offered(dataset: LabelledDataset, *, features_fixed: bool) -> tuple[list[str], str]:
    """Return the causes that can be planted into these data, and why others cannot.

    ``features_fixed``: what the model sees does not follow the samples, so only labels can change.
    """
    if features_fixed:
        return [MISLABEL], "the model sees features of the user's own: only labels can be planted"
    n, found, missing = int(dataset.trainable.sum()), [MISLABEL], []
    for cause, share in SHARES.items():
        kinds = cause not in _KINDS or _kinds(dataset, cause)
        few = copies_needed(n) * _count(n, share) < LEAST
        if kinds and not few:
            found.append(cause)
        else:
            missing.append(f"{cause} ({'too few rows' if kinds else 'not for such data'})")
    return found, f"causes not offered: {', '.join(missing)}" if missing else ""


def plant(
    dataset: LabelledDataset, probabilities: np.ndarray, causes: Sequence[str], seed: int
) -> Planted:
    """Plant faults into a copy, by probabilities (n, C) of a network for the data as they are."""
    rng = np.random.default_rng(child_seed(seed, "probes"))
    n = int(dataset.trainable.sum())
    codes = np.full(len(dataset), -1)
    parents = np.arange(len(dataset))
    labels = dataset.labels.clone()
    rows, new = plausible(probabilities, dataset.labels.numpy(), _mislabels(n), rng)
    labels[torch.from_numpy(rows)] = torch.from_numpy(new)
    codes[rows] = 0
    made = dataset.replace(labels=labels, features=dataset.copied_features())
    free = dataset.trainable.numpy().copy()
    free[rows] = False
    for cause in causes[1:]:
        chosen = _planted_into(made, dataset, cause, _count(n, SHARES[cause]), free, parents, rng)
        codes[chosen] = CAUSES.index(cause)
        free[chosen] = False
    return Planted(made, codes, parents)


def plausible(
    probabilities: np.ndarray, labels: np.ndarray, k: int, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Draw ``k`` wrong labels as they are plausible, at most one a row: rows and codes, (k,).

    ``probabilities`` (n, C) are the odds; ``labels`` (n,) are -1 where missing.

    >>> p = np.array([[0.9, 0.1, 0.0], [0.2, 0.8, 0.0], [0.6, 0.4, 0.0]])
    >>> rows, codes = plausible(p, np.array([0, 1, 1]), 2, np.random.default_rng(0))
    >>> sorted(zip(rows.tolist(), codes.tolist()))
    [(0, 1), (1, 0)]
    """
    odds = probabilities.astype(np.float64)
    known = (labels >= 0) & np.isfinite(odds).all(axis=1)
    rows = np.flatnonzero(known)
    rows = rows[odds[rows].argmax(axis=1) == labels[rows]]
    if len(rows) < k:
        raise HcatError(
            f"the network agrees with {len(rows):,} labels, too few to plant {k:,} wrong ones",
            "a network that has learned these data",
            "look at run A's learning check; train longer, or with another model",
        )
    odds = odds[rows] + np.finfo(np.float64).tiny  # saturated rows may be drawn last, not never
    odds[np.arange(len(rows)), labels[rows]] = 0.0
    # The largest of log odds + Gumbel noise: pairs drawn one after the other without replacement.
    with np.errstate(divide="ignore"):
        keys = np.log(odds) + rng.gumbel(size=odds.shape)
    best = keys.argmax(axis=1)
    first = np.argsort(-keys[np.arange(len(rows)), best], kind="stable")[:k]
    return rows[first], best[first].astype(np.int64)


def _mislabels(n: int) -> int:
    return int(min(max(_MISLABEL * n, _LEAST_MISLABEL), _MOST_MISLABEL * n))


def _count(n: int, share: float) -> int:
    return int(max(share * n, min(LEAST, _MOST * n)))


def _kinds(dataset: LabelledDataset, cause: str) -> list[str]:
    """Return the kinds of hardness that make a cause in these data."""
    names = _KINDS[cause] if dataset.modality == "image" or cause == "off" else ("atypical",)
    found = []
    for name in names:
        try:
            _kind(name, dataset).check(dataset)
        except HcatError:  # texts alone have no far_ood, say: the cause is then not offered
            continue
        found.append(name)
    return found


def _kind(name: str, dataset: LabelledDataset) -> Perturbation:
    """Return a kind of hardness that needs no download."""
    foreign = name == "far_ood" and dataset.modality == "image"
    options = {"source": "photos" if dataset.sample_shape[0] < 3 else "digits"} if foreign else {}
    kind = make_perturbation(name, **options)
    assert kind is not None
    return kind


def _planted_into(
    made: LabelledDataset,
    before: LabelledDataset,
    cause: str,
    k: int,
    free: np.ndarray,
    parents: np.ndarray,
    rng: np.random.Generator,
) -> np.ndarray:
    """Change ``k`` free rows of ``made``, whose features may be written to; return which."""
    if cause in _KINDS:
        kinds = _kinds(before, cause)
        shares = np.diff(np.linspace(0, k, len(kinds) + 1).astype(int))
        chosen = []
        for name, some in zip(kinds, shares, strict=True):
            kind = _kind(name, before).settle(before, child_seed(int(rng.integers(2**31)), name))
            can = np.flatnonzero(free & kind.eligible(before).numpy())
            rows = np.sort(rng.choice(can, size=min(int(some), len(can)), replace=False))
            changed, _ = kind.change(before, torch.from_numpy(rows), rng)
            made.features[rows] = changed.features[rows]
            free[rows] = False
            chosen.append(rows)
        return np.concatenate(chosen)
    labels = before.labels.numpy()
    rows = rng.choice(np.flatnonzero(free), size=min(k, int(free.sum())), replace=False)
    others = np.flatnonzero(before.trainable.numpy())
    drawn = rng.choice(others, size=(len(rows), 50))
    differs = labels[drawn] != labels[rows, None]  # of two classes half of the draws do
    usable = differs.any(axis=1)
    rows, drawn, differs = rows[usable], drawn[usable], differs[usable]
    partner = drawn[np.arange(len(rows)), differs.argmax(axis=1)]
    make: Callable[..., Tensor] = _blend if cause == "ambiguous" else _copy
    made.features[rows] = make(before, rows, partner, rng)
    parents[rows] = partner
    into: np.ndarray = rows
    return into


def _blend(
    dataset: LabelledDataset, rows: np.ndarray, partner: np.ndarray, rng: np.random.Generator
) -> Tensor:
    """Return features between two rows: half a sample each, or their mean."""
    one, other = dataset.features[rows].float(), dataset.features[partner].float()
    mean = (one + other) / 2
    if dataset.modality == "image":
        halves, width = one.clone(), one.shape[-1] // 2
        halves[..., width:] = other[..., width:]
        cut = torch.from_numpy(rng.random(len(rows)) < 0.5)[:, None, None, None]
        return Pixels(dataset).nearest(torch.where(cut, halves, mean))
    return _as_columns(dataset, mean, one, other, rng)


def _copy(
    dataset: LabelledDataset, rows: np.ndarray, partner: np.ndarray, rng: np.random.Generator
) -> Tensor:
    """Return near copies of the partners, moved a little."""
    copied = dataset.features[partner].float()
    noise = torch.from_numpy(rng.normal(size=tuple(copied.shape))).float()
    if dataset.modality == "image":
        low, high = value_range(dataset)
        moved = torch.from_numpy(rng.random(len(rows)) < 0.5)[:, None, None, None]
        noisy = (copied + _NUDGE * (high - low) * noise).clamp(low, high)
        shifted = torch.cat([copied[..., :1], copied[..., :-1]], dim=-1)
        return Pixels(dataset).nearest(torch.where(moved, shifted, noisy))
    spread = dataset.features.float().std(dim=0)
    return _as_columns(dataset, copied + _NUDGE * spread * noise, copied, copied, rng)


def _as_columns(
    dataset: LabelledDataset, new: Tensor, one: Tensor, other: Tensor, rng: np.random.Generator
) -> Tensor:
    """Return rows of a table whose numbers are new, and whose codes come from either parent."""
    numeric = {column.index: column for column in layout(dataset).numeric}
    either = torch.from_numpy(rng.random((len(new), 1)) < 0.5)  # one-hot blocks stay whole
    rows = torch.where(either, one, other)
    for index in dataset.words:
        rows[:, index] = new[:, index].clamp(min=0) * (one[:, index] + other[:, index] > 0)
    for index, column in numeric.items():
        if index not in dataset.words:
            values = new[:, index].double().numpy().clip(column.low, column.high)
            rows[:, index] = torch.from_numpy(column.rounded(values)).float()
    return rows
