"""How well a run finds labels that people, their rules or a model got wrong.

    python tests/benchmarks/human_noise.py yoruba --seeds 5
    python tests/benchmarks/human_noise.py cifar10n --with model=lenet epochs=10
    python tests/benchmarks/human_noise.py eye cover --with hardness=instance p=0.3 model=mlp
    python tests/benchmarks/human_noise.py digits --with hardness=uniform --methods all
    python tests/benchmarks/human_noise.py eye --with hardness=instance --against defaults=1
    python tests/benchmarks/human_noise.py eye wine diabetes rare --healthy

``yoruba``, headlines with labels by keyword rules; ``cifar10n``, images with one
person's labels; ``banking77``, eight classes of questions, of which one label in
twenty is the most probable wrong class by a naive Bayes out of fold: the truth of
these is known beforehand.  On all others a run injects the fault itself, as
``--with`` says (any option of a run as key=value).  ``--against`` measures the
same seeds with these options more, and prints the paired differences of AUROC
with their 95 % interval by Student's t over the seeds.  ``--healthy`` injects
nothing and prints what the learning check says of each subject.

Printed: AUROC and average precision of each method, mean and standard deviation
over model seeds (of injected faults: over data and model seeds).  Needs
../shared/data.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from scipy import stats

import hcat_nb as hcat
from hcat_nb.arguments import read_pair
from hcat_nb.data.sources.diabetes import Diabetes
from hcat_nb.evaluation.ranking import auroc, average_precision

import hardness_table  # isort: skip - beside this file
from plain import DATA, mnist  # isort: skip

DYNAMICS = "aum el2n datamaps loss"


class Subject(NamedTuple):
    """Data as a user would hand them over; ``wrong`` where the truth is known beforehand."""

    data: Any
    labels: Any = None
    wrong: np.ndarray | None = None


def yoruba() -> Subject:
    """Return 1,340 headlines of 7 classes, a third of the labels wrong."""
    table = pd.read_parquet(DATA / "human_noise" / "yoruba_news_train.parquet")
    wrong = (table["clean_label"] != table["noisy_label"]).to_numpy()
    return Subject(table["text"].tolist(), table["noisy_label"], wrong)


def cifar10n(n: int = 12_000) -> Subject:
    """Return the first ``n`` images that a person labelled."""
    import io

    from PIL import Image

    table = pd.read_parquet(DATA / "human_noise" / "cifar10n_random1_12000.parquet").head(n)
    stored = pd.read_parquet(DATA / "cifar10_jpeg" / "train.parquet", columns=["image"])
    pictures = stored["image"].iloc[table["parquet_row"]]
    images = np.stack([np.asarray(Image.open(io.BytesIO(one))) for one in pictures])
    labels = table["human_label"].to_numpy()
    return Subject(images, labels, labels != table["clean_label"].to_numpy())


def diabetes() -> Subject:
    """Return 10,000 hospital stays, as the bundled reader of the whole file reads them."""
    table = pd.read_parquet(DATA / "tables" / "diabetes130us.parquet")
    reading = {"drop": Diabetes.drop, "categorical": Diabetes.categorical, "missing": ("?",)}
    return Subject(hcat.load(table, target="readmitted", subset=10_000, **reading))


def rare() -> Subject:
    """Return 2,000 images of digits' fives against all others, thinned to 5 % of the rows."""
    from sklearn.datasets import load_digits

    x, y = load_digits(return_X_y=True)
    fives = np.flatnonzero(y == 5)[: round(0.05 * (y != 5).sum())]
    rows = np.sort(np.r_[np.flatnonzero(y != 5), fives])
    return Subject(x[rows], np.where(y[rows] == 5, "five", "other"))


def banking77() -> Subject:
    """Return the questions of the eight largest classes, 5 % of them with a plausible wrong one."""
    from sklearn.feature_extraction.text import CountVectorizer
    from sklearn.model_selection import cross_val_predict
    from sklearn.naive_bayes import MultinomialNB

    table = pd.read_parquet(DATA / "text" / "banking77_train.parquet")
    largest = table["category"].value_counts().sort_index().nlargest(8).index
    table = table[table["category"].isin(largest)].reset_index(drop=True)
    classes, codes = np.unique(table["category"], return_inverse=True)
    counts = CountVectorizer().fit_transform(table["text"])
    probs = cross_val_predict(MultinomialNB(), counts, codes, cv=5, method="predict_proba")
    return Subject(table["text"].tolist(), *planted(probs, codes, classes))


def planted(
    probs: np.ndarray, codes: np.ndarray, classes: np.ndarray, share: float = 0.05
) -> tuple[np.ndarray, np.ndarray]:
    """Return labels of which ``share`` are the most probable wrong class, and which these are."""
    rng = np.random.default_rng(0)
    rows = rng.choice(len(codes), round(share * len(codes)), replace=False)
    others = probs.copy()
    others[np.arange(len(codes)), codes] = -1
    labels = codes.copy()
    labels[rows] = others[rows].argmax(1)
    return classes[labels], labels != codes


SUBJECTS: dict[str, Callable[[], Subject]] = {
    "yoruba": yoruba,
    "cifar10n": cifar10n,
    "banking77": banking77,
    "eye": lambda: Subject(hardness_table.dataset("eye")),
    "cover": lambda: Subject(hardness_table.dataset("cover")),
    "wine": lambda: Subject("wine"),
    "breast_cancer": lambda: Subject("breast_cancer"),
    "digits": lambda: Subject("digits"),
    "mnist": lambda: Subject(mnist(20_000)),
    "mnist4000": lambda: Subject(mnist(4_000)),
    "cifar10": lambda: Subject(hcat.load(hardness_table.dataset("cifar10"), subset=5_000)),
    "diabetes": diabetes,
    "rare": rare,
}


def found(subject: Subject, seeds: int, options: dict[str, Any]) -> pd.DataFrame:
    """Return AUROC and average precision, a row for each method and seed."""
    rows = []
    for seed in range(seeds):
        began = time.perf_counter()
        known = {} if subject.wrong is None else {"data_seed": 0}
        settings = {"seed": seed, **known, **options}
        run = hcat.characterize(subject.data, subject.labels, **settings)
        wrong = run.truth["is_hard"].to_numpy() if subject.wrong is None else subject.wrong
        seconds = time.perf_counter() - began
        print(f"  {run}, {seconds:.0f} s", flush=True)
        for name in run.methods:
            scores = run.scores[name].to_numpy()
            figures = {"auroc": auroc(scores, wrong), "ap": average_precision(scores, wrong)}
            rows.append({"hcm": name, "seed": seed, **figures})
    return pd.DataFrame(rows)


def gained(new: pd.DataFrame, old: pd.DataFrame) -> pd.DataFrame:
    """Return the mean paired difference of AUROC of each method, with its 95 % interval."""
    columns = {"index": "seed", "columns": "hcm", "values": "auroc"}
    difference = new.pivot_table(**columns) - old.pivot_table(**columns)
    difference["mean of methods"] = difference.mean(axis=1)
    half = stats.t.ppf(0.975, len(difference) - 1) * difference.sem()
    mean = difference.mean()
    return pd.DataFrame({"gain": mean, "low": mean - half, "high": mean + half})


def healthy(name: str, options: dict[str, Any]) -> None:
    """Print what the learning check says of a subject as it is."""
    subject = SUBJECTS[name]()
    began = time.perf_counter()
    run = hcat.characterize(subject.data, subject.labels, **options)
    check = run.info["check"]
    print(f"{name}: {check['state']}, {time.perf_counter() - began:.0f} s; {check['sentence']}")
    print(" ", check["figures"], flush=True)


def main(words: Sequence[str] | None = None) -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("subjects", choices=SUBJECTS, nargs="+")
    parser.add_argument("--seeds", type=int, default=3, help="model seeds [3]")
    parser.add_argument("--methods", default=DYNAMICS, help=f"[{DYNAMICS}]")
    parser.add_argument("--with", dest="options", nargs="+", default=[], metavar="key=value")
    parser.add_argument("--against", nargs="+", default=[], metavar="key=value")
    parser.add_argument("--healthy", action="store_true", help="no injection: the learning check")
    chosen = parser.parse_args(words)
    options = {"methods": chosen.methods, **dict(map(read_pair, chosen.options))}
    other = dict(map(read_pair, chosen.against))
    for name in chosen.subjects:
        if chosen.healthy:
            healthy(name, options)
            continue
        print(name, *chosen.options, flush=True)
        rules = hardness_table.options(name, str(options.get("hardness")))
        subject = SUBJECTS[name]()
        options = {"hardness_options": rules, **options}
        table = found(subject, chosen.seeds, options)
        figures = table.groupby("hcm", sort=False)[["auroc", "ap"]]
        print(figures.agg(["mean", "std"]).round(4).to_string(), flush=True)
        if other:
            before = found(subject, chosen.seeds, {**options, **other})
            print("against", *chosen.against)
            print(gained(table, before).round(4).to_string(), flush=True)


if __name__ == "__main__":
    main()
