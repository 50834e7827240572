"""Mended data as they came."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from hcat_nb.api.characterize import characterize
from hcat_nb.api.run import Run
from hcat_nb.cli import main
from hcat_nb.data.loading import load
from hcat_nb.errors import DataError, SpecError, StoreError, UnknownNameError
from hcat_nb.runs.review.export import Mended, apply_to_files

QUICK: dict[str, Any] = {
    "epochs": 1,
    "methods": "el2n",
    "judges": False,
    "learning_check": False,
    "folds": "0",
}


@pytest.fixture
def table(tmp_path: Path) -> Path:
    rng = np.random.default_rng(0)
    rows = [
        f"{x:.2f};{'NA' if row % 2 else 'elm'};n{row}" for row, x in enumerate(rng.normal(size=30))
    ]
    (tmp_path / "trees.csv").write_bytes(
        "\r\n".join(["x;cls;id", *rows]).replace(".", ",").encode()
    )
    return tmp_path / "trees.csv"


def changed(table: Path, out: Path) -> list[tuple[str, str]]:
    pairs = zip(table.read_text().split("\n"), out.read_text().split("\n"), strict=True)
    return [pair for pair in pairs if pair[0] != pair[1]]


def test_a_run_writes_its_file_with_what_was_decided(table: Path, tmp_path: Path) -> None:
    run = characterize(str(table), target="cls", drop="id", **QUICK)
    assert run.apply().export(tmp_path / "same.csv").read_bytes() == table.read_bytes()
    run.decisions().relabel(3, "elm", note="looked at it")
    mended = run.apply()
    run.decisions().drop(4)  # later, so not applied
    out = mended.export(tmp_path / "out.csv")
    (pair,) = changed(table, out)
    assert pair[1] == pair[0].replace("NA", "elm")
    log = pd.read_csv(tmp_path / "out.csv.changes.csv", keep_default_na=False)
    assert log.to_numpy().tolist() == [[3, "cls", "NA", "elm", "relabel: looked at it"]]
    with pytest.raises(StoreError, match=r"out.csv exists.*overwrite"):
        mended.export(out)
    run.apply().export(out, overwrite=True)
    assert len(load(out, target="cls", drop="id")) == 29


def test_what_it_must_not_write_is_refused(table: Path, tmp_path: Path) -> None:
    run = characterize(str(table), target="cls", drop="id", **QUICK)
    for place, why in ((table, "is the source"), (tmp_path / "t.parquet", r"expected \.csv")):
        with pytest.raises(StoreError, match=why):
            run.apply().export(place, overwrite=True)
    table.write_text(table.read_text().replace("NA", "oak", 2))
    run.decisions().relabel(1, "elm")
    with pytest.raises(DataError, match="decided on with the label 'NA' and has the label 'oak'"):
        Mended(table, run.decisions(), "cls").export(tmp_path / "out.csv")
    assert not (tmp_path / "out.csv").exists()
    with pytest.raises(SpecError, match=r"no column 'class'.*cls"):
        Mended(table, run.decisions(), "class").export(tmp_path / "out.csv")


def test_the_command_takes_target_and_options_from_the_run(
    table: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = characterize(str(table), target="cls", drop="id", out=tmp_path / "run", **QUICK)
    run.decisions().mislabeled([1, 3])
    for decisions in ("run", "run.decisions.json"):
        out = tmp_path / f"{decisions}.csv"
        assert main(["apply", str(tmp_path / decisions), str(table), "--out", str(out)]) == 0
        said = capsys.readouterr().out.splitlines()
        assert said == [str(out), f"2 changes: {out}.changes.csv"]
        assert [pair[1].split(";")[1] for pair in changed(table, out)] == ["", ""]
    run.decisions().export(tmp_path / "d.csv")
    words = ["apply", str(tmp_path / "d.csv"), str(table), "--out", str(tmp_path / "o.csv")]
    assert main(words) == 2
    assert "which column holds the labels was not said" in capsys.readouterr().err
    assert main([*words, "--target", "cls", "--mislabeled", "drop", "--sep", ";"]) == 0
    assert len(pd.read_csv(tmp_path / "o.csv", sep=";")) == 28
    assert main(["apply", str(tmp_path / "no"), str(table), "--out", str(tmp_path / "p.csv")]) == 2


@pytest.mark.parametrize("text", ["", '{"spec', "[1]", "[" * 5000, '{"spec": [1]}', "\0"])
def test_a_damaged_run_is_named(table: Path, tmp_path: Path, text: str) -> None:
    run = characterize(str(table), target="cls", drop="id", out=tmp_path / "run", **QUICK)
    run.decisions().mislabeled([1])
    (tmp_path / "run" / "run.json").write_text(text)
    with pytest.raises(StoreError, match=r"run\.json cannot be read"):
        apply_to_files(tmp_path / "run", table, tmp_path / "out.csv")
    assert not (tmp_path / "out.csv").exists()


def test_parts_of_a_table_stay_parts(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    for part in range(2):
        pd.DataFrame({"x": range(6), "cls": list("pqpqpq")}).to_parquet(
            tmp_path / f"in/{part}.parquet"
        )
    pd.DataFrame({"sample_id": [7], "action": "relabel", "new_label": "p"}).to_csv(
        tmp_path / "d.csv", index=False
    )
    out = apply_to_files(tmp_path / "d.csv", tmp_path / "in", tmp_path / "out", target="cls")
    assert (out / "0.parquet").read_bytes() == (tmp_path / "in" / "0.parquet").read_bytes()
    assert pd.read_parquet(out / "1.parquet").cls.tolist() == list("pppqpq")


def test_a_folder_of_images_and_a_frame(tmp_path: Path) -> None:
    for label in ("cat", "dog"):
        (tmp_path / "pets" / label).mkdir(parents=True)
        for shade in range(4):
            Image.new("L", (8, 8), shade).save(tmp_path / "pets" / label / f"{shade}.png")
    run = characterize(tmp_path / "pets", size=8, **QUICK)
    run.decisions().relabel("cat/1.png", "dog")
    out = run.apply().export(tmp_path / "mended")
    assert (out / "dog" / "1_from_cat.png").is_file()
    assert not (out / "cat" / "1.png").exists()
    assert len(list((tmp_path / "pets").rglob("*.png"))) == len(list(out.rglob("*.png"))) == 8
    shutil.rmtree(out)
    for inside in ("mended", "list.csv"):
        with pytest.raises(StoreError, match="is the source, or in it"):
            run.apply().export(tmp_path / "pets" / inside)
    frame = pd.DataFrame({"x": np.arange(30.0), "cls": ["p", "q"] * 15})
    held: Run = characterize(frame, target="cls", **QUICK)
    held.decisions().relabel(1, "p")
    with pytest.raises(DataError, match="label_values"):
        held.apply().export(tmp_path / "t.csv")


def test_of_a_folder_of_images_a_list_is_written_instead_of_copies(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for label in ("cat", "dog"):
        (tmp_path / "pets" / label).mkdir(parents=True)
        for shade in range(4):
            Image.new("L", (8, 8), shade).save(tmp_path / "pets" / label / f"{shade}.png")
    run = characterize(tmp_path / "pets", size=8, out=tmp_path / "run", **QUICK)
    run.decisions().relabel("cat/1.png", "dog")
    run.decisions().mislabeled("cat/2.png")
    run.decisions().drop("dog/0.png")
    run.decisions().keep("dog/1.png")
    out = run.apply().export(tmp_path / "list.csv")
    words = ["apply", str(tmp_path / "run"), str(tmp_path / "pets"), "--out"]
    assert main([*words, str(tmp_path / "same.csv")]) == 0
    assert (tmp_path / "same.csv").read_bytes() == out.read_bytes()
    frame = pd.read_csv(out, keep_default_na=False)
    assert frame.columns.tolist() == ["path", "label", "old_label", "decision"]
    places = [str(tmp_path / "pets" / one) for one in sorted(run.details.index)]
    assert frame["path"].tolist() == places
    told = frame.set_index(frame["path"].str[-9:]).drop(columns="path").T.to_dict("list")
    assert told["cat/0.png"] == ["cat", "cat", ""]
    assert told["cat/1.png"] == ["dog", "cat", "relabel"]
    assert told["cat/2.png"] == ["", "cat", "mislabeled"]
    assert told["dog/0.png"] == ["", "dog", "drop"]
    assert told["dog/1.png"] == ["dog", "dog", "keep"]
    assert len(list((tmp_path / "pets").rglob("*.png"))) == 8
    again = load(out, target="label", image="path", size=8, on_missing_label="drop")
    assert (len(again), again.class_values) == (6, ("cat", "dog"))


def test_a_class_that_no_row_has_may_be_the_new_label(table: Path, tmp_path: Path) -> None:
    run = characterize(str(table), target="cls", drop="id", classes=["NA", "elm", "oak"], **QUICK)
    run.decisions().relabel(1, "oak")
    (pair,) = changed(table, run.apply().export(tmp_path / "out.csv"))
    assert "oak" in pair[1]
    table.write_text("x;cls\n1,5;NA\n2,5;elm\n")
    decided = pd.DataFrame({"action": ["drop"]}, index=pd.Index([99], name="sample_id"))
    with pytest.raises(UnknownNameError, match="no sample 99"):
        Mended(table, decided, "cls").export(tmp_path / "u.csv")


def test_what_no_export_wrote_is_not_replaced_and_a_full_disk_is_told(
    table: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = characterize(str(table), target="cls", **QUICK)
    run.decisions().drop(run.scores.index[0])
    (tmp_path / "mine.csv").mkdir()
    (tmp_path / "mine.csv" / "photo.png").touch()
    with pytest.raises(StoreError, match="no export wrote"):
        run.apply().export(tmp_path / "mine.csv", overwrite=True)
    assert (tmp_path / "mine.csv" / "photo.png").exists()

    def full(*_: Any, **__: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("hcat_nb.data.files.mending.write_bytes", full)
    with pytest.raises(StoreError, match=r"cannot be written .*No space.*make room there"):
        run.apply().export(tmp_path / "mended.csv")
    assert not list(tmp_path.glob("*mended*"))
