"""Names that are one, but for spaces, case, joints and a closing stop."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

if TYPE_CHECKING:
    from hcat_nb.data.dataset import LabelledDataset

_EDGES = " \t\r\n.,;:\"'`\u200b\ufeff"
_ALPHABET = 4  # single letters that occur in both cases, from which they are classes of their own


def _plain(name: str) -> str:
    """Return what spellings of one name share."""
    text = unicodedata.normalize("NFKC", name).casefold().strip(_EDGES)
    text = re.sub(r"(?<=\w)(?:\s+|_+|-)(?=\w)", " ", text)
    return f"{float(text):g}" if re.fullmatch(r"-?\d+\.0+", text) else text


def spellings(names: Sequence[Any], counts: Iterable[int] = ()) -> list[list[str]]:
    """Return the names that are spelled several ways, the commonest spelling of each first.

    ``names``: different; what is no text takes no part.

    >>> spellings(["cat", " cat", "dog", "CAT.", "cattle"], [2, 5, 9, 1, 1])
    [[' cat', 'cat', 'CAT.']]
    """
    rows = Counter(dict(zip(names, counts, strict=True))) if counts else Counter[Any]()
    groups: dict[str, list[str]] = {}
    for name in names:
        if isinstance(name, str) and (key := _plain(name)):
            groups.setdefault(key, []).append(name)
    several = [group for group in groups.values() if len(group) > 1]
    letters = [group for group in several if all(len(name) == 1 for name in group)]
    if len(letters) >= _ALPHABET:
        several = [group for group in several if group not in letters]
    return [sorted(group, key=lambda name: -rows[name]) for group in several]


def joint_codes(names: Sequence[Any]) -> np.ndarray:
    """Return, for each class, the code of the first spelling of its name: (k,), int64."""
    place = {name: code for code, name in enumerate(names)}
    codes = np.arange(len(names))
    for group in spellings(names):
        codes[[place[name] for name in group]] = place[group[0]]
    return codes


def joined(dataset: LabelledDataset) -> LabelledDataset:
    """Return a dataset whose classes of one name are one, called by their commonest spelling."""
    counts = dataset.class_counts.tolist()
    groups = spellings(dataset.class_values, counts)
    if not groups:
        return dataset
    becomes = {name: group[0] for group in groups for name in group[1:]}
    kept = tuple(value for value in dataset.class_values if value not in becomes)
    place = {value: code for code, value in enumerate(kept)}
    codes = [place[becomes.get(value, value)] for value in dataset.class_values]
    truth = dataset.truth
    if truth is not None:
        truth = np.array([becomes.get(one, one) for one in truth], dtype=object)
    rows = dict(zip(dataset.class_values, counts, strict=True))
    told = "; ".join(
        f"{group[0]!r} ({', '.join(f'{name!r} {rows[name]:,}' for name in group)})"
        for group in groups
    )
    return dataset.replace(
        labels=torch.tensor([*codes, -1])[dataset.labels],  # the last entry serves missing labels
        class_values=kept,
        truth=truth,
        notes=(*dataset.notes, f"spellings of one class joined: {told}"),
    )
