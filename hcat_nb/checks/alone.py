"""How well one column alone tells the class, and what a quick model loses without it.

Cost: a sort of at most 20,000 rows for each column; of many columns fewer rows are taken.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Sequence
from typing import Any

import numpy as np

from hcat_nb.checks.finding import LOOK, SEVERE, Finding, leave_out
from hcat_nb.checks.profile import Profile
from hcat_nb.errors import some

ROWS = 20_000
_VALUES = 2_000_000  # of all columns together
_BINS = 64
_FOLDS = 4
_TELLS = 0.99
_AFAR = 5  # times the error of the column, at least that of _TELLS, is "far above the next"
_NOTHING = 0.02  # of accuracy
_PRICED = 5000  # rows of the quick model


def sampled(n: int, width: int, rows: int = ROWS, seed: int = 0) -> np.ndarray:
    """Return positions of the rows that are looked at, in random order: (m,), int64."""
    most = min(rows, max(1000, _VALUES // max(1, width)))
    return np.random.default_rng(seed).permutation(n)[:most]


def alone(column: Profile, labels: np.ndarray, rows: np.ndarray, n_classes: int) -> float:
    """Return the balanced accuracy with which a column alone tells the class, out of fold.

    By the commonest class, frequencies made equal, of its level or of its bin of 64 quantiles; or,
    where sorted by the column the classes lie in few blocks, by the neighbours in that order, as a
    small tree would cut them.

    ``labels`` (n,) int64: codes; rows without a label are -1 and not among ``rows``; ``rows`` (m,)
    int64: in random order.
    """
    codes, y = column.codes[rows], labels[rows]
    if column.values is None or len(column.levels) <= _BINS:
        return _by_level(codes + 1, y, n_classes)
    values = column.values[rows]
    values = np.where(np.isnan(values), -np.inf, values)  # missing is the lowest bin
    edges = np.unique(np.quantile(values, np.linspace(0, 1, _BINS + 1)[1:-1], method="nearest"))
    score = _by_level(np.searchsorted(edges, values, side="left"), y, n_classes)
    ordered = y[np.argsort(values, kind="stable")]  # ties stay in random order
    return max(score, _by_blocks(ordered, n_classes))


def _by_level(codes: np.ndarray, y: np.ndarray, n_classes: int) -> float:
    n, width = len(y), int(codes.max(initial=0)) + 1
    fold = np.arange(n) % _FOLDS
    cells = codes.astype(np.int64) * n_classes + y
    table = np.bincount(cells, minlength=width * n_classes)
    frequency = np.maximum(1, np.bincount(y, minlength=n_classes))
    right = np.zeros(n_classes)
    for one in range(_FOLDS):
        mine = fold == one
        seen = table - np.bincount(cells[mine], minlength=width * n_classes)
        seen = seen.reshape(width, n_classes)
        guess = np.where(seen.any(axis=1), (seen / frequency).argmax(axis=1), -1)[codes[mine]]
        right += np.bincount(y[mine][guess == y[mine]], minlength=n_classes)
    present = np.bincount(y, minlength=n_classes) > 0
    return float((right / frequency)[present].mean())


def _by_blocks(ordered: np.ndarray, n_classes: int) -> float:
    same = ordered[1:] == ordered[:-1]
    if (~same).sum() > min(_BINS + 0.02 * len(ordered), len(ordered) / 10):
        return 0.0
    right = np.append(same, False) | np.append(False, same)
    count = np.bincount(ordered, minlength=n_classes)
    share = np.bincount(ordered[right], minlength=n_classes) / np.maximum(1, count)
    return float(share[count > 0].mean())


def above_chance(score: float, n_classes: int) -> float:
    """Return where a balanced accuracy lies between guessing, 0, and certainty, 1."""
    return (score * n_classes - 1) / max(1, n_classes - 1)


def leaks(columns: Sequence[Profile], scores: dict[str, float], n_classes: int) -> list[Finding]:
    """Return the columns that give the label away."""
    telling = [one for one in columns if scores.get(one.name, 0) >= _TELLS]
    if not telling:
        return []
    copies = [one.name for one in telling if len(one.levels) + (one.n_missing > 0) == n_classes]
    others = [score for name, score in scores.items() if score < _TELLS]
    following = max(others, default=1 / n_classes)
    far = 1 - following >= _AFAR * (1 - _TELLS)
    # Where each of several columns tells all, the task may be as easy as that.
    severe = copies or (far and len(others) >= len(telling)) or len(scores) == 1
    names = tuple(one.name for one in telling)
    shown = some(
        f"{name!r} ({'one value a class' if name in copies else f'{scores[name]:.3f}'})"
        for name in names
    )
    return [
        Finding(
            "leak",
            SEVERE if severe else LOOK,
            f"each alone tells the class: {shown}"
            if len(names) > 1
            else f"{shown} alone tells the class; the next column {following:.2f}",
            f"{leave_out(names)}, unless it is known when the class is asked for",
            columns=names if severe else (),
        )
    ]


def order_finding(labels: np.ndarray, n_classes: int) -> list[Finding]:
    """Return whether the order of the rows tells the class."""
    rows = sampled(len(labels), 1)
    rows = rows[labels[rows] >= 0]
    position = np.arange(len(labels))
    if n_classes < 2 or len(rows) < 8 * n_classes:
        return []
    column = Profile("", position, position, position.astype(np.float64))
    score = alone(column, labels, rows, int(labels.max()) + 1)
    if above_chance(score, n_classes) < 0.5:
        return []
    return [
        Finding(
            "order",
            LOOK,
            f"the rows lie by class: a row's position tells it ({score:.2f})",
            "subset=N draws rows at random; to cut files or folds yourself, shuffle before",
        )
    ]


def priced(
    findings: Sequence[Finding], columns: Sequence[Profile], labels: np.ndarray
) -> list[Finding]:
    """Return severe findings with the held-out accuracy of a quick model, with and without them.

    What a column with more values than classes tells, and the others tell as
    well, is no leak but an easy task: it is worth a look.
    """
    telling = {name for one in findings if one.severity == SEVERE for name in one.columns}
    if not telling or (figures := _accuracies(columns, labels, telling)) is None:
        return list(findings)
    whole, rest = figures
    text = (
        f"held-out accuracy {whole:.2f} with {'it' if len(telling) == 1 else 'them'}, {rest:.2f} "
        "without (classes weighed alike): the second is the honest expectation"
    )
    few = {one.name for one in columns if len(one.levels) <= labels.max() + 1}
    made = []
    for one in findings:
        if telling & set(one.columns):
            easy = one.kind == "leak" and not few & set(one.columns) and whole - rest < _NOTHING
            changes: dict[str, Any] = {"severity": LOOK, "columns": ()} if easy else {"price": text}
            one = dataclasses.replace(one, **changes)
        made.append(one)
    return made


def _accuracies(
    columns: Sequence[Profile], labels: np.ndarray, without: Collection[str], seed: int = 0
) -> tuple[float, float] | None:
    from sklearn.ensemble import ExtraTreesClassifier

    order = np.random.default_rng(seed).permutation(np.flatnonzero(labels >= 0))[:_PRICED]
    train, test = np.split(order, [int(0.7 * len(order))])
    if len(test) < 10 or len(np.unique(labels[train])) < 2:
        return None
    figures = []
    for left in (set(), set(without)):
        chosen = [one for one in columns if one.name not in left and _shared(one)]
        table = np.stack([np.zeros(len(order)), *(_plain(one, order) for one in chosen)], axis=1)
        model = ExtraTreesClassifier(
            40, max_features=0.5, min_samples_leaf=2, class_weight="balanced", random_state=seed
        )
        model.fit(table[: len(train)], labels[train])
        guess = model.predict(table[len(train) :])
        hit = [float((guess[labels[test] == one] == one).mean()) for one in np.unique(labels[test])]
        figures.append(float(np.mean(hit)))
    return figures[0], figures[1]


def _shared(column: Profile) -> bool:
    """Whether it holds numbers, or words that rows share."""
    return column.values is not None or (
        column.is_text and 2 * len(column.levels) <= len(column.codes)
    )


def _plain(column: Profile, rows: np.ndarray) -> np.ndarray:
    if column.values is None:  # by the alphabet: the order of occurrence tells of that of the rows
        rank = np.append(np.argsort(np.argsort(column.levels)), -1)
        ranks: np.ndarray = rank[column.codes[rows]].astype(np.float64)
        return ranks
    values = column.values[rows]
    finite = np.isfinite(values)
    low = values[finite].min(initial=0.0) - 1
    plain: np.ndarray = np.clip(np.where(finite, values, low), -1e30, 1e30)
    return plain
