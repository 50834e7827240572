from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from PIL import Image
from sklearn.datasets import load_breast_cancer, load_iris, load_wine

from hcat_nb.checks.finding import LOOK, SEVERE
from hcat_nb.checks.page import Check
from hcat_nb.checks.raw import Raw
from hcat_nb.checks.rows import shared_images, shared_rows
from hcat_nb.data.loading import load
from hcat_nb.errors import DataError, HcatError, MissingDataError
from hcat_nb.runs.checking.check import check, of_images, of_table

N = 300


@pytest.fixture
def frame() -> pd.DataFrame:
    rng = np.random.default_rng(0)
    table = pd.DataFrame(rng.normal(size=(N, 4)), columns=list("pqrs"))
    return table.assign(y=np.where(table["p"] + rng.normal(size=N) > 0, "oak", "elm"))


def kinds(page: Check, severity: str = SEVERE) -> set[str]:
    return {one.kind for one in page.findings if one.severity == severity}


@pytest.mark.parametrize("name", ["csv", "parquet", "frame", "pair", "npy", "tensor", "dataset"])
def test_sound_data_of_any_kind_have_no_severe_finding(
    frame: pd.DataFrame, name: str, tmp_path: Path
) -> None:
    features, labels = frame[list("pqrs")].to_numpy(np.float32, copy=True), frame["y"].to_numpy()
    if name == "csv":
        frame.to_csv(tmp_path / "t.csv", index=False)
        page = check(tmp_path / "t.csv", target="y")
    elif name == "parquet":
        frame.to_parquet(tmp_path / "t.parquet")
        page = check(str(tmp_path / "t.parquet"), target="y")
    elif name == "frame":
        page = check(frame, target="y")
    elif name == "pair":
        page = check((features, labels))
    elif name == "npy":
        np.save(tmp_path / "x.npy", features)
        page = check(tmp_path / "x.npy", labels)
    elif name == "tensor":
        page = check(torch.from_numpy(features), labels)
    else:
        page = check(load(frame, target="y"))
    assert page.findings == ()
    assert page.read["rows"] == "300"
    assert page.read["classes"]["'oak'"] == str((labels == "oak").sum())
    assert any("no test set was given" in one for one in page.skipped)


@pytest.mark.parametrize("make", [load_iris, load_wine, load_breast_cancer])
def test_known_sound_tables_have_no_severe_finding(make: object) -> None:
    data = make(as_frame=True)
    rows = len(data.target)
    for order in (np.arange(rows), np.random.default_rng(0).permutation(rows)):
        assert check(data.data.iloc[order], data.target.iloc[order]).severe == ()


def test_planted_faults_are_all_found(frame: pd.DataFrame) -> None:
    frame.loc[:9, "y"] = frame.loc[:9, "y"].str.upper()
    faulty = frame.assign(
        row=np.arange(N),
        code=frame["y"].str.lower().map({"oak": 1, "elm": 2}),
        same="k",
        day="2020-01-02",
        spoiled=["1", "2", "5"] * 99 + ["4", "x", "4"],
        time=1_700_000_000 + np.arange(N) % 45,
        city=np.resize(["Rome", "rome ", "Oslo", "?"], N),
        age=np.resize([20, 31, 45, 52, 63, -999], N),
    )
    twin = faulty.columns.difference(["row", "code", "y"])
    first, other = (frame["y"].str.lower() == name for name in ("oak", "elm"))
    faulty.loc[first.idxmax(), twin] = faulty.loc[other.idxmax(), twin]
    page = check(faulty, target="y", categorical=["spoiled"])
    found = {one.kind: one for one in reversed(page.findings)}
    assert {"spelling", "leak", "identifier", "constant", "conflict", "duplicate"} <= set(found)
    assert found["leak"].columns == ("code",)
    assert found["identifier"].columns == ("row",)
    assert "'spoiled' 'x' in 1 rows" in found["spoiled"].evidence
    assert "age" in " ".join(one.evidence for one in page.findings if one.kind == "missing")
    assert page.read["missing cells, and words that may say so"] == {"city '?'": "75"}
    assert all(one.remedy for one in page.findings)


def test_options_of_reading_are_those_of_a_run(frame: pd.DataFrame) -> None:
    frame["id"] = np.arange(N)
    page = check(frame, target="y", drop="id", truth="q", subset=100)
    assert kinds(page) == set()
    assert page.read["columns"] == "3 number"
    assert "left out: id" in page.done
    assert check(frame, target="y", dataset_options={"drop": ["id"]}).findings == ()


def test_what_stops_a_run_is_told_with_all_its_columns(frame: pd.DataFrame) -> None:
    frame["when"] = pd.Timestamp("2020-01-02")
    frame["name"] = [f"n{i}" for i in range(N)]
    page = check(frame, target="y")
    (stop,) = page.severe
    assert (stop.kind, stop.evidence.endswith("and 1 columns more")) == ("stop", True)
    assert "drop='when'" in stop.remedy
    assert "drop='name'" in stop.remedy
    assert any("it stops" in one for one in page.skipped)
    assert check(frame, target="y", drop=["when", "name"]).severe == ()
    frame.loc[3, "p"] = np.nan
    (stop,) = check(frame, target="y", drop=["when", "name"]).severe
    assert 'impute="median"' in stop.remedy


def test_what_cannot_be_read_at_all_is_an_error(frame: pd.DataFrame, tmp_path: Path) -> None:
    with pytest.raises(MissingDataError):
        check(tmp_path / "no.csv", target="y")
    with pytest.raises(DataError, match="no labels were given"):
        check(frame)
    with pytest.raises(DataError, match="several columns called 'p'"):
        check(frame.set_axis(["p", "p", "r", "s", "y"], axis=1), target="y")
    with pytest.raises(HcatError, match="no column 'z'"):
        check(frame, target="z")
    with pytest.raises(HcatError, match="no option 'imput'"):
        check(frame, target="y", imput="median")


def test_a_test_set_is_compared_without_identifiers(frame: pd.DataFrame, tmp_path: Path) -> None:
    frame.insert(0, "id", np.arange(N))
    test = frame.tail(50).assign(id=np.arange(50) + 9000)
    test.loc[test.index[2:], "p"] += 1
    (found,) = check(frame, target="y", test=test).severe
    assert "2 of 50 samples" in found.evidence
    test.to_csv(tmp_path / "test.csv", index=False)
    assert len(check(frame, target="y", test=str(tmp_path / "test.csv")).severe) == 1
    assert check(frame, target="y", test=test.iloc[2:]).severe == ()


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    rng = np.random.default_rng(0)
    for i in range(24):
        folder = tmp_path / "photos" / ("crow", "dove")[i % 2]
        folder.mkdir(parents=True, exist_ok=True)
        pixels = rng.integers(0, 255, (12, 10 + i % 3, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(folder / f"{i}.png")
    return tmp_path / "photos"


def test_a_folder_of_photos_is_told_with_sizes_and_faults(photos: Path) -> None:
    assert check(photos).findings == ()
    (photos / "crow/twin.png").write_bytes((photos / "dove/1.png").read_bytes())
    (photos / "crow/broken.png").write_bytes(b"no picture")
    page = check(f"{photos}/")
    assert kinds(page) == {"stop", "conflict"}
    assert "1 of 26 image files cannot be read" in page.severe[0].evidence
    assert "'crow/twin.png' 'crow' and 'dove/1.png' 'dove'" in page.severe[1].evidence
    assert page.read["sizes"] == "11 x 12 9, 10 x 12 8, 12 x 12 8"
    assert page.read["formats"] == "PNG 25"
    assert kinds(check(photos, on_bad_row="drop")) == {"conflict"}


def test_images_of_a_test_set_and_of_other_parts_are_compared(tmp_path: Path) -> None:
    images = np.random.default_rng(0).integers(0, 255, (60, 8, 8), dtype=np.uint8)
    labels = np.arange(60) % 2
    images[40] = images[3]
    page = check(images[:30], labels[:30], test=(images[30:], labels[30:]))
    assert "1 of 30 samples of the test set" in page.severe[0].evidence
    parts = {"train": slice(0, 30), "val": slice(30, 50), "test": slice(50, 60)}
    arrays = {f"{name}_images": images[rows] for name, rows in parts.items()}
    arrays |= {f"{name}_labels": labels[rows, None] for name, rows in parts.items()}
    np.savez(tmp_path / "mine.npz", **arrays)
    (found,) = check(tmp_path / "mine.npz").severe
    assert "1 of 20 samples of the part 'val'" in found.evidence


@pytest.mark.parametrize("name", ["t.csv", "t.csv.gz", "t.parquet", "csv/*.csv", "parquet"])
def test_tables_larger_than_memory_are_read_in_part(
    frame: pd.DataFrame, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    frame.insert(0, "id", np.arange(N))
    monkeypatch.setattr("hcat_nb.runs.checking.check.free_host_memory", lambda: 30_000)
    kind = "parquet" if "parquet" in name else "csv"
    if name.startswith("t."):
        getattr(frame, f"to_{kind}")(tmp_path / name, index=False)
    else:
        (tmp_path / kind).mkdir()
        for at in range(3):
            part = frame[at * N // 3 : (at + 1) * N // 3]
            getattr(part, f"to_{kind}")(tmp_path / kind / f"{at}.{kind}", index=False)
    page = check(str(tmp_path / name), target="y")
    step = int(page.skipped[-1].split()[-4].replace(",", ""))
    assert step > 1
    assert page.read["rows"] == str(-(-N // step))
    assert "identifier" in {one.kind for one in page.findings}
    assert page.name == (kind if "/" in name or "." not in name else "t")
    told = "\n".join([*page.done, *map(str, page.findings)])
    assert "/tmp/tmp" not in told
    assert (f"3 files of {tmp_path / name}" in told) == (not name.startswith("t."))


@pytest.mark.parametrize("beside", [False, True])
def test_a_large_test_set_is_read_in_part(
    frame: pd.DataFrame, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, beside: bool
) -> None:
    monkeypatch.setattr("hcat_nb.runs.checking.check.free_host_memory", lambda: 30_000)
    frame.to_csv(tmp_path / "test.csv", index=False)
    data = frame.head(9)
    if beside:
        data.to_csv(tmp_path / "train.csv", index=False)
        data = tmp_path / "train.csv"
    page = check(data, test=str(tmp_path / "test.csv"), target="y")
    step = int(page.skipped[-1].split()[-4])
    assert page.skipped[-1].startswith("all rows of the test set: too large")
    assert step > 1
    (shared,) = (one for one in page.findings if "test set" in one.evidence)
    assert f"of {-(-N // step)} " in shared.evidence


def test_what_is_wrong_with_a_large_file_is_told_of_that_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hcat_nb.runs.checking.check.free_host_memory", lambda: 30_000)
    path = tmp_path / "t.csv"
    path.write_text("a,y\n" + "1,0\n" * 5000 + "1,2,3,4\n" * 50)
    with pytest.raises(DataError, match=r"t\.csv \(1 of 4 rows of it\) cannot be read") as caught:
        check(path, target="y")
    assert str(caught.value).startswith(str(path))


def test_a_new_file_takes_what_is_safe_and_a_plan_the_rest(
    frame: pd.DataFrame, tmp_path: Path
) -> None:
    frame.loc[:9, "y"] = frame.loc[:9, "y"] + "."
    faulty = frame.assign(id=np.arange(N), same=1, size=np.resize(["s", "m", "?", "NA"], N))
    faulty.to_csv(tmp_path / "t.csv", index=False)
    new, plan = tmp_path / "new.csv", tmp_path / "new.csv.plan"
    page = check(faulty, target="y", fix=new)
    first = pd.read_csv(new, keep_default_na=False, na_values=[""])
    assert "same" not in first
    assert "id" in first
    assert first["size"].isna().sum() == 75
    assert first["y"].tolist() == faulty["y"].tolist()
    lines = plan.read_text().splitlines()
    assert 'no ["drop", "id"]' in lines
    assert 'no ["missing", "size", "NA"]' in lines
    assert any(line.startswith('no ["spell", "y", "oak."') for line in lines)
    assert "spelling" in kinds(page)
    assert any(one.startswith("to decide in") for one in page.done)

    plan.write_text(plan.read_text().replace("no [", "yes ["))
    page = check(faulty, target="y", fix=new)
    second = pd.read_csv(new)
    assert set(second.columns) == set("pqrsy") | {"size"}
    assert sorted(second["y"].unique()) == ["elm", "oak"]
    assert page.severe == ()
    assert page.findings == ()
    assert faulty["y"].nunique() == 4  # the user's frame is as it was


def test_mending_replaces_only_what_it_wrote(frame: pd.DataFrame, tmp_path: Path) -> None:
    (tmp_path / "mine.csv").write_text("a,b\n1,2\n")
    with pytest.raises(HcatError, match="is there already"):
        check(frame, target="y", fix=tmp_path / "mine.csv")
    with pytest.raises(DataError, match=r"ends in '\.doc'"):
        check(frame, target="y", fix=tmp_path / "new.doc")
    (tmp_path / "new.csv.plan").write_text('maybe ["drop", "id"]\n')
    with pytest.raises(DataError, match=r"line 1 of .*maybe"):
        check(frame, target="y", fix=tmp_path / "new.csv")
    with pytest.raises(DataError, match="only a table"):
        check(np.zeros((4, 8, 8)), [0, 1, 0, 1], fix=tmp_path / "new.csv")


def test_a_page_of_anything_is_plain_json(frame: pd.DataFrame) -> None:
    frame["same"] = np.int8(3)
    assert "'same' is 3" in json.dumps(check(frame, target="y").to_dict())


REAL = {
    "eye_movements": ("label", {"lineNo", "assgNo", "titleNo", "wordNo"}),
    "covertype_balanced": ("Cover_Type", {"Id", "Soil_Type7", "Soil_Type15"}),
    "jannis_sample": ("class", {"openml_row"}),
    "eucalyptus": ("Utility", {"82__32", "impute"}),
    "adult": ("salary", {"' ?' 1,836", "24 groups", "1 group", "begin or end with a space"}),
}


@pytest.mark.parametrize("name", REAL)
@pytest.mark.parametrize("suffix", ["parquet", "csv"])
def test_known_faults_of_real_tables_are_told_and_few_others_are_severe(
    shared_data: Path, tmp_path: Path, name: str, suffix: str
) -> None:
    target, told = REAL[name]
    path = shared_data / "tables" / f"{name}.parquet"
    if suffix == "csv":
        pd.read_parquet(path).to_csv(tmp_path / f"{name}.csv", index=False)
        path = tmp_path / f"{name}.csv"
    page = check(path, target=target)
    assert len(page.severe) <= 1
    assert {one for one in told if one not in str(page)} == set()


def test_known_faults_of_real_images_are_told(shared_data: Path) -> None:
    page = check(f"{shared_data / 'image_folder/flowers'}/")
    assert kinds(page) == {"conflict"}
    assert "15922772266_1167a06620.jpg" in page.severe[0].evidence
    assert "6 samples are equal to another, in 3 groups" in str(page)
    page = check(shared_data / "medical/pneumoniamnist.npz")
    assert kinds(page) == {"overlap"}
    assert "8 of 524" in page.severe[0].evidence
    assert "36 samples are equal to another, in 18 groups" in str(page)
    page = check(shared_data / "cifar10_jpeg/test.parquet", target="label")
    assert kinds(page) == set()  # of images, other columns are no features
    assert "class_name" in " ".join(page.done)


def raw(frame: pd.DataFrame, labels: list[int]) -> Raw:
    return Raw(frame, pd.Series(labels), None, frame)


def test_a_table_is_told_with_kinds_missing_cells_and_memory() -> None:
    frame = pd.DataFrame({"a": [1.0, np.nan, 3.0, 5.0], "b": ["x", "?", "x", None]})
    facts, _, skipped = of_table(raw(frame, [0, 1, 0, 1]), None)
    assert facts["columns"] == "1 number, 1 words"
    assert facts["missing cells, and words that may say so"] == {"a": "1", "b": "1", "b '?'": "1"}
    assert any("float32" in one for one in skipped)
    with pytest.raises(DataError, match="4 rows of features, but 3 labels"):
        of_table(raw(frame, [0, 1, 0]), None)


def test_of_many_classes_the_smallest_is_told_too() -> None:
    labels = np.repeat(np.arange(20), np.arange(20) + 11)
    facts, _, _ = of_table(raw(pd.DataFrame({"a": np.arange(len(labels)) % 7}), list(labels)), None)
    assert facts["classes"]["and 8 more, the smallest"] == "11"


def test_images_without_files_and_tables_without_a_frame() -> None:
    images = load(np.zeros((4, 8, 8), np.uint8), [0, 1, 0, 1])
    facts, found, skipped = of_images(images, None)
    assert facts["images"] == "4, read as 1 x 8 x 8"
    assert "4 equal samples have contradicting labels" in found[1].evidence
    assert any("sizes and modes" in one for one in skipped)
    table, _, _ = of_images(load(np.eye(4), [0, 1, 0, 1]), None)
    assert table["columns"] == "4 number"


def test_nothing_can_be_shared_by_data_of_another_kind() -> None:
    frame = pd.DataFrame({"a": np.arange(40) % 9})
    with pytest.raises(DataError, match="no feature of the data"):
        shared_rows(raw(frame, [0, 1] * 20), raw(frame.rename(columns={"a": "b"}), [0, 1] * 20))
    small, large = (load(np.zeros((4, n, n), np.uint8), [0, 1, 0, 1]) for n in (8, 9))
    with pytest.raises(DataError, match="samples of 1 x 9 x 9; expected 1 x 8 x 8"):
        shared_images(small, large)


def test_a_mended_file_keeps_the_class_nan(tmp_path: Path) -> None:
    frame = pd.DataFrame({"a": np.arange(60) % 7, "k": 1, "y": ["nan", "oak"] * 30})
    frame.to_csv(tmp_path / "t.csv", index=False)
    for page in (
        check(tmp_path / "t.csv", target="last"),
        check(tmp_path / "t.csv", target="last", fix=tmp_path / "new.csv"),
    ):
        assert page.read["classes"] == {"'nan'": "30", "'oak'": "30"}
        assert "rows without a label" not in page.read
    assert list(pd.read_csv(tmp_path / "new.csv")) == ["a", "y"]


def test_a_test_set_on_disk_is_read_itself(tmp_path):
    """It was the training set again: a path that was handed over was ignored."""
    rng = np.random.default_rng(0)
    for part in ("train", "held"):
        for name in ("x", "y"):
            folder = tmp_path / part / name
            folder.mkdir(parents=True)
            for i in range(5):
                pixels = rng.integers(0, 255, (12, 12, 3), dtype=np.uint8)
                Image.fromarray(pixels).save(folder / f"{i}.png")
    train, held = (str(tmp_path / part) + "/" for part in ("train", "held"))
    assert not [one for one in check(train, test=held).findings if one.kind == "overlap"]
    shutil.copy(tmp_path / "train/x/0.png", tmp_path / "held/y/copy.png")
    (found,) = [one for one in check(train, test=held).findings if one.kind == "overlap"]
    assert "1 of 11 samples" in found.evidence
    np.save(tmp_path / "x.npy", np.zeros((4, 8, 8), np.uint8))
    with pytest.raises(DataError, match=r"array without its labels.*test=\(features, labels\)"):
        check(train, test=str(tmp_path / "x.npy"))


def test_a_file_that_was_joined_to_itself_is_no_chance():
    frame = pd.DataFrame(np.random.default_rng(0).normal(size=(200, 3)), columns=list("abc"))
    twice = pd.concat([frame, frame], ignore_index=True)
    (found,) = [one for one in check(twice, np.arange(400) % 2).findings if one.kind == "duplicate"]
    assert found.severity == LOOK
    assert "chance" not in found.evidence
