"""Records the logits of a training elsewhere, for people who cannot hand over the model."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from hcat_nb.errors import DataError, SpecError, StoreError

if TYPE_CHECKING:
    import pandas as pd


class Recorder:
    """Keeps the logits of one training, epoch by epoch; made by :func:`hcat_nb.record`.

    Attributes
    ----------
    logits : list of array of shape (n, C), float32
        One an epoch, NaN where a sample was not recorded, in the order of
        ``ids``; empty where they are written to a folder instead.
    ids : pandas.Index of length n
    """

    def __init__(
        self,
        ids: pd.Index,
        n_classes: int,
        codes: np.ndarray | None,
        out: Path | None,
    ) -> None:
        self.ids, self.logits = ids, list[np.ndarray]()
        self._codes, self._out, self._epoch = codes, out, 0
        self._now = np.full((len(ids), n_classes), np.nan, np.float32)

    def add(self, ids: Any, logits: Any) -> None:
        """Take the logits of some samples; of one that comes twice, the last time counts.

        Parameters
        ----------
        ids : sequence, array or Tensor of length b
        logits : array or Tensor of shape (b, C)

        Raises
        ------
        DataError
            If an id is not among the samples, a logit is not finite, or shapes
            contradict each other.
        """
        import pandas as pd

        values, given = _array(logits), _array(ids)
        if values.shape != (len(given), self._now.shape[1]):
            raise DataError(
                f"logits of the shape {values.shape} for {len(given)} ids",
                f"({len(given)}, {self._now.shape[1]})",
            )
        rows = self.ids.get_indexer(pd.Index(given))
        if (rows < 0).any():
            first = given.tolist()[int(np.argmax(rows < 0))]
            raise DataError(f"there is no sample with the id {first!r}", f"as {self.ids[0]!r}")
        if not np.isfinite(values).all():
            raise DataError("a logit is NaN or infinite", "finite numbers")
        self._now[rows] = values

    def end_epoch(self) -> None:
        """Close an epoch: keep it, or write it as ``dynamics_epoch_{k}.parquet``, k from 0.

        Raises
        ------
        DataError
            If nothing was recorded in it.
        StoreError
            If it cannot be written.
        """
        seen = ~np.isnan(self._now[:, 0])
        if not seen.any():
            raise DataError(f"nothing was recorded in epoch {self._epoch + 1}", "recorder.add(...)")
        if self._out is None:
            self.logits.append(self._now.copy())
        else:
            self._write(self._out, seen)
        self._epoch += 1
        self._now.fill(np.nan)

    def _write(self, folder: Path, seen: np.ndarray) -> None:
        import pyarrow as pa
        import pyarrow.parquet as pq

        columns = {
            "guid": pa.Array.from_pandas(self.ids[seen].to_series()),
            f"logits_epoch_{self._epoch}": pa.array(list(self._now[seen])),
        }
        if self._codes is not None:
            columns["gold"] = pa.array(self._codes[seen])
        path = folder / f"dynamics_epoch_{self._epoch}.parquet"
        try:
            folder.mkdir(parents=True, exist_ok=True)
            draft = path.with_suffix(".part")
            pq.write_table(pa.table(columns), draft)
            draft.rename(path)
        except OSError as error:
            raise StoreError(f"{path} cannot be written ({error})", "another folder") from error


def record(
    n: int | Sequence[Any],
    classes: int | Sequence[Any],
    *,
    labels: Any = None,
    out: str | Path | None = None,
) -> Recorder:
    """Record the logits of a training, for :func:`hcat_nb.characterize_dynamics`.

    Parameters
    ----------
    n : int or sequence
        How many samples there are, numbered from 0; or their ids.
    classes : int or sequence
        How many classes, or their values, in the order of the logits.
    labels : array-like of length n, optional
        The label of each sample, written as ``gold``, its place among the classes.
    out : str or Path, optional
        Folder to write each epoch to, in the fields of Dataset Cartography
        (``guid``, ``logits_epoch_{k}``, ``gold``); without, they are kept in
        memory.  ``pandas.read_parquet(file).to_json(new, orient="records",
        lines=True)`` makes of one the file that their own tools read.

    Returns
    -------
    Recorder
        ``add(ids, logits)`` after each step, ``end_epoch()`` after each epoch.

    Raises
    ------
    HcatError
        If ids repeat, there are fewer than two classes, labels do not fit, or
        the folder holds dynamics already.

    Examples
    --------
    >>> import numpy as np, hcat_nb as hcat
    >>> recorder = hcat.record(3, ["cat", "dog"])
    >>> recorder.add([2, 0, 1], np.array([[1.0, 0.0], [2.0, 0.0], [0.0, 1.0]]))
    >>> recorder.end_epoch()
    >>> y = ["cat", "dog", "dog"]
    >>> run = hcat.characterize_dynamics(
    ...     logits=recorder.logits, labels=y, recorded="train", methods="aum"
    ... )
    >>> run.scores["aum"].tolist()
    [-2.0, -1.0, 1.0]
    """
    import pandas as pd

    from hcat_nb.data.reading.labels import code_labels

    index = pd.RangeIndex(n) if isinstance(n, int) else pd.Index(n)
    values = list(range(classes)) if isinstance(classes, int) else list(classes)
    if not index.is_unique or not len(index):
        raise DataError(f"{len(index)} samples, of which ids repeat", "an id for each, or a number")
    if len(values) < 2:
        raise SpecError(f"{len(values)} classes", "two at least")
    codes = None
    if labels is not None:
        codes = code_labels(labels, values).codes
        if len(codes) != len(index):
            raise DataError(f"{len(codes)} labels for {len(index)} samples", "one each")
    folder = None if out is None else Path(out).expanduser()
    if folder is not None and any(folder.glob("dynamics_epoch_*")):
        raise StoreError(f"{folder} holds training dynamics already", "another folder")
    return Recorder(index, len(values), codes, folder)


def _array(values: Any) -> np.ndarray:
    """Return a tensor of any device and type, an array or a list as an array."""
    if hasattr(values, "detach"):
        values = values.detach().cpu()
        values = values.float() if values.is_floating_point() else values
    return np.asarray(values)
