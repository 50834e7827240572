"""Tables of many runs, from their folders or from files."""

from __future__ import annotations

import runpy
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.stats import spearmanr

import hcat_nb as hcat
from hcat_nb.errors import StoreError, UnknownNameError
from hcat_nb.evaluation.stability import stability_table
from hcat_nb.study.tables import SHORTCUT_COLUMNS, Study, load_study

OPTIONS = {
    "dataset": "wine",
    "hardness": "uniform",
    "p": 0.2,
    "epochs": 2,
    "methods": ["aum", "loss"],
    "device": "cpu",
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("runs")
    seeds = {"a": (0, 0), "b": (0, 1), "c": (1, 1)}
    for name, (data, model) in seeds.items():
        hcat.characterize(**OPTIONS, data_seed=data, model_seed=model, out=place / name)
    alone = {**OPTIONS, "p": 0.3, "hardness_options": {"variant": "hcat"}}
    hcat.characterize(**alone, out=place / "d")
    return place


@pytest.fixture(scope="module")
def study(folder: Path) -> Study:
    return load_study(folder)


def test_results_are_those_of_the_runs_with_hcats_auprc_beside(study: Study, folder: Path) -> None:
    rows = study.results.set_index(["run", "hcm"])
    # two methods, two judges, the first look, and three that cost nothing
    assert len(rows) == 4 * 8
    run = hcat.load_run(folder / "b")
    for variant, column in (("paper", "auprc"), ("hcat", "auprc_hcat")):
        table = run.evaluate(variant=variant, n_resamples=0).set_index("hcm")
        np.testing.assert_allclose(rows.loc["b"][column].loc[table.index], table["auprc"])
    variants = study.results.groupby("run")["hardness_variant"]
    assert variants.nunique().tolist() == [1] * 4
    assert variants.first().to_dict() == {**dict.fromkeys("abc", "paper"), "d": "hcat"}


def test_pairs_are_runs_that_differ_by_their_seeds_alone(study: Study, folder: Path) -> None:
    pairs = study.stability.set_index(["varied", "hcm"])
    assert sorted(set(pairs.index.get_level_values(0))) == ["both seeds", "data seed", "model seed"]
    assert len(pairs) == 3 * 2  # run d has no partner
    row = pairs.loc[("model seed", "aum")]
    first, second = (hcat.load_run(folder / name).scores["aum"] for name in "ab")
    assert row["spearman"] == pytest.approx(spearmanr(first, second).statistic)
    assert (row["first"], row["second"], row["n"], row["p"]) == ("0/0", "0/1", 178, 0.2)


def test_a_study_is_read_back_as_it_was_saved(study: Study, tmp_path: Path) -> None:
    again = load_study(study.save(tmp_path / "tables"))
    pd.testing.assert_frame_equal(again.results, study.results, check_dtype=False)
    pd.testing.assert_frame_equal(again.stability, study.stability)
    assert again.shortcuts.empty
    assert repr(again) == repr(study)
    assert "32 results of 4 runs; 6 correlations" in repr(study)


@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_a_table_alone_is_a_study_without_stability(
    study: Study, tmp_path: Path, kind: str
) -> None:
    file = tmp_path / f"results.{kind}"
    table = study.results.drop(columns="hardness_variant")
    table.to_csv(file, index=False) if kind == "csv" else table.to_parquet(file, index=False)
    found = load_study(file)
    assert found.stability.empty
    assert stability_table(found.stability, ["varied"]).empty
    assert found.results["hardness_variant"].tolist() == study.results["hardness_variant"].tolist()


def test_options_of_a_method_are_part_of_its_name_where_others_are_commoner(
    study: Study, tmp_path: Path
) -> None:
    table = study.results.drop(columns=["hardness_variant", "auprc_hcat"])
    own = table["run"].eq("b") & table["hcm"].isin(["aum", "random"])
    options = '{"aum": {"threshold_samples": true, "variant": "hcat"}}'
    table["method_options"] = table["method_options"].mask(own, options)
    table.to_parquet(tmp_path / "results.parquet", index=False)
    found = load_study(tmp_path / "results.parquet").results
    named = found[found["kind"] == "option"]
    assert named["hcm"].tolist() == ["aum (threshold_samples=True, variant=hcat)"]
    assert named["run"].tolist() == ["b"]
    assert set(found.loc[found["kind"] != "option", "hcm"]) == set(table["hcm"])
    everywhere = table.assign(method_options=options)
    everywhere.to_parquet(tmp_path / "results.parquet", index=False)
    found = load_study(tmp_path / "results.parquet").results
    assert "option" not in set(found["kind"])


def test_a_part_of_it_by_one_value_or_several(study: Study) -> None:
    part = study.only({"p": 0.2, "hcm": ["aum", "random"]})
    assert set(part.results["run"]) == set("abc")
    assert set(part.stability["hcm"]) == {"aum"}
    assert study.only({}).results.equals(study.results)
    with pytest.raises(UnknownNameError, match=r"no column 'hardnes'.*hardness"):
        study.only({"hardnes": "uniform"})
    with pytest.raises(StoreError, match="no result has"):
        study.only({"hardness": "far_ood"})


def test_mistakes_are_told(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="nowhere does not exist"):
        load_study(tmp_path / "nowhere")
    (tmp_path / "table.txt").write_text("x")
    with pytest.raises(StoreError, match=r"a \.parquet or \.csv file"):
        load_study(tmp_path / "table.txt")
    (tmp_path / "other.csv").write_text("hcm,auroc\naum,0.9\n")
    with pytest.raises(StoreError, match="have no column 'auprc'"):
        load_study(tmp_path / "other.csv")
    with pytest.raises(StoreError):
        load_study(tmp_path / "empty.csv")


def test_a_damaged_table_is_named(study: Study, tmp_path: Path) -> None:
    folder = study.save(tmp_path / "tables")
    for name in ("stability", "shortcuts", "results"):
        (folder / f"{name}.parquet").write_bytes(b"PAR1")
        with pytest.raises(StoreError, match=rf"{name}\.parquet cannot be read"):
            load_study(folder)
        study.save(folder)


def test_scores_have_a_stability_without_injected_hardness(tmp_path: Path) -> None:
    plain = {key: value for key, value in OPTIONS.items() if key not in ("hardness", "p")}
    for seed in (0, 1):
        hcat.characterize(**plain, model_seed=seed, out=tmp_path / str(seed))
    study = load_study(tmp_path)
    assert sorted(study.stability["hcm"]) == ["aum", "loss"]
    assert study.results["auroc"].isna().all()


@pytest.mark.parametrize(("name", "text"), [("a.csv", ""), ("a.parquet", "no parquet")])
def test_a_table_that_cannot_be_read_is_told(name: str, text: str, tmp_path: Path) -> None:
    (tmp_path / name).write_text(text)
    with pytest.raises(StoreError, match=r"cannot be read .* expected a table of results"):
        load_study(tmp_path / name)


@pytest.fixture(scope="module")
def shortcut_table():
    path = Path(__file__).parents[1] / "benchmarks" / "shortcuts.py"
    return runpy.run_path(str(path))["shortcut_table"]


@pytest.fixture(scope="module")
def table(shortcut_table):
    digits, wine = hcat.load("digits", subset=200), hcat.load("wine")
    kinds = ("uniform", "ood_covariate", "crop_shift")
    return shortcut_table([digits, wine], kinds, p=[0.2], seeds=[0, 1])


def test_images_have_the_probes_label_noise_and_tables_have_a_row(table) -> None:
    assert tuple(table.columns) == SHORTCUT_COLUMNS
    sizes = table.groupby(["dataset", "hardness", "variant"]).size()
    assert sizes["digits", "ood_covariate", "hcat"] == 3 * 2
    assert sizes["digits", "uniform", "paper"] == sizes["wine", "uniform", "hcat"] == 2
    assert sizes["wine", "ood_covariate", "paper"] == 2
    assert ("wine", "crop_shift", "paper") not in sizes  # which is for images
    assert table.loc[table["hardness"] == "uniform", "auroc"].isna().all()


def test_hcats_form_gives_itself_away_and_ours_does_not(table) -> None:
    rows = table[(table["dataset"] == "digits") & table["probe"].notna()]
    best = rows.groupby(["hardness", "variant"])["auroc"].max()
    for kind in ("ood_covariate", "crop_shift"):
        # H-CAT clamps to mid-grey, or fills with it: it gives 1.000
        assert best[kind, "hcat"] > 0.999
    grey = rows[rows["probe"] == "mid-grey"].groupby(["hardness", "variant"])["auroc"].max()
    # Of 40 hard and 160 others a guess has a standard error of .05; these are better of two sides.
    assert grey["crop_shift", "paper"] < 0.75
    assert (rows["auroc"] >= 0.5).all()


def test_labels_that_truly_changed_are_counted(table) -> None:
    noise = table[table["hardness"] == "uniform"].set_index(["dataset", "variant"])
    ours = noise.xs("paper", level="variant")
    assert (ours["n_changed"] == ours["n_hard"]).all()
    assert (noise.loc[("digits",), "n_hard"] == 40).all()
    theirs = noise.xs("hcat", level="variant")
    assert (theirs["n_changed"] < theirs["n_hard"]).any()
    shifted = table[table["hardness"] == "crop_shift"]
    assert np.all(shifted["n_changed"] == 0)


def test_without_a_hard_sample_there_is_nothing_to_probe(shortcut_table) -> None:
    made = shortcut_table([hcat.load("digits", subset=50)], ["crop_shift"], p=[0.0], seeds=[0])
    assert made["n_hard"].tolist() == [0, 0]
    assert made["auroc"].isna().all()
