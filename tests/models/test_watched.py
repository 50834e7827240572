"""Rows in, logits out, whatever the module takes."""

from __future__ import annotations

from types import SimpleNamespace

import pandas as pd
import pytest
import torch
from torch import nn

from hcat_nb.errors import DataError
from hcat_nb.models._watched import Items, WatchedModel, call, numbered, to
from hcat_nb.spec import RunSpec


def test_batches_of_every_kind_reach_the_module():
    x = torch.ones(2, 3)
    assert torch.equal(call(nn.Identity(), x), x)
    assert torch.equal(call(nn.Identity(), [x, None]), x)

    class Named(nn.Module):
        def forward(self, a, b):
            return a + b

    assert torch.equal(call(Named(), {"a": x, "b": x, "labels": x}), 2 * x)


def test_items_are_put_together_by_their_numbers():
    items = Items(["a", "bb", "ccc"], lambda some: {"n": torch.tensor([len(one) for one in some])})
    assert items(torch.tensor([[2.0], [0.0]]))["n"].tolist() == [3, 1]


def test_everything_that_holds_tensors_moves():
    made = to({"a": [torch.ones(1), "word"], "b": (torch.ones(1), 3)}, torch.device("meta"))
    assert made["a"][0].is_meta
    assert made["b"][0].is_meta
    assert made["a"][1] == "word"
    assert made["b"][1] == 3


def test_the_logits_of_an_output_are_taken():
    class Wrapped(nn.Module):
        def forward(self, x):
            return SimpleNamespace(logits=2 * x)

    net = Wrapped()
    model = WatchedModel(net, lambda x: x + 1, None, torch.device("cpu"))
    assert model(torch.zeros(1, 2)).tolist() == [[2, 2]]
    assert model.returns == "SimpleNamespace"
    own = WatchedModel(net, lambda x: x, lambda net, x: net(x).logits * 10, torch.device("cpu"))
    assert own(torch.ones(1, 2)).tolist() == [[20, 20]]


def read(data, labels=None, classes=None, **options):
    return numbered(data, labels, list, RunSpec(**options), None, classes)[1]


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
        (iter("ab"), "without a number"),
        (range(2**24 + 1), "at most 16,777,216"),
    ],
)
def test_what_has_no_number_or_no_label_is_refused(data, words):
    with pytest.raises(DataError, match=words):
        read(data)
