"""What mending is worth: no effect where there is none, an effect where it is large."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import hcat_nb as hcat
from hcat_nb.audits import remedy as module
from hcat_nb.errors import DataError, SpecError


@pytest.fixture(scope="module")
def audit():
    rng = np.random.default_rng(0)
    true = rng.integers(0, 2, 600)
    x = rng.normal(size=(600, 5)) + 1.5 * true[:, None]
    label = np.where(rng.random(600) < 0.1, 1 - true, true)
    return hcat.audit(x, label, methods="aum el2n loss", epochs=5, seed=0)


def test_every_arm_is_compared_with_keeping_all(audit):
    found = audit.remedy(seeds=2, share=0.1)
    table = found.table
    assert table.loc[module.KEEP, ["gain", "gain_low", "gain_high"]].tolist() == [0, 0, 0]
    assert (table["gain_low"] <= table["gain"]).all()
    assert (table["gain"] <= table["gain_high"]).all()
    kept = table["rows"]
    assert kept[module.KEEP] + found.held_out == 600
    light = "count the first 10% of each class a quarter"
    assert kept[light] == kept[module.KEEP]
    dropped = kept.drop([module.KEEP, light])
    assert len(dropped) == 3
    assert all(rows == pytest.approx(0.9 * kept[module.KEEP], abs=2) for rows in dropped)
    judge = module._held_out(audit.run.dataset, audit, None)
    arms = module._arms(audit.run.dataset, audit, judge, 0.1)
    assert arms[module.KEEP].weights is None
    weighed, counts = arms[light].weights.unique(return_counts=True)
    assert weighed.tolist() == [0.25, 1.0]
    assert counts[0] == pytest.approx(0.1 * kept[module.KEEP], abs=2)
    assert arms[light].trainable[arms[light].weights < 1].all()
    assert "may be wrong, too" in found.sentence


def test_decided_rows_make_arms_and_do_not_judge(audit, monkeypatch):
    first = audit.samples.index[:30]
    labels = audit.run.details["label"]
    audit.run.decisions().mislabeled(first[:10])
    for one in first[10:]:
        audit.run.decisions().relabel(one, 1 - labels[one])
    judged = []
    compared = module._compared
    monkeypatch.setattr(
        module, "_compared", lambda *args: judged.append(args[3]) or compared(*args)
    )
    table = audit.remedy(seeds=2).table
    assert not judged[0][audit.run.details.index.get_indexer(first)].any()
    assert table.loc["relabel what was confirmed", "rows"] == table.loc[module.KEEP, "rows"] - 10
    assert table.loc["drop what was confirmed", "rows"] == table.loc[module.KEEP, "rows"] - 30
    audit.run.decisions().clear(first)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"share": 0.7}, "share is 0.7"),
        ({"seeds": 1}, "seeds is 1"),
        ({"seeds": "3"}, "seeds"),
        ({"share": "x"}, "share"),
    ],
)
def test_bad_numbers_are_refused_before_training(audit, options, message):
    with pytest.raises(SpecError, match=message):
        audit.remedy(**options)


def test_too_few_rows_to_judge_by_are_refused(audit):
    with pytest.raises(DataError, match="5 rows are held out"):
        audit.remedy(held_out=list(range(5)))
    with pytest.raises(DataError, match="no sample 'x'"):
        audit.remedy(held_out=["x"])


def test_what_was_an_object_can_be_handed_over(tmp_path):
    rng = np.random.default_rng(0)
    label, seen = rng.integers(0, 2, 200), rng.normal(size=(200, 3)).astype(np.float32)
    table = pd.DataFrame(rng.normal(size=(200, 2)), columns=["a", "b"]).assign(y=label)
    found = hcat.audit(
        table, target="y", features=seen, methods="aum", epochs=2, seed=0, out=tmp_path / "a"
    )
    loaded = hcat.load_audit(tmp_path / "a")
    expected = found.remedy(seeds=2, features=seen).table
    pd.testing.assert_frame_equal(
        loaded.remedy(seeds=2, data=table, features=seen).table, expected, check_exact=True
    )


def test_an_arm_that_harms_measurably_is_not_called_without_effect():
    rows = {module.KEEP: (0, 0, 0, 0), "drop": (-0.1, -0.2, -0.05, -0.02)}
    names = ["gain", "gain_low", "gain_high", "worst_change"]
    table = pd.DataFrame.from_dict(rows, orient="index", columns=names).assign(worst_class="a")
    assert module._sentence(table).startswith("No arm helps measurably")


def test_duplicates_are_held_out_together():
    rng = np.random.default_rng(0)
    x = np.repeat(rng.normal(size=(100, 3)), 3, axis=0)
    audit = hcat.audit(x, np.arange(300) // 3 % 2, methods="aum", epochs=2, seed=0)
    held_out = module._held_out(audit.run.dataset, audit, None)
    assert held_out.any()
    assert (held_out.reshape(100, 3).sum(axis=1) % 3 == 0).all()
