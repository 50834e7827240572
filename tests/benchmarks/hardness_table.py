"""Every method against every kind of hardness, on CIFAR-10, MNIST and two real tables.

    python tests/benchmarks/hardness_table.py run DIR     # trains what DIR lacks
    python tests/benchmarks/hardness_table.py show DIR    # prints the tables

``run`` trains one network a cell (dataset x hardness x p) with seed 0 for ten
epochs, LeNet on 10,000 images and an MLP on the tables, and saves the run under
DIR; it can be stopped and started again, and several may share the cells with
``--part i/k``.  ``show`` prints AUROC and AUPRC with their 95 % bootstrap
intervals.  Reads the public data beside the checkout (../shared/data).
"""

from __future__ import annotations

import argparse
import io
import sys
import time
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from PIL import Image

import hcat_nb as hcat
from hcat_nb.errors import HcatError

DATA = Path(__file__).resolve().parents[3] / "shared" / "data"
PROPORTIONS = (0.1, 0.4)
LABELS = ("uniform", "asymmetric", "adjacent", "instance")
KINDS = {
    "images": (
        *LABELS,
        *("id_covariate", "ood_covariate", "domain_shift", "far_ood", "zoom_shift", "crop_shift"),
    ),
    "tables": (*LABELS, "id_covariate", "ood_covariate", "far_ood", "atypical"),
}
DATASETS = {"mnist": "images", "cifar10": "images", "eye": "tables", "cover": "tables"}
COVER_RULES = {1: [7], 2: [1], 3: [4], 4: [3], 5: [6], 6: [3], 7: [1]}
EYE_RULES = {0: [1], 1: [0], 2: [1]}
OPTIONS: dict[tuple[str, str], dict[str, Any]] = {
    ("eye", "instance"): {"rule_matrix": EYE_RULES},
    ("cover", "instance"): {"rule_matrix": COVER_RULES},
    ("eye", "atypical"): {"column": "timePrtctg"},
    ("cover", "atypical"): {"column": "Elevation"},
}
FIGURES = ("auroc", "auprc")


@cache
def dataset(name: str) -> hcat.LabelledDataset:
    """Return 10,000 training images drawn with seed 0, or a whole table without its ids."""
    if name == "mnist":
        return hcat.load("mnist", root=str(DATA), download=False, subset=10_000, seed=0)
    if name == "cifar10":
        table = pd.read_parquet(DATA / "cifar10_jpeg" / "train.parquet")
        images = np.stack([np.asarray(Image.open(io.BytesIO(jpeg))) for jpeg in table["image"]])
        return hcat.load(images, table["label"].to_numpy(), name=name, subset=10_000, seed=0)
    if name == "eye":
        frame = pd.read_parquet(DATA / "tables" / "eye_movements.parquet")
        frame = frame.drop(columns=["lineNo", "assgNo", "titleNo", "wordNo"])
        return hcat.load(frame, target="label", name=name)
    frame = pd.read_parquet(DATA / "tables" / "covertype_balanced.parquet").drop(columns="Id")
    return hcat.load(frame, target="Cover_Type", name=name)


def options(name: str, hardness: str) -> dict[str, Any]:
    """Return the options of a hardness that differ from its defaults."""
    if hardness == "far_ood" and DATASETS[name] == "images":
        return {"source": dataset("cifar10" if name == "mnist" else "mnist")}
    return OPTIONS.get((name, hardness), {})


def cells() -> Iterator[tuple[str, str, float]]:
    """Yield (dataset, hardness, p)."""
    for p in PROPORTIONS:
        for name, modality in DATASETS.items():
            for hardness in KINDS[modality]:
                yield name, hardness, p


def train(folder: Path, part: int, parts: int) -> None:
    """Train the cells that ``folder`` lacks."""
    torch.set_num_threads(1)
    for number, (name, hardness, p) in enumerate(cells()):
        out = folder / f"{name}-{hardness}-{p}"
        if number % parts != part or (out / "run.json").is_file():
            continue
        began = time.perf_counter()
        try:
            run = hcat.characterize(
                dataset(name),
                hardness=hardness,
                p=p,
                hardness_options=options(name, hardness),
                model="lenet" if DATASETS[name] == "images" else "mlp",
                epochs=10,
                seed=0,
                keep_dynamics="probs",
                out=out,
            )
        except HcatError as error:
            print(f"{out.name}: {error}", file=sys.stderr, flush=True)
            continue
        best = run.evaluate().sort_values("auroc").iloc[-1]
        seconds = time.perf_counter() - began
        print(f"{out.name}: {seconds:.0f} s, {best.hcm} {best.auroc:.3f}", flush=True)


def show(folder: Path) -> None:
    """Print the tables of the cells that stand in ``folder``."""
    rows = []
    for name, hardness, p in cells():
        out = folder / f"{name}-{hardness}-{p}"
        if (out / "run.json").is_file():
            rows.append(hcat.load_run(out).evaluate().assign(dataset=name, kind=hardness, p=p))
    if not rows:
        sys.exit(f"no cell stands in {folder} yet")
    table = pd.concat(rows)
    for figure in FIGURES:
        middle, low, high = (table[figure + end] for end in ("", "_low", "_high"))
        half = (high - low) / 2
        table[f"{figure} ± half width"] = [
            f"{value:.3f}±{width:.3f}" for value, width in zip(middle, half, strict=True)
        ]
    order = table["hcm"].unique()
    for (name, p), part in table.groupby(["dataset", "p"], sort=False):
        for figure in FIGURES:
            print(f"\n{name}, p = {p}: {figure} ± half width of the 95 % interval")
            wide = part.pivot_table(f"{figure} ± half width", "hcm", "kind", aggfunc="first")
            print(wide.reindex(index=order, columns=part["kind"].unique()).to_string())


def main() -> None:
    """Train or print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("command", choices=("run", "show"))
    parser.add_argument("folder", type=Path)
    parser.add_argument("--part", default="0/1", metavar="I/K", help="train every K-th cell")
    arguments = parser.parse_args()
    if arguments.command == "show":
        show(arguments.folder)
    else:
        part, parts = map(int, arguments.part.split("/"))
        train(arguments.folder, part, parts)


if __name__ == "__main__":
    main()
