"""How well the methods find injected label noise on MNIST and CIFAR-10.

    python tests/benchmarks/reference_tables.py mnist
    python tests/benchmarks/reference_tables.py cifar10

Reads the public data beside the checkout (../shared/data), trains LeNet for
ten epochs with seed 0, and prints AUROC and AUPRC with 95 % intervals, the
wall-clock by stage and the peak memory.  ``mnist`` is the whole training set
with uniform noise, p = .1; ``cifar10`` are 10,000 random training images with
instance noise, p = .3.
"""

from __future__ import annotations

import argparse
import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from PIL import Image

import hcat_nb as hcat

DATA = Path(__file__).resolve().parents[3] / "shared" / "data"


def mnist() -> hcat.LabelledDataset:
    """Return the 60,000 training images."""
    return hcat.load("mnist", root=str(DATA), download=False)


def cifar10() -> hcat.LabelledDataset:
    """Return 10,000 training images, drawn with seed 0; the file is sorted by class."""
    table = pd.read_parquet(DATA / "cifar10_jpeg" / "train.parquet")
    images = np.stack([np.asarray(Image.open(io.BytesIO(jpeg))) for jpeg in table["image"]])
    return hcat.load(images, table["label"].to_numpy(), name="cifar10", subset=10_000, seed=0)


SETTINGS: dict[str, tuple[Callable[[], hcat.LabelledDataset], dict[str, Any]]] = {
    "mnist": (mnist, {"hardness": "uniform", "p": 0.1}),
    "cifar10": (cifar10, {"hardness": "instance", "p": 0.3}),
}


def main() -> None:
    """Run one setting and print its table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("setting", choices=SETTINGS)
    parser.add_argument("--out", help="folder to save the run to")
    arguments = parser.parse_args()
    load, options = SETTINGS[arguments.setting]
    run = hcat.characterize(
        load(), model="lenet", epochs=10, seed=0, out=arguments.out, overwrite=True, **options
    )
    print(run)
    columns = ["hcm", "auroc", "auroc_low", "auroc_high", "auprc", "auprc_low", "auprc_high"]
    columns += ["precision_at_k", "base_rate"]
    print(run.evaluate()[columns].to_string(index=False, float_format="{:.4f}".format))
    print(run.history.to_string(float_format="{:.4f}".format))
    print({name: round(value, 1) for name, value in run.timings.items()})


if __name__ == "__main__":
    main()
