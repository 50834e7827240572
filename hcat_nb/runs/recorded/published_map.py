"""Data maps that others published, read for our chart and written back.

The format is that of Dataset Cartography (Swayamdipta et al. 2020, arXiv
2009.10795): ``data_map_coordinates.jsonl``, one object a line with ``guid``,
``confidence``, ``variability`` and ``correctness``, there the *number* of
epochs in which the label was predicted, and often ``index`` and
``threshold_closeness``, which are carried along.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from hcat_nb.casts import as_path
from hcat_nb.errors import DataError, MissingDataError
from hcat_nb.runs.store.atomic import delivered

_COORDINATES = ("confidence", "variability", "correctness")
_OURS = ("aleatoric", "dataiq_group", "datamaps_group")
# Published numbers are rounded; a mean p of c allows a deviation of sqrt(c (1 - c)).
_ROUNDING = 1e-6


def read_data_map(
    source: str | os.PathLike[str] | pd.DataFrame, *, epochs: int | None = None
) -> pd.DataFrame:
    """Read a published data map: a file of JSON lines or Parquet, or its content.

    ``epochs`` is how many the map covers (default: the largest ``correctness``,
    which is too small where no sample was right in all of them).

    Returns
    -------
    pandas.DataFrame
        Index ``sample_id`` (the ``guid``), in the order of the file; what
        :func:`hcat_nb.charts.data_map.data_map` draws: ``confidence`` and
        ``variability`` as published, ``correctness`` as the share of
        epochs, ``aleatoric``, which follows from the first two (c (1 - c) -
        v^2), ``dataiq_group`` and ``datamaps_group``; then whatever else the
        file holds.  ``attrs["epochs"]`` is the number of epochs.

    Examples
    --------
    >>> import pandas as pd
    >>> one = pd.DataFrame(
    ...     {"guid": [7], "confidence": [0.9], "variability": [0.1], "correctness": [3]}
    ... )
    >>> read_data_map(one, epochs=3)[["correctness", "datamaps_group"]].to_numpy().tolist()
    [[1.0, 'easy']]
    """
    from hcat_nb.methods._groups import named
    from hcat_nb.methods.dataiq import dataiq_groups
    from hcat_nb.methods.datamaps import datamaps_groups

    table = source if isinstance(source, pd.DataFrame) else _read(as_path(source))
    absent = [name for name in ("guid", *_COORDINATES) if name not in table]
    if absent:
        raise DataError(
            f"the map has no column {absent[0]!r} (it has {', '.join(map(str, table.columns))})",
            "guid, confidence, variability and correctness",
        )
    if table["guid"].duplicated().any():
        twice = table["guid"][table["guid"].duplicated()].iloc[0]
        raise DataError(f"the map holds the guid {twice!r} twice", "each once")
    confidence, variability, count = (table[name].to_numpy(np.float64) for name in _COORDINATES)
    largest = int(count.max()) if len(count) else 1
    n_epochs = max(1, largest) if epochs is None else epochs
    _check(table["guid"], confidence, variability, count, n_epochs)
    aleatoric = np.clip(confidence * (1 - confidence) - variability**2, 0, 0.25)
    frame = pd.DataFrame(
        {
            "confidence": confidence,
            "variability": variability,
            "correctness": count / n_epochs,
            "aleatoric": aleatoric,
            "dataiq_group": _groups(named(dataiq_groups(confidence, aleatoric))),
            "datamaps_group": _groups(named(datamaps_groups(confidence, variability))),
        },
        index=pd.Index(table["guid"].tolist(), name="sample_id"),
    )
    for name in table.columns.difference(["guid", *_COORDINATES, *_OURS], sort=False):
        frame[name] = table[name].tolist()
    frame.attrs["epochs"] = n_epochs
    return frame


def write_data_map(
    frame: pd.DataFrame, path: str | os.PathLike[str], *, epochs: int | None = None
) -> Path:
    """Write a data map as Dataset Cartography does, one JSON object a line.

    ``frame`` is what :func:`read_data_map` gave, whose further columns are written
    too, or the ``details`` of a run; ``epochs`` are those behind ``correctness``.
    """
    read = "epochs" in frame.attrs
    n_epochs = frame.attrs.get("epochs") if epochs is None else epochs
    if n_epochs is None:
        raise DataError("the number of epochs is not known", remedy="epochs=run.spec.epochs")
    without = frame.index[frame[list(_COORDINATES)].isna().any(axis=1)]
    if len(without):
        raise DataError(
            f"{len(without)} samples have no place on the map, such as {without[0]!r}",
            "coordinates",
            "frame.dropna(subset=['variability'])",
        )
    further = (
        [name for name in frame.columns if name not in (*_COORDINATES, *_OURS)] if read else []
    )
    counts = np.rint(frame["correctness"].to_numpy(np.float64) * n_epochs).astype(np.int64)
    table = pd.DataFrame(
        {
            "guid": frame.index.to_numpy(),
            **{name: frame[name].to_numpy() for name in further},
            "confidence": frame["confidence"].to_numpy(np.float64),
            "variability": frame["variability"].to_numpy(np.float64),
            "correctness": counts,
        }
    )
    target, rows = as_path(path), table.to_dict(orient="records")
    # Of json: every digit of a float.
    text = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
    delivered(target, lambda draft: draft.write_text(text, encoding="utf-8"))
    return target


def _read(path: Path) -> pd.DataFrame:
    if not path.is_file():
        raise MissingDataError(f"{path} does not exist", "a file of a data map")
    try:
        if path.suffix == ".parquet":
            return pd.read_parquet(path)
        with path.open(encoding="utf-8") as lines:
            return pd.DataFrame([json.loads(line) for line in lines if line.strip()])
    except (OSError, ValueError) as error:  # pyarrow's ArrowInvalid is a ValueError
        raise DataError(f"{path} cannot be read ({error})", "JSON lines or Parquet") from error


def _check(
    guids: pd.Series[Any],
    confidence: np.ndarray,
    variability: np.ndarray,
    count: np.ndarray,
    epochs: int,
) -> None:
    c = np.clip(confidence, 0, 1)
    bound = np.sqrt(c * (1 - c)) + _ROUNDING
    rules = (
        ("confidence", confidence, (confidence >= 0) & (confidence <= 1), "in [0, 1]"),
        (
            "variability",
            variability,
            (variability >= 0) & (variability <= bound),
            "at most sqrt(c (1 - c)) at a confidence of c",
        ),
        (
            "correctness",
            count,
            (count >= 0) & (count <= epochs) & (count == np.rint(count)),
            f"a number of epochs from 0 to {epochs}",
        ),
    )
    for name, values, holds, expected in rules:
        if not holds.all():
            first = int(np.flatnonzero(~holds)[0])
            raise DataError(f"the {name} of {guids.iloc[first]!r} is {values[first]:g}", expected)


def _groups(groups: np.ndarray) -> pd.Categorical:
    return pd.Categorical(groups, categories=["easy", "ambiguous", "hard"])
