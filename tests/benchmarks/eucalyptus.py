"""Where the impossible latitudes of the eucalyptus table stand in each method's ranking.

Six rows of OpenML 188 say that a place lies at 82 degrees 32 minutes south.
``python tests/benchmarks/eucalyptus.py [epochs]``; needs ../shared/data.
Printed: what the load report says about them; then, with the column as it
comes (text, so categories) and as a number of degrees, for each method the
ranks of the six rows, 1 = hardest of 736, medians over three seeds, and the
mean AUROC of "is one of the six".
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pandas as pd
import torch

from hcat_nb.api.characterize import characterize
from hcat_nb.evaluation.ranking import auroc

TABLES = Path(__file__).resolve().parents[3] / "shared" / "data" / "tables"
FAULT = "82__32"
SEEDS = (0, 1, 2)


def in_degrees(frame: pd.DataFrame) -> pd.DataFrame:
    """Return the table with its latitudes as numbers: degrees and minutes of arc."""
    parts = frame["Latitude"].str.extract(r"(\d+)__(\d+)").astype(float)
    return frame.assign(Latitude=parts[0] + parts[1] / 60)


def ranks(frame: pd.DataFrame, faulty: np.ndarray, epochs: int) -> pd.DataFrame:
    """Return one row a method: the median rank of each faulty row, and the AUROC."""
    places, areas = [], []
    for seed in SEEDS:
        run = characterize(
            frame,
            target="Utility",
            dataset_options={"impute": "median"},
            model="mlp",
            epochs=epochs,
            seed=seed,
        )
        places.append(run.scores.rank(ascending=False)[faulty].to_numpy())
        areas.append([auroc(run.scores[name].to_numpy(), faulty) for name in run.methods])
    table = pd.DataFrame(np.median(places, axis=0).T.astype(int), index=run.methods)
    table.columns = [f"row {row}" for row in np.flatnonzero(faulty)]
    for note in run.info["dataset"]["notes"]:
        if FAULT in note:
            print(f"load report: {note}\n")
    return table.assign(auroc=np.mean(areas, axis=0).round(2))


def main(epochs: int = 50) -> None:
    """Print both tables."""
    torch.set_num_threads(1)
    frame = pd.read_parquet(TABLES / "eucalyptus.parquet")
    faulty = (frame["Latitude"] == FAULT).to_numpy()
    as_it_comes = ranks(frame, faulty, epochs)
    print("latitudes as categories", as_it_comes.to_string(), sep="\n", end="\n\n")
    print("latitudes in degrees", ranks(in_degrees(frame), faulty, epochs).to_string(), sep="\n")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
