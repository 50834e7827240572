"""How well the detector that ships does on what it never saw, and the model card that says so.

    python -m hcat_nb.study.train_detector hcat_nb/methods/detector.safetensors
    python tests/benchmarks/detector_card.py hcat_nb/methods/detector.safetensors --mnist FOLDER

The figures are written into the weights file, and the card is made from its
metadata alone, so that the two cannot part.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from hcat_nb.api.characterize import characterize
from hcat_nb.evaluation.ranking import auroc
from hcat_nb.study._detector_data import Dynamics, dynamics_of
from hcat_nb.study.train_detector import write_weights

NOISE = ("adjacent", "instance")
PROPORTIONS = (0.1, 0.4)
LENGTHS = (1, 3, 5, 10, 20, 50, 100)
_CALIBRATED_AT = 10
# epochs, seeds
_DIGITS, _MNIST = (100, (0, 1)), (10, (0,))


def held_out(mnist: Path | None) -> Iterator[tuple[str, str, float, list[Dynamics]]]:
    """Train LeNets on digits, and on 10,000 images of MNIST if its folder is given.

    Yields dataset, noise, p, and dynamics a seed.
    """
    from hcat_nb.data.loading import load

    for name, (epochs, seeds) in (("digits", _DIGITS), ("mnist", _MNIST)):
        if name == "mnist" and mnist is None:
            continue
        where: dict[str, Any] = {}
        if name == "mnist":
            where = {"root": str(mnist), "download": False, "subset": 10_000, "seed": 0}
        data = load(name, **where)
        for noise in NOISE:
            for p in PROPORTIONS:
                runs = (
                    characterize(
                        data,
                        hardness=noise,
                        p=p,
                        methods="datamaps",
                        keep_dynamics="probs",
                        epochs=epochs,
                        device="cpu",
                        seed=seed,
                    )
                    for seed in seeds
                )
                yield name, noise, p, [dynamics_of(run) for run in runs]


def compare(dynamics: list[Dynamics], weights: Mapping[str, Tensor]) -> dict[str, Any]:
    """Return the AUROC of the detector and of data maps after some epochs, means over runs.

    A start of a run is a shorter run, for the learning rate is steady. Keys: ``runs``; ``auroc``:
    epochs to [detector, data maps]; ``mean_probability`` after ten epochs (or the last).
    """
    from hcat_nb.methods.detector import read_sequences

    with torch.no_grad():
        odds = [read_sequences(torch.from_numpy(one.probs), weights) for one in dynamics]
    longest = min(one.probs.shape[1] for one in dynamics)
    figures = {}
    for epochs in (length for length in LENGTHS if length <= longest):
        pairs = [
            (
                auroc(read[:, epochs - 1].numpy(), one.wrong),
                auroc(1 - one.probs[:, :epochs].mean(1, dtype=np.float64), one.wrong),
            )
            for one, read in zip(dynamics, odds, strict=True)
        ]
        figures[str(epochs)] = [round(float(value), 4) for value in np.mean(pairs, axis=0)]
    at = min(_CALIBRATED_AT, longest) - 1
    probability = float(np.mean([float(read[:, at].sigmoid().mean()) for read in odds]))
    return {"runs": len(dynamics), "auroc": figures, "mean_probability": round(probability, 3)}


def card(about: Mapping[str, str]) -> str:
    """Return the model card, Markdown, that belongs to the metadata of a weights file."""
    training = json.loads(about["training"])
    versions = json.loads(about["versions"])
    rows = json.loads(about["evaluation"])
    hidden = training["hidden"]
    leads = _leads(rows)
    better, worse = sum(lead > 0 for lead in leads), sum(lead < 0 for lead in leads)
    seen = "".join(f" {length} |" for length in LENGTHS)
    lines = [
        "# Detector: model card",
        "",
        "Written by the script that trained it; do not edit.",
        "",
        "**What it is.** An LSTM of "
        f"{hidden} units that reads the probability of a sample's observed label after each "
        "epoch and gives the probability that the label is wrong. After Jia et al. 2022 (arXiv "
        "2212.09321); weights and training data are our own.",
        "",
        "**How it was made.** `python -m hcat_nb.study.train_detector`, seed "
        f"{training['seed']}: {training['runs']} runs of {training['epochs']} epochs on "
        f"{training['data']} (MLPs of several sizes, drawn learning rates and batch sizes, "
        "`uniform` and `asymmetric` noise, p drawn from .05 to .45), in all "
        f"{training['sequences']:,} sequences, {training['wrong']:,} of them with a wrong label; "
        f"{training['passes']} passes, cross-entropy after every epoch; the last weights "
        "are kept. Three settings were compared beforehand (16 units and 8 passes, 16 and 20, 32 "
        "and 12) on 64 runs and 16 left-out runs of the same families; they were within .03 "
        "AUROC of each other at each length, so the smallest was taken, and more runs. "
        + ", ".join(f"{name} {number}" for name, number in versions.items())
        + ".",
        "",
        "**What it costs.** "
        f"{4 * hidden * (hidden + 2):,} multiplications a sample and epoch, 4 bytes a sample "
        f"and epoch, at most {8 * hidden}; no forward pass of its own.",
        "",
        "## On data and noise it never saw",
        "",
        "LeNet, `adjacent` and `instance` noise, neither images nor such noise in training; "
        "measured once, and nothing was chosen by it. AUROC "
        "of the detector / of data maps (1 - confidence) on the same runs after so many "
        f"epochs; means over seeds. It is ahead of data maps in {better} and behind in {worse} of "
        f"{len(leads)} cells, by three decimals.",
        "",
        f"| data | noise | p | runs |{seen} mean probability |",
        "|" + " --- |" * (5 + len(LENGTHS)),
        *(_row(row) for row in rows),
        "",
        "The last column is the detector's mean probability after ten epochs; it would equal p "
        "if the probability were calibrated there.",
        "",
        "**When it misleads.** It learned on tables and small networks, and what it learned there "
        "does not carry over to every other run: where a row above has data maps ahead, they are "
        "simpler and better. Train one on runs like your own "
        "(`hcat_nb.study.train_detector.train_detector`) if you want to rely on it. Samples that "
        "are learned late for another reason look mislabelled to it. Nothing was asked of it "
        f"beyond {training['epochs']} epochs. A schedule of the learning rate, or a pretrained "
        "network, gives sequences that it has not met.",
        "",
    ]
    return "\n".join(lines)


def _row(row: Mapping[str, Any]) -> str:
    cells = []
    for length in map(str, LENGTHS):
        pair = row["auroc"].get(length)
        cells.append("" if pair is None else f"{pair[0]:.3f} / {pair[1]:.3f}")
    what = [row["dataset"], row["noise"], str(row["p"]), str(row["runs"])]
    return "| " + " | ".join([*what, *cells, f"{row['mean_probability']:.2f}"]) + " |"


def _leads(rows: list[dict[str, Any]]) -> list[float]:
    """Return by how much the detector is ahead in each cell, as the table shows it."""
    return [round(pair[0], 3) - round(pair[1], 3) for row in rows for pair in row["auroc"].values()]


def add_evaluation(path: Path, mnist: Path | None) -> None:
    """Measure the weights at ``path`` on held-out runs; write figures into it, the card beside."""
    from safetensors import safe_open

    from hcat_nb.methods.detector import load_weights

    weights = load_weights(path)
    with safe_open(path, "pt") as file:
        about = file.metadata()
    rows: list[dict[str, Any]] = [
        {"dataset": dataset, "noise": noise, "p": p, **compare(dynamics, weights)}
        for dataset, noise, p, dynamics in held_out(mnist)
    ]
    about["evaluation"] = json.dumps(rows)
    write_weights(path, weights, about)
    path.with_suffix(".md").write_text(card(about), encoding="utf-8")


def main(words: list[str] | None = None) -> None:
    """Measure weights and write their model card."""
    import torch

    parser = argparse.ArgumentParser(description="Measure a detector and write its model card.")
    parser.add_argument("weights", type=Path, help="safetensors file; the card goes beside it")
    parser.add_argument("--mnist", type=Path, help="folder that holds MNIST/raw, to measure on it")
    options = parser.parse_args(words)
    torch.set_num_threads(1)  # sums in one order, whatever the machine
    add_evaluation(options.weights, options.mnist)


if __name__ == "__main__":
    main()
