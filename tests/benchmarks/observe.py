"""What the logits of training say beside those of a pass: `observe=training` against `pass`.

    python tests/benchmarks/observe.py                 # yoruba and cifar10n, one seed each
    python tests/benchmarks/observe.py yoruba --seeds 5

Printed, of each method that reads the logits of every epoch: Spearman's rank
correlation of the two scores of one training, and what each finds of the labels
that people, or their rules, got wrong (AUROC and average precision); means over
model seeds.  Both runs train the same network, step by step.  Needs ../shared/data.
"""

from __future__ import annotations

import argparse

import human_noise
import numpy as np
import pandas as pd

import hcat_nb as hcat
from hcat_nb.evaluation.ranking import auroc, average_precision

METHODS = "datamaps dataiq el2n loss detector aum forgetting"
SUBJECTS = {"yoruba": human_noise.yoruba, "cifar10n": human_noise.cifar10n}


def compared(subject: human_noise.Subject, seed: int) -> pd.DataFrame:
    """Return a row a method."""
    scores = {}
    for observe in ("pass", "training"):
        run = hcat.characterize(
            subject.data,
            subject.labels,
            methods=METHODS,
            observe=observe,
            seed=seed,
            judges=False,
            learning_check=False,
        )
        scores[observe] = run.scores[run.methods]
    rows = {"spearman": scores["pass"].corrwith(scores["training"], method="spearman")}
    wrong = np.asarray(subject.wrong)
    for observe, own in scores.items():
        rows[f"auroc, {observe}"] = own.apply(lambda one: auroc(one.to_numpy(), wrong))
        rows[f"ap, {observe}"] = own.apply(lambda one: average_precision(one.to_numpy(), wrong))
    return pd.DataFrame(rows)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("subjects", nargs="*", metavar="|".join(SUBJECTS))
    parser.add_argument("--seeds", type=int, default=1)
    options = parser.parse_args()
    for name in options.subjects or SUBJECTS:
        subject = SUBJECTS[name]()
        tables = [compared(subject, seed) for seed in range(options.seeds)]
        print(
            f"{name}, {options.seeds} seeds\n{(sum(tables) / len(tables)).round(3)}\n", flush=True
        )


if __name__ == "__main__":
    main()
