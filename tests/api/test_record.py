"""Logits of a training elsewhere, recorded."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest
import torch

import hcat_nb as hcat
from hcat_nb.errors import DataError, SpecError, StoreError

N, E = 12, 3
IDS = [f"row {i}" for i in range(N)]
Y = ["cat", "dog", "elk"] * 4


def logits(epoch):
    return torch.randn(N, 3, generator=torch.Generator().manual_seed(epoch)).bfloat16()


def fill(recorder, ids=range(N)):
    for epoch in range(E):
        for rows in torch.randperm(N).split(5):
            recorder.add([ids[row] for row in rows], logits(epoch)[rows])
        recorder.end_epoch()
    return recorder


def expected(**options):
    values = np.stack([logits(epoch).float().numpy() for epoch in range(E)])
    return hcat.characterize_dynamics(logits=values, labels=Y, ids=IDS, recorded="train", **options)


def test_in_memory_and_in_files_the_scores_are_those_of_the_arrays(tmp_path):
    wanted = expected().scores
    kept = fill(hcat.record(IDS, ["cat", "dog", "elk"]), IDS)
    run = hcat.characterize_dynamics(logits=kept.logits, labels=Y, ids=kept.ids, recorded="train")
    assert run.scores.equals(wanted)
    classes = ["cat", "dog", "elk"]
    fill(hcat.record(IDS, classes, labels=Y, out=tmp_path / "logs"), IDS)
    read = hcat.characterize_dynamics(log_file=tmp_path / "logs", classes=classes, recorded="train")
    assert read.scores.loc[IDS].equals(wanted)
    # Dataset Cartography's own files, by the line that the docstring gives.
    (tmp_path / "theirs").mkdir()
    for epoch in range(E):
        name = f"dynamics_epoch_{epoch}"
        frame = pd.read_parquet(tmp_path / "logs" / f"{name}.parquet")
        frame.to_json(tmp_path / "theirs" / f"{name}.jsonl", orient="records", lines=True)
    line = json.loads((tmp_path / "theirs" / "dynamics_epoch_0.jsonl").read_text().splitlines()[0])
    assert set(line) == {"guid", "logits_epoch_0", "gold"}
    theirs = hcat.characterize_dynamics(
        log_file=tmp_path / "theirs", classes=classes, recorded="train"
    )
    # JSON of pandas has ten digits.
    assert np.allclose(theirs.scores.loc[IDS], wanted, rtol=1e-5, atol=1e-6)


def test_labels_and_truth_may_come_later_by_their_ids(tmp_path):
    fill(hcat.record(IDS, 3, out=tmp_path), IDS)
    with pytest.raises(DataError, match="the log holds no gold labels"):
        hcat.characterize_dynamics(log_file=tmp_path)
    labels = pd.Series(Y, index=IDS).sample(frac=1, random_state=0)
    wrong = pd.Series([i < 3 for i in range(N)], index=IDS).sample(frac=1, random_state=1)
    run = hcat.characterize_dynamics(
        log_file=tmp_path, labels=labels, recorded="train", truth=wrong
    )
    assert run.scores.loc[IDS].equals(expected().scores)
    assert run.truth["is_hard"].loc[IDS].tolist() == [i < 3 for i in range(N)]
    assert "auroc" in run.evaluate()
    assert any("the truth was read" in note for note in run.info["notes"])


def test_samples_that_an_epoch_lacks_are_no_zeros():
    recorder = hcat.record(3, 2)
    recorder.add(np.array([0, 1]), np.ones((2, 2)))
    recorder.end_epoch()
    assert np.isnan(recorder.logits[0][2]).all()
    with pytest.raises(DataError, match="nothing was recorded in epoch 2"):
        recorder.end_epoch()


def test_what_is_wrong_is_said(tmp_path):
    recorder = hcat.record(3, 2)
    with pytest.raises(DataError, match=r"shape \(1, 3\) for 1 ids"):
        recorder.add([0], [[1.0, 2.0, 3.0]])
    with pytest.raises(DataError, match="no sample with the id 7"):
        recorder.add([7], [[1.0, 2.0]])
    with pytest.raises(DataError, match="NaN or infinite"):
        recorder.add([0], [[1.0, np.nan]])
    with pytest.raises(SpecError, match="1 classes"):
        hcat.record(3, 1)
    with pytest.raises(DataError, match="ids repeat"):
        hcat.record(["a", "a"], 2)
    with pytest.raises(DataError, match="2 labels for 3 samples"):
        hcat.record(3, 2, labels=[0, 1])
    fill(hcat.record(N, 3, out=tmp_path))
    with pytest.raises(StoreError, match="holds training dynamics already"):
        hcat.record(N, 3, out=tmp_path)
    (tmp_path / "dynamics_epoch_1.parquet").write_bytes(b"no")
    with pytest.raises(DataError, match="cannot be read"):
        hcat.characterize_dynamics(log_file=tmp_path, labels=pd.Series(Y))
