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

    torch.manual_seed(0)
    model = transformers.BertForSequenceClassification(config)
    watch = hcat.watch(model, rows, epochs=2, collate=padded)
    arguments = transformers.TrainingArguments(
        str(tmp_path),
        num_train_epochs=2,
        per_device_train_batch_size=8,
        report_to=[],
        save_strategy="no",
        use_cpu=True,
        disable_tqdm=True,
    )
    transformers.Trainer(
        model=model,
        args=arguments,
        train_dataset=rows,
        data_collator=padded,
        callbacks=[watch.callback("huggingface")],
    ).train()
    run = watch.run()
    assert run.info["outcome"] == "finished"
    assert set(run.info["skipped"]) == {"aum", "forgetting", "vog", "allsh", "conf_agree"}
    assert np.isfinite(run.scores.to_numpy()).all()


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
