"""The study of H-CAT's paper on what two cores allow: MNIST, CIFAR-10 and two real tables.

    python tests/benchmarks/reproduction.py prepare DIR   # writes DIR/data and DIR/sweep.yaml
    hcat sweep DIR/sweep.yaml --workers 2                 # hours; goes on where it was stopped
    python tests/benchmarks/reproduction.py collect DIR   # writes DIR/study for hcat report

LeNet on 10,000 images of MNIST and 5,000 of CIFAR-10, an MLP on eye movements
and on cover types; ten epochs, every kind of hardness, p = .1 and .3, three
seeds.  Beside them, by ``run_tag``: ``fixed``, the same data seed and other
model seeds, for the stability; ``hcat``, forgetting as H-CAT's code scores it;
and ``cv``, Confident Learning out of sample by five more trainings, at p = .1
and one seed.  Reads the public data beside the checkout (../shared/data).
"""

from __future__ import annotations

import argparse
import dataclasses
import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import yaml
from PIL import Image
from shortcuts import shortcut_table

import hcat_nb as hcat
from hcat_nb.study.tables import Study, load_study

DATA = Path(__file__).resolve().parents[3] / "shared" / "data"
LABELS = ("uniform", "asymmetric", "adjacent", "instance")
NOISES = ("id_covariate", "ood_covariate", "far_ood")
KINDS = {
    "mnist": (*LABELS, *NOISES, "domain_shift", "zoom_shift", "crop_shift"),
    "cifar10": (*LABELS, *NOISES, "domain_shift", "zoom_shift", "crop_shift"),
    "eye": (*LABELS, *NOISES, "atypical"),
    "cover": (*LABELS, *NOISES, "atypical"),
}
# Kinds that H-CAT makes otherwise, for the probes of H3 and the count of H4.
PROBED = ("uniform", "id_covariate", "ood_covariate", "domain_shift", "crop_shift")
PROPORTIONS, SEEDS = (0.1, 0.3), (0, 1, 2)
STABILITY = ("uniform", "asymmetric", "ood_covariate", "far_ood")
EYE_RULES = {0: [1], 1: [0], 2: [1]}
COVER_RULES = {1: [7], 2: [1], 3: [4], 4: [3], 5: [6], 6: [3], 7: [1]}
# Only what has no default of its own: rules for data that no name is known of, and
# sources that need no network.
HARDNESS_OPTIONS: dict[tuple[str, str], dict[str, Any]] = {
    ("mnist", "far_ood"): {"source": "photos"},
    ("cifar10", "far_ood"): {"source": "digits"},
    ("eye", "instance"): {"rule_matrix": EYE_RULES},
    ("cover", "instance"): {"rule_matrix": COVER_RULES},
    ("eye", "atypical"): {"column": "timePrtctg"},
    ("cover", "atypical"): {"column": "Elevation"},
}
TARGETS = {"eye": "label", "cover": "Cover_Type"}
# Of no use to a reader on another machine: what it cost here, and where data lay.
DROPPED = ("root", "seconds", "peak_memory_mb", "torch_version", "code_version")


def prepare(folder: Path) -> None:
    """Write the data in forms that a run can name, and the sweep."""
    data = folder / "data"
    images = pd.read_parquet(DATA / "cifar10_jpeg" / "train.parquet").sample(5000, random_state=0)
    for number, row in zip(images.index, images.itertuples(), strict=True):
        path = data / "cifar10" / str(row.class_name) / f"{number:05}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.open(io.BytesIO(row.image)).save(path)
    eye = pd.read_parquet(DATA / "tables" / "eye_movements.parquet")
    eye.drop(columns=["lineNo", "assgNo", "titleNo", "wordNo"]).to_parquet(data / "eye.parquet")
    cover = pd.read_parquet(DATA / "tables" / "covertype_balanced.parquet")
    cover.drop(columns="Id").to_parquet(data / "cover.parquet")
    plan = {"out": str(folder / "runs"), "runs": list(runs(data))}
    (folder / "sweep.yaml").write_text(yaml.safe_dump(plan, sort_keys=False))


def runs(data: Path) -> Iterator[dict[str, Any]]:
    """Yield the parameters of each run, the study itself first."""
    cells = [(name, kind, p) for name in KINDS for kind in KINDS[name] for p in PROPORTIONS]
    for seed in SEEDS:
        for name, kind, p in cells:
            yield {**_cell(data, name, kind, p), "seed": seed}
    for name, kind, p in cells:
        if kind in STABILITY:
            for seed in SEEDS[1:]:
                seeds = {"data_seed": 0, "model_seed": seed}
                yield {**_cell(data, name, kind, p), **seeds, "run_tag": "fixed"}
    for name, kind, p in cells:
        if kind in LABELS:
            as_hcat = {"methods": ["forgetting"], "variant": "hcat", "run_tag": "hcat"}
            yield {**_cell(data, name, kind, p), **as_hcat, "seed": 0}
    for name, kind, p in cells:
        if p == PROPORTIONS[0]:
            out_of_sample = {
                "methods": ["cleanlab"],
                "method_options": {"cleanlab": {"cv": 5}},
                "run_tag": "cv",
            }
            yield {**_cell(data, name, kind, p), **out_of_sample, "seed": 0}


def _cell(data: Path, name: str, kind: str, p: float) -> dict[str, Any]:
    cell: dict[str, Any] = {"hardness": kind, "p": p, "epochs": 10, "device": "cpu"}
    cell["model"] = "lenet" if name in ("mnist", "cifar10") else "mlp"
    if name == "mnist":
        cell |= {"dataset": name, "root": str(DATA), "download": False, "subset": 10_000}
    elif name == "cifar10":
        cell |= {"dataset": str(data / name)}
    else:
        cell |= {"dataset": str(data / f"{name}.parquet"), "target": TARGETS[name]}
    if options := HARDNESS_OPTIONS.get((name, kind)):
        cell["hardness_options"] = options
    return cell


def collect(folder: Path) -> Study:
    """Write the tables that ``hcat report`` and the notebooks read."""
    study = load_study(folder / "runs")
    data = folder / "data"
    datasets = [
        hcat.load("mnist", root=str(DATA), download=False, subset=10_000, seed=0),
        hcat.load(data / "cifar10"),
        *(hcat.load(data / f"{name}.parquet", target=target) for name, target in TARGETS.items()),
    ]
    shortcuts = shortcut_table(datasets, PROBED, p=PROPORTIONS, seeds=SEEDS)
    kept = study.results.drop(columns=[one for one in DROPPED if one in study.results])
    judged = kept["run_tag"] == "cv"
    study = dataclasses.replace(study, results=kept[~judged], shortcuts=shortcuts)
    study.save(folder / "study")
    beside = _in_and_out_of_sample(kept[judged], study.results)
    beside.to_csv(folder / "study" / "cleanlab_cv.csv", float_format="%.4f")
    return study


def _in_and_out_of_sample(judged: pd.DataFrame, results: pd.DataFrame) -> pd.DataFrame:
    """Return AUROC and AUPRC of Confident Learning in both forms, by dataset and kind."""
    keys = ["dataset", "hardness", "p", "data_seed", "model_seed", "hcm"]
    figures = ["auroc", "auprc"]
    plain = results[results["run_tag"] == ""].set_index(keys)[figures]
    # The name of one with options has them behind it.
    out_of_fold = judged[judged["hcm"].str.startswith("cleanlab")].assign(hcm="cleanlab")
    out_of_fold = out_of_fold.set_index(keys)[figures]
    return out_of_fold.join(plain.add_suffix("_in_sample"), how="left")


def main() -> None:
    """Prepare, or collect."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("command", choices=("prepare", "collect"))
    parser.add_argument("folder", type=Path)
    arguments = parser.parse_args()
    folder = arguments.folder.resolve()
    if arguments.command == "prepare":
        prepare(folder)
        return
    print(collect(folder))


if __name__ == "__main__":
    main()
