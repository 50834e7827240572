"""Which check or method finds the known faults of two public sets of images, and at which rank.

``python tests/benchmarks/real_faults.py [seeds]``; needs ../shared/data.

Flowers: one photo stands in two classes, and two pairs of photos are equal
(five classes, 506 photos, here 32 x 32 pixels, LeNet, 30 epochs).
PneumoniaMNIST: X-rays that occur twice, within a split and across splits
(LeNet, 10 epochs on the 4,708 of the training split).

Printed: what ``duplicates`` lists, conflicting labels first; then for each
method the ranks of the faulty samples, 1 = hardest, medians over the seeds, and
the mean AUROC of "is one of them".
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from PIL import Image

import hcat_nb as hcat
from hcat_nb.evaluation.ranking import auroc

DATA = Path(__file__).resolve().parents[3] / "shared" / "data"
SPLITS = ("train", "val", "test")
SIZE = 32


def flowers() -> tuple[hcat.LabelledDataset, hcat.LabelledDataset]:
    """Return the photos as they are, and small ones to train on; ids are class/file."""
    files = sorted((DATA / "image_folder" / "flowers").glob("*/*.jpg"))
    photos = [Image.open(file).convert("RGB") for file in files]
    labels = [file.parent.name for file in files]
    ids = pd.Index([f"{file.parent.name}/{file.stem}" for file in files])
    whole, small = (
        hcat.load(np.stack([np.asarray(one) for one in version]), labels, name="flowers")
        for version in (photos, [photo.resize((SIZE, SIZE)) for photo in photos])
    )
    return whole.replace(sample_ids=ids), small.replace(sample_ids=ids)


def pneumonia(*splits: str) -> hcat.LabelledDataset:
    """Return the X-rays of these splits; ids are split/row."""
    with np.load(DATA / "medical" / "pneumoniamnist.npz") as arrays:
        images = np.concatenate([arrays[f"{split}_images"] for split in splits])
        labels = np.concatenate([arrays[f"{split}_labels"].ravel() for split in splits])
        sizes = [len(arrays[f"{split}_labels"]) for split in splits]
    ids = [f"{split}/{row}" for split, n in zip(splits, sizes, strict=True) for row in range(n)]
    data = hcat.load(images, labels, name="pneumoniamnist")
    return data.replace(sample_ids=pd.Index(ids))


def ranks(
    data: hcat.LabelledDataset, faulty: np.ndarray, epochs: int, seeds: int
) -> tuple[pd.DataFrame, pd.Series]:
    """Return the median ranks of the faulty samples, a row a method, and the mean AUROC."""
    places, areas = [], []
    for seed in range(seeds):
        run = hcat.characterize(data, model="lenet", epochs=epochs, seed=seed)
        places.append(run.scores[run.methods].rank(ascending=False)[faulty].to_numpy())
        areas.append([auroc(run.scores[name].to_numpy(), faulty) for name in run.methods])
    columns = [str(sample) for sample in data.sample_ids[faulty]]
    table = pd.DataFrame(np.median(places, axis=0).T, index=run.methods, columns=columns)
    return table.round().astype(int), pd.Series(np.mean(areas, axis=0), run.methods).round(2)


def show_flowers(seeds: int) -> None:
    """Print what finds the photo that stands in two classes."""
    whole, small = flowers()
    found = hcat.duplicates(whole)
    print(f"flowers, {len(whole)} photos\n\nduplicates:\n{found.to_string()}\n")
    conflict = whole.sample_ids.isin(found.index[found["conflict"]])
    table, area = ranks(small, conflict, 30, seeds)
    print(f"ranks of the photo with two labels:\n{table.assign(auroc=area).to_string()}\n")


def show_pneumonia(seeds: int) -> None:
    """Print what finds the X-rays that occur twice."""
    everything = pneumonia(*SPLITS)
    began = time.perf_counter()
    found = hcat.duplicates(everything)
    took = time.perf_counter() - began
    splits = found.index.str.partition("/").get_level_values(0)
    where = splits.to_series().groupby(found["group"].to_numpy()).agg(" + ".join)
    print(f"PneumoniaMNIST, {len(everything)} X-rays; the check took {took:.2f} s\n")
    print(f"groups of duplicates by split:\n{where.value_counts().to_string()}")
    print(f"groups with conflicting labels: {found.loc[found['conflict'], 'group'].nunique()}\n")
    train = pneumonia("train")
    twice = train.sample_ids.isin(hcat.duplicates(train).index)
    table, area = ranks(train, twice, 10, seeds)
    best = pd.DataFrame({"best rank": table.min(axis=1), "median rank": table.median(axis=1)})
    print(f"ranks of the {twice.sum()} training X-rays that have a twin in training:")
    print(best.astype(int).assign(auroc=area).to_string())


def main(seeds: int = 3) -> None:
    """Print both."""
    torch.set_num_threads(1)
    with pd.option_context("display.width", 120):
        show_flowers(seeds)
        show_pneumonia(seeds)


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
