"""Records the logits of a training elsewhere, for people who cannot hand over the model."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from hcat_nb.errors import DataError, SpecError, StoreError

if TYPE_CHECKING:
    import pandas as pd


@dataclass(eq=False)
class Recorder:
    """Keeps the logits of one training, epoch by epoch; made by :func:`hcat_nb.record`.

    ``logits`` is a list with an array of shape (n, C), float32, for each epoch, in the order of
    ``ids``, NaN where a sample was not recorded; empty where they go to a folder.
    """

    ids: pd.Index
    _now: np.ndarray
    _codes: np.ndarray | None
    _out: Path | None
    logits: list[np.ndarray] = field(default_factory=list)
    _epoch: int = 0

    def add(self, ids: Any, logits: Any) -> None:
        """Take the logits, (b, C), of the samples with these ids, (b,); the last time counts.

        Raises
        ------
        DataError
            If an id is not among the samples, a logit is not finite, or shapes do not fit.
        """
        values, rows = _array(logits), positions(ids, self.ids)
        if values.shape != (len(rows), self._now.shape[1]):
            raise DataError(
                f"logits of the shape {values.shape} for {len(rows)} ids",
                f"({len(rows)}, {self._now.shape[1]})",
            )
        if not np.isfinite(values).all():
            raise DataError("a logit is NaN or infinite", "finite numbers")
        self._now[rows] = values

    def end_epoch(self) -> None:
        """Close an epoch: keep it, or write it as ``dynamics_epoch_{k}.parquet``, k from 0.

        DataError if nothing was recorded in it.
        """
        seen = ~np.isnan(self._now[:, 0])
        if not seen.any():
            raise DataError(f"nothing was recorded in epoch {self._epoch + 1}", "recorder.add(...)")
        if self._out is None:
            self.logits.append(self._now.copy())
        else:
            self._write(self._out / f"dynamics_epoch_{self._epoch}.parquet", seen)
        self._epoch += 1
        self._now.fill(np.nan)

    def _write(self, path: Path, seen: np.ndarray) -> None:
        import pandas as pd

        from hcat_nb.runs.store.atomic import writing, written_whole

        gold = {} if self._codes is None else {"gold": self._codes[seen]}
        rows = list(self._now[seen])
        frame = pd.DataFrame(
            {"guid": self.ids[seen], path.stem.replace("dynamics", "logits"): rows}
        )
        with writing(path, "choose another folder"):
            path.parent.mkdir(parents=True, exist_ok=True)
            written_whole(path, partial(frame.assign(**gold).to_parquet, index=False))


def record(
    n: int | Sequence[Any],
    classes: int | Sequence[Any],
    *,
    labels: Any = None,
    out: str | Path | None = None,
) -> Recorder:
    """Record the logits of a training, for :func:`hcat_nb.characterize_dynamics`.

    Call ``add(ids, logits)`` after each step, and ``end_epoch()`` after each epoch.

    Parameters
    ----------
    n : int or sequence
        How many samples there are, numbered from 0; or their ids.
    classes : int or sequence
        How many classes, or their values, in the order of the logits.
    labels : array-like of length n, optional
        The label of each sample, written as ``gold``, its class code.
    out : str or Path, optional
        Folder to write each epoch to, in the fields of Dataset Cartography
        (``guid``, ``logits_epoch_{k}``, ``gold``); without, they are kept in
        memory.  ``pandas.read_parquet(file).to_json(new, orient="records",
        lines=True)`` turns such a file into one that their own tools read.

    Raises
    ------
    HcatError
        If ids repeat, labels do not fit, or the folder holds dynamics already.

    Examples
    --------
    >>> import hcat_nb as hcat
    >>> recorder = hcat.record(4, ["cat", "dog"])
    >>> for epoch in range(2):
    ...     recorder.add([2, 0, 1, 3], [[0.1, 0.9], [2, 0], [1, 0], [0, epoch]])
    ...     recorder.end_epoch()
    >>> given = {"logits": recorder.logits, "labels": ["cat", "cat", "dog", "dog"]}
    >>> hcat.characterize_dynamics(**given, methods="aum").scores.shape
    (4, 1)
    """
    import pandas as pd

    from hcat_nb.data.reading.labels import code_labels

    index = pd.RangeIndex(n) if isinstance(n, int) else pd.Index(n)
    values = list(range(classes)) if isinstance(classes, int) else list(classes)
    if not index.is_unique or not len(index):
        raise DataError(f"{len(index)} samples, of which ids repeat", "an id for each, or a number")
    if len(values) < 2:
        raise SpecError(f"{len(values)} classes", "two at least")
    codes = None if labels is None else code_labels(labels, values).codes
    if codes is not None and len(codes) != len(index):
        raise DataError(f"{len(codes)} labels for {len(index)} samples", "one each")
    folder = None if out is None else Path(out).expanduser()
    if folder is not None and any(folder.glob("dynamics_epoch_*")):
        raise StoreError(f"{folder} holds training dynamics already", "another folder")
    return Recorder(index, np.full((len(index), len(values)), np.nan, np.float32), codes, folder)


def positions(ids: Any, index: pd.Index) -> np.ndarray:
    """Return the positions of samples, (b,), int64; where ids repeat, positions are given."""
    import pandas as pd

    given = _array(ids)
    if given.ndim != 1:
        raise DataError(f"ids are {ids!r}", "one for each row")
    if index.is_unique:
        rows = index.get_indexer(pd.Index(given))
    else:
        rows = np.where((given >= 0) & (given < len(index)), given, -1)
    if (rows < 0).any():
        raise DataError(
            f"there is no sample with the id {given.tolist()[int(np.argmax(rows < 0))]!r}",
            f"ids of the data, as {index[0]!r}",
            "let the dataset of your loop give each sample's id: (id, x, y)",
        )
    return np.asarray(rows, dtype=np.int64)


def _array(values: Any) -> np.ndarray:
    """Return a tensor of any device and type, an array or a list as an array."""
    if hasattr(values, "detach"):
        values = values.detach().cpu()
        values = values.float() if values.is_floating_point() else values
    try:
        return np.asarray(values)
    except ValueError as error:  # rows of several lengths
        raise DataError(f"{values!r} is no array", "rows of one length") from error
