"""Samples that are no tensors of one shape: token ids, through a model that embeds them."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

import hcat_nb as hcat
from hcat_nb.errors import DataError, SpecError


class Tokens:
    """Sequences of different lengths, as a tokeniser makes them."""

    def __init__(self, n: int = 48) -> None:
        draw = np.random.default_rng(0)
        self.label = [i % 2 for i in range(n)]
        self.ids = [
            [label + 2 * int(k) for k in draw.integers(1, 9, 3 + i % 4)]
            for i, label in enumerate(self.label)
        ]

    def __len__(self) -> int:
        return len(self.ids)

    def __getitem__(self, i: int) -> dict:
        return {"input_ids": self.ids[i], "label": self.label[i]}


def padded(items):
    width = max(len(one["input_ids"]) for one in items)
    rows = [one["input_ids"] + [0] * (width - len(one["input_ids"])) for one in items]
    labels = torch.tensor([one["label"] for one in items])
    return {"input_ids": torch.tensor(rows), "labels": labels}


class Bag(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.words = nn.Embedding(20, 6, padding_idx=0)
        self.drop = nn.Dropout(0.1)
        self.head = nn.Linear(6, 2)

    def forward(self, input_ids):
        from types import SimpleNamespace

        shares = (input_ids > 0).sum(1, keepdim=True)
        return SimpleNamespace(logits=self.head(self.drop(self.words(input_ids).sum(1) / shares)))


def test_samples_that_are_no_tensors_go_through_collate_and_forward():
    tokens = Tokens()
    runs = []
    for forward in (None, lambda model, batch: model(batch["input_ids"])):
        torch.manual_seed(0)
        model = Bag()
        watch = hcat.watch(model, tokens, epochs=3, collate=padded, forward=forward)
        optimizer = torch.optim.Adam(model.parameters(), lr=0.05)
        for _ in range(3):
            for ids in torch.randperm(len(tokens)).split(8):
                batch = padded([tokens[int(i)] for i in ids])
                out = model(batch["input_ids"])
                optimizer.zero_grad()
                nn.functional.cross_entropy(out.logits, batch["labels"]).backward()
                optimizer.step()
                watch.batch(ids, out)
            watch.end_epoch()
        runs.append(watch.run())
    one, two = runs
    assert one.scores.equals(two.scores)
    assert set(one.info["skipped"]) == {"allsh", "conf_agree"}
    assert {"aum", "grand", "prototypicality", "vog"} <= set(one.methods)
    assert any("output of words, which embeds" in note for note in one.info["notes"])
    assert np.isfinite(one.scores.to_numpy()).all()
    assert one.history["accuracy"].iloc[-1] > 0.8
    with pytest.raises(DataError, match="sample 0 has no label"):
        hcat.watch(Bag(), [{"input_ids": [1]}], epochs=1, collate=padded)


class Curved(Bag):
    def forward(self, input_ids):
        shares = (input_ids > 0).sum(1, keepdim=True)
        return self.head(self.words(input_ids).tanh().sum(1) / shares).square()


@pytest.mark.parametrize("batch", [5, 48])
def test_input_gradients_of_tokens_are_those_of_their_embeddings(batch):
    torch.manual_seed(0)
    tokens, model = Tokens(), Curved()
    options = {"methods": "vog grand", "observe_batch_size": batch, "collate": padded}
    watch = hcat.watch(model, tokens, epochs=2, **options)
    gradients = []
    for _ in range(2):
        with torch.no_grad():
            model.words.weight[1:] += torch.randn(19, 6)
        own = []
        for ids, label in zip(tokens.ids, tokens.label, strict=True):
            words = model.words(torch.tensor([ids])).detach().requires_grad_()  # nothing is padded
            logits = model.head(words.tanh().sum(1) / len(ids)).square()
            own.append(torch.autograd.grad(logits[0, label], words)[0].sum((0, 1)).numpy())
        gradients.append(own)
        watch.end_epoch()
    run = watch.run()
    spread, y = np.array(gradients).std(0).mean(1), np.array(tokens.label)
    for code in (0, 1):
        here = spread[y == code]
        expected = (here - here.mean()) / here.std()
        np.testing.assert_allclose(run.scores["vog"][y == code], expected, atol=1e-4)
    assert np.isfinite(run.scores["grand"]).all()


def test_which_embedding_is_meant_has_to_be_known():
    class Two(Curved):
        def __init__(self) -> None:
            super().__init__()
            self.others = nn.Embedding(20, 6)

        def forward(self, input_ids):
            return super().forward(input_ids) + self.head(self.others(input_ids[:, 0]))

    class Named(Two):
        def get_input_embeddings(self):
            return self.words

    class Twice(Bag):
        def forward(self, input_ids):
            return self.head((self.words(input_ids) * self.words(input_ids)).sum(1))

    torch.manual_seed(1)
    options = {"epochs": 3, "methods": "vog", "collate": padded}
    with pytest.raises(SpecError, match="a model that names its embedding of tokens"):
        hcat.watch(Two(), Tokens(), **options)
    hcat.watch(Named(), Tokens(), **options).end_epoch()
    with pytest.raises(SpecError, match="not called once"):
        hcat.watch(Twice(), Tokens(), **options)
