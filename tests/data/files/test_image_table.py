"""Tables of image paths, as H-CAT accepts them: a frame, a dict, a CSV."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from PIL import Image

from hcat_nb.api.characterize import characterize
from hcat_nb.data.loading import load
from hcat_nb.errors import DataError, HcatError, SpecError, UnknownNameError


@pytest.fixture
def columns(tmp_path: Path) -> dict[str, list[str]]:
    """Twelve pictures in a folder; the one at position i is grey 10 * i."""
    (tmp_path / "pictures").mkdir()
    for i in range(12):
        Image.new("L", (9, 9), 10 * i).save(tmp_path / "pictures" / f"{i}.png")
    return {"path": [f"pictures/{i}.png" for i in range(12)], "species": ["crow", "dove"] * 6}


GREYS = torch.arange(12, dtype=torch.uint8) * 10


def test_a_frame_a_dict_and_a_file_are_one_dataset(
    columns: dict[str, list[str]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pd.DataFrame(columns).to_csv(tmp_path / "birds.csv", index=False)
    # paths in a file start from the file's folder, others from the current one
    from_file = load(tmp_path / "birds.csv", target="species", image="path", size=4)
    assert from_file.name == "birds"
    monkeypatch.chdir(tmp_path)
    for data in (columns, pd.DataFrame(columns)):
        dataset = load(data, target="species", image="path", size=4)
        assert torch.equal(dataset.features, from_file.features)
        assert torch.equal(dataset.features[:, 1, 3, 3], GREYS)
        assert dataset.class_values == ("crow", "dove")
    beside = load({"path": columns["path"]}, columns["species"], image="path", size=4)
    assert torch.equal(beside.labels, from_file.labels)


def test_the_index_names_samples(columns: dict[str, list[str]], tmp_path: Path) -> None:
    frame = pd.DataFrame(columns, index=[f"bird {i}" for i in range(12)])
    dataset = load(frame, target="species", image="path", image_root=tmp_path, size=4, color="grey")
    assert list(dataset.sample_ids) == list(frame.index)
    assert dataset.sample_shape == (1, 4, 4)


def test_a_run_whose_transform_draws_at_random_repeats_itself(
    columns: dict[str, list[str]], tmp_path: Path
) -> None:
    def blurred(image: Image.Image) -> np.ndarray:
        noise = np.random.normal(0, 20, (16, 16))  # noqa: NPY002 (as people's transforms do)
        return (np.asarray(image.resize((16, 16)).convert("L")) + noise).astype(np.float32)

    def run(seed: int) -> pd.DataFrame:
        return characterize(
            columns,
            target="species",
            epochs=2,
            seed=seed,
            methods="loss,allsh",
            dataset_options={"image": "path", "image_root": tmp_path, "transform": blurred},
        ).scores

    first = run(0)
    np.random.random(7)  # noqa: NPY002
    pd.testing.assert_frame_equal(run(0), first)
    assert not run(1).equals(first)


def test_a_dict_of_numbers_is_a_table() -> None:
    dataset = load({"wing": [1.0, 2.0, 3.0], "species": ["a", "b", "a"]}, target="species")
    assert dataset.features.tolist() == [[1], [2], [3]]
    with pytest.raises(DataError, match="the dict is no table"):
        load({"wing": [1.0], "species": ["a", "b"]}, target="species")


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"image": "paths", "target": "species"}, UnknownNameError, "'paths'.*nearest: path"),
        ({"image": "path", "target": "specie"}, UnknownNameError, "'specie'.*nearest: species"),
        ({"image": "path"}, DataError, "no labels"),
        ({"image": "path", "target": "species", "siez": 3}, UnknownNameError, "'siez'.*size"),
        ({"image": "path", "target": "species", "drop": "x"}, UnknownNameError, "'drop'"),
        ({"image": "path", "target": "species", "image_root": "no"}, DataError, "do not exist"),
        ({"image": "path", "target": "species", "transform": 3}, DataError, "transform is a int"),
    ],
)
def test_mistakes(
    columns: dict[str, list[str]],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    options: dict[str, object],
    error: type[HcatError],
    message: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(error, match=message):
        load(columns, **options)  # type: ignore[arg-type]


def test_rows_without_a_path_are_named(columns: dict[str, list[str]], tmp_path: Path) -> None:
    frame = pd.DataFrame(columns)
    frame.loc[[2, 5], "path"] = None
    with pytest.raises(DataError, match="2 of 12 rows of 'path' hold no path: 2, 5"):
        load(frame, target="species", image="path", image_root=tmp_path)
    with pytest.raises(DataError, match="image='path' was given with data of the type ndarray"):
        load(np.zeros((3, 2)), [0, 1, 0], image="path")


def test_options_of_the_other_kind_of_table_are_refused(
    columns: dict[str, list[str]], tmp_path: Path
) -> None:
    file = tmp_path / "birds.csv"
    pd.DataFrame(columns).to_csv(file, index=False)
    with pytest.raises(SpecError, match="impute was given with image="):
        load(file, target="species", image="path", impute="mean")
    for option, value in (("size", 3), ("transform", str), ("image_root", "x")):
        with pytest.raises(SpecError, match=f"{option} was given with no image="):
            load(file, target="species", **{option: value})  # type: ignore[arg-type]


def test_a_target_that_stands_twice_is_refused(columns: dict[str, list[str]]) -> None:
    twice = pd.DataFrame(columns).assign(more=columns["species"])
    with pytest.raises(DataError, match="several columns called 'species'"):
        load(twice.set_axis(["path", "species", "species"], axis=1), target="species", image="path")
