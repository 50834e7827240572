"""Scores are the same to the bit wherever features lie and whoever reads them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from torch.utils.data import DataLoader, Dataset

import hcat_nb as hcat
from hcat_nb.data import feature_stream, placement

RNG = np.random.default_rng(0)
TABLE = RNG.normal(size=(300, 6)).astype(np.float32)
IMAGES = RNG.integers(0, 256, size=(160, 1, 12, 12), dtype=np.uint8)
EXTRA = {"cleanlab": {"cv": 2}, "aum": {"threshold_samples": True}}


class Rows(Dataset[Any]):
    """Drawn anew each time by whoever reads a row, in whatever process."""

    def __init__(self, features: np.ndarray, labels: np.ndarray) -> None:
        self.features, self.labels = features, labels

    def __len__(self) -> int:
        return len(self.labels)

    def __getitem__(self, row: int) -> tuple[torch.Tensor, int]:
        return torch.from_numpy(self.features[row]), int(self.labels[row])


def _labels(features: np.ndarray) -> np.ndarray:
    flat = features.reshape(len(features), -1).astype(float)
    weights = np.random.default_rng(1).normal(size=(flat.shape[1], 3))
    return (flat @ weights).argmax(axis=1)


def _run(data: Any, labels: Any, data_on: str, hardness: str | None, **more: Any) -> hcat.Run:
    return hcat.characterize(
        data, labels, data_on=data_on, hardness=hardness, p=0.1, epochs=2, seed=3, **more
    )


@pytest.fixture(autouse=True)
def _in_small_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(feature_stream, "_GATHERED", 5000)
    monkeypatch.setattr(placement, "_BLOCK", 1000)


def _ways(features: np.ndarray, labels: np.ndarray, folder: Path) -> dict[str, tuple[Any, ...]]:
    np.save(folder / "x.npy", features)
    path, loader = folder / "x.npy", DataLoader(Rows(features, labels), num_workers=2)
    return {
        "in memory, asked for": (features, labels, "host"),
        "a file of ours": (features, labels, "disk"),
        "a file by its path": (path, labels, "disk"),
        "a map": (np.load(path, mmap_mode="r"), labels, "disk"),
        "a loader with workers, to disk": (loader, None, "disk"),
        "a loader with workers, to memory": (loader, None, "auto"),
    }


@pytest.mark.parametrize("kind", ["table", "images"])
@pytest.mark.parametrize("hardness", ["uniform", "id_covariate"])
def test_every_way_gives_the_same_scores(kind: str, hardness: str, tmp_path: Path) -> None:
    features = TABLE if kind == "table" else IMAGES
    labels = _labels(features)
    more: dict[str, Any] = {"method_options": EXTRA} if hardness == "uniform" else {}
    expected = _run(features, labels, "auto", hardness, **more)
    assert len(expected.methods) == 13
    assert expected.info["data_on"] == "device"
    for way, (data, own, data_on) in _ways(features, labels, tmp_path).items():
        run = _run(data, own, data_on, hardness, **more)
        assert run.info["data_on"] == {"auto": "device"}.get(data_on, data_on), way
        assert any("mapped" in note for note in run.info["notes"]) == (data_on == "disk"), way
        pd.testing.assert_frame_equal(
            run.scores, expected.scores, check_exact=True, check_index_type=False, obj=way
        )
        for name, value in run.weights.items():
            assert torch.equal(value, expected.weights[name]), (way, name)


@pytest.mark.parametrize(
    ("kind", "hardness", "options"),
    [
        ("table", "far_ood", {}),
        ("table", "atypical", {}),
        ("table", "mixture", {"parts": {"uniform": 0.05, "id_covariate": 0.05}}),
        ("images", "zoom_shift", {}),
        ("images", "domain_shift", {}),
    ],
)
def test_hard_samples_of_a_file_stay_in_one(
    kind: str, hardness: str, options: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    files: list[tuple[int, ...]] = []
    make = placement._in_temporary_file

    def noted(shape: tuple[int, ...], *more: Any) -> np.ndarray:
        files.append(shape)
        return make(shape, *more)

    monkeypatch.setattr(placement, "_in_temporary_file", noted)
    features = TABLE if kind == "table" else IMAGES
    labels = _labels(features)
    loaded = [hcat.load(features, labels, data_on=data_on) for data_on in ("host", "disk")]
    assert files == [features.shape]
    in_memory = hcat.perturb(loaded[0], hardness, p=0.1, **options)
    assert len(files) == 1
    on_disk = hcat.perturb(loaded[1], hardness, p=0.1, **options)
    assert files[1:] == [features.shape]
    assert (in_memory.dataset.mapped, on_disk.dataset.mapped) == (False, True)
    assert torch.equal(in_memory.dataset.features, on_disk.dataset.features)
    pd.testing.assert_frame_equal(in_memory.truth, on_disk.truth)


def test_a_run_from_a_file_is_saved_resumed_and_looked_at(tmp_path: Path) -> None:
    np.save(tmp_path / "x.npy", TABLE)
    np.save(tmp_path / "y.npy", _labels(TABLE))
    run = hcat.characterize(
        tmp_path / "x.npy",
        target=str(tmp_path / "y.npy"),
        data_on="disk",
        epochs=2,
        methods="aum,vog",
        out=tmp_path / "run",
    )
    assert len(run.hardest(5).frame) == 5
    assert len(run.duplicates()) == 0
    loaded = hcat.load_run(tmp_path / "run")
    assert loaded.info["data_on"] == loaded.spec.data_on == "disk"
    assert any("memory-mapped file" in note for note in loaded.info["notes"])
    pd.testing.assert_frame_equal(loaded.scores, run.scores)
