"""The samples that can be decided on, by the ids that people think in."""

from __future__ import annotations

import contextlib
from collections.abc import Hashable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from hcat_nb.data.reading.label_kinds import kind_of, plain_value
from hcat_nb.data.reading.spellings import joint_codes
from hcat_nb.errors import DataError, SpecError, UnknownNameError, some
from hcat_nb.registry import nearest

_NAMED = 3  # ids that a message names
_CLASSES_NAMED = 20  # classes that a message lists


class Samples:
    """The samples that can be decided on: their ids, which are unique, labels and classes.

    Categories of ``labels`` are all classes, by code.  ``spelled``: spellings of one class are one
    when a decided label is compared with that of the data, for a run may have joined them.
    """

    def __init__(self, ids: pd.Index, labels: pd.Categorical, *, spelled: bool = False) -> None:
        if not ids.is_unique:
            twice = ids[ids.duplicated()][0]
            raise DataError(
                f"the sample id {quoted(twice)} occurs more than once",
                "ids that name one sample each",
                "give the data a unique index and characterize them again",
            )
        self.ids = ids.rename("sample_id")
        self.labels = labels
        self.class_values = [plain_value(value) for value in labels.categories]
        self._codes = {value: code for code, value in enumerate(self.class_values)}
        self._codes_of_texts = {str(value): code for code, value in enumerate(self.class_values)}
        self._rows_of_texts: dict[str, int] | None = None
        names = self.class_values
        self._one = joint_codes(names) if spelled else np.arange(len(names))

    def rows(self, ids: Iterable[Hashable] | Hashable) -> np.ndarray:
        """Return the positions of these ids, or of one, int64."""
        wanted = pd.Index(id_list(ids), dtype=object)
        rows = self.ids.astype(object).get_indexer(wanted)
        if (unknown := wanted[rows < 0]).size:
            raise unknown_ids(unknown.tolist(), self.ids)
        return rows.astype(np.int64)

    def rows_of_texts(self, texts: Sequence[str]) -> np.ndarray:
        """Return the positions of ids that a file holds as text."""
        if self._rows_of_texts is None:
            known = [str(one) for one in self.ids]
            self._rows_of_texts = {text: row for row, text in enumerate(known)}
            if len(self._rows_of_texts) < len(known):
                twice = next(text for text in known if known.count(text) > 1)
                raise DataError(
                    f"two sample ids are written {twice!r} in a text file",
                    "ids that differ as text",
                    "a Parquet file",
                )
        if unknown := [text for text in texts if text not in self._rows_of_texts]:
            raise unknown_ids(unknown, self.ids)
        return np.array([self._rows_of_texts[text] for text in texts], dtype=np.int64)

    def code(self, label: Any) -> int:
        """Return the class code of a label, -1 of a missing one.

        ``1.0`` and ``"1"``, as tables may hold it, are the class 1.
        """
        if label is None or (pd.api.types.is_scalar(label) and pd.isna(label)):
            return -1
        label = plain_value(label)
        code = self._codes.get(label) if isinstance(label, Hashable) else None
        if code is not None and kind_of(type(label)) == kind_of(type(self.class_values[code])):
            return code
        if str(label) in self._codes_of_texts:
            return self._codes_of_texts[str(label)]
        with contextlib.suppress(ValueError, KeyError):
            return self._codes[float(str(label))]
        names = list(self._codes_of_texts)
        raise UnknownNameError(
            f"there is no class {label!r}",
            nearest(label, names)
            if len(names) <= _CLASSES_NAMED
            else f"one of the {len(names)} classes of the data",
        )

    def label(self, row: int) -> Any:
        """Return the observed label of a sample, None where it has none."""
        code = int(self.labels.codes[row])
        return None if code < 0 else self.class_values[code]

    def check_label(self, row: int, label: Any) -> None:
        """Raise DataError unless the sample has the label that was decided on."""
        try:
            code = self.code(label)
        except UnknownNameError:
            code = None
        own = int(self.labels.codes[row])
        same = code is not None and min(code, own) >= 0 and self._one[code] == self._one[own]
        if code != own and not same:
            raise DataError(
                f"sample {quoted(self.ids[row])} was decided on with the label {quoted(label)} "
                f"and has the label {self.label(row)!r}",
                "the labels that were decided on",
            )

    def check_change(self, row: int, code: int) -> None:
        """Raise SpecError if a sample's new label is the one that it has already."""
        if code >= 0 and int(self.labels.codes[row]) == code:
            raise SpecError(
                f"sample {quoted(self.ids[row])} has the label {self.label(row)!r} already",
                "another label",
                "action keep, if it is right",
            )


def id_list(ids: Iterable[Hashable] | Hashable) -> list[Hashable]:
    """Return ids as a list; text, a number or anything that holds no others is one id.

    >>> id_list("s1"), id_list(7), id_list(("s1", "s2"))
    (['s1'], [7], ['s1', 's2'])
    """
    if isinstance(ids, Mapping) or getattr(ids, "ndim", 1) > 1:  # whose names are no ids
        raise DataError(f"ids are a {type(ids).__name__}", "one id, or a list of them")
    if isinstance(ids, (str, bytes)) or not isinstance(ids, Iterable):
        ids = [ids]
    listed = list(ids)
    if any(isinstance(one, (bool, np.bool_)) for one in listed):  # True would be the id 1
        raise DataError("a mask is no list of ids", "ids", "run.scores.index[mask] has them")
    return listed


def rows_with(index: pd.Index, ids: Iterable[Hashable] | Hashable) -> np.ndarray:
    """Return the positions in ``index`` of these ids, of every one that repeats, ascending."""
    wanted, known = pd.Index(id_list(ids), dtype=object), index.astype(object)
    if (unknown := wanted[~wanted.isin(known)]).size:
        raise unknown_ids(unknown.tolist(), index)
    return np.flatnonzero(known.isin(wanted))


def unknown_ids(unknown: list[Any], ids: pd.Index) -> UnknownNameError:
    """Return the error for ids that no sample has."""
    named = some(map(quoted, unknown), _NAMED)
    example = f"ids of this run, such as {quoted(ids[0])}" if len(ids) else "ids of this run"
    return UnknownNameError(f"there is no sample {named}", example)


def quoted(one: Any) -> str:
    """Return an id as it stands in a message."""
    return repr(plain_value(one))


def positions(index: pd.Index, ids: Iterable[Any] | Any) -> np.ndarray:
    """Return the positions of samples in ``index``, in the order of the ids, int64."""
    found: list[int] = []
    for one in id_list(ids):
        rows = np.flatnonzero(index == one)
        if not len(rows):
            like = f"ids like {index[:1].tolist()[0]!r}" if len(index) else "a run of some samples"
            raise DataError(f"the run has no sample {one!r}", like, "run.scores.index has them")
        found += rows.tolist()
    return np.array(found, dtype=np.int64)
