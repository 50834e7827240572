"""Inputs that people met and that were read as something else, as they stand in their reports.

Each is called by its number there, and asks the public interface only.
"""

from __future__ import annotations

import contextlib
import os
import random
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from PIL import Image
from sklearn.datasets import load_digits, load_iris
from torch import nn

import hcat_nb as hcat
from hcat_nb.errors import HcatError

FAST: dict[str, Any] = {"epochs": 3, "methods": "el2n", "seed": 0, "learning_check": False}


def text(path: Path, content: str, encoding: str = "utf-8") -> str:
    path.write_bytes(content.encode(encoding))
    return str(path)


def notes(run: Any) -> str:
    return " ".join([*run.info["dataset"]["notes"], *run.info["notes"]])


def test_a47_words_that_a_reader_takes_for_missing(tmp_path: Path) -> None:
    path = text(tmp_path / "t.csv", "a,cls\n" + "1,None\n2,Insomnia\n3,Apnea\n" * 9)
    assert hcat.load(path, target="cls").class_values == ("Apnea", "Insomnia", "None")
    table = pd.DataFrame({"a": [1, 2, 3] * 9, "cls": ["None", "Insomnia", "Apnea"] * 9})
    table.to_parquet(tmp_path / "t.parquet")
    assert hcat.load(tmp_path / "t.parquet", target="cls").class_values[2] == "None"
    levels = text(tmp_path / "l.csv", "a,b,cls\n" + "1,None,NA\n2,x,FR\n" * 9)
    made = hcat.load(levels, target="cls")
    assert made.class_values == ("FR", "NA")
    assert made.levels[1] == ("None", "x")


@pytest.mark.parametrize("kind", ["frame", "array", "tensor", "npy"])
def test_a48_numbers_cut_to_float32(kind: str, tmp_path: Path) -> None:
    ts = 1_700_000_000 + np.arange(90) % 45
    y = (np.arange(90) % 45) // 20
    data: Any = {"frame": pd.DataFrame({"ts": ts}), "array": ts[:, None]}.get(kind)
    if kind == "tensor":
        data = torch.from_numpy(ts[:, None].astype(np.int64))
    if kind == "npy":
        np.save(tmp_path / "x.npy", ts[:, None].astype(np.float64))
        data = tmp_path / "x.npy"
    assert len(hcat.load(data, y).features.unique()) == 45
    metres = pd.DataFrame({"north": 5_412_345 + 0.3 * y, "x": np.arange(90.0)})
    assert len(hcat.load(metres, y).features[:, 0].unique()) == 3


def test_a49_a_folder_of_splits_taken_for_classes(tmp_path: Path) -> None:
    for place in ("train/cat", "train/dog", "val/cat", "val/dog", "test/cat", "test/dog"):
        folder = tmp_path / "splits" / place
        folder.mkdir(parents=True)
        for i in range(2):
            Image.new("RGB", (8, 8), (40 * i, 0, 0)).save(folder / f"{i}.png")
    with pytest.raises(HcatError, match="splits/train"):
        hcat.load(f"{tmp_path}/splits/")
    assert hcat.load(f"{tmp_path}/splits/", split="train").class_values == ("cat", "dog")
    junk = tmp_path / "splits/train/__MACOSX"
    junk.mkdir()
    Image.new("RGB", (8, 8)).save(junk / "a.png")
    assert hcat.load(f"{tmp_path}/splits/train/").class_values == ("cat", "dog")


def test_a50_the_target_twice_in_a_header(tmp_path: Path) -> None:
    path = text(tmp_path / "t.csv", "a,cls,cls\n" + "1,x,x\n2,y,y\n" * 20)
    with pytest.raises(HcatError, match="several columns called 'cls'"):
        hcat.load(path, target="cls")
    frame = pd.DataFrame({"a": np.arange(40), "cls": ["x", "y"] * 20})
    with pytest.warns(UserWarning, match=r"cls\.1"):
        hcat.characterize(frame.assign(**{"cls.1": frame["cls"]}), target="cls", **FAST)


def test_a51_a_csv_without_a_header(tmp_path: Path) -> None:
    rows = "5.1,3.5,setosa\n4.9,3.0,setosa\n7.0,3.2,virginica\n6.4,3.1,virginica\n"
    path = text(tmp_path / "iris.csv", rows)
    with pytest.raises(HcatError, match=r"header='none'"):
        hcat.load(path, target="setosa")
    with pytest.raises(HcatError, match="looks like data"):
        hcat.load(path, target="1")
    assert len(hcat.load(path, target="last", header="none")) == 4


@pytest.mark.parametrize(
    "names", [[" <=50K", " >50K", " <=50K.", " >50K."], ["cat", " cat", "CAT", "cat."]]
)
def test_a52_one_class_spelled_several_ways(names: list[str]) -> None:
    frame = pd.DataFrame({"a": np.arange(40), "b": np.arange(40) % 7, "y": names * 10})
    frame.loc[:4, "y"] = "dog"
    with pytest.warns(UserWarning, match="spelled several ways"):
        hcat.characterize(frame, target="y", **FAST)
    assert len(hcat.load(frame, target="y").class_values) == 5
    assert len(hcat.load(frame, target="y", join_spellings=True).class_values) < 5


def test_a53_a_transform_dropped_in_silence() -> None:
    datasets = pytest.importorskip("datasets", reason="needs Hugging Face's datasets")
    table = datasets.Dataset.from_dict({"a": [1.0, 2.0, 3.0, 4.0], "label": [0, 1, 0, 1]})

    def double(batch: dict[str, Any]) -> dict[str, Any]:
        return {"a": [2 * one for one in batch["a"]], "label": batch["label"]}

    with pytest.raises(HcatError, match="double"):
        hcat.load(table.with_transform(double), target="label")


def test_a54_frames_of_dynamics_in_any_order() -> None:
    rng = np.random.default_rng(0)
    labels = pd.Series(rng.choice(list("abc"), 60), index=[f"s{i}" for i in range(60)])
    probs = rng.dirichlet(np.ones(3), (4, 60))
    frames = [pd.DataFrame(one, index=labels.index, columns=list("abc")) for one in probs]
    mixed = [one.sample(frac=1, random_state=i)[list("cab")] for i, one in enumerate(frames)]
    ours = hcat.characterize_dynamics(mixed, labels, methods="el2n").scores["el2n"]
    theirs = hcat.characterize_dynamics(probs, labels, methods="el2n").scores["el2n"]
    assert np.allclose(ours.loc[labels.index], theirs.loc[labels.index])
    with pytest.raises(HcatError, match=r"xyz|'x'"):
        hcat.characterize_dynamics([one.set_axis(list("xyz"), axis=1) for one in frames], labels)
    hcat.characterize_dynamics(probs.round(2), labels, methods="el2n")  # are no logits


def test_a55_the_order_of_classes() -> None:
    digits = load_digits()
    labels = (digits.target + 1).astype(str)  # "1" ... "10"
    assert hcat.load(digits.data, labels).class_values == tuple(map(str, range(1, 11)))
    probs = np.full((3, len(labels), 10), 0.01)
    probs[:, np.arange(len(labels)), digits.target] = 0.91
    assert hcat.characterize_dynamics(probs, labels, methods="el2n").scores["el2n"].max() < 0.5
    other = probs[:, :, np.argsort([*map(str, range(1, 11))])]
    with pytest.raises(HcatError, match="order"):
        hcat.characterize_dynamics(other, labels, methods="el2n")
    shifted = pd.Series(np.arange(200) % 4 + 1)  # columns are classes 1 to 5 of a model from 0
    five = np.full((2, 200, 5), 0.02)
    five[:, np.arange(200), shifted] = 0.92
    with pytest.raises(HcatError, match=r"order|shift|class"):
        hcat.characterize_dynamics(five, shifted, classes=[1, 2, 3, 4, 5], methods="el2n")


def test_a56_the_index_of_y_beside_an_array() -> None:
    data = load_iris(as_frame=True)
    y = data.target.sample(frac=1, random_state=0)
    made = hcat.load(data.data.loc[y.index].to_numpy(), y)
    assert made.sample_ids.tolist() == y.index.tolist()
    assert any("index" in note for note in made.notes)
    whole = torch.utils.data.TensorDataset(torch.randn(20, 3), torch.arange(20) % 2)
    part = torch.utils.data.Subset(whole, [3, 9, 4, 12])
    assert hcat.load(part).sample_ids.tolist() == [3, 9, 4, 12]


def test_a57_means_over_unequal_seeds() -> None:
    from hcat_nb.evaluation.comparison import compare

    rng = np.random.default_rng(0)
    rows = [
        {"dataset": f"d{block}", "hardness": "uniform", "model": "cnn", "p": 0.1, "seed": seed}
        | {"hcm": hcm, "auroc": value - 0.3 * (seed == 2), "auprc": 0.5, "kind": "method"}
        for block in range(10)
        for seed in range(3)
        for hcm, value in zip("abc", 0.8 + 0.01 * rng.standard_normal(3), strict=True)
    ]
    table = pd.DataFrame(rows)
    table.loc[(table["hcm"] == "c") & (table["seed"] == 2), "auroc"] = np.nan
    assert "c" not in compare(table).mean_ranks.index


def test_a59_decimal_commas_thousands_and_units(tmp_path: Path) -> None:
    rows = "".join(f"{5 + i % 30 / 10:.1f};{'xy'[i % 2]}\n".replace(".", ",") for i in range(60))
    made = hcat.load(text(tmp_path / "ph.csv", "ph;cls\n" + rows), target="cls")
    assert not made.levels
    assert made.features.max() < 8
    with pytest.raises(HcatError, match="1,500"):
        hcat.load(text(tmp_path / "t.csv", "a;cls\n" + "1,500;x\n2,250;y\n" * 9), target="cls")


def test_a60_row_numbers_and_stray_columns() -> None:
    n = 90
    y = np.sort(np.arange(n) % 3)
    frame = pd.DataFrame(
        {"#": np.arange(n), "a": np.random.default_rng(0).random(n), "empty": None}
    )
    with pytest.warns(UserWarning, match="'#'"):
        run = hcat.characterize(frame.assign(y=y, empty=0.0), target="y", **FAST)
    assert "counting the rows" in notes(run)


def test_a61_a_softmax_at_the_end() -> None:
    iris = load_iris()
    net = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 3), nn.Softmax(dim=1))
    run = hcat.characterize(iris.data, iris.target, model=net, **FAST)
    assert "softmax" in notes(run).lower()


def test_a62_images_inside_parquet_shards_and_rows_that_are_dicts(tmp_path: Path) -> None:
    import io

    rows = []
    for i in range(8):
        held = io.BytesIO()
        Image.new("RGB", (8, 8), (30 * i, 0, 0)).save(held, format="PNG")
        rows.append({"image": {"bytes": held.getvalue(), "path": f"{i}.png"}, "label": i % 2})
    for part in range(2):
        pd.DataFrame(rows[4 * part : 4 * part + 4]).to_parquet(tmp_path / f"part{part}.parquet")
    made = hcat.load(f"{tmp_path}/*.parquet", target="label")
    assert (len(made), made.modality) == (8, "image")
    assert len(hcat.load([{"a": i, "b": 1.5 * i, "y": i % 2} for i in range(8)], target="y")) == 8
    frame = pd.DataFrame({"emb": [[i, 2.0 * i] for i in range(8)], "y": [0, 1] * 4})
    assert hcat.load(frame, target="y").features.shape == (8, 2)


@pytest.mark.parametrize("kind", ["polars", "lazy", "pyarrow", "duckdb"])
def test_a63_frames_of_other_libraries(kind: str) -> None:
    frame = pd.DataFrame({"a": [1.5, 2.5, 3.5, 4.5], "y": ["p", "q", "p", "q"]})
    name = {"lazy": "polars"}.get(kind, kind)
    library = pytest.importorskip(name, reason=f"needs {name}")
    if name == "polars":
        data = library.DataFrame({"a": frame["a"].tolist(), "y": frame["y"].tolist()})
        data = data.lazy() if kind == "lazy" else data
    elif kind == "pyarrow":
        data = library.Table.from_pandas(frame)
    else:
        data = library.sql("select * from frame")
    made = hcat.load(data, target="y")
    assert (made.feature_names, made.class_values) == (("a",), ("p", "q"))


def test_a64_a_dataset_of_a_notebook_and_worker_processes() -> None:
    class Mine(torch.utils.data.Dataset):
        def __len__(self) -> int:
            return 8

        def __getitem__(self, i: int) -> Any:
            return torch.tensor([float(i), 1.0]), i % 2

    loader = torch.utils.data.DataLoader(Mine(), num_workers=1, multiprocessing_context="spawn")
    made = hcat.load(loader)
    assert len(made) == 8
    assert "workers" in " ".join(made.notes)


def test_a65_files_that_are_no_csv(tmp_path: Path) -> None:
    pytest.importorskip("openpyxl", reason="needs the extra excel")
    frame = pd.DataFrame({"a": [1.5, 2.5, 3.5, 4.5], "y": ["p", "q", "p", "q"]})
    frame.to_excel(tmp_path / "t.xlsx", index=False)
    for end in (".data", ".txt"):
        text(tmp_path / f"t{end}", frame.to_csv(index=False))
    text(tmp_path / "u.csv", frame.to_csv(index=False), "utf-16")
    text(tmp_path / "c.csv", "# made by hand\n# in May\n" + frame.to_csv(index=False))
    for name in ("t.xlsx", "t.data", "t.txt", "u.csv", "c.csv"):
        made = hcat.load(str(tmp_path / name), target="y")
        assert (made.feature_names, len(made)) == (("a",), 4), name


def test_a66_probabilities_of_one_column() -> None:
    rng = np.random.default_rng(0)
    y = rng.integers(0, 2, 100)
    stages = np.clip(0.5 + (y - 0.5) * rng.random((5, 100)), 0, 1)  # of class 1
    with pytest.raises(HcatError, match="positive="):
        hcat.characterize_dynamics(stages, y, methods="el2n")
    run = hcat.characterize_dynamics(stages, y, positive=1, methods="el2n")
    assert run.scores["el2n"].max() < 0.51 * np.sqrt(2)
    moment = np.column_stack([1 - stages[-1], stages[-1]])
    assert len(hcat.characterize_dynamics(moment, y, methods="el2n").scores) == 100


@pytest.mark.parametrize("kind", ["bfloat16", "half", "object", "tuple", "class"])
def test_a67_models_that_are_not_plain(kind: str) -> None:
    iris = load_iris()

    class Odd(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.net = nn.Linear(4, 3)

        def forward(self, x: torch.Tensor) -> Any:
            out = self.net(x)
            if kind == "object":
                return type("Output", (), {"logits": out})()
            return (out, out) if kind == "tuple" else out

    model: Any = Odd if kind == "class" else Odd()
    model = model.bfloat16() if kind == "bfloat16" else model.half() if kind == "half" else model
    run = hcat.characterize(iris.data, iris.target, model=model, **FAST)
    assert run.scores["el2n"].notna().all()


def test_a68_listeners_that_draw_and_contexts_around_the_call() -> None:
    from hcat_nb.training.events import Listener

    class Noisy(Listener):
        def on_epoch(self, event: Any) -> None:
            torch.rand(3)
            random.random()

    plain = hcat.characterize("wine", **FAST).scores
    assert hcat.characterize("wine", listeners=[Noisy()], **FAST).scores.equals(plain)
    for around in (torch.no_grad(), torch.inference_mode(), contextlib.nullcontext()):
        with around:
            assert hcat.characterize("wine", **FAST).scores.equals(plain)


def test_a72_options_of_reading_wherever_data_are_read(tmp_path: Path) -> None:
    words = ["good fine well", "bad poor ill"]
    frame = pd.DataFrame({"text": [words[i % 2] + f" {i}" for i in range(40)]})
    frame["y"] = ["p", "n"] * 20
    run = hcat.characterize(frame, target="y", text="text", **FAST)
    assert run.scores["el2n"].notna().all()
    frame.to_csv(tmp_path / "t.csv", index=False)
    line = ["run", "t.csv", "--target", "y", "--text", "text", "--epochs", "1", "--methods", "el2n"]
    done = subprocess.run(
        [sys.executable, "-m", "hcat_nb", *line],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )
    assert done.returncode == 0, done.stderr
