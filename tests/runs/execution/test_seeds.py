"""Mean and spread over runs that differ in their model seeds, against NumPy."""

from __future__ import annotations

import dataclasses

import numpy as np
import pandas as pd
import pytest
import torch

from hcat_nb.api.characterize import characterize
from hcat_nb.api.rescore import rescore
from hcat_nb.api.run import Run, load_run
from hcat_nb.errors import SpecError, StoreError
from hcat_nb.registry import METHODS
from hcat_nb.runs.execution.seeds import combined, seed_specs
from hcat_nb.spec import RunSpec

OPTIONS = {
    "dataset": "digits", "subset": 80, "hardness": "uniform", "epochs": 2, "seed": 4,
    "batch_size": 16, "keep_dynamics": "probs",
}  # fmt: skip


@pytest.fixture(scope="module")
def run() -> Run:
    return characterize(seeds=3, **OPTIONS)


@pytest.fixture(scope="module")
def singles() -> list[Run]:
    """What each seed gives by itself."""
    return [characterize(data_seed=4, model_seed=4 + i, **OPTIONS) for i in range(3)]


def stacked(runs: list[Run], table: str, column: str) -> np.ndarray:
    return np.stack([getattr(run, table)[column].to_numpy(np.float64) for run in runs])


def test_seeds_count_up_and_the_data_stay():
    specs = seed_specs(RunSpec(seed=5, data_seed=2, seeds=2))
    assert [(one.data_seed, one.model_seed, one.seeds) for one in specs] == [(2, 5, 1), (2, 6, 1)]
    assert seed_specs(RunSpec(seed=5)) == [RunSpec(seed=5)]
    with pytest.raises(SpecError, match="model_seed is 2147483648"):
        seed_specs(RunSpec(model_seed=2**31 - 1, seeds=2))


@pytest.mark.parametrize("name", METHODS.names())
def test_each_score_is_a_mean_with_its_spread(name, run, singles):
    scores = stacked(singles, "scores", name)
    # Means of float64 are rounded to float32 once.
    np.testing.assert_allclose(run.scores[name], scores.mean(0), rtol=1e-6, atol=1e-7)
    spread = run.details[f"{name}_std"]
    np.testing.assert_allclose(spread, scores.std(0, ddof=1), rtol=1e-6, atol=1e-7)
    assert run.scores[name].dtype == spread.dtype == np.float32
    for number, single in enumerate(singles):
        assert run.by_seed()[number][name].equals(single.scores[name])
        assert run.seed_scores[f"{name}_seed_{number}"].equals(single.scores[name])


def test_the_other_tables(run, singles):
    assert run.truth.equals(singles[0].truth)
    confidence = stacked(singles, "details", "confidence")
    np.testing.assert_allclose(run.details["confidence"], confidence.mean(0), rtol=1e-6)
    votes = np.stack([single.details["predicted"].cat.codes for single in singles])
    counts = np.stack([(votes == code).sum(0) for code in range(10)])
    chosen = run.details["predicted"].cat.codes.to_numpy()
    assert (counts[chosen, np.arange(80)] == counts.max(0)).all()
    flags = np.stack([single.flags["forgetting"] for single in singles])
    assert run.flags["forgetting"].tolist() == (flags.sum(0) >= 2).tolist()
    loss = stacked(singles, "history", "loss").mean(0)
    np.testing.assert_allclose(run.history["loss"], loss)
    dynamics = stacked(singles, "dynamics", "epoch_2").mean(0)
    np.testing.assert_allclose(run.dynamics["epoch_2"], dynamics, rtol=1e-6)
    assert list(run.history.index) == [1, 2]
    assert run.info["model_seeds"] == [4, 5, 6]


def test_the_metrics_are_those_of_the_mean_with_their_spread(run, singles):
    table = run.evaluate(n_resamples=0).set_index("hcm")
    each = [single.evaluate(n_resamples=0).set_index("hcm")["auroc"] for single in singles]
    spread = pd.concat(each, axis=1).std(axis=1, ddof=1)
    np.testing.assert_allclose(table["auroc_std"][run.methods], spread[run.methods], atol=1e-12)
    assert table.loc["random", ["auroc_std", "auprc_std"]].isna().all()
    theirs = run.evaluate(n_resamples=0, variant="hcat").set_index("hcm")["auprc_std"]
    each = [
        single.evaluate(n_resamples=0, variant="hcat").set_index("hcm")["auprc"]
        for single in singles
    ]
    spread = pd.concat(each, axis=1).std(axis=1, ddof=1)
    np.testing.assert_allclose(theirs[run.methods], spread[run.methods], atol=1e-12)
    assert "auroc_std" not in singles[0].evaluate(n_resamples=0)


def test_whose_paper_averages_networks_says_so(run, singles):
    averaged = {name for name, card in run.info["methods"].items() if "averaged" in card}
    assert averaged == {"el2n", "grand"}
    assert run.info["methods"]["grand"]["averaged"] == "over 3 networks, as the paper does"
    assert run.info["methods"]["el2n"]["averaged"].startswith("over 3 networks and all epochs;")
    assert "set el2n.at" in run.info["methods"]["el2n"]["averaged"]
    assert not any("averaged" in card for card in singles[0].info["methods"].values())
    assert all("seeds=10" in METHODS.get(name).cost for name in averaged)


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"at": 2}, "over 2 networks, as the paper does"),
        ({"at": 2, "variant": "hcat"}, None),
        ({"variant": "hcat"}, None),
    ],
)
def test_el2n_is_the_papers_average_at_one_epoch(options, text):
    made = characterize("wine", seeds=2, epochs=2, methods="el2n", method_options={"el2n": options})
    assert made.info["methods"]["el2n"].get("averaged") == text


def network() -> torch.nn.Module:
    return torch.nn.Sequential(torch.nn.Linear(13, 8), torch.nn.ReLU(), torch.nn.Linear(8, 3))


def test_a_module_gives_every_seed_the_same_weights_and_a_function_does_not(tmp_path):
    options = {"epochs": 1, "lr": 1e-30, "methods": "grand", "seeds": 2}
    module = characterize("wine", model=network(), out=tmp_path / "run", **options)
    first, second = (module.seed_scores[f"grand_seed_{number}"] for number in range(2))
    np.testing.assert_allclose(first, second, rtol=1e-6)  # rounding of another order
    assert "hand over a class, or a function" in " ".join(module.info["notes"])
    assert "from the same weights" in module.info["methods"]["grand"]["averaged"]
    assert load_run(tmp_path / "run").info["notes"] == module.info["notes"]
    drawn = characterize("wine", model=network, **options)
    first, second = (drawn.seed_scores[f"grand_seed_{number}"] for number in range(2))
    assert not np.allclose(first, second, rtol=0.01)
    assert "hand over" not in " ".join(drawn.info["notes"])
    assert drawn.info["methods"]["grand"]["averaged"] == "over 2 networks, as the paper does"


def test_it_is_saved_and_loaded(run, tmp_path):
    loaded = load_run(run.save(tmp_path / "run"))
    for table in ("scores", "details", "flags", "history", "seed_scores", "dynamics"):
        pd.testing.assert_frame_equal(getattr(loaded, table), getattr(run, table))
    assert loaded.evaluate(n_resamples=0).equals(run.evaluate(n_resamples=0))


def test_who_has_no_score_in_one_seed_has_no_mean_and_the_reason(singles):
    first, second = singles[:2]
    damaged = second.scores.copy()
    damaged.iloc[5, damaged.columns.get_loc("loss")] = np.nan
    status = pd.Categorical(["2_of_3_epochs" if i == 5 else "" for i in range(80)])
    details = second.details.assign(loss_status=status)
    second = dataclasses.replace(second, scores=damaged, details=details)
    made = combined([first, second], RunSpec(seeds=2), "finished")
    assert np.isnan(made.scores["loss"].iloc[5])
    assert made.details["loss_status"].iloc[5] == "2_of_3_epochs"
    assert made.scores["loss"].notna().sum() == 79
    assert (made.details["loss_status"] != "").sum() == 1


def test_what_a_mean_cannot_give_is_refused(run):
    with pytest.raises(SpecError, match="keep_dynamics is 'logits' with seeds=2"):
        characterize("wine", seeds=2, keep_dynamics="logits")
    with pytest.raises(StoreError, match="means over 3 seeds; a method scores each training"):
        rescore(run)


def test_one_seed_has_no_spread(singles):
    made = combined(singles[:1], RunSpec(seeds=3), "stopped")
    assert made.scores.equals(singles[0].scores)
    assert made.details["loss_std"].isna().all()
    assert made.info["outcome"] == "stopped"
