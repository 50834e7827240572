"""Equal rows: duplicates, such with several labels, and those of a training set in a test set."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from hcat_nb.checks.finding import LOOK, NOTE, SEVERE, Finding
from hcat_nb.checks.profile import Profile, profiles
from hcat_nb.data.duplicates import joined_keys, row_keys
from hcat_nb.errors import DataError, some

if TYPE_CHECKING:
    from hcat_nb.checks.raw import Raw
    from hcat_nb.data.dataset import LabelledDataset

_COARSE = 0.05  # share of rows with a twin, from which a table is so coarse that twins are chance
_INFLATED = 0.01  # share of a test set


def row_groups(columns: Sequence[Profile], n: int) -> np.ndarray:
    """Return one integer a row, equal where the rows are in all columns: (n,) int64."""
    keys = np.zeros(n, dtype=np.int64)
    for one in columns:
        keys = joined_keys(keys, one.codes + 1)
    return keys


def twin_findings(
    keys: np.ndarray,
    labels: np.ndarray,
    names: Sequence[Any],
    ids: pd.Index,
    *,
    exact: bool,
    fine: bool = False,
    apart: Sequence[str] = (),
) -> list[Finding]:
    """Return the equal rows, and those whose labels contradict each other.

    ``keys`` (n,) int64: equal where the rows are; ``labels`` (n,) int64: codes, -1 where missing;
    ``exact``: whether equal rows are one thing for sure (an image, a text), and not a table's
    chance; ``fine``: whether a column of a table has so many values that chance makes no twins;
    ``apart``: columns that do not count: identifiers and constants.
    """
    data = f"hcat.load(..., drop={list(apart)})" if apart else "dataset"
    table = pd.DataFrame({"key": keys, "label": labels})
    table = table[table.groupby("key")["key"].transform("size") > 1]
    if not len(table):
        return []
    called = ids.tolist()
    n, groups = len(keys), table["key"].nunique()
    coarse = not (exact or fine) and len(table) > _COARSE * n
    unit = "samples" if exact else "rows"
    findings = []
    known = table[table["label"] >= 0]
    kinds = known.groupby("key")["label"].transform("nunique")
    clash = known[kinds > 1]
    if len(clash):
        by = clash.groupby("key")["label"]
        wrong = int((by.size() - by.agg(lambda one: one.value_counts().iloc[0])).sum())
        first = clash[clash["key"] == clash["key"].iloc[0]]
        shown = " and ".join(
            f"{called[place]!r} {names[code]!r}"
            for place, code in first.drop_duplicates("label")["label"].items()
        )
        findings.append(
            Finding(
                "conflict",
                SEVERE if exact else NOTE if coarse else LOOK,
                f"{len(clash):,} equal {unit} have contradicting labels, in "
                f"{_groups(by.ngroups)}: {shown}",
                f"hcat.duplicates({data}) lists them first: decide which label is right",
                f"no model is right on {wrong:,} of them" + (" or more" if exact else ""),
            )
        )
    shown = ", ".join(
        repr(called[place]) for place in table.index[table["key"] == table["key"].iloc[0]][:3]
    )
    findings.append(
        Finding(
            "duplicate",
            NOTE if coarse else LOOK,
            f"{len(table):,} {unit} are equal to another, in {_groups(groups)}: {shown}"
            + ("; so many, of few distinct values, may be chance" if coarse else ""),
            f"hcat.duplicates({data}) lists them: drop those that are one sample twice; folds "
            "keep them together",
        )
    )
    return findings


def _groups(count: int) -> str:
    return f"{count:,} group" + ("s" if count > 1 else "")


def overlap_findings(
    train: np.ndarray, test: np.ndarray, ids: pd.Index, *, exact: bool, called: str = "the test set"
) -> list[Finding]:
    """Return the rows of a test set that are in the training set, those of equal keys."""
    both = np.isin(test, train)
    count = int(both.sum())
    if not count:
        return []
    share = count / len(test)
    return [
        Finding(
            "overlap",
            SEVERE if exact or share >= _INFLATED else LOOK,
            f"{count:,} of {len(test):,} samples of {called} are in the training set too: "
            f"{some(map(repr, ids[both].tolist()), 3)}",
            "leave them out of one of the two",
            f"they can raise its accuracy by up to {share:.3f}",
        )
    ]


def shared_rows(raw: Raw, other: Raw) -> list[Finding]:
    """Return the rows of another table that this one holds, identifiers and constants aside."""
    from hcat_nb.checks.raw import coded
    from hcat_nb.checks.table import apart_from, quick_findings

    common = [name for name in raw.frame.columns if name in other.frame.columns]
    left = apart_from(quick_findings(raw.frame, *coded(raw.labels), raw.text))
    both = pd.concat([raw.frame[common], other.frame[common]], ignore_index=True)
    kept = [one for one in profiles(both) if one.name not in left]
    if not kept:
        raise DataError("the test set has no feature of the data", "the same columns")
    keys, n = row_groups(kept, len(both)), len(raw.frame)
    exact = raw.text is not None and len(common) == 1
    return overlap_findings(keys[:n], keys[n:], other.frame.index, exact=exact)


def shared_images(
    dataset: LabelledDataset, other: LabelledDataset, called: str = "the test set"
) -> list[Finding]:
    """Return the images of another dataset that this one holds."""
    import torch

    if dataset.sample_shape != other.sample_shape:
        raise DataError(f"the test set has samples of {shape_of(other)}", f"{shape_of(dataset)}")
    keys, n = row_keys(torch.cat([dataset.features, other.features])), len(dataset)
    return overlap_findings(keys[:n], keys[n:], other.sample_ids, exact=True, called=called)


def shape_of(dataset: LabelledDataset) -> str:
    """Return the shape of a sample in words."""
    return " x ".join(map(str, dataset.sample_shape))
