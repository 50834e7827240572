"""A whole audit: what it finds, that it repeats to the bit, and that it goes on after a stop."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import roc_auc_score

import hcat_nb as hcat
from hcat_nb.audits import audit as module
from hcat_nb.errors import DataError, DataWarning, HcatError, SpecError, StoreError
from hcat_nb.training.events import Control, Listener

FEW = {"methods": "aum el2n datamaps loss", "epochs": 6, "seed": 0}


def table(n: int = 1000, seed: int = 0) -> tuple[pd.DataFrame, np.ndarray]:
    """Three clouds, one label in twenty wrong; and which."""
    rng = np.random.default_rng(seed)
    true = rng.integers(0, 3, n)
    x = rng.normal(size=(n, 4)) + 2.5 * np.eye(3, 4)[true]
    wrong = rng.random(n) < 0.05
    label = np.where(wrong, (true + rng.integers(1, 3, n)) % 3, true)
    frame = pd.DataFrame(x, columns=list("abcd"), index=[f"row{i}" for i in range(n)])
    return frame.assign(y=np.array(["red", "green", "blue"])[label]), wrong


@pytest.fixture(scope="module")
def found():
    data, wrong = table()
    return hcat.audit(data, target="y", **FEW), wrong


def test_wrong_labels_stand_on_top_and_the_probes_said_so(found):
    audit, wrong = found
    rank = audit.samples["rank"].loc[audit.run.details.index]
    told = audit.methods.loc[audit.recommended]
    assert roc_auc_score(wrong, -rank) > 0.9
    assert told["auroc"] > 0.9
    assert audit.samples["rank"].tolist() == list(range(1, 1001))
    assert len(audit.probes) == 100


def test_the_same_call_gives_the_same_bits(found):
    audit, _ = found
    again = hcat.audit(table()[0], target="y", **FEW)
    pd.testing.assert_frame_equal(again.samples, audit.samples, check_exact=True)
    pd.testing.assert_frame_equal(again.methods, audit.methods, check_exact=True)
    assert np.array_equal(again.probes, audit.probes)


def test_a_severe_finding_is_told_once_for_all_trainings():
    data = table(200)[0]
    leak = data.assign(name=data["y"] + "ish")
    options = FEW | {"epochs": 2, "methods": "el2n", "judges": False, "seeds": 2}
    with pytest.warns(DataWarning) as told:
        hcat.audit(leak, target="y", budget="1h", **options)
    assert [one for one in told if "'name'" in str(one.message)] == [told[0]]
    assert len(told) == 1


class StopAt(Listener):
    """Asks for a stop after an epoch."""

    def __init__(self, control: Control, epoch: int) -> None:
        self.control, self.epoch = control, epoch

    def on_epoch(self, event):
        if event.epoch == self.epoch:
            self.control.stop.set()


def test_a_stopped_audit_says_so_and_goes_on_where_it_was(found, tmp_path, monkeypatch):
    audit, _ = found
    control = Control()
    data, _ = table()
    with pytest.raises(HcatError, match=r"stopped in its part 'run'.*same out to go on"):
        hcat.audit(
            data,
            target="y",
            out=tmp_path / "a",
            control=control,
            listeners=[StopAt(control, 3)],
            **FEW,
        )
    with pytest.raises(StoreError, match="not finished"):
        hcat.load_audit(tmp_path / "a")

    def killed(*_args, **_kwargs):
        raise InterruptedError

    with monkeypatch.context() as patched:  # after run A and the copy, before anything is concluded
        patched.setattr(module, "judge", killed)
        with pytest.raises(InterruptedError):
            hcat.audit(data, target="y", out=tmp_path / "a", **FEW)
    trained = []
    whole = module.characterize
    monkeypatch.setattr(module, "characterize", lambda *a, **k: trained.append(a) or whole(*a, **k))
    again = hcat.audit(data, target="y", out=tmp_path / "a", **FEW)
    assert trained == []
    pd.testing.assert_frame_equal(again.samples, audit.samples, check_exact=True)
    assert sorted(path.name for path in (tmp_path / "a").iterdir() if path.is_dir()) == ["run"]
    loaded = hcat.load_audit(tmp_path / "a")
    pd.testing.assert_frame_equal(loaded.samples, audit.samples)
    assert loaded.summary() == audit.summary()


def test_other_options_do_not_go_on_in_the_same_folder(tmp_path):
    data, _ = table(400)
    place = tmp_path / "a"
    hcat.audit(data, target="y", out=place, **FEW)
    with pytest.raises(StoreError, match="holds an audit already"):
        hcat.audit(data, target="y", out=place, **FEW)
    before = hcat.load_audit(place)
    hcat.audit(data, target="y", out=place, overwrite=True, **{**FEW, "seed": 1})
    assert not hcat.load_audit(place).samples.equals(before.samples)


def test_trusted_rows_are_never_planted_into_and_are_told_of(monkeypatch):
    data, wrong = table()
    right = pd.Series(data["y"].to_numpy(), dtype=object)
    right[wrong] = None
    right[np.arange(len(right)) >= 100] = None
    seen = []
    plant = module.plant

    def watched(*args):
        seen.append(plant(*args))
        return seen[-1]

    monkeypatch.setattr(module, "plant", watched)
    audit = hcat.audit(data, target="y", trusted=right.to_numpy(), **FEW)
    known = right.notna().to_numpy()
    assert not (seen[0].causes[known] == 0).any()
    assert f"Of {known.sum()} trusted labels 0% are wrong" in audit.summary()


def test_several_seeds_are_ranked_by_their_mean_and_counted():
    data, _ = table(400)
    audit = hcat.audit(data, target="y", seeds=2, **FEW)
    assert audit.plan.seeds == 2
    assert set(audit.samples["worst_in"]) == {0, 1, 2}
    assert (audit.samples["of_seeds"] == 2).all()


def test_torchrun_is_refused_before_anything_is_read(monkeypatch):
    monkeypatch.setenv("WORLD_SIZE", "2")
    with pytest.raises(SpecError, match="torchrun"):
        hcat.audit("no such data")


def test_a_network_that_agrees_with_nothing_plants_nothing():
    rng = np.random.default_rng(0)
    with pytest.raises(HcatError, match="too few to plant"):
        hcat.audit(rng.normal(size=(300, 3)), np.arange(300) % 60, **FEW | {"epochs": 1})


def test_a_copy_that_was_stopped_is_trained_to_its_end(found, tmp_path, monkeypatch):
    audit, _ = found
    data, control = table()[0], Control()
    whole = module.characterize

    def stopped(*args, **options):
        if options["out"].name == "copy_0":
            options["listeners"] = [StopAt(control, 4)]
        return whole(*args, **options)

    with monkeypatch.context() as patched:
        patched.setattr(module, "characterize", stopped)
        with pytest.raises(HcatError, match="stopped in its part 'copy_0'"):
            hcat.audit(data, target="y", out=tmp_path / "a", control=control, **FEW)
    again = hcat.audit(data, target="y", out=tmp_path / "a", **FEW)
    pd.testing.assert_frame_equal(again.samples, audit.samples, check_exact=True)
    pd.testing.assert_frame_equal(again.methods, audit.methods, check_exact=True)


def test_an_audit_goes_only_when_its_successor_can_begin(found, tmp_path):
    audit, _ = found
    audit.save(tmp_path / "a")
    few = {**FEW, "out": tmp_path / "a", "overwrite": True}
    with pytest.raises(DataError):
        hcat.audit(table()[0].assign(y="one"), target="y", **few)
    assert hcat.load_audit(tmp_path / "a").samples.equals(audit.samples)
    (tmp_path / "a" / "audit.json").write_text("{")  # the remedy of what is damaged
    hcat.audit(table(400)[0], target="y", **few)
    assert len(hcat.load_audit(tmp_path / "a").samples) == 400


def test_rows_without_label_are_neither_ranked_nor_judged_by(monkeypatch):
    data, _ = table(400)
    data.loc[data.index[::4], "y"] = None
    seen = []
    monkeypatch.setattr(module, "judge", lambda *a, judge=module.judge: seen.append(a) or judge(*a))
    audit = hcat.audit(data, target="y", on_missing_label="keep", **FEW)
    assert audit.samples["rank"].tolist() == list(range(1, 301))
    assert audit.samples["label"].notna().all()
    copies = seen[0][0]
    assert len(copies.causes) == len(copies.features) == 300 * audit.plan.copies
    assert "of 300 samples" in audit.summary()
    audit.answer(audit.review().queue(60).index, False)
    assert audit.review().reviewed == 60


@pytest.mark.parametrize(
    ("n", "change", "message"),
    [
        (12, {}, "12 rows can be trained on; expected 20 at least"),
        (100, {"g": [0, 1] * 50}, "the data are 2 groups of rows .* equal; expected 5 at least"),
    ],
)
def test_too_little_to_judge_by_is_refused_before_training(n, change, message, monkeypatch):
    monkeypatch.setattr(module, "characterize", None)
    options = {"groups": "g"} if change else {}
    with pytest.raises(DataError, match=message):
        hcat.audit(table(n)[0].assign(**change), target="y", **options, **FEW)


def test_repeated_ids_are_refused_before_training(monkeypatch):
    monkeypatch.setattr(module, "characterize", None)
    with pytest.raises(DataError, match="'row0' occurs more than once"):
        hcat.audit(table(100)[0].rename({"row1": "row0"}), target="y", **FEW)


def test_a_network_that_learned_nothing_names_no_cause():
    noise = np.random.default_rng(0).normal(size=(1000, 6)).astype(np.float32)
    data = table()[0]
    audit = hcat.audit(data, target="y", features=noise, **FEW)
    assert "verdicts and proposals are withheld" in audit.summary()
    assert set(audit.samples["cause"]) <= {"", "unclear"}
    assert audit.samples["cause"].eq("unclear").any()


def test_trusted_rows_that_are_all_wrong_are_told_without_a_figure_that_is_none():
    data, _ = table(400)
    right = np.where(
        np.arange(400) < 10, data["y"].map({"red": "blue", "blue": "red", "green": "red"}), None
    )
    text = hcat.audit(
        data, target="y", trusted=right, **FEW | {"methods": "aum knn_label"}
    ).summary()
    assert "Of 10 trusted labels 100% are wrong" in text
    assert "nan" not in text


def test_overwrite_is_true_or_false(tmp_path):
    with pytest.raises(SpecError, match="overwrite is 'x'"):
        hcat.audit("wine", out=tmp_path / "audit", overwrite="x")
    with pytest.raises(StoreError, match="empty"):
        hcat.audit("wine", out="")
