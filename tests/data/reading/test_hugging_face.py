"""Datasets of Hugging Face's package, if it is installed."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from PIL import Image

from hcat_nb.api.characterize import characterize
from hcat_nb.data.loading import load
from hcat_nb.data.reading.hugging_face import is_hugging_face
from hcat_nb.errors import DataError, HcatError, UnknownNameError

datasets = pytest.importorskip(
    "datasets", reason="needs Hugging Face's datasets: pip install 'hcat-nb[huggingface]'"
)


def picture(grey: int) -> Image.Image:
    return Image.new("RGB", (8, 8), (grey, grey, grey))


@pytest.fixture
def pictures() -> Any:
    features = datasets.Features(
        {
            "image": datasets.Image(),
            "label": datasets.ClassLabel(names=["dog", "cat"]),
            "weight": datasets.Value("int64"),
        }
    )
    columns = {
        "image": [picture(20 * i) for i in range(12)],
        "label": [0, 1] * 6,
        "weight": list(range(12)),
    }
    return datasets.Dataset.from_dict(columns, features=features)


def test_images_and_class_names_are_read(pictures: Any) -> None:
    dataset = load(pictures, size=4)
    assert dataset.sample_shape == (3, 4, 4)
    assert dataset.features[:, 0, 0, 0].tolist() == [20 * i for i in range(12)]
    assert dataset.class_values == ("dog", "cat")
    assert dataset.labels.tolist() == [0, 1] * 6


def test_its_format_plays_no_part(pictures: Any) -> None:
    plain = load(pictures)
    for kind in ("numpy", "pandas"):
        assert torch.equal(load(pictures.with_format(kind)).features, plain.features)
    part = load(pictures.select([3, 1, 2]))
    assert torch.equal(part.features, plain.features[[3, 1, 2]])


def test_files_get_the_treatment_of_every_image_file(pictures: Any) -> None:
    turned, exif = io.BytesIO(), Image.Exif()
    exif[0x0112] = 3
    half = np.zeros((4, 4, 3), np.uint8)
    half[:2] = 255
    Image.fromarray(half).save(turned, "png", exif=exif)
    encoded = [{"bytes": turned.getvalue(), "path": None}, {"bytes": b"no image", "path": None}]
    data = datasets.Dataset.from_dict(
        {"image": [*encoded, None, picture(9)], "label": ["a", "b", "a", "b"]},
        features=datasets.Features({"image": datasets.Image(), "label": datasets.Value("string")}),
    )
    with pytest.raises(DataError, match=r"2 of 4 .*row 1: .*; row 2: no image"):
        load(data, target="label")
    kept = load(data, target="label", on_bad_row="drop", size=4, color="grey")
    assert list(kept.sample_ids) == [0, 3]
    assert kept.features[0, 0, :, 0].tolist() == [0, 0, 255, 255]


def test_missing_class_labels_are_missing_labels(pictures: Any) -> None:
    holes = pictures.map(
        lambda row, i: {"label": -1 if i == 2 else row["label"]}, with_indices=True
    )
    with pytest.raises(DataError, match="1 of 12 rows has no label: row 2"):
        load(holes)
    assert len(load(holes, on_missing_label="drop")) == 11


def test_a_table_is_read_as_the_frame_is() -> None:
    frame = pd.DataFrame({"wing": [1.0, 2.0, 3.0, 4.0], "hue": ["x", "y", "x", "y"]})
    data = datasets.Dataset.from_pandas(frame.assign(species=["a", "b", "a", "b"]))
    dataset = load(data, target="species")
    assert torch.equal(dataset.features, load(frame, ["a", "b", "a", "b"]).features)
    assert dataset.levels == {1: ("x", "y")}
    beside = load(data.remove_columns("species"), ["a", "b", "a", "b"], max_categories=5)
    assert torch.equal(beside.features, dataset.features)


def test_a_run(pictures: Any) -> None:
    run = characterize(pictures, epochs=2, seed=0, methods="loss", dataset_options={"size": 16})
    assert len(run.scores) == 12
    assert run.info["dataset"]["class_values"] == ["dog", "cat"]


@pytest.mark.parametrize(
    ("change", "options", "error", "message"),
    [
        (lambda d: datasets.DatasetDict(train=d, test=d), {}, DataError, r"data\['train'\]"),
        (lambda d: d.to_iterable_dataset(), {}, DataError, "streaming"),
        (lambda d: d.remove_columns("label"), {}, DataError, "0 are class labels.*image, weight"),
        (lambda d: d, {"target": "lable"}, UnknownNameError, "nearest: label"),
        (lambda d: d, {"image": "weight"}, DataError, "'weight' is .*int64"),
        (lambda d: d, {"image": "img"}, UnknownNameError, "no column 'img'"),
        (lambda d: d, {"siez": 3}, UnknownNameError, "nearest: size"),
        (
            lambda d: d.add_column("again", d["label"]).map(lambda row: {"second": row["image"]}),
            {},
            DataError,
            "2 columns hold images.*image=, one of image, second",
        ),
    ],
)
def test_mistakes(
    pictures: Any, change: Any, options: dict[str, Any], error: type[HcatError], message: str
) -> None:
    with pytest.raises(error, match=message):
        load(change(pictures), **options)


def test_other_data_are_not_taken_for_it() -> None:
    assert not any(map(is_hugging_face, ({}, [], pd.DataFrame(), "name", None)))


@pytest.mark.parametrize("shuffle", [False, True])
def test_a_loader_over_one_formatted_for_torch_is_read_in_its_order(
    pictures: Any, shuffle: bool
) -> None:
    loader = torch.utils.data.DataLoader(
        pictures.with_format("torch"), batch_size=5, shuffle=shuffle
    )
    read = load(loader, size=8)
    assert torch.equal(read.features, load(pictures, size=8).features)
    assert read.class_values == ("dog", "cat")


def test_a_subset_of_one_is_read_by_rows_that_are_dicts(pictures: Any) -> None:
    part = torch.utils.data.Subset(pictures.with_format("torch"), [1, 4, 5])
    assert load(part).features[:, 0, 0, 0].tolist() == [20, 80, 100]


def test_its_parquet_is_what_it_is(pictures: Any, tmp_path: Any) -> None:
    pictures.to_parquet(tmp_path / "p.parquet")
    read = load(tmp_path / "p.parquet", target="label", size=8)
    assert torch.equal(read.features, load(pictures, size=8).features)
    assert read.class_values == ("dog", "cat")


def test_a53_columns_that_a_format_leaves_out_are_left_out_and_told() -> None:
    table = datasets.Dataset.from_dict({"a": [1.0, 2.0], "b": [0.0, 1.0], "label": ["x", "y"]})
    made = load(table.with_format("numpy", columns=["a", "label"]), target="label")
    assert made.feature_names == ("a",)
    assert "left out by the dataset's format (set_format): b" in made.notes
    with pytest.raises(UnknownNameError, match="no column 'label'"):
        load(table.with_format("torch", columns=["a"]), target="label")


def test_a53_a_transform_is_refused_by_name_and_the_remedy_applies_it(pictures: Any) -> None:
    def darker(batch: dict[str, Any]) -> dict[str, Any]:
        made = [np.asarray(one).transpose(2, 0, 1) // 2 for one in batch["image"]]
        return {"pixels": made, "label": batch["label"]}

    changed = pictures.with_transform(darker)
    with pytest.raises(DataError, match=r"own transform 'darker'.*row"):
        load(changed)
    pictures.set_transform(darker)
    with pytest.raises(DataError, match="own transform 'darker'"):
        load(pictures)
    made = load([row["pixels"] for row in changed], [row["label"] for row in changed])
    assert made.features[:, 0, 0, 0].tolist() == [10 * i for i in range(12)]
    assert load(changed.with_format(None)).features[1, 0, 0, 0] == 20


def test_a56_labels_beside_it_name_its_rows() -> None:
    table = datasets.Dataset.from_dict({"a": [1.0, 2.0, 3.0, 4.0]})
    made = load(table, pd.Series(["x", "y", "x", "y"], index=[9, 7, 8, 3]))
    assert made.sample_ids.tolist() == [9, 7, 8, 3]
