"""The data of a run as they came, before they are read: a table's columns, and its labels."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from hcat_nb.data.files.array_file import names_array_file, read_arrays
from hcat_nb.data.reading.any_frame import as_pandas
from hcat_nb.data.reading.coerce import are_texts, as_table
from hcat_nb.data.reading.labels import code_labels
from hcat_nb.data.sources._table import TableSource
from hcat_nb.data.sources.file import File
from hcat_nb.data.truth import names_column, split_beside
from hcat_nb.errors import DataError
from hcat_nb.fields import USERS_OWN
from hcat_nb.registry import SOURCES, name_of_path, names_file, names_folder

if TYPE_CHECKING:
    from hcat_nb.data.dataset import LabelledDataset
    from hcat_nb.spec import RunSpec


@dataclass(frozen=True, eq=False)
class Raw:
    """A table before a run reads it; ``frame``: its features, ``whole``: all columns."""

    frame: pd.DataFrame
    labels: Any
    text: str | None
    whole: pd.DataFrame
    target: str | None = None
    from_file: bool = False


def raw_table(data: Any, labels: Any, spec: RunSpec, truth: Any = None) -> Raw | None:
    """Return the table that a run would read, truth and groups apart; None if there is none."""
    options = dict(spec.dataset_options)
    target: Any = spec.target
    from_file = False
    if data is None or isinstance(data, (str, os.PathLike)):
        name = name_of_path(spec.dataset if data is None else data)
        if names_array_file(name):
            data, labels = read_arrays(name, labels, target)
            target = None
        else:
            data, own, from_file = _frame_of_source(name, spec, options)
            target = own if own is not None else target
    elif labels is None and isinstance(data, tuple) and len(data) == 2:
        data, labels = data
    text, data = options.get("text"), as_table(as_pandas(data))
    if isinstance(data, np.ndarray) and data.ndim == 2:
        data = pd.DataFrame(data)
    elif are_texts(data):
        data, text = pd.DataFrame({"text": pd.Series(list(data), dtype=object)}), "text"
    elif hasattr(data, "to_pandas"):
        data = data.to_pandas()
    if not isinstance(data, pd.DataFrame) or "image" in options:
        return None
    whole = data.set_axis([str(name) for name in data.columns], axis=1)
    truth = spec.truth if truth is None and spec.truth != USERS_OWN else truth
    besides = {"truth": truth, "groups": spec.groups, "weights": spec.weights}
    for option, given in besides.items():
        if names_column(given):
            data, _ = split_beside(data, option, given, target)
    frame = data.set_axis([str(name) for name in data.columns], axis=1)
    if frame.columns.has_duplicates:
        return None  # which a run refuses, as it does a target that is not there
    if labels is None:
        if target is None or str(target) not in frame.columns:
            return None
        labels = frame[str(target)]
        frame = frame.drop(columns=str(target))
    else:
        target = None
    dropped = options.get("drop", ())
    dropped = [dropped] if isinstance(dropped, str) else [str(name) for name in dropped]
    frame = frame.drop(columns=[name for name in dropped if name in frame])
    return Raw(frame, labels, text, whole, None if target is None else str(target), from_file)


def _frame_of_source(name: str, spec: RunSpec, options: dict[str, Any]) -> tuple[Any, Any, bool]:
    """Return a table, its target, and whether it is that of a file."""
    if names_folder(name):
        return None, None, False
    if names_file(name):
        name, options = "file", {"path": name, **options}
    plugin = SOURCES.get(name)
    if not issubclass(plugin, TableSource):
        return None, None, False
    root = None if spec.root is None else Path(spec.root)
    source = plugin.from_options(root, spec.download, **options)
    if isinstance(source, File):
        read, own = source.read(spec.target)
        return read.frame, own, True
    return *source.frame(), False


def coded(labels: Any, classes: Sequence[Any] | None = None) -> tuple[np.ndarray, list[Any]]:
    """Return class codes, -1 where missing, and class values; of labels that a run refuses, too."""
    try:
        made = code_labels(labels, classes)
    except DataError:  # a run stops, and says why
        codes, values = pd.factorize(pd.Series(np.asarray(labels, dtype=object)).astype(str))
        return codes.astype(np.int64), list(values)
    return made.codes, list(made.class_values)


def feature_frame(dataset: LabelledDataset) -> pd.DataFrame:
    """Return the feature columns of a table: as they were given, where it keeps them."""
    if dataset.original is not None:
        return dataset.original
    names = dataset.feature_names or tuple(map(str, range(dataset.sample_shape[0])))
    frame = pd.DataFrame(dataset.features.numpy(), columns=list(names), copy=False)
    return frame.set_axis(dataset.sample_ids)
