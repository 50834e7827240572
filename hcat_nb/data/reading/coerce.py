"""Arrays, frames, torch datasets and loaders as a LabelledDataset."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
import pandas as pd
import torch
from torch.utils.data import DataLoader, Dataset

from hcat_nb.data.dataset import NO_LABEL, LabelledDataset
from hcat_nb.data.files.image_files import ImageFiles, from_files
from hcat_nb.data.files.image_table import files_of, image_column
from hcat_nb.data.reading.any_frame import as_pandas, type_name
from hcat_nb.data.reading.arrays import Parts, as_array
from hcat_nb.data.reading.features import to_features
from hcat_nb.data.reading.frames import from_frame, nameless, same_index
from hcat_nb.data.reading.hugging_face import from_hugging_face, is_hugging_face
from hcat_nb.data.reading.ids import is_plain, sample_ids
from hcat_nb.data.reading.labels import code_labels
from hcat_nb.data.reading.rows import (
    check_policy,
    settle_bad_rows,
    settle_missing_labels,
    settle_unread,
)
from hcat_nb.data.reading.torch_data import from_dataset, from_loader, plain_order
from hcat_nb.data.table_options import TableOptions
from hcat_nb.data.truth import group_codes, split_beside, truth_values, weight_values
from hcat_nb.errors import DataError

_COLUMNS_NAMED = 20  # that a message lists


@contextmanager
def _whole_texts() -> Iterator[None]:
    """Refuse half characters, which no file could hold."""
    try:
        yield
    except UnicodeEncodeError as error:
        raise DataError(f"{error.object!r} is no Unicode", "whole characters") from None


@_whole_texts()
def coerce(
    data: Any,
    labels: Any = None,
    *,
    target: Any = None,
    name: str | None = None,
    classes: Sequence[Any] | None = None,
    on_missing_label: str = "error",
    on_bad_row: str = "error",
    options: Mapping[str, Any] | None = None,
    seed: int = 0,
    data_on: str = "auto",
    truth: Any = None,
    groups: Any = None,
    weights: Any = None,
) -> LabelledDataset:
    """Return the user's own data as a dataset that shares no memory with them.

    But for memory maps that stay on disk: theirs is the same file.

    The parameters are those of :func:`hcat_nb.data.loading.load`; ``options`` are those of a table,
    see :class:`~hcat_nb.data.table_options.TableOptions`; ``seed`` decides what the user's
    transform or dataset draws at random.
    """
    check_policy("on_missing_label", on_missing_label)
    check_policy("on_bad_row", on_bad_row)
    if labels is None and isinstance(data, tuple) and len(data) == 2:
        data, labels = data
    given, data, labels = data, as_pandas(data), as_pandas(labels)
    data = as_table(data)
    indexed = data is given or not is_plain(data.index)
    data, truth = split_beside(data, "truth", truth, target)
    data, groups = split_beside(data, "groups", groups, target)
    data, weights = split_beside(data, "weights", weights, target)
    parts = _parts(data, labels, target, options or {}, seed, data_on, indexed)
    n = len(parts.features) if parts.features.ndim else 0
    if n == 0:
        raise _empty()
    coded = code_labels(parts.labels, classes)
    if len(coded.codes) != n:
        raise DataError(f"{n} rows of features, but {len(coded.codes)} labels", "one label a row")
    ids, about_ids = sample_ids(parts.ids, parts.labels, n)
    codes = torch.from_numpy(coded.codes)
    missing = codes == NO_LABEL
    about_labels = settle_missing_labels(missing, ids, on_missing_label)
    features = to_features(
        parts.features, channels_first=parts.channels_first, owned=parts.owned, data_on=data_on
    )
    tensor, bad = features.tensor, features.bad
    about_rows = settle_bad_rows(tensor, bad, ids, parts.feature_names, on_bad_row)
    about_files = settle_unread(parts.unread, n, on_bad_row)
    tensor[bad] = 0
    bad[list(parts.unread)] = True
    dataset = LabelledDataset(
        name=parts.name if name is None or (isinstance(name, str) and not name) else name,
        features=tensor,
        labels=codes,
        class_values=coded.class_values,
        sample_ids=ids,
        value_range=features.value_range,
        feature_names=parts.feature_names,
        unreadable=bad if on_bad_row == "keep" and bool(bad.any()) else None,
        notes=(
            *parts.notes,
            *about_ids,
            *coded.notes,
            *features.notes,
            *(note for note in (about_labels, about_rows, about_files) if note),
        ),
        levels=parts.levels,
        words=parts.words,
        text=parts.text,
        original=parts.original,
        truth=None if truth is None else truth_values(truth, ids),
        groups=None if groups is None else group_codes(groups, ids),
        weights=None if weights is None else weight_values(weights, ids),
        mapped=features.mapped,
        files=parts.files,
        offsets=parts.offsets or features.offsets,
    )
    dropped = (missing & (on_missing_label == "drop")) | (bad & (on_bad_row == "drop"))
    if bool(dropped.any()):
        dataset = dataset.take(torch.nonzero(~dropped).ravel())
    check_learnable(dataset)
    texts = ids if ids.dtype == object else ()
    for text in (*dataset.class_values, *(dataset.feature_names or ()), *texts):
        str(text).encode()
    return dataset


def check_learnable(dataset: LabelledDataset) -> None:
    """Raise DataError unless labelled, readable rows of two classes are there."""
    present = torch.nonzero(dataset.class_counts).ravel().tolist()
    if len(present) >= 2:
        return
    expected = "labelled samples of at least two classes"
    if not present:
        raise DataError("no sample has both a label and readable features", expected)
    only = dataset.class_values[present[0]]
    count = int(dataset.trainable.sum())
    raise DataError(f"nothing to learn: 1 class ({only!r}) in {count} labelled samples", expected)


def _parts(
    data: Any,
    labels: Any,
    target: Any,
    options: Mapping[str, Any],
    seed: int,
    data_on: str,
    indexed: bool = True,
) -> Parts:
    """Return the parts of what was given; ``indexed``: a frame brings an index of its own."""
    if isinstance(data, ImageFiles):
        return from_files(data, seed)
    if isinstance(data, DataLoader) and is_hugging_face(data.dataset) and plain_order(data):
        data = data.dataset  # in its own order, whatever the loader's
    if is_hugging_face(data):
        return from_hugging_face(data, labels, target, options, seed)
    if isinstance(data, pd.DataFrame) and "image" not in options:
        found = image_column(data, target)
        options = options if found is None else {**options, "image": found}
    if "image" in options:
        if not isinstance(data, pd.DataFrame):
            raise DataError(
                f"image={options['image']!r} was given with data of the type {type_name(data)}",
                "a table of paths: a DataFrame, a dict of columns, or a file",
            )
        if indexed and isinstance(labels, (pd.Series, pd.DataFrame)):
            same_index(data, labels)
        files = files_of(data, labels, target, options)
        return from_files(files if indexed else dataclasses.replace(files, ids=None), seed)
    table = TableOptions.of(**options)

    loaded = isinstance(data, (DataLoader, Dataset))
    if target is not None and not (isinstance(data, pd.DataFrame) or loaded):
        raise DataError(
            f"target={target!r} was given with data of the type {type_name(data)}",
            "a frame with named columns (pandas, polars, pyarrow, ...)",
            "pass the labels beside the features: load(X, y)",
        )
    if target is not None and labels is not None:
        raise DataError("both labels and target= were given", "one of them")
    if loaded:
        if labels is not None:
            raise DataError(
                f"labels were given beside a {type(data).__name__}, which has its own",
                "one of them",
            )
        if isinstance(data, DataLoader):
            return from_loader(data, seed, data_on, target)
        return from_dataset(data, seed, data_on=data_on, target=target)
    if are_texts(data):
        indexed = indexed and isinstance(data, pd.Series)
        data, table = _as_frame(data), dataclasses.replace(table, text="text")
    elif options and isinstance(data, np.ndarray) and data.ndim == 2:
        data, indexed = pd.DataFrame(data), False
    if isinstance(data, pd.DataFrame):
        if target is None and labels is None:
            raise _no_labels(list(map(str, data.columns)))
        if len(data) == 0:
            raise _empty()
        if indexed:
            return from_frame(data, labels, target, table)
        return nameless(data, labels, target, table)
    if options:
        raise DataError(
            f"options of a table ({', '.join(options)}) were given with data of the type "
            f"{type_name(data)}",
            "a frame, an array (n, columns) or a list of texts",
        )
    array, channels_first, owned = as_array(data)
    if labels is None:
        raise _no_labels()
    return Parts(array, labels, "arrays", channels_first=channels_first, owned=owned)


def as_table(data: Any) -> Any:
    """Return a dict of columns, or a list of records, as a frame; all else as it is."""
    if isinstance(data, Mapping) and not is_hugging_face(data):
        try:
            return pd.DataFrame(dict(data))
        except ValueError as error:
            raise DataError(f"the dict is no table ({error})", "columns of one length") from error
    records = isinstance(data, (list, tuple)) and data and isinstance(data[0], Mapping)
    return pd.DataFrame.from_records(list(data)) if records else data


def are_texts(data: Any) -> bool:
    """Whether ``data`` is a list, array or Series of texts."""
    if isinstance(data, (np.ndarray, pd.Series)):
        data = np.asarray(data[:1]) if data.ndim == 1 else ()
    return (
        isinstance(data, (list, tuple, np.ndarray)) and len(data) > 0 and isinstance(data[0], str)
    )


def _as_frame(texts: Any) -> pd.DataFrame:
    if isinstance(texts, pd.Series):
        return texts.to_frame("text")
    return pd.DataFrame({"text": pd.Series(list(texts), dtype=object)})


def _empty() -> DataError:
    return DataError("the dataset is empty", "at least two samples of different classes")


def _no_labels(columns: Sequence[str] = ()) -> DataError:
    remedy = "load(X, y), or target= for a DataFrame"
    if columns:
        few = len(columns) <= _COLUMNS_NAMED
        known = "one of " + ", ".join(columns) if few else f"one of the {len(columns)}"
        remedy = f"load(X, y), or target=, the column that holds them: {known}"
    return DataError(
        "no labels were given, and without labels there is nothing to train",
        "a label for each sample",
        remedy,
    )
