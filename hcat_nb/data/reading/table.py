"""The feature columns of a frame as one matrix, and what its columns stand for.

Texts are TF-IDF weights of their terms, by scikit-learn.  Terms are short runs
of characters, which misspellings, endings and languages without a list of
words share, or words.
"""

from __future__ import annotations

import dataclasses
import difflib
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from hcat_nb.data.reading.arrays import Parts
from hcat_nb.data.reading.column_kinds import Category, Number, read_column
from hcat_nb.data.reading.encode import encode, impute
from hcat_nb.data.reading.offsets import Offset, difference, find_offset, offset_notes
from hcat_nb.data.table_options import TableOptions
from hcat_nb.errors import DataError, UnknownNameError
from hcat_nb.registry import nearest

if TYPE_CHECKING:
    from sklearn.feature_extraction.text import TfidfVectorizer

_BLOCK = 1 << 16  # rows converted at a time: keeps temporaries small
_LISTED = 12  # names that a message lists
# Of the dense matrix.  VoG keeps two more of its size.
_MOST_BYTES = 2**31
_RUNS, _WORDS = 5000, 2000  # terms, where nobody said how many
_READ = 2**24  # characters in which runs are counted, to choose the most frequent ones


def read_table(frame: pd.DataFrame, labels: Any, options: TableOptions) -> Parts:
    """Read feature columns: numbers, then texts as TF-IDF weights in the last columns."""
    names = [str(name) for name in frame.columns]
    _check_names(names, options)
    frame = frame.set_axis(names, axis=1).drop(columns=list(options.drop))
    if not frame.shape[1]:
        raise DataError("the frame has no feature column", "at least one besides the target")
    frame, about_lists = _without_lists(frame, {*options.categorical, options.text})
    tabular = frame if options.text is None else frame.drop(columns=options.text)
    table = _tabular(tabular, labels, options)
    if options.text is not None:
        weights, terms, note = tf_idf(frame[options.text], options.text, options)
        known = tuple(tabular.columns)
        table = dataclasses.replace(
            table,
            features=weights if not known else np.hstack([table.features, weights]),
            feature_names=(*known, *terms),
            words=range(len(known), len(known) + len(terms)),
            text=options.text,
            notes=(*table.notes, note),
        )
    if about_lists:
        table = dataclasses.replace(table, notes=(*about_lists, *table.notes))
    if options.drop:
        note = "left out: " + ", ".join(options.drop)
        table = dataclasses.replace(table, notes=(note, *table.notes))
    changed = bool(table.levels or table.words or table.notes)
    return dataclasses.replace(table, original=frame.copy() if changed else None)


def nearest_columns(name: str, names: list[str]) -> str:
    """Return a clause that names the nearest columns, and of few columns all."""
    listed = names
    if len(names) > _LISTED:
        close = difflib.get_close_matches(name, names, n=3, cutoff=0.5)
        listed = close or names[:_LISTED]
    return nearest(name, listed)


def _tabular(frame: pd.DataFrame, labels: Any, options: TableOptions) -> Parts:
    names = list(frame.columns)
    read = {name: read_column(frame[name], name, options) for name in names}
    numbers = {name: one for name, one in read.items() if isinstance(one, Number)}
    categories = {name: one for name, one in read.items() if isinstance(one, Category)}
    notes = [one.note for one in numbers.values() if one.note]
    places = [names.index(name) for name in numbers]
    features = np.empty((len(frame), len(names)), np.float32)
    offsets = _fill(features, places, [one.content for one in numbers.values()])
    notes += offset_notes(offsets, names)
    moved = {place: one.value for place, one in offsets.items() if one.value}
    if options.impute is not None and places:
        taken_off = [moved.get(place, 0.0) for place in places]
        filled, note = impute(features[:, places], list(numbers), options.impute, taken_off)
        features[:, places] = filled
        notes += [note] if note else []
    levels: dict[int, tuple[Any, ...]] = {}
    if categories:
        codes, found, told = encode(categories, options)
        positions = [names.index(name) for name in categories]
        features[:, positions] = codes
        levels = dict(zip(positions, found, strict=True))
        notes += told
    return Parts(
        features,
        labels,
        "frame",
        feature_names=tuple(names),
        owned=True,
        notes=tuple(notes),
        levels=levels,
        offsets=moved,
    )


def _without_lists(frame: pd.DataFrame, chosen: set[str | None]) -> tuple[pd.DataFrame, list[str]]:
    """Return a frame in which a column of lists of one length, an embedding, is several columns."""
    parts: list[pd.DataFrame] = []
    notes = []
    for name in frame.columns:
        column = frame[name]
        cells = column.tolist() if column.dtype == object else []
        if not any(isinstance(cell, (list, tuple, np.ndarray)) for cell in cells):
            parts.append(column.to_frame())
            continue
        try:
            matrix = np.array(cells)
        except ValueError:
            matrix = np.empty(0, object)
        if matrix.ndim != 2 or matrix.dtype.kind not in "buif":
            sizes = sorted({np.size(cell) for cell in cells})
            raise DataError(
                f"column {name!r} holds lists of {sizes[0]} to {sizes[-1]} values",
                "lists of numbers, all of one length",
                f"drop={name!r}",
            )
        names = [f"{name}[{place}]" for place in range(matrix.shape[1])]
        if name in chosen:
            wrong = f"column {name!r} holds lists, and was named as categorical or as text"
            raise DataError(wrong, "a column of words, or of codes")
        if taken := next((one for one in names if one in frame), None):
            wrong = f"column {name!r} holds lists, whose columns would be called as {taken!r} is"
            raise DataError(wrong, "different names", f"rename or leave out one: drop={taken!r}")
        parts.append(pd.DataFrame(matrix, index=frame.index, columns=names))
        notes.append(f"{name!r}: lists of {len(names)} numbers, each a column")
    return (pd.concat(parts, axis=1), notes) if notes else (frame, [])


def _fill(out: np.ndarray, places: list[int], columns: list[pd.Series]) -> dict[int, Offset]:
    """Write columns as float32, and return what had to be taken off, and from which."""
    found: dict[int, Offset] = {}
    # a number beyond float32 becomes infinite and is reported with its row
    with np.errstate(over="ignore", invalid="ignore"):
        for place, column in zip(places, columns, strict=True):
            exact = column.dtype.kind in "iu" and not column.hasnans
            kept: dict[str, Any] = {} if exact else {"dtype": np.float64, "na_value": np.nan}
            offset = find_offset(column.to_numpy(**kept))
            if offset is not None:
                found[place] = offset
            for start in range(0, len(out), _BLOCK):
                part = column.iloc[start : start + _BLOCK]
                if offset is not None and offset.value:
                    values = difference(part.to_numpy(**kept), offset.value)
                else:
                    values = part.to_numpy(np.float32, na_value=np.nan)
                out[start : start + _BLOCK, place] = values
    return found


def _check_names(names: list[str], options: TableOptions) -> None:
    text = () if options.text is None else (options.text,)
    for option, chosen in (
        ("drop", options.drop),
        ("categorical", options.categorical),
        ("text", text),
    ):
        for name in chosen:
            if name not in names:
                raise UnknownNameError(
                    f"{option} names the column {name!r}, which is no feature",
                    nearest_columns(name, names),
                )
    both = [name for name in (*options.categorical, *text) if name in options.drop]
    if both:
        raise DataError(f"the column {both[0]!r} is left out and used", "one of the two")


def tf_idf(texts: pd.Series, name: str, options: TableOptions) -> tuple[np.ndarray, list[str], str]:
    """Return the weights of the most frequent terms.

    ``texts``: a missing text is an empty one; ``options``: its ``analyzer``, ``max_features`` and
    ``ngram_range``. Returns ``weights`` (n, terms) float32: rows of length 1, or 0 where no term
    occurs; ``terms``: names of the columns.
    """
    missing = texts.isna().to_numpy()
    words = texts.astype(object).where(~missing, "").tolist()
    odd = next((one for one in words if not isinstance(one, str)), None)
    if odd is not None:
        raise DataError(
            f"the column {name!r} was named as text, and holds {odd!r}",
            "text",
            f"frame.astype({{{name!r}: str}})",
        )
    try:
        vectorizer = _words(options) if options.counts_words else _characters(words, options)
        sparse = vectorizer.fit_transform(words)
    except ValueError as error:
        raise DataError(
            f"the column {name!r} holds no word ({error})", "texts of words of two letters or more"
        ) from error
    n, width = sparse.shape
    if 4 * n * width > _MOST_BYTES:
        raise DataError(
            f"{n:,} texts with {width:,} terms take {4 * n * width / 2**30:.1f} GiB",
            f"at most {_MOST_BYTES / 2**30:g} GiB",
            f"max_features={_MOST_BYTES // (4 * n)}",
        )
    terms = [f"{name}: {term}" for term in vectorizer.get_feature_names_out()]
    empty = int((np.diff(sparse.indptr) == 0).sum())
    kind = "terms" if options.counts_words else "runs of characters"
    note = f"{name!r} read as TF-IDF weights of {width:,} {kind}"
    if empty:
        note += f"; {empty:,} texts hold none of them"
    return sparse.toarray(), terms, note


def _words(options: TableOptions) -> TfidfVectorizer:
    from sklearn.feature_extraction.text import TfidfVectorizer

    return TfidfVectorizer(
        max_features=options.max_features or _WORDS,
        ngram_range=options.ngram_range or (1, 1),
        dtype=np.float32,
    )


def _characters(texts: list[str], options: TableOptions) -> TfidfVectorizer:
    """Return what weighs the runs of characters that are the most frequent in texts.

    Their number is that of no language: a part of the texts, evenly spread,
    says which to keep, so that memory for counting all others is bounded.
    """
    from sklearn.feature_extraction.text import CountVectorizer, TfidfVectorizer

    most = max(2, min(_RUNS, _MOST_BYTES // (4 * len(texts))))
    kept: dict[str, Any] = {"analyzer": "char_wb", "ngram_range": options.ngram_range or (2, 4)}
    step = -(-sum(map(len, texts)) // _READ)
    counter = CountVectorizer(**kept, max_features=options.max_features or most)
    vocabulary = counter.fit(texts[:: max(step, 1)]).vocabulary_
    return TfidfVectorizer(**kept, vocabulary=vocabulary, sublinear_tf=True, dtype=np.float32)
