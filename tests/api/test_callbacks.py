"""Other libraries' trainers, watched by one line."""

from __future__ import annotations

import sys

import numpy as np
import pytest
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

import hcat_nb as hcat
from hcat_nb.errors import HcatError

N = 48


def data() -> tuple[torch.Tensor, torch.Tensor]:
    y = torch.arange(N) % 2
    x = torch.randn(N, 4, generator=torch.Generator().manual_seed(0))
    x[:, 0] += 2 * y
    return x, y


def test_a_library_that_is_absent_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "skorch.callbacks", None)
    with pytest.raises(HcatError, match=r"pip install 'hcat-nb\[skorch\]'"):
        hcat.watch(None, data(), epochs=2).callback("skorch")


def test_lightning(tmp_path):
    lightning = pytest.importorskip("lightning.pytorch", reason="needs the extra lightning")

    class Net(lightning.LightningModule):
        def __init__(self):
            super().__init__()
            self.layers = nn.Sequential(
                nn.Linear(4, 8), nn.ReLU(), nn.Dropout(0.2), nn.Linear(8, 2)
            )

        def forward(self, x):
            return self.layers(x)

        def training_step(self, batch, at):
            ids, x, y = batch
            logits = self(x)
            loss = nn.functional.cross_entropy(logits, y)
            return {"loss": loss, "ids": ids, "logits": logits.detach()}

        def configure_optimizers(self):
            return torch.optim.Adam(self.parameters(), lr=0.05)

    def fit(*callbacks):
        torch.manual_seed(0)
        net = Net()
        loader = DataLoader(TensorDataset(torch.arange(N), *data()), batch_size=16, shuffle=True)
        quiet = {"enable_progress_bar": False, "enable_model_summary": False, "logger": False}
        trainer = lightning.Trainer(
            max_epochs=3,
            accelerator="cpu",
            enable_checkpointing=False,
            default_root_dir=tmp_path,
            callbacks=list(callbacks),
            **quiet,
        )
        trainer.fit(net, loader)
        return net

    watch = hcat.watch(None, data(), epochs=3)
    net, plain = fit(watch.callback("lightning")), fit()
    run = watch.run()
    assert len(run.methods) == 13
    assert run.info["outcome"] == "finished"
    assert np.isfinite(run.scores.to_numpy()).all()
    assert all(map(torch.equal, net.state_dict().values(), plain.state_dict().values()))


# By number, samples cannot go through vmap: what has no closed form is measured row by row.
@pytest.mark.filterwarnings("ignore:the gradient norms of this model are measured one row")
def test_hugging_face(tmp_path):
    transformers = pytest.importorskip("transformers", reason="needs the extra transformers")
    pytest.importorskip("accelerate", reason="the Trainer of transformers needs accelerate")
    config = transformers.BertConfig(
        vocab_size=30,
        hidden_size=16,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=16,
        num_labels=2,
    )
    draw = np.random.default_rng(0)
    rows = [
        {"input_ids": [k % 2 * 10 + int(i) for i in draw.integers(1, 9, 4 + k % 3)], "label": k % 2}
        for k in range(24)
    ]

    def padded(items):
        width = max(len(one["input_ids"]) for one in items)
        ids = [one["input_ids"] + [0] * (width - len(one["input_ids"])) for one in items]
        ids = torch.tensor(ids)
        labels = torch.tensor([one["label"] for one in items])
        return {"input_ids": ids, "attention_mask": (ids > 0).long(), "labels": labels}

    def with_ids(items):
        return {**padded(items), "sample_id": torch.tensor([one["sample_id"] for one in items])}

    def fit(rows, collate, watched):
        torch.manual_seed(0)
        model = transformers.BertForSequenceClassification(config)
        watch = watched and hcat.watch(model, rows, epochs=2, collate=collate)
        arguments = transformers.TrainingArguments(
            str(tmp_path),
            num_train_epochs=2,
            per_device_train_batch_size=8,
            report_to=[],
            save_strategy="no",
            use_cpu=True,
            disable_tqdm=True,
            remove_unused_columns=False,
        )
        seen = []

        class Trainer(transformers.Trainer):
            def compute_loss(self, model, inputs, *rest, **named):
                loss, out = super().compute_loss(model, inputs, return_outputs=True)
                seen.append((inputs.get("sample_id"), out.logits.detach()))
                return loss

        Trainer(
            model=model,
            args=arguments,
            train_dataset=rows,
            data_collator=collate,
            callbacks=[watch.callback("huggingface")] if watched else [],
        ).train()
        assert not model._forward_hooks
        assert not model._forward_pre_hooks
        return watch and watch.run(), list(model.state_dict().values()), seen

    run, weights, _ = fit(rows, padded, True)
    assert run.info["outcome"] == "finished"
    assert set(run.info["skipped"]) == {"aum", "forgetting", "allsh", "conf_agree"}
    assert np.isfinite(run.scores.to_numpy()).all()
    numbered = [{**row, "sample_id": k} for k, row in enumerate(rows)]
    assert any("output of bert.embeddings.word_embeddings" in note for note in run.info["notes"])
    told, same, seen = fit(numbered, with_ids, True)
    _, plain, _ = fit(rows, padded, False)
    assert all(map(torch.equal, weights, plain))
    assert all(map(torch.equal, same, plain))
    assert set(told.info["skipped"]) == {"allsh", "conf_agree"}
    margins = np.zeros(len(rows))
    for ids, logits in seen:
        for i, (no, yes) in zip(ids.tolist(), logits.tolist(), strict=True):
            margins[i] += (no - yes) * (1 if rows[i]["label"] == 0 else -1) / 2
    np.testing.assert_allclose(told.scores["aum"], -margins, rtol=1e-4, atol=1e-6)


def test_skorch():
    skorch = pytest.importorskip("skorch", reason="needs the extra skorch")

    class Net(nn.Sequential):
        def __init__(self):
            super().__init__(nn.Linear(4, 8), nn.ReLU(), nn.Dropout(0.2), nn.Linear(8, 2))

    x, y = data()
    watch = hcat.watch(None, (x, y), epochs=3)
    net = skorch.NeuralNetClassifier(
        Net,
        criterion=nn.CrossEntropyLoss,
        max_epochs=3,
        train_split=None,
        verbose=0,
        callbacks=[watch.callback("skorch")],
    )
    net.fit(x.numpy(), y.numpy())
    run = watch.run()
    assert len(run.history) == 3
    assert set(run.info["skipped"]) == {"aum", "forgetting"}
    assert np.isfinite(run.scores.to_numpy()).all()

    class Hears(skorch.callbacks.Callback):
        def on_batch_end(self, net, batch, training, y_pred, **_):
            if training:
                seen.append((batch[0]["sample_id"], batch[1], y_pred.detach()))

    def fit(rows, *callbacks):
        torch.manual_seed(0)
        net = skorch.NeuralNetClassifier(
            Net,
            criterion=nn.CrossEntropyLoss,
            max_epochs=3,
            batch_size=16,
            verbose=0,
            train_split=skorch.dataset.ValidSplit(4),
            iterator_train__shuffle=True,
            callbacks=list(callbacks),
        )
        net.fit(rows, y.numpy())
        return net

    seen = []
    watch = hcat.watch(None, (x, y), epochs=3)
    named = {"input": x.numpy(), "sample_id": np.arange(N)}
    net = fit(named, watch.callback("skorch"), Hears())
    plain = fit({"input": x.numpy()})
    weights, without = (list(one.module_.state_dict().values()) for one in (net, plain))
    assert all(map(torch.equal, weights, without))
    assert net.predict(x.numpy()).tolist() == plain.predict(x.numpy()).tolist()
    run = watch.run()
    assert len(run.methods) == 13
    margins = np.full(N, np.nan)  # a quarter is validated on, and never trained
    for ids, labels, logits in seen:
        for i, label, values in zip(ids.tolist(), labels.tolist(), logits.tolist(), strict=True):
            margins[i] = np.nansum([margins[i], (values[label] - values[1 - label]) / 3])
    assert np.isnan(margins).sum() == N // 4
    np.testing.assert_allclose(run.scores["aum"], -margins, rtol=1e-4, atol=1e-6)
