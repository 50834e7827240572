"""All logits of every epoch in Parquet: written while training, read in chunks.

One file an epoch, ``epoch_0001.parquet ...``, with a row for each observed
sample: ``sample_id`` (the user's own), ``position`` (the sample's row in the
dataset, int32), ``epoch`` (int32) and ``logit_<code>`` for each class (float32).  The
class values stand, as a JSON list by code, in the files' metadata under
``hcat_nb.class_values``.  Any Parquet reader takes one file or the folder.

Memory: one chunk of the observer while writing, one row group while reading.
Disk: 4 C E bytes a sample, and the ids.
"""

from __future__ import annotations

import json
import shutil
import tempfile
import weakref
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import numpy as np
import pandas as pd
import pyarrow as pa
import torch
from torch import Tensor

from hcat_nb.errors import StoreError
from hcat_nb.observation.record import EachEpoch, Need, Observation
from hcat_nb.observation.recorded import Recorded, chunk_rows

if TYPE_CHECKING:
    from hcat_nb.data.dataset import LabelledDataset

_CLASS_VALUES = b"hcat_nb.class_values"


class _TemporaryFolder:
    """A folder that goes with the last one who holds this object."""

    def __init__(self) -> None:
        try:
            self.path = Path(tempfile.mkdtemp(prefix="hcat-logits-"))
        except OSError as error:
            raise _unwritten(tempfile.gettempdir(), error) from error
        weakref.finalize(self, shutil.rmtree, self.path, ignore_errors=True)


class LogitsKeeper(EachEpoch):
    """A subscriber that writes the logits at the end of every epoch to disk.

    An epoch's file has its name only when it is whole.

    ``folder``: exists, and is empty; ``n_observed``: samples that each epoch observes;
    ``class_values``: the user's own value of each class, by code.
    """

    needs = frozenset({Need.LOGITS})

    def __init__(
        self, folder: Path, sample_ids: pd.Index, n_observed: int, class_values: Sequence[Any]
    ) -> None:
        self.folder = folder
        self._ids = sample_ids
        self._n_observed = n_observed
        self._classes = json.dumps(list(class_values), ensure_ascii=False)
        self._writer: Any = None
        self._written = 0
        self._owned: _TemporaryFolder | None = None

    @classmethod
    def in_temporary_folder(cls, dataset: LabelledDataset) -> Self:
        """Return a keeper for ``dataset`` whose folder goes with it and its :meth:`stored`."""
        owned = _TemporaryFolder()
        n_observed = int(dataset.readable.sum())
        keeper = cls(owned.path, dataset.sample_ids, n_observed, dataset.class_values)
        keeper._owned = owned
        return keeper

    def stored(self) -> StoredLogits:
        """Return what was written so far: the epochs that are whole."""
        stored = StoredLogits(self.folder, len(self._ids))
        stored._owned = self._owned
        return stored

    def observe(self, record: Observation) -> None:
        """Append an ``epoch`` record to the epoch's file."""
        try:
            self._append(record)
        except OSError as error:
            raise _unwritten(self.folder, error) from error

    def _append(self, record: Observation) -> None:
        import pyarrow.parquet as pq

        rows = record.rows.cpu().numpy()
        logits = record.logits.float().cpu().numpy()
        columns = {
            "sample_id": pa.Array.from_pandas(self._ids[rows].to_series()),
            "position": pa.array(rows.astype(np.int32)),
            "epoch": pa.array(np.full(len(rows), record.epoch, np.int32)),
        }
        columns |= {
            f"logit_{code}": pa.array(np.ascontiguousarray(logits[:, code]))
            for code in range(logits.shape[1])
        }
        table = pa.table(columns).replace_schema_metadata({_CLASS_VALUES: self._classes})
        path = self.folder / _file(record.epoch)
        draft = path.with_suffix(".part")
        if self._writer is None:
            self._writer = pq.ParquetWriter(draft, table.schema, use_dictionary=["sample_id"])
            self._written = 0
        self._writer.write_table(table)
        self._written += len(rows)
        if self._written == self._n_observed:
            self._writer.close()
            self._writer = None
            draft.rename(path)


class StoredLogits(Recorded):
    """What a :class:`LogitsKeeper` wrote; ``check`` gets each file before it is first read."""

    content = "logits"
    moment = "epoch_end"

    def __init__(
        self, folder: Path, n: int, check: Callable[[Path], None] = lambda _: None
    ) -> None:
        self.folder = folder
        self.n = n
        self._check = check
        self._checked: set[int] = set()
        self._owned: _TemporaryFolder | None = None
        self.n_epochs = len(list(folder.glob("epoch_*.parquet")))
        if self.n_epochs == 0:
            raise StoreError(f"{folder} holds no logits", "epoch_0001.parquet and so on")
        self.n_classes = sum(name.startswith("logit_") for name in self._open(1).schema.names)

    def __repr__(self) -> str:
        return f"<logits of {self.n:,} samples, {self.n_classes} classes, {self.n_epochs} epochs>"

    def epoch(self, epoch: int) -> pd.DataFrame:
        """Return the logits at the end of an epoch.

        Index ``sample_id``; ``position`` and a float32 column for each class, named by its value.
        Samples that were not observed are not in it.
        """
        file = self._open(epoch)
        classes = json.loads(file.schema_arrow.metadata[_CLASS_VALUES])
        names = {f"logit_{code}": value for code, value in enumerate(classes)}
        frame: pd.DataFrame = file.read().to_pandas().set_index("sample_id")
        return frame.drop(columns="epoch").rename(columns=names)

    def chunks(self, epoch: int) -> Iterator[tuple[Tensor, Tensor]]:
        """Yield positions and logits, in the order in which they were observed."""
        names = [f"logit_{code}" for code in range(self.n_classes)]
        file = self._open(epoch)
        batches = file.iter_batches(chunk_rows(self.n_classes), columns=["position", *names])
        for batch in batches:
            values = np.empty((len(batch), self.n_classes), np.float32)
            for code, name in enumerate(names):
                values[:, code] = batch.column(name).to_numpy()
            rows = batch.column("position").to_numpy().astype(np.int64)
            yield torch.from_numpy(rows), torch.from_numpy(values)

    def copy_to(self, folder: Path) -> None:
        """Copy the files into ``folder``, which is made."""
        folder.mkdir()
        for epoch in range(1, self.n_epochs + 1):
            shutil.copyfile(self.folder / _file(epoch), folder / _file(epoch))

    def _open(self, epoch: int) -> Any:
        import pyarrow.parquet as pq

        path = self.folder / _file(epoch)
        if epoch not in self._checked:
            self._check(path)
            self._checked.add(epoch)
        try:
            return pq.ParquetFile(path)
        except (OSError, ValueError) as error:  # pyarrow's ArrowInvalid is a ValueError
            raise StoreError(f"{path} cannot be read ({error})", "a file of kept logits") from error


def _unwritten(folder: Path | str, error: OSError) -> StoreError:
    return StoreError(
        f"logits cannot be kept in {folder} while the run goes on ({error})",
        remedy="make room there and resume; TMPDIR names another place for temporary files",
    )


def _file(epoch: int) -> str:
    return f"epoch_{epoch:04d}.parquet"
