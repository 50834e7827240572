"""What a table of results says of the choice of a method, and of the paper's findings."""

from __future__ import annotations

import dataclasses

import numpy as np
import pandas as pd
import pytest

from hcat_nb.evaluation.comparison import BLOCKS
from hcat_nb.spec import RunSpec
from hcat_nb.study.findings import (
    DECISIVE,
    answer,
    choice_table,
    ends_of_p,
    method_results,
    mixed_options,
    paper_findings,
)

FAMILIES = {
    "aum": "learning: output",
    "dataiq": "learning: output",
    "grand": "learning: gradient",
    "vog": "learning: gradient",
}
# AUROC by kind and method; uniform noise is found by the output, far_ood by gradients.
LEVELS = {
    "uniform": {"aum": 0.95, "dataiq": 0.9, "grand": 0.6, "vog": 0.4},
    "far_ood": {"aum": 0.6, "dataiq": 0.5, "grand": 0.9, "vog": 0.8},
}
# What a run is repeated over, what names its rows, and what changes no figure.
_OTHERS = (
    *("seed", "data_seed", "model_seed", "methods", "method_options", "variant"),
    *("root", "download", "device", "data_on", "observe_batch_size", "keep_dynamics"),
    *("judges", "learning_check", "strict"),
)


def make(
    levels: dict[str, dict[str, float]] = LEVELS, fall: float = 0.0, n: int = 12
) -> pd.DataFrame:
    rows = [
        (kind, f"data {number}", "mlp", p, hcm, "method", level - fall * (p - 0.1) + number / 1000)
        for kind, methods in levels.items()
        for number in range(n)
        for p in (0.1, 0.5)
        for hcm, level in methods.items()
    ]
    names = ["hardness", "dataset", "model", "p", "hcm", "kind", "auroc"]
    return pd.DataFrame(rows, columns=names)


def pairs(**levels: float) -> pd.DataFrame:
    rows = [(hcm, "both seeds", value) for hcm, value in levels.items()]
    return pd.DataFrame(rows, columns=["hcm", "varied", "spearman"])


EMPTY = pairs()


def verdicts(results: pd.DataFrame, stability: pd.DataFrame = EMPTY) -> dict[str, str]:
    table = paper_findings(results, stability, FAMILIES)
    return dict(zip(table["finding"], table["agrees"], strict=True))


def test_only_default_forms_are_compared() -> None:
    rows = make()
    more = rows.head(3).assign(
        kind=["baseline", "method", "option"],
        variant=["paper", "hcat", "paper"],
        hardness_variant="paper",
    )
    without = rows.head(1).assign(hardness=None, kind=None)
    table = pd.concat([rows, more, without], ignore_index=True)
    assert len(method_results(table)) == len(rows)
    assert len(method_results(table, baselines=True)) == len(rows) + 1
    assert len(method_results(table, options=True)) == len(rows) + 1
    assert method_results(rows.assign(hardness_variant="hcat")).empty
    assert len(method_results(rows.drop(columns="kind"))) == len(rows)


def test_the_choice_is_the_best_of_each_kind_with_its_distance() -> None:
    table = choice_table(make(), n_resamples=50).set_index(["hardness", "hcm"])
    assert table.loc["uniform"].index.tolist() == ["aum", "dataiq", "grand", "vog"]
    assert table.loc["far_ood"].index[0] == "grand"
    best, last = table.loc[("uniform", "aum")], table.loc[("uniform", "vog")]
    assert np.isnan(best["effect"])
    assert (last["effect"], last["effect_low"], last["n_blocks"]) == (1, 1, 24)
    assert last["p_value"] < 0.001
    assert best["best_group"]
    assert not last["best_group"]


def test_the_answer_names_who_leads_where_and_whether_anybody_is_ahead() -> None:
    words = answer(choice_table(make(), n_resamples=50))
    assert "**aum** for uniform (.96); **grand** for far_ood (.91)" in words
    same = {kind: {"aum": 0.8, "vog": 0.8 - 1e-9} for kind in ("uniform", "crop_shift")}
    assert answer(choice_table(make(same, n=1), n_resamples=50)).endswith(
        "None is significantly ahead."
    )
    rows = make().replace({"kind": {"method": "baseline"}}).query("hcm == 'aum'")
    both = pd.concat([rows, make().query("hcm != 'aum'")])
    assert "**aum**, a baseline, for uniform (.96; best method: dataiq, .91)" in answer(
        choice_table(both, n_resamples=50)
    )
    mixed = {"uniform": {"aum": 0.9, "vog": 0.1}, "crop_shift": {"aum": 0.9, "vog": 0.9}}
    assert "on uniform only" in answer(choice_table(make(mixed), n_resamples=50))


def test_what_cannot_be_ranked_still_has_its_mean() -> None:
    rows = make({"uniform": {"aum": 0.9}})
    table = choice_table(rows)
    assert answer(table).startswith("These results cannot be ranked")
    assert table["n_blocks"].tolist() == [0]
    assert table["value"].tolist() == pytest.approx([rows["auroc"].mean()])
    assert table["mean_rank"].isna().all()


def test_each_finding_follows_the_results() -> None:
    same = verdicts(make())
    assert same["A1"] == "no"  # nothing falls with p
    assert verdicts(make(fall=0.3))["A1"] == "yes"
    assert same["A1, kinds"] == "no"  # .7125 and .7
    apart = {"uniform": LEVELS["uniform"], "far_ood": dict.fromkeys(FAMILIES, 0.5)}
    assert verdicts(make(apart))["A1, kinds"] == "yes"
    assert same["A3"] == "no"
    assert verdicts(make({"uniform": LEVELS["uniform"]}))["A3"] == "yes"
    assert same["A4"] == "no"  # grand is in the middle: third of four, and first
    assert verdicts(make({"uniform": LEVELS["uniform"]}))["A4"] == "yes"
    assert same["choice"] == "yes"
    one = dict.fromkeys(("uniform", "adjacent"), LEVELS["uniform"])
    assert verdicts(make(one))["choice"] == "no"


def test_each_kind_is_followed_over_its_own_proportions() -> None:
    low = make({"uniform": LEVELS["uniform"]}, fall=0.3)
    other = make({"far_ood": LEVELS["far_ood"]}, fall=0.3)
    table = pd.concat([low, other.assign(p=other["p"] / 2)])  # .05 and .25
    ends = ends_of_p(table, "auroc")
    assert len(ends) == 2 * 12 * 4
    np.testing.assert_allclose(ends["low"] - ends["high"], 0.12)
    assert ends_of_p(low[low["p"] == 0.1], "auroc").empty


def test_families_and_stability() -> None:
    many = make({"uniform": LEVELS["uniform"]}, n=60)
    assert verdicts(many)["B"] == "no"  # 120 blocks in one order
    crowd = {f"m{number:02d}": 0.99 - number / 50 for number in range(26)}
    found = paper_findings(make({"uniform": crowd}), EMPTY, dict.fromkeys(crowd, "one"))
    assert "(p < 1e-12)" in found.set_index("finding").loc["B", "measured"]
    assert verdicts(make({"uniform": LEVELS["uniform"]}, n=3))["B"] == "yes"
    assert verdicts(make({"uniform": LEVELS["uniform"]}, n=1))["B"] == "n/a"  # none could differ
    assert verdicts(many, pairs(aum=0.9, dataiq=0.8, vog=0.7))["C"] == "yes"
    assert verdicts(many, pairs(aum=0.9, dataiq=0.1, vog=0.7))["C"] == "no"


def test_what_the_results_cannot_tell_is_not_available() -> None:
    rows = make({"uniform": {"aum": 0.9, "vog": 0.4, "grand": 0.3}})
    found = verdicts(rows[rows["p"] == 0.1])
    assert (
        found["A1"] == found["A1, kinds"] == found["A4"] == found["C"] == found["choice"] == "n/a"
    )
    missing = verdicts(make().assign(auroc=np.nan))
    assert set(missing.values()) == {"n/a"}


def test_what_differs_in_more_than_seeds_is_not_averaged_silently() -> None:
    rows = pd.concat([make().assign(epochs=epochs) for epochs in (1, 3)])
    with pytest.warns(UserWarning, match=r"\(epochs: 1, 3\) .* choose some: only=\{'epochs': 1\}"):
        method_results(rows)


def _table(**columns: object) -> pd.DataFrame:
    head = {"hcm": "aum", "hardness": "uniform", "dataset": "wine", "model": "mlp", "p": 0.1}
    return pd.DataFrame({**head, **columns})


def test_every_field_of_a_run_is_accounted_for() -> None:
    fields = [item.name for item in dataclasses.fields(RunSpec)]
    assert sorted((*BLOCKS, *DECISIVE, *_OTHERS)) == sorted(fields)


def test_options_count_within_a_block_only() -> None:
    assert mixed_options(_table(p=[0.1, 0.3], epochs=[1, 3], seed=[0, 1])) == {}
    assert mixed_options(_table(hcm=["aum", "vog"], epochs=[1, 3])) == {}
    found = mixed_options(_table(p=[0.1, 0.1, 0.3], epochs=[3, 1, 9], lr=[0.1, 0.1, 0.2]))
    assert found == {"epochs": [3, 1, 9]}
    assert list(mixed_options(_table(lr=[None, 0.1]))) == ["lr"]
    assert mixed_options(_table(hardness=None, lr=[0.1, 0.2])) == {"lr": [0.1, 0.2]}
