"""The user's own file, by name or by path."""

from __future__ import annotations

import json
import shutil
from io import BytesIO
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image

from hcat_nb.api.characterize import characterize
from hcat_nb.data.loading import load
from hcat_nb.errors import DataError, SpecError, UnknownNameError


@pytest.fixture
def birds(tmp_path: Path) -> Path:
    rng = np.random.default_rng(0)
    table = pd.DataFrame(
        {
            "wing": rng.normal(10, 1, 40).round(2),
            "colour": rng.choice(["grey", "black"], 40),
            "species": ["crow", "dove"] * 20,
        }
    )
    table.to_csv(tmp_path / "birds.csv", index=False)
    return tmp_path / "birds.csv"


def test_a_path_is_short_for_the_source(birds: Path) -> None:
    long = load("file", target="species", path=str(birds))
    for short in (load(str(birds), target="species"), load(birds, target="species")):
        assert (short.name, short.class_values) == ("birds", ("crow", "dove"))
        assert (short.features == long.features).all()
        assert short.levels == {1: ("black", "grey")}


def test_a_file_is_read_as_the_frame_is(birds: Path) -> None:
    frame = load(pd.read_csv(birds), target="species", name="birds", max_categories=2)
    file = load(birds, target="species", max_categories=2)
    assert (frame.features == file.features).all()
    assert (frame.levels, frame.notes, frame.name) == (file.levels, file.notes, file.name)


def test_policies_reach_the_rows(birds: Path) -> None:
    table = pd.read_csv(birds)
    table.loc[3, "wing"] = np.nan
    table.loc[4, "species"] = None
    table.to_csv(birds, index=False)
    data = load(birds, target="species", on_bad_row="drop", on_missing_label="drop")
    assert len(data) == 38
    assert len(load(birds, target="species", impute="mean", on_missing_label="keep")) == 40


def test_a_run_on_a_file_says_where_it_came_from(birds: Path) -> None:
    run = characterize(str(birds), target="species", epochs=2, seed=0, methods="aum")
    assert run.spec.dataset == str(birds)
    assert run.info["dataset"]["name"] == "birds"


def test_a_target_has_to_be_named(birds: Path) -> None:
    with pytest.raises(
        DataError, match=r"which column of .*birds.csv.*one of wing, colour, species"
    ):
        load(birds)
    with pytest.raises(DataError, match=r"no column 'specie'.*nearest: species"):
        load(birds, target="specie")


def test_the_source_needs_a_path() -> None:
    with pytest.raises(SpecError, match=r"given no path"):
        load("file", target="y")


def written(path: Path, content: str | bytes) -> str:
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return str(path)


def test_words_for_what_is_missing_are_classes_and_levels_among_words(tmp_path: Path) -> None:
    path = written(tmp_path / "t.csv", "a,b,cls\n" + "1,None,None\n2,NA,Insomnia\n3,x,nan\n" * 9)
    data = load(path, target="cls")
    assert data.class_values == ("Insomnia", "None", "nan")
    assert data.levels == {1: ("NA", "None", "x")}
    table = pd.read_csv(path, keep_default_na=False)
    table.to_parquet(tmp_path / "t.parquet")
    assert load(tmp_path / "t.parquet", target="cls").class_values == data.class_values
    for given in (load(table, target="cls"), load(table[["a"]].to_numpy(), table["cls"])):
        assert given.class_values == data.class_values
        assert "the text 'nan' is a class; a missing label (None, NaN) is not" in given.notes
    for given in (path, table):
        kept = load(given, target="cls", missing="nan", on_missing_label="keep")
        assert (kept.class_values, int((kept.labels < 0).sum())) == (("Insomnia", "None"), 9)


def test_words_for_what_is_missing_are_missing_among_numbers_and_counted(tmp_path: Path) -> None:
    rows = "1,NA,p,7\n2,5,q,-999\n?,6,q,8\n"
    path = written(tmp_path / "t.csv", "a,b,cls,c\n" + rows * 9)
    data = load(path, target="cls", impute="median", missing={"a": "?", "c": -999})
    assert "taken as missing: a '?' 9; b 'NA' 9; c '-999' 9" in data.notes
    assert not data.levels
    frame = pd.DataFrame({"a": [1, 2, "?"], "b": ["NA", 5, 6], "cls": [*"pqq"], "c": [7, -999, 8]})
    again = load(frame, target="cls", impute="median", missing={"a": "?", "c": -999})
    assert (again.features == data.features[:3]).all()
    with pytest.raises(UnknownNameError, match="missing names the column 'z'"):
        load(path, target="cls", impute=0, missing={"z": "?"})


def test_a_word_of_the_user_is_missing_in_the_target_too(tmp_path: Path) -> None:
    path = written(tmp_path / "t.csv", "a,cls\n" + "1,p\n2,q\n3,?\n" * 9)
    with pytest.raises(DataError, match="9 of 27 rows have no label"):
        load(path, target="cls", missing="?")


def test_decimal_commas_are_numbers(tmp_path: Path) -> None:
    rows = [f"{5 + i // 10},{i % 10};1.{500 + i};{'xy'[i % 2]}" for i in range(25)]
    path = written(tmp_path / "t.csv", "\n".join(["ph;mass;cls", *rows]))
    data = load(path, target="cls")
    assert not data.levels
    assert np.allclose(data.features[:2].numpy(), [[5, 1500], [5.1, 1501]])
    assert "decimal sign ',': ph" in data.notes
    with pytest.raises(DataError, match=r"'1,500' .* as 1.5 and 1500"):
        load(written(tmp_path / "u.csv", "a;cls\n" + "1,500;x\n2,250;y\n" * 9), target="cls")


def test_a_file_without_a_header_needs_to_be_called_one(tmp_path: Path) -> None:
    rows = "5.1,3.5,setosa\n4.9,3.0,setosa\n7.0,3.2,virginica\n6.4,3.1,virginica\n"
    path = written(tmp_path / "iris.csv", rows)
    for target in ("setosa", 1):
        with pytest.raises(DataError, match=r"looks like data.*header='none'"):
            load(path, target=target)
    for target in (2, "2", "last"):
        data = load(path, target=target, header="none")
        assert (data.feature_names, data.class_values) == (("0", "1"), ("setosa", "virginica"))
        assert len(data) == 4
    numbers = written(tmp_path / "n.csv", "5,3,1\n4,3,1\n7,3,2\n6,3,2\n")
    with pytest.raises(DataError, match="looks like data"):
        load(numbers, target="1")


@pytest.mark.parametrize("suffix", [".xlsx", ".data", ".txt", ".arff"])
def test_other_kinds_of_files_are_read(tmp_path: Path, suffix: str) -> None:
    table = pd.DataFrame({"a": [1.5, 2.5, 3.5, 4.5], "cls": ["p", "q", "p", "q"]})
    path = tmp_path / f"t{suffix}"
    if suffix == ".xlsx":
        pytest.importorskip("openpyxl")
        table.to_excel(path, index=False)
    elif suffix == ".arff":
        rows = table.to_csv(index=False, header=False)
        path.write_text(f"@relation r\n@attribute a real\n@attribute cls {{p,q}}\n@data\n{rows}")
    else:
        table.to_csv(path, index=False, sep="\t" if suffix == ".txt" else " ")
    data = load(str(path), target="cls")
    assert data.class_values == ("p", "q")
    assert data.features[:, 0].tolist() == [1.5, 2.5, 3.5, 4.5]


def test_a_kind_that_nothing_reads_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"t.pkl ends in '.pkl'; expected .csv"):
        load(written(tmp_path / "t.pkl", b"x"), target="cls")


@pytest.mark.parametrize("encoding", ["utf-16", "utf-8-sig", "latin-1"])
def test_encodings_and_comments_are_found(tmp_path: Path, encoding: str) -> None:
    text = "# caf\u00e9, 2021\nn\u00e9,cls\n1,x\n2,y\n3,x\n"
    data = load(written(tmp_path / "t.csv", text.encode(encoding)), target="cls")
    assert data.feature_names == ("n\u00e9",)
    assert f"encoding {encoding}" in data.notes[0]


def png(shade: int) -> bytes:
    out = BytesIO()
    Image.fromarray(np.full((8, 8, 3), shade, np.uint8)).save(out, "PNG")
    return out.getvalue()


@pytest.fixture
def shards(tmp_path: Path) -> Path:
    """Two Parquet files as Hugging Face keeps a dataset of images."""
    folder = tmp_path / "pets"
    folder.mkdir()
    features = {"label": {"names": ["cat", "dog"], "_type": "ClassLabel"}}
    for part in range(2):
        rows = [{"bytes": png(40 * part + 10 * i), "path": f"{i}.png"} for i in range(4)]
        table = pa.table({"image": rows, "label": [0, 1, 1, 0], "page": [1, 2, 3, 4]})
        kept = {b"huggingface": json.dumps({"info": {"features": features}})}
        pq.write_table(table.replace_schema_metadata(kept), folder / f"train-{part}-of-2.parquet")
    return folder


def test_images_in_parquet_are_read_with_the_names_of_their_classes(shards: Path) -> None:
    for path in (str(shards / "*.parquet"), shards, f"{shards}/"):
        data = load(path, target="label", size=8)
        assert data.class_values == ("cat", "dog")
        assert data.features[:, 0, 0, 0].tolist() == [0, 10, 20, 30, 40, 50, 60, 70]
        assert data.name == "pets"
    assert load(shards / "train-0-of-2.parquet", target="label").sample_shape == (3, 64, 64)
    shutil.copy(shards / "train-0-of-2.parquet", shards / "test-0-of-1.parquet")
    with pytest.raises(DataError, match=r"tables of test and train.*train\*\.parquet"):
        load(shards, target="label")


def test_embeddings_in_parquet_are_columns(tmp_path: Path) -> None:
    table = pd.DataFrame({"e": [[i, 2.5, 3] for i in range(6)], "cls": ["p", "q"] * 3})
    table.to_parquet(tmp_path / "t.parquet")
    data = load(tmp_path / "t.parquet", target="cls")
    assert data.feature_names == ("e[0]", "e[1]", "e[2]")
    assert data.features[4].tolist() == [4, 2.5, 3]
    table["e"] = [[1.0], *table["e"][1:]]
    with pytest.raises(DataError, match=r"'e' holds lists of 1 to 3 values"):
        load(table, target="cls")


def test_a_folder_of_tables_is_one_table(tmp_path: Path) -> None:
    folder = tmp_path / "parts"
    folder.mkdir()
    for part in "ab":
        written(folder / f"{part}.csv", "x;cls\n1,5;p\n2,5;q\n")
    data = load(folder, target="cls")
    assert data.features[:, 0].tolist() == [1.5, 2.5] * 2
    assert "2 files of" in data.notes[0]
    written(folder / "c.csv", "y;cls\n1,5;p\n")
    with pytest.raises(DataError, match="have not the same columns: x, y"):
        load(folder, target="cls")


def test_a_first_column_without_a_name_is_told(tmp_path: Path) -> None:
    for first in (0, 4):
        rows = "".join(f"{first + i},{i},{'xz'[i % 2]}\n" for i in range(3))
        (tmp_path / "t.csv").write_text(f",a,y\n{rows}")
        data = load(tmp_path / "t.csv", target="y")
        assert data.feature_names == ("a",)
        assert list(data.sample_ids) == [first, first + 1, first + 2]
        assert "the first column has no name" in data.notes[0]
    (tmp_path / "t.csv").write_text("a,y\n1,x\n2,z\n3,x\n")
    assert load(tmp_path / "t.csv", target="y").notes == ()
