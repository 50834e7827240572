"""The small study that the analysis notebooks are shown and tested on.

    python tests/benchmarks/small_study.py run DIR      # trains what DIR lacks (minutes, one core)
    python tests/benchmarks/small_study.py collect DIR  # writes notebooks/small_study/

Real runs on the three datasets that scikit-learn brings along, so small that
they show the form of the analysis, not the truth about the methods: an MLP,
20 epochs in batches of 32 (the tables have too few rows for the protocol's 10
of 64 to learn anything), two proportions, three seeds.  Beside them, for the
stability, runs that share the first one's data seed; and, for the hypothesis
on forgetting, runs that score it as H-CAT's code does.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch

import hcat_nb as hcat

KINDS = {
    "digits": ("uniform", "asymmetric", "ood_covariate", "crop_shift"),
    "breast_cancer": ("uniform", "asymmetric", "ood_covariate", "far_ood"),
    "wine": ("uniform", "asymmetric", "ood_covariate", "far_ood"),
}
PROPORTIONS = (0.1, 0.3)
SEEDS = (0, 1, 2)
SUBSETS = {"digits": 600}
COMMON = {"model": "mlp", "epochs": 20, "batch_size": 32, "device": "cpu", "download": False}
TARGET = Path(__file__).resolve().parents[2] / "notebooks" / "small_study"


def cells() -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the name of each run and its options."""
    for p in PROPORTIONS:
        for dataset, kinds in KINDS.items():
            for hardness in kinds:
                for seed in SEEDS:
                    options = {"dataset": dataset, "hardness": hardness, "p": p, **COMMON}
                    options["subset"] = SUBSETS.get(dataset)
                    name = f"{dataset}-{hardness}-{p}"
                    yield f"{name}-{seed}", {**options, "seed": seed}
                    if seed:
                        fixed = {"data_seed": 0, "model_seed": seed}
                        yield f"{name}-0-{seed}", {**options, **fixed}
                    if hardness in ("uniform", "asymmetric"):
                        as_hcat = {"seed": seed, "methods": ["forgetting"], "variant": "hcat"}
                        yield f"{name}-{seed}-hcat", {**options, **as_hcat}


def train(folder: Path) -> None:
    """Train the runs that ``folder`` lacks."""
    torch.set_num_threads(1)
    for name, options in cells():
        out = folder / name
        if (out / "run.json").is_file():
            continue
        run = hcat.characterize(**options, out=out)
        print(f"{name}: {run}", flush=True)


def main() -> None:
    """Train, or collect."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("command", choices=("run", "collect"))
    parser.add_argument("folder", type=Path)
    arguments = parser.parse_args()
    if arguments.command == "run":
        train(arguments.folder)
        return
    sys.exit("not built yet")


if __name__ == "__main__":
    main()
