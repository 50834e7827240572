"""The trainings that characterization is compared with: ours without any method, and textbook's.

python tests/benchmarks/plain.py plain 20000          # prints the peak memory, bytes
python tests/benchmarks/plain.py characterize 20000
"""

from __future__ import annotations

import io
import math
import sys
import time
from pathlib import Path

import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, Dataset, TensorDataset

import hcat_nb as hcat
from hcat_nb.models._adapter import AdaptedModel, fit_scaling
from hcat_nb.models._building import build_network
from hcat_nb.observation.dynamics import MapDynamics
from hcat_nb.observation.observer import Observer
from hcat_nb.registry import METHODS
from hcat_nb.runs.execution.info import peak_memory_mb
from hcat_nb.training.events import StartEvent
from hcat_nb.training.loop import Trainer

DATA = Path(__file__).resolve().parents[3] / "shared" / "data"
BATCH, LR = 64, 1e-3


def mnist(n: int) -> hcat.LabelledDataset:
    """Return ``n`` training images."""
    return hcat.load("mnist", root=str(DATA), download=False, subset=n, seed=0)


def cifar10(n: int) -> hcat.LabelledDataset:
    """Return ``n`` training images."""
    import pandas as pd
    from PIL import Image

    table = pd.read_parquet(DATA / "cifar10_jpeg" / "train.parquet").sample(n, random_state=0)
    images = np.stack([np.asarray(Image.open(io.BytesIO(jpeg))) for jpeg in table["image"]])
    return hcat.load(images, table["label"].to_numpy(), name="cifar10", classes=range(10))


def table(n: int, columns: int) -> hcat.LabelledDataset:
    """Return a made table of five classes."""
    from sklearn.datasets import make_classification

    features, labels = make_classification(
        n, columns, n_informative=20, n_classes=5, random_state=0
    )
    return hcat.load(features.astype(np.float32), labels, name="table")


def ours(data: hcat.LabelledDataset, model: str, epochs: int, device: str = "cpu") -> float:
    """Return the seconds of our training loop with nobody to observe for."""
    torch.manual_seed(0)
    net = AdaptedModel(fit_scaling(data, "auto"), build_network(model, data, {})).to(device)
    rows = torch.arange(len(data.labels), device=device)
    features, labels = data.features.to(device), data.labels.to(device)
    observer = Observer(
        net, features, labels, rows, [], n_classes=data.n_classes, batch_size=1, seed=0
    )
    trainer = Trainer(
        net,
        features,
        labels,
        rows,
        observer,
        MapDynamics(labels, data.n_classes),
        epochs=epochs,
        batch_size=BATCH,
        lr=LR,
        seed=0,
    )
    start = StartEvent(
        n_epochs=epochs,
        n_steps=trainer.steps,
        dataset=data.name,
        model=model,
        device=device,
        sample_ids=data.sample_ids,
        labels=data.labels.numpy(),
        class_names=data.class_names,
        is_hard=None,
    )
    began = time.perf_counter()
    trainer.fit(start)
    return time.perf_counter() - began


def _loop(loader: DataLoader, net: nn.Module, epochs: int, device: str = "cpu") -> float:
    """Return the seconds of the loop that tutorials teach."""
    net.to(device)
    optimizer = torch.optim.Adam(net.parameters(), lr=LR)
    began = time.perf_counter()
    for _ in range(epochs):
        net.train()
        for x, y in loader:
            x, y = x.to(device), y.to(device)
            optimizer.zero_grad()
            loss = nn.functional.cross_entropy(net(x), y)
            loss.backward()
            optimizer.step()
            loss.item()
    return time.perf_counter() - began


def tensor_loader(data: hcat.LabelledDataset, model: str, epochs: int) -> float:
    """Return the seconds of a textbook loop over scaled tensors in memory."""
    torch.manual_seed(0)
    scaled = fit_scaling(data, "auto")(data.features)
    loader = DataLoader(TensorDataset(scaled, data.labels), batch_size=BATCH, shuffle=True)
    return _loop(loader, build_network(model, data, {}), epochs)


class _Images(Dataset):
    """What torchvision's MNIST does for each item: an image, ToTensor, Normalize."""

    def __init__(self, data: hcat.LabelledDataset) -> None:
        from torchvision.transforms import Compose, Normalize, ToTensor

        self.images, self.labels = data.features.squeeze(1).numpy(), data.labels.tolist()
        self.transform = Compose([ToTensor(), Normalize((0.5,), (0.5,))])

    def __len__(self) -> int:
        return len(self.labels)

    def __getitem__(self, i: int) -> tuple[torch.Tensor, int]:
        from PIL import Image

        return self.transform(Image.fromarray(self.images[i])), self.labels[i]


def torchvision_loader(data: hcat.LabelledDataset, epochs: int, device: str = "cpu") -> float:
    """Return the seconds of a textbook loop over torchvision's MNIST."""
    torch.manual_seed(0)
    loader = DataLoader(_Images(data), batch_size=BATCH, shuffle=True)
    return _loop(loader, build_network("lenet", data, {}), epochs, device)


def peak() -> float:
    """Return the peak resident memory of this process so far, bytes."""
    return 2**20 * (peak_memory_mb() or math.nan)


def resident() -> float:
    """Return the resident memory of this process, bytes."""
    import psutil

    return float(psutil.Process().memory_info().rss)


def main() -> None:
    """Do one training of two epochs and print the peak resident memory, bytes."""
    import cleanlab.filter
    import cleanlab.rank  # noqa: F401 - pages of libraries are not what characterizing holds

    what, n = sys.argv[1], int(sys.argv[2])
    data = mnist(n)
    if what == "plain":
        ours(data, "lenet", 2)
    else:
        methods = METHODS.names()
        if what == "without_vog":
            methods = [name for name in methods if name != "vog"]
        hcat.characterize(data, model="lenet", epochs=2, seed=0, methods=methods)
    print(peak())


if __name__ == "__main__":
    main()
