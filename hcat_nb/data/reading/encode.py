"""Columns of a table as numbers, by scikit-learn's transformers, and what was done."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from hcat_nb.data.reading.odd_levels import odd_levels
from hcat_nb.errors import DataError, some

if TYPE_CHECKING:
    from hcat_nb.data.reading.column_kinds import Category
    from hcat_nb.data.table_options import TableOptions

INFREQUENT, MISSING = "(infrequent)", "(missing)"  # levels that are no value

_MOST_INDICATORS = 20_000  # of a table: a first layer of more is no small network
_LISTED = 8


def encode(
    columns: Mapping[str, Category], options: TableOptions
) -> tuple[np.ndarray, list[tuple[Any, ...]], list[str]]:
    """Return categorical columns as codes.

    Returns ``codes`` (n, len(columns)) float32: ``0, 1, ...``: levels in their order, then the
    infrequent ones, joined, then the missing value; ``levels``: what the codes of each column stand
    for.
    """
    from sklearn.preprocessing import OrdinalEncoder

    # By the places of levels: objects would take as long as all else together.
    known = [
        np.array([*range(len(one.levels)), *([np.nan] if one.n_missing else [])])
        for one in columns.values()
    ]
    encoder = OrdinalEncoder(
        categories=known,
        encoded_missing_value=-1,
        min_frequency=options.min_frequency,
        max_categories=options.max_categories,
    )
    table = np.stack([one.codes for one in columns.values()], axis=1).astype(np.float64)
    codes = encoder.fit_transform(np.where(table < 0, np.nan, table))
    joined = getattr(encoder, "infrequent_categories_", None) or [None] * len(columns)
    levels = []
    for place, (column, rare) in enumerate(zip(columns.values(), joined, strict=True)):
        left = set() if rare is None else set(rare.astype(int).tolist())
        names = [level for at, level in enumerate(column.levels) if at not in left]
        names += [INFREQUENT] if left else []
        missing = codes[:, place] == -1
        codes[missing, place] = len(names)
        levels.append((*names, *([MISSING] if missing.any() else [])))
    total = sum(map(len, levels))
    if total > _MOST_INDICATORS:
        widest = max(zip(columns, levels, strict=True), key=lambda pair: len(pair[1]))
        raise DataError(
            f"the categorical columns have {total:,} levels, {len(widest[1]):,} of them in "
            f"{widest[0]!r}",
            f"{_MOST_INDICATORS:,} in all",
            "join the rarest with max_categories= or min_frequency=, or leave columns out with "
            "drop=",
        )
    return codes.astype(np.float32), levels, _notes(columns, levels, joined)


def impute(
    numbers: np.ndarray, names: Sequence[str], how: str | float, offsets: Sequence[float] = ()
) -> tuple[np.ndarray, str]:
    """Return numbers (n, k) with NaN filled in (infinities stay), and a note; "" if none was."""
    from sklearn.impute import SimpleImputer

    missing = np.isnan(numbers)
    holes = missing.sum(axis=0)
    touched = np.flatnonzero(holes).tolist()
    if not touched:
        return numbers, ""
    strategy = how if isinstance(how, str) else "constant"
    imputer = SimpleImputer(
        strategy=strategy,
        fill_value=None if isinstance(how, str) else float(how),
        keep_empty_features=True,
    )
    part = numbers[:, touched]
    # an infinity is a fault of its own, reported with its row
    infinite = np.isinf(part)
    filled = imputer.fit_transform(np.where(infinite, np.nan, part))
    if offsets and not isinstance(how, str):
        filled = np.where(missing[:, touched], float(how) - np.array(offsets)[touched], filled)
    numbers[:, touched] = np.where(infinite, part, filled)
    what = f"the {how.replace('_', ' ')} of the column" if isinstance(how, str) else f"{how:g}"
    listed = some((f"{names[column]} {holes[column]:,}" for column in touched), _LISTED)
    empty = [names[column] for column in touched if holes[column] == len(numbers)]
    lost = ""
    if empty and isinstance(how, str):
        lost = f"; {some(empty, _LISTED)}: no number at all, so 0"
    return numbers, f"missing numbers became {what}: {listed}{lost}"


def _notes(
    columns: Mapping[str, Category],
    levels: Sequence[tuple[Any, ...]],
    joined: Sequence[np.ndarray | None],
) -> list[str]:
    counted = (f"{name} {len(one)}" for name, one in zip(columns, levels, strict=True))
    notes = [f"categorical columns and their levels: {some(counted, _LISTED)}"]
    absent = [f"{name} {one.n_missing:,}" for name, one in columns.items() if one.n_missing]
    if absent:
        notes.append(f"missing categories are a level of their own: {some(absent, _LISTED)}")
    merged = [
        f"{name} {len(rare):,} of {len(columns[name].levels):,}"
        for name, rare in zip(columns, joined, strict=True)
        if rare is not None and len(rare)
    ]
    if merged:
        notes.append(f"infrequent levels joined into one: {some(merged, _LISTED)}")
    counts = {
        name: dict(zip(one.levels, np.bincount(one.codes[one.codes >= 0]).tolist(), strict=True))
        for name, one in columns.items()
    }
    return notes + odd_levels(counts, len(next(iter(columns.values())).codes))
