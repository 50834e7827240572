"""A dataset as decisions make it: images, tables with categories and gaps, texts."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import torch

from hcat_nb.api.characterize import characterize
from hcat_nb.api.run import load_run
from hcat_nb.data.loading import load
from hcat_nb.errors import DataError, SpecError, StoreError

N = 30


def _data(kind: str):
    rng = np.random.default_rng(0)
    labels = np.array(["oak", "elm", "ash"])[np.arange(N) % 3]
    index = pd.Index([f"s{i:02}" for i in range(N)])
    if kind == "image":
        images = rng.integers(0, 255, (N, 8, 8), dtype=np.uint8)
        return load(images, labels).replace(sample_ids=index)
    frame = pd.DataFrame({"y": labels}, index=index)
    if kind == "table":
        frame["size"] = rng.normal(size=N)
        frame["colour"] = pd.Categorical(rng.choice(["red", "blue"], N))
        frame.loc["s04", "size"] = np.nan
        return load(frame, target="y", impute="median")
    frame["words"] = [f"tree number {i} of {label}" for i, label in enumerate(labels)]
    return load(frame, target="y", text="words")


def _run(data, **options):
    return characterize(data, epochs=1, methods="el2n", seed=0, **options)


@pytest.mark.parametrize("kind", ["image", "table", "text"])
@pytest.mark.parametrize("mislabeled", ["unlabel", "drop", "keep"])
def test_it_relabels_drops_and_unlabels_and_can_be_trained_on(kind, mislabeled):
    data = _data(kind)
    before = (data.features.clone(), data.labels.clone(), data.notes)
    run = _run(data)
    run.decisions().relabel(["s00", "s07"], "ash")
    run.decisions().drop(["s10"])
    run.decisions().mislabeled(["s20"])
    run.decisions().keep(["s29"])
    mended = run.apply(mislabeled=mislabeled)

    gone = {"s10", "s20"} if mislabeled == "drop" else {"s10"}
    assert mended.sample_ids.tolist() == [one for one in data.sample_ids if one not in gone]
    assert mended.class_values == data.class_values
    values = pd.Series(mended.label_values(), index=mended.sample_ids)
    old = pd.Series(data.label_values(), index=data.sample_ids)
    assert values["s00"] == values["s07"] == "ash"
    if mislabeled == "unlabel":
        assert pd.isna(values["s20"])
    touched = ["s00", "s07", "s10", "s20"]
    rest = [one for one in data.sample_ids if one not in touched]
    assert values[rest].tolist() == old[rest].tolist()
    rows = torch.from_numpy(data.sample_ids.get_indexer(mended.sample_ids))
    assert torch.equal(mended.features, data.features[rows])
    if data.original is not None:
        assert mended.original.index.tolist() == data.original.iloc[rows.numpy()].index.tolist()
    assert "2 relabelled" in mended.notes[-1]

    assert torch.equal(data.features, before[0])
    assert torch.equal(data.labels, before[1])
    assert data.notes == before[2]
    again = _run(mended)
    assert len(again.scores) == N - len(gone)


def test_tables_and_files_do_as_well(tmp_path):
    run = _run(_data("table"))
    table = pd.DataFrame({"sample_id": ["s01"], "action": ["relabel"], "new_label": ["oak"]})
    table.to_csv(tmp_path / "d.csv", index=False)
    for given in (table, tmp_path / "d.csv", str(tmp_path / "d.csv")):
        assert run.apply(given).label_values()[1] == "oak"
    assert len(run.decisions()) == 0
    assert run.apply().notes[-1] == "decisions applied: nothing changed"


def test_a_loaded_run_needs_its_data_and_no_other(tmp_path):
    data = _data("table")
    run = load_run(_run(data).save(tmp_path / "run"))
    run.decisions().relabel(["s01"], "oak")
    with pytest.raises(StoreError, match=r"an object of which no file is kept.*hand it over again"):
        run.apply()
    assert run.apply(dataset=data).label_values()[1] == "oak"
    with pytest.raises(DataError, match=r"hold 29 samples, and lack 's29'; expected the 30"):
        run.apply(dataset=data.take(torch.arange(29)))
    with pytest.raises(DataError, match="whose ids or order differ"):
        run.apply(dataset=data.take(torch.arange(29, -1, -1)))
    with pytest.raises(DataError, match="have the classes"):
        run.apply(dataset=data.replace(class_values=("oak", "elm", "fir")))
    other = data.labels.clone()
    other[1] = (other[1] + 1) % 3
    with pytest.raises(DataError, match=r"sample 's01' has the label .* in these data"):
        run.apply(dataset=data.replace(labels=other))


def test_an_unknown_treatment_is_refused():
    run = _run(_data("table"))
    with pytest.raises(SpecError, match="mislabeled is 'erase'; expected one of unlabel, drop"):
        run.apply(mislabeled="erase")


def test_repeated_ids_are_refused():
    data = _data("table").replace(sample_ids=pd.Index(["same"] * N))
    with pytest.raises(DataError, match="'same' occurs more than once"):
        _run(data).apply()
