"""What `first_look` and the judges find, against ten lines of scikit-learn and cleanlab.

Wrong labels that people or their rules made (`yoruba`, `cifar10n`), and
plausible ones planted into clean data (`digits`, `banking`, `breast_cancer`,
`flowers`, `mnist`): pairs of a row and another class, drawn in proportion to
what a random forest says out of fold, among the rows whose label it agrees
with.  No judge is a forest.

    python tests/benchmarks/judges.py                       # all sets, 3 seeds
    python tests/benchmarks/judges.py digits banking --seeds 1 --set epochs=30
    python tests/benchmarks/judges.py cifar10n --rows 5000 --set knn_label.space=input

A line a set and ranking: AUROC and average precision, means over the seeds,
then whether `first_look` is within .02 AUROC and .03 average precision of the
best of `linear`, `knn_label` and cleanlab (logistic regression out of fold on
the same features), and not below all three.  Then the proposals: how many
labels are offered, how many are the right ones of wrong rows, and how many
would spoil a right row, beside the same of cleanlab (find_label_issues, with
the most probable class).  One core; OMP_NUM_THREADS=1.
"""

from __future__ import annotations

import argparse
import gzip
import io
import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from PIL import Image
from sklearn.datasets import load_breast_cancer, load_digits
from sklearn.ensemble import RandomForestClassifier
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import average_precision_score, roc_auc_score
from sklearn.model_selection import StratifiedKFold, cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import hcat_nb as hcat
from hcat_nb.runs.first_look import DYNAMICS, rankings, score_of

DATA = Path(__file__).resolve().parents[3] / "shared" / "data"
# "cleanlab" is the package of that name with a logistic regression, not the method.
PEERS = ("cleanlab", "linear", "knn_label")


@dataclass(frozen=True, eq=False)
class Task:
    """Data as a user hands them over, labels some of which are wrong, and the true ones.

    ``plain`` are the features as a peer without a network takes them.
    """

    data: Any
    labels: np.ndarray
    true: np.ndarray
    plain: Any

    @property
    def wrong(self) -> np.ndarray:
        """Which labels are wrong."""
        wrong: np.ndarray = self.labels != self.true
        return wrong


def planted(data: Any, labels: np.ndarray, plain: Any, seed: int, share: float = 0.05) -> Task:
    """Plant plausible wrong labels."""
    rng = np.random.default_rng(seed)
    values, codes = np.unique(labels, return_inverse=True)
    forest = RandomForestClassifier(200, random_state=seed)
    p = out_of_fold(forest, plain, codes, seed)
    own = np.arange(len(codes)), codes
    p[p.argmax(axis=1) != codes] = 0
    p[own] = 0
    with np.errstate(divide="ignore"):
        order = np.argsort(-(np.log(p) + rng.gumbel(size=p.shape)), axis=None)
    noisy, wrong = codes.copy(), np.zeros(len(codes), dtype=bool)
    for row, code in zip(*np.unravel_index(order, p.shape), strict=True):
        if wrong.sum() == round(share * len(codes)):
            break
        if not wrong[row] and p[row, code] > 0:
            noisy[row], wrong[row] = code, True
    return Task(data, values[noisy], values[codes], plain)


def out_of_fold(model: Any, features: Any, codes: np.ndarray, seed: int) -> np.ndarray:
    folds = StratifiedKFold(5, shuffle=True, random_state=seed)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found: np.ndarray = cross_val_predict(
            model, features, codes, cv=folds, method="predict_proba"
        )
    return found


def char_n_grams(texts: pd.Series) -> Any:
    vectorizer = TfidfVectorizer(
        analyzer="char_wb", ngram_range=(2, 4), max_features=5000, sublinear_tf=True
    )
    return vectorizer.fit_transform(texts)


def digits(seed: int, rows: int | None) -> Task:
    x, y = load_digits(return_X_y=True)
    return planted(x.reshape(-1, 1, 8, 8).astype(np.float32) / 16, y, x, seed)


def breast_cancer(seed: int, rows: int | None) -> Task:
    x, y = load_breast_cancer(return_X_y=True)
    return planted(x, y, x, seed)


def banking(seed: int, rows: int | None) -> Task:
    table = pd.read_parquet(DATA / "text/banking77_train.parquet")
    table = table[table["category"].isin(sorted(table["category"].unique())[:8])]
    texts = table["text"].reset_index(drop=True)
    return planted(texts.tolist(), table["category"].to_numpy(), char_n_grams(texts), seed)


def flowers(seed: int, rows: int | None) -> Task:
    files = sorted((DATA / "image_folder/flowers").glob("*/*.jpg"))
    pictures = [Image.open(file).convert("RGB") for file in files]
    x = np.stack([np.asarray(one).transpose(2, 0, 1) for one in pictures])
    small = np.stack([np.asarray(one.resize((16, 16))).ravel() for one in pictures])
    return planted(x, np.array([file.parent.name for file in files]), small / 255, seed)


def mnist(seed: int, rows: int | None) -> Task:
    raw = [
        gzip.decompress((DATA / f"MNIST/raw/train-{name}-ubyte.gz").read_bytes())
        for name in ("images-idx3", "labels-idx1")
    ]
    n = rows or 4000
    x = np.frombuffer(raw[0], np.uint8, offset=16).reshape(-1, 1, 28, 28)[:n]
    y = np.frombuffer(raw[1], np.uint8, offset=8)[:n]
    return planted(x, y, x.reshape(n, -1) / 255, seed)


def yoruba(seed: int, rows: int | None) -> Task:
    table = pd.read_parquet(DATA / "human_noise/yoruba_news_train.parquet")
    texts, given, true = (table[name] for name in ("text", "noisy_label", "clean_label"))
    return Task(texts.tolist(), given.to_numpy(), true.to_numpy(), char_n_grams(texts))


def cifar10n(seed: int, rows: int | None) -> Task:
    named = pd.read_parquet(DATA / "human_noise/cifar10n_random1_12000.parquet")
    named = named if rows is None else named.sample(rows, random_state=seed)
    table = pd.read_parquet(DATA / "cifar10_jpeg/train.parquet").iloc[named["parquet_row"]]
    x = np.stack([np.asarray(Image.open(io.BytesIO(one))) for one in table["image"]])
    given, true = (named[name].to_numpy(np.int64) for name in ("human_label", "clean_label"))
    return Task(x.transpose(0, 3, 1, 2), given, true, x[:, ::2, ::2].reshape(len(x), -1) / 255)


SETS: dict[str, Callable[[int, int | None], Task]] = {
    one.__name__: one for one in (yoruba, digits, banking, breast_cancer, flowers, mnist, cifar10n)
}


def cleanlab_says(task: Task, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Return 1 - label quality by cleanlab, of a logistic regression, and what it would propose.

    A proposal is the most probable class of a label issue, "" elsewhere.
    """
    from cleanlab.filter import find_label_issues
    from cleanlab.rank import get_label_quality_scores

    values, codes = np.unique(task.labels, return_inverse=True)
    model: Any = LogisticRegression(max_iter=1000)
    if isinstance(task.plain, np.ndarray):
        model = make_pipeline(StandardScaler(), model)
    p = out_of_fold(model, task.plain, codes, seed)
    scores: np.ndarray = 1 - get_label_quality_scores(codes, p)
    issues = find_label_issues(codes, p, n_jobs=1)
    return scores, np.where(issues, values[p.argmax(axis=1)].astype(str), "")


def counted(task: Task, proposed: np.ndarray) -> list[int]:
    """Return how many labels are proposed, right ones of wrong rows, and spoilt right rows."""
    labels, true = task.labels.astype(str), task.true.astype(str)
    offered = (proposed != "") & (proposed != labels)
    return [
        int(offered.sum()),
        int((offered & task.wrong & (proposed == true)).sum()),
        int((offered & ~task.wrong).sum()),
    ]


def measured(
    task: Task, seed: int, options: dict[str, Any]
) -> tuple[dict[str, tuple[float, float]], dict[str, list[int]]]:
    """Return AUROC and average precision of every ranking, and the counts of proposals."""
    run = hcat.characterize(
        task.data, task.labels, seed=seed, **{"methods": " ".join(DYNAMICS), **options}
    )
    print(f"  {run}; proposals: {run.info['proposals']}", flush=True)
    scores = {name: score_of(run, name).to_numpy() for name in rankings(run)}
    scores["cleanlab"], theirs = cleanlab_says(task, seed)
    found = {}
    for name, values in scores.items():
        known = np.isfinite(values)
        truth, known_values = task.wrong[known], values[known]
        found[name] = (
            float(roc_auc_score(truth, known_values)),
            float(average_precision_score(truth, known_values)),
        )
    ours = run.details["suggested"].astype(object).fillna("").astype(str).to_numpy()
    return found, {"ours": counted(task, ours), "cleanlab": counted(task, theirs)}


def report(name: str, seeds: int, rows: int | None, options: dict[str, Any]) -> None:
    began = time.perf_counter()
    made = [measured(SETS[name](seed, rows), seed, options) for seed in range(seeds)]
    figures = pd.concat([pd.DataFrame(one) for one, _ in made], keys=range(seeds))
    mean = figures.groupby(level=1).mean().set_axis(["auroc", "ap"], axis=0).T
    print(f"\n{name}, {seeds} seeds, {time.perf_counter() - began:.0f} s")
    print(mean.to_string(float_format="{:.3f}".format))
    peers, ours = mean.loc[list(PEERS)], mean.loc["first_look"]
    behind = peers.max() - ours
    holds = behind["auroc"] <= 0.02 and behind["ap"] <= 0.03 and (ours >= peers.min()).all()
    print(
        f"first_look is {behind['auroc']:+.3f} AUROC, {behind['ap']:+.3f} AP behind the best: "
        + ("holds" if holds else "MISSES")
    )
    for who in ("ours", "cleanlab"):
        offered, right, spoilt = np.mean([counts[who] for _, counts in made], axis=0)
        print(f"proposals, {who}: {offered:.0f} offered, {right:.0f} right, {spoilt:.0f} spoil")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("sets", nargs="*", choices=[*SETS, []], help="default: all")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--rows", type=int, help="of mnist and cifar10n")
    parser.add_argument("--set", action="append", default=[], metavar="OPTION=VALUE")
    arguments = parser.parse_args()
    options: dict[str, Any] = {}
    for one in arguments.set:
        key, _, value = one.partition("=")
        method, _, option = key.partition(".")
        if option:
            options.setdefault("method_options", {}).setdefault(method, {})[option] = value
        else:
            options[key] = value
    for name in arguments.sets or SETS:
        report(name, arguments.seeds, arguments.rows, options)


if __name__ == "__main__":
    main()
