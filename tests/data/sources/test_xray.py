"""Chest X-rays from a small folder and table in the published layout."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from PIL import Image

from hcat_nb.api.characterize import characterize
from hcat_nb.data.loading import load
from hcat_nb.errors import DataError, MissingDataError, UnknownNameError

N = 24
FINDINGS = ["Fracture", "Pneumothorax", "Airspace opacity", "Nodule or mass"]


@pytest.fixture
def table() -> pd.DataFrame:
    """24 images of 20 patients, in no order; images 20 to 23 repeat patients 0 to 3."""
    rng = np.random.default_rng(0)
    flags = rng.integers(0, 2, (N, 4))
    frame = pd.DataFrame(np.where(flags, "YES", "NO"), columns=FINDINGS)
    frame["Image Index"] = [f"{i:08d}_000.png" for i in range(N)]
    frame["Patient ID"] = [*range(20), 0, 1, 2, 3]
    frame["View Position"] = ["AP" if i == 5 else "PA" for i in range(N)]
    return frame.sample(frac=1, random_state=1)


@pytest.fixture
def folder(tmp_path: Path, table: pd.DataFrame) -> Path:
    """Images of grey 10 * i, some of them RGBA as in the original, in two folders."""
    table.to_csv(tmp_path / "labels.csv.gz", index=False)
    for i in range(N):
        inner = tmp_path / "images" / ("one" if i % 2 else "two")
        inner.mkdir(parents=True, exist_ok=True)
        image = Image.new("L", (64, 64), 10 * i)
        (image.convert("RGBA") if i == 3 else image).save(inner / f"{i:08d}_000.png")
    return tmp_path


def options(folder: Path, finding: str = "fracture") -> dict[str, Any]:
    return {
        "path": str(folder / "images"),
        "csv": str(folder / "labels.csv.gz"),
        "finding": finding,
    }


def test_one_pa_image_a_patient_in_the_order_of_patients(folder: Path, table: pd.DataFrame) -> None:
    dataset = load("xray", **options(folder))
    # what torchxrayvision does: keep the views, group by patient, take the first
    theirs = table[table["View Position"] == "PA"].groupby("Patient ID").first()
    assert list(dataset.sample_ids) == theirs["Image Index"].tolist()
    assert dataset.labels.tolist() == (theirs.Fracture == "YES").astype(int).tolist()
    assert dataset.class_values == ("no fracture", "fracture")
    assert dataset.sample_shape == (1, 32, 32)
    greys = [10 * int(name[:8]) for name in theirs["Image Index"]]
    assert dataset.features[:, 0, 7, 7].tolist() == greys
    assert not dataset.flip_keeps_label


def test_all_images_of_a_patient_on_demand(folder: Path) -> None:
    dataset = load("xray", unique_patients=False, size=8, **options(folder))
    assert len(dataset) == N - 1
    assert dataset.sample_shape == (1, 8, 8)


def test_without_a_finding_the_error_names_the_four(folder: Path) -> None:
    with pytest.raises(DataError) as caught:
        load("xray", **options(folder, finding=""))
    assert all(finding in str(caught.value) for finding in FINDINGS)
    assert "finding=" in str(caught.value)
    with pytest.raises(UnknownNameError, match="nearest: Fracture"):
        load("xray", **options(folder, finding="Fractur"))


def test_the_labels_come_with_torchxrayvision(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    chosen = {**options(folder), "csv": None}
    with monkeypatch.context() as absent:
        absent.setattr("hcat_nb.data.sources.xray.find_spec", lambda name: None)
        with pytest.raises(MissingDataError, match=r"pip install 'hcat-nb\[xray\]', or .*csv="):
            load("xray", **chosen)
    package = folder / "installed" / "torchxrayvision"
    (package / "data").mkdir(parents=True)
    (package / "__init__.py").write_text("raise ImportError('reading labels needs no import')")
    labels = (folder / "labels.csv.gz").read_bytes()
    (package / "data" / "google2019_nih-chest-xray-labels.csv.gz").write_bytes(labels)
    monkeypatch.syspath_prepend(folder / "installed")
    dataset = load("xray", **chosen)
    assert torch.equal(dataset.labels, load("xray", **options(folder)).labels)


def test_what_is_missing_is_named(folder: Path, table: pd.DataFrame) -> None:
    (folder / "images" / "one" / "00000007_000.png").unlink()
    with pytest.raises(DataError, match=r"1 of 19 image files do not exist: .*00000007_000.png"):
        load("xray", **options(folder))
    with pytest.raises(MissingDataError, match=r"the images of 'xray' are not in .*path="):
        load("xray", **{**options(folder), "path": str(folder / "none")})
    table.drop(columns="View Position").to_csv(folder / "labels.csv.gz", index=False)
    with pytest.raises(DataError, match="no column 'View Position'"):
        load("xray", **options(folder))


def test_a_run_with_instance_noise(folder: Path) -> None:
    run = characterize(
        "xray",
        hardness="instance",
        p=0.2,
        epochs=2,
        seed=0,
        methods="loss",
        dataset_options=options(folder),
    )
    assert int(run.truth.is_hard.sum()) == 4
