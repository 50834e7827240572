"""Rank correlation of our scores with published hardness scores of CIFAR-10.

    python tests/benchmarks/published_scores.py --samples 50000 --epochs 25

Reads CIFAR-10 and the published scores beside the checkout (../shared/data),
trains once on a random part of the training set, and prints each method's
Spearman correlation with

- ``c_score``: one minus the C-score of Jiang et al. 2021 (arXiv 2002.03206),
- ``forgetting_1``, ``forgetting_7``: the forgetting counts of two ResNet-18
  (Toneva et al. 2019, arXiv 1812.05159); never learned is hardest,

all turned so that higher is harder, with a 95 % interval from resampled
images.  Below stand the correlations of the published counts with the
published C-score.  Such scores depend on network, length and augmentation, so
a rank correlation is to be expected, not equality.

Forgetting needs time: a sample that is learned late has had few chances to be
forgotten, so with few samples or epochs its counts say less than the means do.
"""

from __future__ import annotations

import argparse
import io
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from PIL import Image

import hcat_nb as hcat

DATA = Path(__file__).resolve().parents[3] / "shared" / "data"
NEVER_LEARNED = -1  # the published counts' code
METHODS = "aum cleanlab dataiq datamaps grand el2n forgetting loss prototypicality"
N_RESAMPLES = 200


def published() -> pd.DataFrame:
    """Return the published scores, higher = harder; row i is image i of the training set."""
    table = pd.read_parquet(DATA / "training_dynamics" / "cifar10_train_scores.parquet")
    assert (table["parquet_row"] == np.arange(len(table))).all()
    hard = pd.DataFrame({"c_score": 1 - table["c_score"].to_numpy()})
    for seed in (1, 7):
        counts = table[f"forgetting_resnet_seed{seed}"].to_numpy().astype(np.float64)
        hard[f"forgetting_{seed}"] = np.where(counts == NEVER_LEARNED, np.inf, counts)
    return hard


def cifar10(samples: int, seed: int) -> hcat.LabelledDataset:
    """Return some training images, whose ids are their rows; the file is sorted by class."""
    table = pd.read_parquet(DATA / "cifar10_jpeg" / "train.parquet")
    images = np.stack([np.asarray(Image.open(io.BytesIO(jpeg))) for jpeg in table["image"]])
    labels = table["label"].to_numpy()
    return hcat.load(images, labels, name="cifar10", subset=samples, seed=seed)


def spearman(ours: np.ndarray, theirs: np.ndarray) -> float:
    """Return the correlation of ranks, ties at their mean rank."""
    ranks = pd.DataFrame({"ours": ours, "theirs": theirs}).rank()
    return float(np.corrcoef(ranks["ours"], ranks["theirs"])[0, 1])


def interval(ours: np.ndarray, theirs: np.ndarray) -> tuple[float, float]:
    """Return the 95 % interval of the correlation under resampling of images."""
    rng = np.random.default_rng(0)
    draws = []
    for _ in range(N_RESAMPLES):
        rows = rng.integers(0, len(ours), len(ours))
        draws.append(spearman(ours[rows], theirs[rows]))
    low, high = np.quantile(draws, [0.025, 0.975])
    return float(low), float(high)


def main() -> None:
    """Train, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--samples", type=int, default=50_000)
    parser.add_argument("--epochs", type=int, default=25)
    parser.add_argument("--model", default="lenet")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--out", help="folder to save the run to")
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    run = hcat.characterize(
        cifar10(arguments.samples, arguments.seed),
        model=arguments.model,
        epochs=arguments.epochs,
        seed=arguments.seed,
        methods=METHODS,
        out=arguments.out,
        overwrite=True,
    )
    print(run)
    print(run.history.iloc[[0, -1]].to_string(float_format="{:.3f}".format))
    theirs = published().loc[run.scores.index]
    rows = []
    for method in run.methods:
        ours = run.scores[method].to_numpy(dtype=np.float64)
        row: dict[str, object] = {"hcm": method}
        for name, values in theirs.items():
            low, high = interval(ours, values.to_numpy())
            row[str(name)] = f"{spearman(ours, values.to_numpy()):.3f} [{low:.3f}, {high:.3f}]"
        rows.append(row)
    print(pd.DataFrame(rows).to_string(index=False))
    for name in ("forgetting_1", "forgetting_7"):
        among = spearman(theirs[name].to_numpy(), theirs["c_score"].to_numpy())
        print(f"published {name} with published c_score: {among:.3f}")
    print({name: round(value, 1) for name, value in run.timings.items()})


if __name__ == "__main__":
    main()
