"""Trainings of all sorts, watched, and what a run hands on, as the how-to says it."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

import hcat_nb as hcat

N, E = 48, 3
LABELS = [k % 2 for k in range(N)]


def watched(model, samples, pile, forward=None, **options):
    """Return the run of a training that a watch saw, of which it left no trace."""
    weights, runs = [], []
    for watching in (True, False):
        torch.manual_seed(0)
        net = model()
        watch = hcat.watch(net, samples, epochs=E, collate=pile, forward=forward, **options)
        optimizer = torch.optim.Adam(net.parameters(), lr=0.02)
        for _ in range(E):
            for ids in torch.randperm(N).split(12):
                batch = pile([samples[int(k)] for k in ids])
                logits = forward(net, batch) if forward else net(batch[0])
                optimizer.zero_grad()
                nn.functional.cross_entropy(logits, batch[-1]).backward()
                optimizer.step()
                if watching:
                    watch.batch(ids, logits)
            if watching:
                watch.end_epoch()
        weights.append(list(net.state_dict().values()))
        runs += [watch.run()] if watching else []
    assert all(map(torch.equal, *weights))
    (run,) = runs
    assert np.isfinite(run.scores.to_numpy()).all()
    assert {"aum", "grand", "prototypicality"} <= set(run.methods)
    return run


def test_sounds_of_different_lengths():
    draw = torch.Generator().manual_seed(0)
    sounds = []
    for k in range(N):
        at = torch.arange(400 + 40 * (k % 5)) / 400
        tone = torch.sin(2 * torch.pi * (20 + 30 * LABELS[k]) * at)
        sounds.append((tone + 0.3 * torch.randn(len(at), generator=draw), LABELS[k]))

    class Sound(nn.Module):
        def __init__(self):
            super().__init__()
            self.layers = nn.Sequential(
                nn.Conv1d(1, 8, 16, 4), nn.BatchNorm1d(8), nn.ReLU(), nn.AdaptiveMaxPool1d(1)
            )
            self.head = nn.Linear(8, 2)

        def forward(self, x):
            return self.head(self.layers(x[:, None]).flatten(1))

    def pile(some):
        waves = nn.utils.rnn.pad_sequence([one for one, _ in some], batch_first=True)
        return waves, torch.tensor([label for _, label in some])

    run = watched(Sound, sounds, pile)
    assert "names its embedding of tokens" in run.info["skipped"]["vog"]
    assert "tensors of one shape" in run.info["skipped"]["allsh"]


# Packed sequences cannot go through vmap.
@pytest.mark.filterwarnings("ignore:the gradient norms of this model are measured one row")
def test_time_series_of_different_lengths():
    draw = torch.Generator().manual_seed(1)
    series = []
    for k in range(N):
        steps = torch.randn(10 + k % 7, 3, generator=draw) + (2 * LABELS[k] - 1) * 0.3
        series.append((steps.cumsum(0), LABELS[k]))

    class Series(nn.Module):
        def __init__(self):
            super().__init__()
            self.cells = nn.GRU(3, 12, batch_first=True)
            self.head = nn.Linear(12, 2)

        def forward(self, steps, lengths):
            packed = nn.utils.rnn.pack_padded_sequence(
                steps, lengths, batch_first=True, enforce_sorted=False
            )
            return self.head(self.cells(packed)[1][-1])

    def pile(some):
        steps = nn.utils.rnn.pad_sequence([one for one, _ in some], batch_first=True)
        lengths = torch.tensor([len(one) for one, _ in some])
        return steps, lengths, torch.tensor([label for _, label in some])

    run = watched(Series, series, pile, forward=lambda net, batch: net(*batch[:2]))
    assert run.history["accuracy"].iloc[-1] > 0.8


@pytest.mark.filterwarnings("ignore:no dropout takes effect")  # timm drops by a function
def test_a_model_of_timm():
    timm = pytest.importorskip("timm", reason="needs the extra timm")
    x = torch.rand(N, 3, 32, 32, generator=torch.Generator().manual_seed(2))
    x[:, :, :16] += torch.tensor(LABELS)[:, None, None, None] * 0.5
    samples = [(x[k], LABELS[k]) for k in range(N)]
    options = {"pretrained": False, "num_classes": 2, "drop_rate": 0.1}

    def pile(some):
        return torch.stack([one for one, _ in some]), torch.tensor([label for _, label in some])

    run = watched(lambda: timm.create_model("test_resnet.r160_in1k", **options), samples, pile)
    assert run.info["model"] == "ResNet"
    # Images of one shape are data as any other: all that looks at samples is measured, too.
    torch.manual_seed(0)
    net = timm.create_model("test_resnet.r160_in1k", **options)
    watch = hcat.watch(net, (x, torch.tensor(LABELS)), epochs=2)
    for _ in range(2):
        watch.batch(torch.arange(N), net.train()(x))
        watch.end_epoch()
    assert len(watch.run().methods) == 13


@pytest.fixture(scope="module")
def folded():
    options = {"epochs": 3, "methods": "aum el2n", "learning_check": False}
    return hcat.characterize("wine", folds=3, **options)


def test_scores_are_columns_of_a_hugging_face_dataset(folded):
    datasets = pytest.importorskip("datasets", reason="needs the extra huggingface")
    dataset = datasets.Dataset.from_dict({"row": list(range(178))})
    for name in folded.methods:
        dataset = dataset.add_column(name, folded.scores[name].to_numpy())
    assert dataset.column_names == ["row", *folded.methods]
    assert np.array_equal(np.float32(dataset["aum"]), folded.scores["aum"])


def test_scores_are_a_frame_of_polars(folded):
    polars = pytest.importorskip("polars", reason="needs polars")
    frame = polars.from_pandas(folded.scores, include_index=True)
    assert frame.columns == ["sample_id", *folded.methods]
    assert np.array_equal(frame["el2n"].to_numpy(), folded.scores["el2n"])


def test_datalab_judges_our_probabilities_and_we_its_flags(folded):
    pytest.importorskip("datasets", reason="cleanlab's Datalab needs datasets")
    from cleanlab import Datalab

    data = hcat.load("wine")
    lab = Datalab({"label": data.labels.numpy()}, label_name="label", verbosity=0)
    probs = folded.pred_probs().to_numpy()
    lab.find_issues(pred_probs=probs, issue_types={"label": {}})
    flags = lab.get_issues("label")["is_label_issue"].to_numpy()
    assert 0 < flags.sum() < len(data) / 2
    run = hcat.characterize(data, epochs=2, methods="aum", truth=flags, learning_check=False)
    assert (run.truth["is_hard"].to_numpy() == flags).all()
    assert "auroc" in run.evaluate()
