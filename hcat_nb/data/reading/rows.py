"""Rows that cannot be used as they are: without a label, or unreadable."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd
import torch
from torch import Tensor

from hcat_nb.errors import DataError, check_word, some

POLICIES = ("error", "drop", "keep")

_NAMED = 5  # rows that a message names


def check_policy(option: str, value: str) -> None:
    """Raise SpecError unless ``value`` is one of error, drop, keep."""
    check_word(option, value, POLICIES)


def settle_missing_labels(missing: Tensor, ids: pd.Index, policy: str) -> str | None:
    """Return a note about rows without a label, None if there is none."""
    rows = torch.nonzero(missing).ravel()
    if len(rows) == 0:
        return None
    named = _listed([str(ids[row]) for row in rows[:_NAMED].tolist()], len(rows))
    count = f"{_count(len(rows), len(missing))} no label: {named}"
    if policy == "error":
        raise DataError(
            count,
            "a label for every row",
            'on_missing_label="drop" leaves these rows out, "keep" keeps them unlabelled: never '
            "trained on, and scored only by methods that do not look at labels",
        )
    return f"{count}; {'left out' if policy == 'drop' else 'kept unlabelled'}"


def settle_bad_rows(
    values: Tensor, bad: Tensor, ids: pd.Index, names: tuple[str, ...] | None, policy: str
) -> str | None:
    """Return a note about rows that hold NaN or infinity, None if there is none."""
    rows = torch.nonzero(bad).ravel()
    if len(rows) == 0:
        return None
    named = [f"{ids[row]} ({_place(values[row], names)})" for row in rows[:_NAMED].tolist()]
    count = (
        f"{_count(len(rows), len(bad))} NaN, infinity or a number beyond float32 in the features: "
        + _listed(named, len(rows))
    )
    if policy == "error":
        raise DataError(
            count,
            "finite numbers",
            'on_bad_row="drop" leaves these rows out, "keep" keeps them as unreadable: never '
            "trained on, and without a score" + _imputable(values, rows),
        )
    return f"{count}; {'left out' if policy == 'drop' else 'kept as unreadable'}"


def settle_unread(unread: Mapping[int, str], n: int, policy: str) -> str | None:
    """Return a note about samples whose file cannot be read, None if there is none."""
    if not unread:
        return None
    named = some(unread.values(), _NAMED, "; ")
    count = f"{len(unread)} of {n} image files cannot be read: {named}"
    if policy == "error":
        raise DataError(
            count,
            "sound images",
            'on_bad_row="drop" leaves them out, "keep" keeps them as unreadable: never trained '
            "on, and without a score",
        )
    return f"{count}; {'left out' if policy == 'drop' else 'kept as unreadable'}"


def _imputable(values: Tensor, rows: Tensor) -> str:
    if values.dim() == 2 and bool(torch.isnan(values[rows]).any()):
        return '; impute="median" fills missing numbers of a table'
    return ""


def _place(sample: Tensor, names: tuple[str, ...] | None) -> str:
    broken = torch.nonzero(~torch.isfinite(sample))
    first = broken[0].tolist()
    what = "NaN" if torch.isnan(sample[tuple(first)]) else "infinite"
    if sample.dim() == 1:
        where = f"column {names[first[0]]!r}" if names else f"column {first[0]}"
    else:
        where = "channel {}, y {}, x {}".format(*first)
    more = f" and {len(broken) - 1} more" if len(broken) > 1 else ""
    return f"{where}: {what}{more}"


def _count(count: int, n: int) -> str:
    return f"{count} of {n} rows {'has' if count == 1 else 'have'}"


def _listed(named: list[str], count: int) -> str:
    more = f" and {count - len(named)} more" if count > len(named) else ""
    return f"row{'s' if count > 1 else ''} " + ", ".join(named) + more
