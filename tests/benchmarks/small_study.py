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
import dataclasses
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
from shortcuts import shortcut_table

import hcat_nb as hcat
from hcat_nb.study.tables import Study, load_study

KINDS = {
    "digits": ("uniform", "asymmetric", "ood_covariate", "crop_shift"),
    "breast_cancer": ("uniform", "asymmetric", "ood_covariate", "far_ood"),
    "wine": ("uniform", "asymmetric", "ood_covariate", "far_ood"),
}
PROPORTIONS = (0.1, 0.3)
SEEDS = (0, 1, 2)
SUBSETS = {"digits": 600}
PROBED = ("uniform", "id_covariate", "ood_covariate", "domain_shift", "crop_shift")
# Of no use to a reader on another machine: what it cost here, and where data lay.
DROPPED = ("root", "seconds", "peak_memory_mb", "torch_version", "code_version", "run_tag")
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


def collect(folder: Path) -> Study:
    """Write what the notebooks need of the runs of ``folder``, and the probes of the data."""
    study = load_study(folder)
    datasets = [hcat.load(name, subset=SUBSETS.get(name), seed=0) for name in KINDS]
    shortcuts = shortcut_table(datasets, PROBED, p=PROPORTIONS, seeds=SEEDS)
    kept = study.results.drop(columns=[one for one in DROPPED if one in study.results])
    study = dataclasses.replace(study, results=kept, shortcuts=shortcuts)
    study.save(TARGET)
    return study


def main() -> None:
    """Train, or collect."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("command", choices=("run", "collect"))
    parser.add_argument("folder", type=Path)
    arguments = parser.parse_args()
    if arguments.command == "run":
        train(arguments.folder)
        return
    print(collect(arguments.folder))


if __name__ == "__main__":
    main()
