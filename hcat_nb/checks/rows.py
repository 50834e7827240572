"""Equal rows: duplicates, such with several labels, and those of a training set in a test set."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import torch

from hcat_nb.checks.finding import LOOK, NOTE, SEVERE, Finding
from hcat_nb.checks.profile import Profile, profiles
from hcat_nb.data.duplicates import joined_keys, row_keys
from hcat_nb.errors import DataError, some

if TYPE_CHECKING:
    from hcat_nb.checks.raw import Raw
    from hcat_nb.data.dataset import LabelledDataset

_BLOCK = 2**24  # likenesses at a time
_COARSE = 0.05  # share of rows with a twin, from which a table is so coarse that twins are chance
_INFLATED = 0.01  # share of a test set
# Of the median distance to the nearest other image, below which two are one picture.  Of digits,
# 4,000 of MNIST and 506 photos none is flagged; copies with noise, another brightness or JPEG's
# losses are (all of MNIST and the photos); from .1 on like digits of MNIST are, too.
_NEAR = 0.05
_LOOK = 1000  # images
_SIDE = 16  # pixels, of the grey pictures that are compared
MOST_COMPARED = 20_000  # images, each with all others: some seconds
_EQUAL = 1e-6  # float32's rounding of a cosine


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


def near_findings(
    train: LabelledDataset, test: LabelledDataset | None = None, called: str = "the test set"
) -> list[Finding]:
    """Return the images that are nearly another one, of ``test`` nearly one of ``train``."""
    rows, own = np.flatnonzero(train.readable.numpy()), _pictures(train)
    # How far images lie from each other, some of them tell as well as all.
    some_rows = np.arange(0, len(own), 1 if test is None else -(-len(own) // _LOOK))
    twin, distance = _nearest(own[some_rows], own, some_rows)
    unequal = distance[distance > _EQUAL]
    limit = _NEAR * float(np.median(unequal)) if len(unequal) else 0.0
    asked, places = train, rows
    if test is not None:
        asked, places = test, np.flatnonzero(test.readable.numpy())
        twin, distance = _nearest(_pictures(test), own)
    near = np.flatnonzero((distance > _EQUAL) & (distance < limit))
    if not len(near):
        return []
    mine, theirs = (
        one.label_values(one.labels.numpy()[at])
        for one, at in ((asked, places[near]), (train, rows[twin[near]]))
    )
    clash = sum(a != b for a, b in zip(mine.astype(str), theirs.astype(str), strict=True))
    pairs = zip(asked.sample_ids[places[near]], train.sample_ids[rows[twin[near]]], strict=True)
    shown = some((f"{a!r} and {b!r}" for a, b in pairs), 3)
    of = "images" if test is None else f"images of {called}"
    where = "another" if test is None else "one of the training set"
    return [
        Finding(
            "near duplicate",
            LOOK,
            f"{len(near):,} {of} are nearly equal to {where} (brightness, noise or compression "
            f"apart), {clash:,} under another label: {shown}",
            "look at these pairs; groups= keeps copies in one fold"
            if test is None
            else "leave them out of one of the two",
        )
    ]


def _pictures(dataset: LabelledDataset) -> np.ndarray:
    """Return grey pictures without brightness and contrast: (m, d) float32 of length 1, or 0."""
    height, width = (min(_SIDE, size) for size in dataset.sample_shape[1:])
    small = [
        torch.nn.functional.adaptive_avg_pool2d(
            dataset.features[rows].float().mean(1), (height, width)
        )
        for rows in torch.nonzero(dataset.readable).ravel().split(256)
    ]
    flat = torch.cat(small).flatten(1)
    flat = flat - flat.mean(dim=1, keepdim=True)
    found: np.ndarray = torch.nn.functional.normalize(flat, eps=_EQUAL).numpy()
    return found


def _nearest(
    queries: np.ndarray, others: np.ndarray, own: np.ndarray | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Return each query's nearest row and its cosine distance; at ``own`` they stand themselves."""
    found, distance = np.empty(len(queries), np.int64), np.empty(len(queries), np.float32)
    step = max(1, _BLOCK // max(1, len(others)))
    for start in range(0, len(queries), step):
        likeness = queries[start : start + step] @ others.T
        rows = np.arange(len(likeness))
        if own is not None:
            likeness[rows, own[start + rows]] = -2
        best = likeness.argmax(axis=1)
        found[start + rows], distance[start + rows] = best, 1 - likeness[rows, best]
    return found, distance


def shared_images(
    dataset: LabelledDataset, other: LabelledDataset, called: str = "the test set"
) -> list[Finding]:
    """Return the images of another dataset that this one holds."""
    if dataset.sample_shape != other.sample_shape:
        raise DataError(f"the test set has samples of {shape_of(other)}", f"{shape_of(dataset)}")
    keys, n = row_keys(torch.cat([dataset.features, other.features])), len(dataset)
    found = overlap_findings(keys[:n], keys[n:], other.sample_ids, exact=True, called=called)
    comparable = dataset.modality == "image" and max(n, len(other)) <= MOST_COMPARED
    return found + (near_findings(dataset, other, called) if comparable else [])


def shape_of(dataset: LabelledDataset) -> str:
    """Return the shape of a sample in words."""
    return " x ".join(map(str, dataset.sample_shape))
