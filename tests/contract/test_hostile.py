"""What nobody should hand over gets one line, before training; damaged folders do, too."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from torch import nn

import hcat_nb as hcat
from hcat_nb.errors import HcatError, StoreError
from hcat_nb.runs.store.digests import sealed, unsealed
from hcat_nb.training.events import Control, Listener

TABLE = np.random.default_rng(0).normal(size=(60, 4)).astype(np.float32)
LABELS = (TABLE[:, 0] > 0).astype(int)
SMALL = {"epochs": 2, "methods": "el2n", "seed": 0, "judges": False, "learning_check": False}
HUGE = 10**30
NAN, INF = float("nan"), float("inf")


def train(*data: Any, **options: Any) -> hcat.Run:
    return hcat.characterize(*(data or (TABLE, LABELS)), **{**SMALL, **options})


def on_meta() -> nn.Module:
    with torch.device("meta"):
        return nn.Linear(4, 2)


OPTIONS = [
    *({"epochs": one} for one in (HUGE, -1, 0, True, "many", 2.5, NAN, INF)),
    *({"batch_size": one} for one in (HUGE, 0, 1, "x")),
    *({"observe_batch_size": one} for one in (HUGE, 0, -1)),
    *({"lr": one} for one in (0, -1, NAN, INF, "fast")),
    *({"seed": one} for one in (-1, HUGE, 1.5)),
    *({"seeds": one} for one in (0, HUGE)),
    *({"folds": one} for one in (1, HUGE, "x")),
    *({"subset": one} for one in (0, -3, NAN)),
    *({"hardness": "uniform", "p": one} for one in (NAN, INF, -0.1, "half", [0.1])),
    *({"device": one} for one in ("cuda:99", "\0", 3, "meta")),
    *({"model_options": {"width": one}} for one in (0, -3, "wide", 2.5, NAN, 10**12)),
    *({"model_options": {"dropout": one}} for one in (2, -1, "x")),
    *({"model_options": one} for one in (3, [1], {3: 4})),
    {"model": "mlp", "model_options": {"dropout": 7}},
    *({"method_options": one} for one in (3, {"el2n": 3}, {"el2n": {3: 4}})),
    *({"method_options": {"el2n": {"at": one}}} for one in (HUGE, NAN, 0)),
    *({"methods": one} for one in (3, [], {}, [["el2n"]])),
    *({"model": one} for one in (nn.Module, int, [], {}, 3, "../x", nn.Linear(5, 2))),
    *({"model": one} for one in (nn.Identity(), on_meta(), lambda n: None)),
    *({"embedding": one} for one in ("nope", "a..b", 3)),
    *({"overwrite": one} for one in ("x", [], None, 1)),
    {"keep_checkpoint": "x"},
    *({"out": one} for one in (3, ["a"], "a\0b", "/tmp/" + "x" * 5000, "/tmp/\ud800")),
    *({"listeners": one} for one in (3, ["a"], [Listener])),
    *({one: "x"} for one in ("control", "spec", "variant", "normalize", "data_on", "judges")),
    *({one: "x"} for one in ("epoch_mean", "strict", "defaults", "features", "learning_check")),
    *({"classes": one} for one in (3, [0], [0, 0])),
    *({"truth": one} for one in (3, [1])),
    *({"root": one} for one in ("", "a\0b", b"x", object(), "x" * 5000)),
    {"features": int},
]
DATA: list[tuple[Any, Any]] = [
    (torch.zeros(60, 4, device="meta"), LABELS),
    (TABLE, torch.zeros(60, device="meta", dtype=torch.int64)),
    (torch.zeros(60, 4).to_sparse(), LABELS),
    (TABLE.astype(complex), LABELS),
    (np.where(TABLE > 2, np.inf, TABLE), LABELS),
    (np.array([[object()] * 4] * 60), LABELS),
    (np.zeros((60, 0)), LABELS),
    (np.zeros((60, 1, 1, 1, 1)), LABELS),
    (np.zeros(60), LABELS),
    (None, LABELS),
    (print, LABELS),
    ("", None),
    (TABLE, np.zeros((60, 2))),
    (TABLE, [object()] * 60),
    (TABLE, {"a": 1}),
    (TABLE, np.arange(60)),
    (pd.DataFrame({"a": [10**400] * 60, "b": range(60)}), LABELS),
]


def words(options: dict[str, Any]) -> str:
    """Name a case alike in each process: objects have other addresses there."""
    return re.sub(r" at 0x[0-9a-f]+", "", str(options))[:48]


@pytest.mark.parametrize("options", OPTIONS, ids=words)
def test_an_option_that_makes_no_sense(options: dict[str, Any]) -> None:
    with pytest.raises(HcatError) as caught:
        train(**options)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 2000


@pytest.mark.parametrize("data", DATA, ids=[str(number) for number in range(len(DATA))])
def test_data_that_are_none(data: tuple[Any, Any]) -> None:
    with pytest.raises(HcatError) as caught:
        train(*data)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("path", ["a\0b", "y" * 5000, "\ud800", 3, None])
@pytest.mark.parametrize("use", [hcat.load_run, hcat.resume], ids=["load_run", "resume"])
def test_a_path_that_is_none(use: Callable[[Any], Any], path: Any) -> None:
    with pytest.raises(HcatError):
        use(path)


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return train().save(tmp_path_factory.mktemp("saved") / "run")


@pytest.fixture(scope="module")
def stopped(tmp_path_factory: pytest.TempPathFactory) -> Path:
    class Stops(Listener):
        def on_epoch(self, event: Any) -> None:
            control.stop.set()

    control, folder = Control(), tmp_path_factory.mktemp("stopped") / "run"
    train(out=folder, control=control, listeners=[Stops()], epochs=4)
    return folder


def rewritten(path: Path, change: Callable[[dict[str, Any]], Any], *, seal: bool) -> None:
    """Change JSON of ours as a stranger would, who knows of the seal or takes it away."""
    import json

    values = unsealed(path.read_bytes())
    change(values)
    if not seal:
        values.pop("files", None)
    path.write_text(sealed(values) if seal else json.dumps(values), encoding="utf-8")


KEYS = ["schema_version", "spec", "info", "timings"]
VALUES: list[Any] = ["1", None, [], {}, 1.5, True]


@pytest.mark.parametrize("key", KEYS)
@pytest.mark.parametrize("value", [..., *VALUES], ids=str)
def test_a_record_with_strange_values(key: str, value: Any, saved: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(saved, tmp_path / "run")
    if value is ...:
        rewritten(folder / "run.json", lambda all_: all_.pop(key), seal=True)
    else:
        rewritten(folder / "run.json", lambda all_: all_.update({key: value}), seal=True)
    if key in ("timings", "spec") and value == {}:
        assert len(hcat.load_run(folder).scores) == 60  # it says less, and nothing wrong
        return
    with pytest.raises(StoreError):
        hcat.load_run(folder)


@pytest.mark.parametrize("text", ["", "[", "3", "null", "[]", "[" * 200_000, '{"a":' * 100_000])
def test_json_that_is_none_of_ours(text: str, saved: Path, stopped: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(saved, tmp_path / "run")
    (folder / "run.json").write_text(text)
    with pytest.raises(StoreError):
        hcat.load_run(folder)
    begun = shutil.copytree(stopped, tmp_path / "begun")
    for path in (begun / "checkpoint").glob("*.json"):
        path.write_text(text)
    with pytest.raises(StoreError):
        hcat.resume(begun, TABLE, LABELS)


NAMES = ["model.safetensors", "scores.parquet", "details.parquet", "history.parquet"]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("content", [b"", b"\0" * 100, b"PAR1" * 9, b"\xff" * 7 + b"\x7f{}"])
@pytest.mark.parametrize("digests", [True, False])
def test_a_file_that_is_damaged(
    digests: bool, content: bytes, name: str, saved: Path, tmp_path: Path
) -> None:
    folder = shutil.copytree(saved, tmp_path / "run")
    if not digests:  # of an earlier version, or a stranger's
        rewritten(folder / "run.json", lambda values: None, seal=False)
    (folder / name).write_bytes(content)
    with pytest.raises(StoreError, match="run"):
        hcat.load_run(folder)


@pytest.mark.parametrize(
    "key", ["spec", "history", "accumulators", "files", "epoch_files", "seed", "epoch", "seconds"]
)
def test_a_checkpoint_without_a_key(key: str, stopped: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(stopped, tmp_path / "run")
    for path in (folder / "checkpoint").glob("*.json"):
        rewritten(path, lambda values: values.pop(key), seal=True)
    with pytest.raises(StoreError, match="checkpoint"):
        hcat.resume(folder, TABLE, LABELS)


@pytest.mark.parametrize("name", ["../../x", "/tmp/x", "a/../../x", "logits/../x", "logits/a/b"])
def test_an_index_names_only_files_that_a_run_writes(
    name: str, saved: Path, tmp_path: Path
) -> None:
    folder = shutil.copytree(saved, tmp_path / "run")
    rewritten(folder / "run.json", lambda all_: all_["files"].update({name: "0" * 32}), seal=True)
    with pytest.raises(StoreError, match="other files than a run writes"):
        hcat.load_run(folder)
    shutil.rmtree(folder)
    shutil.copytree(saved, folder)
    rewritten(folder / "run.json", lambda all_: all_["files"].pop("scores.parquet"), seal=True)
    with pytest.raises(StoreError, match=r"'scores\.parquet'"):
        hcat.load_run(folder)
