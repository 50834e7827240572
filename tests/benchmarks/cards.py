"""Whether methods find on real images the faults that their cards claim.

    python tests/benchmarks/cards.py
    python tests/benchmarks/cards.py --methods grand vog --datasets digits

Plants one kind of fault in a tenth of the samples, trains LeNet for ten
epochs, and prints the AUROC of each method: mean, least and greatest of the
seeds 11, 12 and 13, which nothing here was developed on.  A star marks what
the card claims.  The contract suite checks the same claims on a simulated
training; here is the evidence from real ones.  Reads the whole ``digits`` and
4,000 images of MNIST from the public data beside the checkout (../shared/data).
"""

from __future__ import annotations

import argparse
import itertools
import time
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Literal

import numpy as np
import pandas as pd
import torch
from torch import Tensor

import hcat_nb as hcat
from hcat_nb.perturbations.base import Perturbation
from hcat_nb.registry import METHODS

DATA = Path(__file__).resolve().parents[3] / "shared" / "data"
SEEDS = (11, 12, 13)
P = 0.1


@dataclass(frozen=True)
class Between(Perturbation):
    """An image half itself and half one of another class: on a boundary, by construction."""

    name: ClassVar[str] = "between"
    title: ClassVar[str] = "Boundary: half an image of another class"
    family: ClassVar[Literal["atypical"]] = "atypical"
    modality: ClassVar[frozenset[Literal["image", "table"]]] = frozenset({"image"})

    def change(
        self, dataset: hcat.LabelledDataset, chosen: Tensor, rng: np.random.Generator
    ) -> tuple[hcat.LabelledDataset, float]:
        """Mix each chosen image with one of another class; the label stays."""
        features = dataset.features.clone()
        for row in chosen.tolist():
            others = torch.nonzero(dataset.labels != dataset.labels[row]).ravel()
            other = others[int(rng.integers(len(others)))]
            both = dataset.features[[row, int(other)]].float()
            features[row] = both.mean(0).round().to(features.dtype)
        return dataset.replace(features=features), 0.5


FAULTS: dict[str, tuple[str, str | Perturbation]] = {  # kind: the fault, and how it is made
    "uniform": ("mislabel", "uniform"),
    "zoom_shift": ("atypical", "zoom_shift"),
    "crop_shift": ("atypical", "crop_shift"),
    "between": ("boundary", Between()),
}


def dataset(name: str) -> hcat.LabelledDataset:
    """Return the images."""
    if name == "digits":
        return hcat.load("digits")
    return hcat.load(name, root=str(DATA), download=False, subset=4000, seed=0)


def measure(name: str, methods: list[str]) -> pd.DataFrame:
    """Return the AUROC of each method for each fault and seed."""
    images, rows = dataset(name), []
    plan = itertools.product(SEEDS, FAULTS.items())
    for seed, (kind, (fault, hardness)) in plan:
        began = time.perf_counter()
        harder = hcat.perturb(images, hardness, p=P, seed=seed)
        run = hcat.characterize(
            harder.dataset, model="lenet", methods=methods, epochs=10, seed=seed
        )
        table = hcat.evaluate(run.scores[methods], harder.truth, n_resamples=0)
        found = table.set_index("hcm")["auroc"].round(3).to_dict()
        seconds = time.perf_counter() - began
        print(f"{name}, {kind}, seed {seed}: {found} ({seconds:.0f} s)", flush=True)
        rows.append(table[["hcm", "auroc"]].assign(dataset=name, fault=fault, kind=kind, seed=seed))
    return pd.concat(rows)


def show(table: pd.DataFrame) -> str:
    """Return the figures as text, one row a method and dataset, one column a kind of hardness."""
    groups = table.groupby(["hcm", "dataset", "fault", "kind"], sort=False)["auroc"]
    cells = groups.agg(["mean", "min", "max"]).reset_index()
    claimed = [
        row.fault in METHODS.get(row.hcm).detects for row in cells[["hcm", "fault"]].itertuples()
    ]
    figures = zip(cells["mean"], cells["min"], cells["max"], claimed, strict=True)
    cells["figure"] = [
        f"{mean:.3f} [{low:.3f}, {high:.3f}]{'*' if star else ' '}"
        for mean, low, high, star in figures
    ]
    cells["planted"] = cells["fault"] + ": " + cells["kind"]
    wide = cells.pivot_table("figure", ["hcm", "dataset"], "planted", aggfunc="first", sort=False)
    return wide.to_string()


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--methods", nargs="+", default=["grand", "vog", "allsh"])
    parser.add_argument("--datasets", nargs="+", default=["digits", "mnist"])
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    tables = [measure(name, arguments.methods) for name in arguments.datasets]
    print(show(pd.concat(tables)))


if __name__ == "__main__":
    main()
