"""Samples by their number."""

from __future__ import annotations

import pandas as pd
import pytest

from hcat_nb.errors import DataError
from hcat_nb.runs.watched.numbered import numbered
from hcat_nb.spec import RunSpec


def read(data, labels=None, classes=None, **options):
    return numbered(data, labels, RunSpec(**options), None, classes)


def test_labels_come_from_wherever_the_samples_have_them():
    pairs = [("a b", "no"), ("c", "yes"), ("d", "no")]
    dicts = [{"text": text, "label": label} for text, label in pairs]
    for data in (pairs, dicts):
        made = read(data)
        assert made.features.ravel().tolist() == [0, 1, 2]
        assert made.class_values == ("no", "yes")
        assert made.labels.tolist() == [0, 1, 0]
    beside = read(["a", "b", "c"], pd.Series([1, 0, 1], index=["x", "y", "z"]))
    assert list(beside.sample_ids) == ["x", "y", "z"]
    assert read([{"text": "a", "mood": 1}, {"text": "b", "mood": 0}], target="mood").n_classes == 2
    assert read(pairs, classes=["yes", "no"]).labels.tolist() == [1, 0, 1]


def test_hugging_faces_columns_are_read_by_their_names():
    datasets = pytest.importorskip("datasets", reason="needs the extra huggingface")
    made = datasets.Dataset.from_dict({"text": ["a", "b", "c"], "label": [0, 1, 1]})
    made = made.cast_column("label", datasets.ClassLabel(names=["bad", "good"]))
    assert read(made).class_values == ("bad", "good")


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (["a", "b"], "sample 0 has no label"),
        ([{"text": "a"}], "sample 0 has no label"),
        (iter("ab"), "have no number"),
        (range(2**24 + 1), "at most 16,777,216"),
    ],
)
def test_what_has_no_number_or_no_label_is_refused(data, words):
    with pytest.raises(DataError, match=words):
        read(data)
