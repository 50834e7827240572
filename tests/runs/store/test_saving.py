"""A run on disk: open, equal, whole or not at all."""

from __future__ import annotations

import json
import os

import numpy as np
import pandas as pd
import pytest
import torch

from hcat_nb.api.characterize import characterize
from hcat_nb.api.run import Run, load_run
from hcat_nb.data.loading import load
from hcat_nb.errors import StoreError
from hcat_nb.methods.loss import Loss
from hcat_nb.registry import METHODS, register
from hcat_nb.runs.store.digests import sealed, unsealed
from hcat_nb.runs.store.saving import saved_metrics

TABLES = ("scores", "details", "truth", "flags", "history")


def assert_equal(first: Run, second: Run) -> None:
    for table in TABLES:
        pd.testing.assert_frame_equal(getattr(first, table), getattr(second, table))
    assert first.spec == second.spec
    assert first.info == second.info
    assert first.timings == second.timings
    assert first.weights.keys() == second.weights.keys()
    assert all(torch.equal(first.weights[name], second.weights[name]) for name in first.weights)


def test_it_loads_back_equal(image_run, tmp_path):
    loaded = load_run(image_run.save(tmp_path / "a" / "run"))
    assert_equal(image_run, loaded)
    pd.testing.assert_frame_equal(image_run.dynamics, loaded.dynamics)


def test_metrics_come_back_without_being_measured_again(image_run, tmp_path):
    folder = image_run.save(tmp_path / "run")
    measured = image_run.evaluate()
    # JSON knows neither a missing whole number nor its width.
    pd.testing.assert_frame_equal(saved_metrics(folder), measured, check_dtype=False)
    assert saved_metrics(folder)["auroc"].dtype == float
    with pytest.raises(StoreError, match="holds no run"):
        saved_metrics(tmp_path)


@pytest.mark.parametrize(
    ("values", "ids"),
    [
        ((10, 20), None),
        ((False, True), None),
        (("oak", "elm"), [f"s{i // 2}" for i in range(40)]),
        ((0.0, 1.0), pd.DatetimeIndex(list(pd.date_range("2026-01-01", periods=40)))),
    ],
)
def test_labels_and_ids_of_any_kind_come_back(values, ids, tmp_path):
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({"a": rng.normal(size=40), "y": np.array(values)[rng.integers(0, 2, 40)]})
    if ids is not None:
        frame.index = pd.Index(ids)
    run = characterize(
        frame, target="y", hardness="uniform", epochs=1, methods="el2n", out=tmp_path / "run"
    )
    assert_equal(run, load_run(tmp_path / "run"))


def test_run_json_is_strict_and_complete(image_run, table_run, tmp_path):
    def no_constant(name: str) -> None:
        raise AssertionError(name)

    for name, run in (("a", image_run), ("b", table_run)):
        text = (run.save(tmp_path / name) / "run.json").read_text()
        record = json.loads(text, parse_constant=no_constant)
        assert record["schema_version"] == 1
        assert record["spec"]["seed"] == 0
        kinds = [row["kind"] for row in record["metrics"]]
        # beside the methods: first_look, two judges, and what costs nothing
        expected = ["method"] * len(run.methods) + ["baseline"] * 6
        assert kinds == (expected if run.spec.hardness else [])


def test_a_run_whose_options_hold_an_object_is_saved(tmp_path):
    own = load("digits", subset=50)
    run = characterize(
        "digits",
        subset=60,
        hardness="far_ood",
        hardness_options={"source": own},
        epochs=1,
        methods="el2n",
        out=tmp_path / "run",
    )
    assert load_run(tmp_path / "run").spec.hardness_options == {"source": repr(own)}
    assert run.spec.hardness_options["source"] is own


def test_nothing_is_pickled(image_run, tmp_path):
    folder = image_run.save(tmp_path / "run")
    assert {path.suffix for path in folder.iterdir()} == {".json", ".parquet", ".safetensors"}


@pytest.mark.skipif(os.name == "nt", reason="POSIX permissions")
def test_others_can_read_what_the_umask_lets_them(table_run, tmp_path):
    plain = tmp_path / "plain"
    plain.mkdir()
    (plain / "file").touch()
    folder = table_run.save(tmp_path / "run")
    assert folder.stat().st_mode == plain.stat().st_mode
    expected = (plain / "file").stat().st_mode
    assert {path.stat().st_mode for path in folder.iterdir()} == {expected}


def test_a_failed_save_leaves_the_old_run_and_no_draft(image_run, table_run, tmp_path, monkeypatch):
    folder = table_run.save(tmp_path / "run")

    def full(*_args: object, **_kwargs: object) -> None:
        raise OSError("no space left")

    with monkeypatch.context() as patched:
        patched.setattr("safetensors.torch.save", full)
        with pytest.raises(StoreError, match=r"no space left.*make room there and resume"):
            image_run.save(folder, overwrite=True)
    assert [path.name for path in tmp_path.iterdir()] == ["run"]
    assert_equal(table_run, load_run(folder))


def test_a_run_is_replaced_only_when_asked(image_run, table_run, tmp_path):
    folder = table_run.save(tmp_path / "run")
    with pytest.raises(StoreError, match=r"holds a run already.*overwrite"):
        image_run.save(folder)
    image_run.save(folder, overwrite=True)
    assert load_run(folder).spec == image_run.spec
    assert [path.name for path in tmp_path.iterdir()] == ["run"]


def test_other_folders_are_never_touched(table_run, tmp_path):
    (tmp_path / "thesis.txt").write_text("mine")
    with pytest.raises(StoreError, match="is no run"):
        table_run.save(tmp_path, overwrite=True)
    assert (tmp_path / "thesis.txt").read_text() == "mine"


def test_an_empty_folder_is_used(table_run, tmp_path):
    assert load_run(table_run.save(tmp_path)).spec == table_run.spec


def test_what_is_no_run_is_named(table_run, tmp_path):
    with pytest.raises(StoreError, match="holds no run"):
        load_run(tmp_path / "absent")
    folder = table_run.save(tmp_path / "run")
    (folder / "truth.parquet").unlink()
    with pytest.raises(StoreError, match=r"truth.parquet is missing"):
        load_run(folder)


@pytest.mark.parametrize("name", ["run.json", "scores.parquet"])
def test_a_file_that_is_spoilt_is_named(table_run, tmp_path, name):
    folder = table_run.save(tmp_path / "run")
    (folder / name).write_text("{")
    with pytest.raises(StoreError, match=rf"{name} (cannot be read|is damaged)"):
        load_run(folder)


def test_a_run_of_a_method_that_is_not_registered_is_read(tmp_path):
    mine = register(type("Mine", (Loss,), {"name": "mine"}))
    try:
        run = characterize("wine", epochs=1, methods="mine aum", out=tmp_path / "run")
    finally:
        METHODS.unregister(mine.name)
    loaded = load_run(tmp_path / "run")
    assert loaded.scores.equals(run.scores)
    assert loaded.hardest(3, by="mine").ids == run.hardest(3, by="mine").ids


def test_a_place_where_nothing_can_stand_is_refused_before_training(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(StoreError, match="nothing can be written below"):
        characterize("wine", out=tmp_path / "file" / "run")


def test_the_current_folder_is_used(table_run, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    table_run.save(".")
    assert load_run(tmp_path).spec == table_run.spec


def test_arrays_among_the_options_become_lists(tmp_path):
    matrix = np.ones((3, 3))
    options = {"hardness": "asymmetric", "hardness_options": {"matrix": matrix}}
    characterize("wine", epochs=1, methods="aum", out=tmp_path / "run", **options)
    assert load_run(tmp_path / "run").spec.hardness_options == {"matrix": matrix.tolist()}


def test_a_newer_schema_is_refused(table_run, tmp_path):
    folder = table_run.save(tmp_path / "run")
    record = unsealed((folder / "run.json").read_text())
    (folder / "run.json").write_text(sealed({**record, "schema_version": 99}))
    with pytest.raises(StoreError, match=r"schema 99.*update hcat_nb"):
        load_run(folder)


def test_kept_logits_are_saved_beside_the_tables(tmp_path):
    run = characterize("wine", epochs=2, methods="el2n", keep_dynamics="logits")
    folder = run.save(tmp_path / "run")
    files = sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*.parquet"))
    assert [name for name in files if "/" in name] == [
        "logits/epoch_0001.parquet",
        "logits/epoch_0002.parquet",
    ]
    loaded = load_run(folder)
    assert_equal(run, loaded)
    for epoch in (1, 2):
        pd.testing.assert_frame_equal(run.logits.epoch(epoch), loaded.logits.epoch(epoch))
        logits = loaded.logits.epoch(epoch)[["class_0", "class_1", "class_2"]]
        probs = torch.tensor(logits.to_numpy()).softmax(1)
        labels = torch.tensor(loaded.details["label"].cat.codes.to_numpy()).long()
        kept = loaded.dynamics[f"epoch_{epoch}"].to_numpy()
        # float32 softmax, twice
        assert np.allclose(probs.gather(1, labels[:, None]).squeeze(1), kept, atol=1e-6)
    again = loaded.save(tmp_path / "copy")  # a loaded run takes its logits along
    assert load_run(again).logits.n_epochs == 2


def test_rules_by_class_number_come_back_as_numbers_and_make_the_same_run(tmp_path):
    """JSON knows text keys only; read as text, ``{1: [2]}`` of the classes "1", "2" is another."""
    labels = np.array(["1", "2", "3"])[np.arange(60) % 3]
    features = np.random.default_rng(0).normal(size=(60, 3))
    rules = {0: [1], 1: {2: 3.0, 0: 1.0}}  # by code: no class is called "0"
    again = {0: [1], 1: {2: 1.0}, 2: {1: 2.0}}  # each a class's text as well
    for number, matrix in enumerate((rules, again)):
        run = characterize(
            features, labels, hardness="instance", hardness_options={"rule_matrix": matrix},
            p=0.3, epochs=1, methods="el2n", out=tmp_path / str(number),
        )  # fmt: skip
        loaded = load_run(tmp_path / str(number))
        assert loaded.spec.hardness_options["rule_matrix"] == matrix
        repeated = characterize(features, labels, spec=loaded.spec)
        assert repeated.truth.equals(run.truth)


def test_a_folder_is_text_or_a_path(table_run):
    for use in (load_run, table_run.save):
        with pytest.raises(StoreError, match="the folder of a run is 3"):
            use(3)


def test_a_run_json_of_somebody_else_is_never_replaced(table_run, tmp_path):
    mine = {"run.json": '{"my": "config"}', "thesis.txt": "mine"}
    for name, text in mine.items():
        (tmp_path / name).write_text(text)
    for act in (
        lambda: table_run.save(tmp_path, overwrite=True),
        lambda: characterize("wine", epochs=1, out=tmp_path, overwrite=True),
    ):
        with pytest.raises(StoreError, match=r"run\.json was not written by a run"):
            act()
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == mine


def test_a_users_files_in_a_run_stay_when_it_is_replaced(table_run, tmp_path):
    folder = table_run.save(tmp_path / "run")
    (folder / "notes.md").write_text("mine")
    (folder / "figs").mkdir()
    (folder / "figs" / "a.png").write_text("mine")
    with pytest.raises(StoreError, match="holds a run already"):
        table_run.save(folder)
    characterize("wine", epochs=1, methods="el2n", out=folder, overwrite=True)
    assert load_run(folder).methods == ["el2n"]
    assert (folder / "notes.md").read_text() == (folder / "figs" / "a.png").read_text() == "mine"


@pytest.mark.parametrize(
    ("key", "value"),
    [
        *(("check", one) for one in ({}, "x", [1])),
        *(("dataset", one) for one in ({}, None, {"name": 3, "class_values": [], "notes": []})),
        *(("methods", one) for one in ([], {"aum": 3}, None)),
        *(("notes", one) for one in ("x", None)),
        *(("parts", one) for one in ([], {"forward": 1})),
    ],
)
def test_what_a_stranger_says_of_a_run_has_the_form_of_ours(key, value, table_run, tmp_path):
    folder = table_run.save(tmp_path / "run")
    values = unsealed((folder / "run.json").read_bytes())
    values["info"][key] = value
    (folder / "run.json").write_text(sealed(values))
    with pytest.raises(StoreError, match=rf"run\.json has a strange {key}"):
        load_run(folder)
    values["info"] |= table_run.info
    values["timings"]["train"] = "x"
    (folder / "run.json").write_text(sealed(values))
    with pytest.raises(StoreError, match="a strange train"):
        load_run(folder)
