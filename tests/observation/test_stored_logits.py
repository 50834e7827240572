"""Logits on disk: open, whole, and gone with the run that does not save them."""

from __future__ import annotations

import gc

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
import torch

from hcat_nb.data.dataset import LabelledDataset
from hcat_nb.errors import StoreError
from hcat_nb.observation.record import Observation
from hcat_nb.observation.stored_logits import LogitsKeeper, StoredLogits

E, N, C = 2, 7, 3
LOGITS = torch.from_numpy(np.random.default_rng(0).normal(size=(E, N, C)).astype(np.float32))
OBSERVED = torch.tensor([0, 1, 2, 4, 5, 6])  # row 3 cannot be read
IDS = [
    pd.Index(list("gfedcba")),
    pd.RangeIndex(100, 107),
    pd.date_range("2026-01-01", periods=N),
    pd.Index(["x"] * N),  # ids may repeat
]


def feed(keeper: LogitsKeeper, epochs: int = E, upto: int = len(OBSERVED)) -> None:
    for epoch in range(1, epochs + 1):
        for rows in OBSERVED[:upto].split(4):
            at = LOGITS[epoch - 1, rows]
            keeper.observe(Observation("epoch", epoch, rows, torch.zeros_like(rows), at))


@pytest.fixture
def keeper(tmp_path) -> LogitsKeeper:
    return LogitsKeeper(tmp_path, IDS[0], len(OBSERVED), ("no", "yes", "Köln"))


@pytest.mark.parametrize("ids", IDS, ids=lambda ids: type(ids).__name__ + str(ids.dtype))
def test_logits_and_ids_come_back(ids, tmp_path):
    feed(LogitsKeeper(tmp_path, ids, len(OBSERVED), (10, 20, 30)))
    stored = StoredLogits(tmp_path, N)
    assert (stored.n, stored.n_epochs, stored.n_classes) == (N, E, C)
    for epoch in (1, 2):
        frame = stored.epoch(epoch)
        assert frame.index.tolist() == ids[OBSERVED.numpy()].tolist()
        assert frame["position"].tolist() == OBSERVED.tolist()
        assert np.array_equal(frame[[10, 20, 30]].to_numpy(), LOGITS[epoch - 1, OBSERVED].numpy())
        rows = torch.cat([rows for rows, _ in stored.chunks(epoch)])
        values = torch.cat([values for _, values in stored.chunks(epoch)])
        assert torch.equal(rows, OBSERVED)
        assert torch.equal(values, LOGITS[epoch - 1, OBSERVED])


def test_any_parquet_reader_takes_the_folder(keeper, tmp_path):
    feed(keeper)
    frame = pd.read_parquet(tmp_path)
    assert len(frame) == E * len(OBSERVED)
    assert list(frame) == ["sample_id", "position", "epoch", "logit_0", "logit_1", "logit_2"]
    second = frame[frame["epoch"] == 2]
    assert np.array_equal(second.filter(like="logit").to_numpy(), LOGITS[1, OBSERVED].numpy())
    assert list(keeper.stored().epoch(1)) == ["position", "no", "yes", "Köln"]


def test_it_is_written_in_chunks(keeper, tmp_path):
    feed(keeper)
    assert pq.ParquetFile(tmp_path / "epoch_0001.parquet").num_row_groups == 2  # of 4 and 2 rows


def test_an_epoch_that_is_not_whole_has_no_file(keeper, tmp_path):
    feed(keeper, epochs=1, upto=5)
    assert not list(tmp_path.glob("*.parquet"))
    with pytest.raises(StoreError, match="holds no logits"):
        keeper.stored()


def test_a_file_that_is_spoilt_or_gone_is_named(keeper, tmp_path):
    feed(keeper)
    stored = keeper.stored()
    (tmp_path / "epoch_0002.parquet").write_text("{")
    with pytest.raises(StoreError, match=r"epoch_0002.parquet cannot be read"):
        stored.epoch(2)
    with pytest.raises(StoreError, match=r"epoch_0003.parquet cannot be read"):
        stored.epoch(3)


def test_a_copy_is_equal(keeper, tmp_path):
    feed(keeper)
    keeper.stored().copy_to(tmp_path / "copy")
    pd.testing.assert_frame_equal(
        StoredLogits(tmp_path / "copy", N).epoch(2), keeper.stored().epoch(2)
    )


def test_a_temporary_folder_goes_with_its_last_holder():
    dataset = LabelledDataset(
        "toy", torch.zeros(N, 1), torch.arange(N) % C, (0, 1, 2), IDS[1],
        unreadable=~torch.isin(torch.arange(N), OBSERVED),
    )  # fmt: skip
    keeper = LogitsKeeper.in_temporary_folder(dataset)
    feed(keeper)
    folder, stored = keeper.folder, keeper.stored()
    del keeper
    gc.collect()
    assert stored.epoch(1).index.tolist() == [100, 101, 102, 104, 105, 106]
    del stored
    gc.collect()
    assert not folder.exists()
