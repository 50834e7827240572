"""Judge audits by data of which the truth is known: every figure that an audit promises.

    python tests/benchmarks/answers.py digits mnist cover       # planted, by ../shared/data
    python tests/benchmarks/answers.py table.csv --target y --truth right_label
    python tests/benchmarks/answers.py photos/ --truth right.csv   # sample_id, truth

The truth is a column (or file) of right labels, or of causes (mislabel, off,
atypical, ambiguous, conflict, nothing where a row is fine).  Sets by name have
5 % plausible wrong labels, drawn by a random forest out of fold, and the other
causes, 2 % each and 1 % of near copies; --labels-only leaves these out.

Printed: rankings (AUROC, average precision) beside the best single method in
hindsight; causes; coverage of the counts, and the stop, with a reviewer who is
wrong 5 % of the time; what mending is worth (--remedy); seconds and memory.
"""

from __future__ import annotations

import argparse
import io
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import psutil
from judges import DATA, SETS, Task, planted
from PIL import Image
from sklearn.metrics import average_precision_score, roc_auc_score

import hcat_nb as hcat
from hcat_nb.audits.outcome import Audit
from hcat_nb.audits.probes import CAUSES, SHARES, _planted_into, offered
from hcat_nb.evaluation.error_seeding import LOOK, Remaining, may_stop, remaining
from hcat_nb.registry import METHODS

REVIEWS = 20  # repetitions of a review
MISTAKES = 0.05
CUTS = (50, 100, 200, 400, 800)


@dataclass(frozen=True, eq=False)
class Known:
    """A dataset, and the position of each row's fault in CAUSES, -1 where it is fine."""

    data: Any
    truth: np.ndarray


def cover(seed: int, rows: int | None) -> Task:
    return _table("covertype_balanced.parquet", "Cover_Type", ["Id"], seed, rows or 5000)


def eye(seed: int, rows: int | None) -> Task:
    ids = ["lineNo", "assgNo", "titleNo", "wordNo"]
    return _table("eye_movements.parquet", "label", ids, seed, rows or 5000)


def _table(file: str, target: str, ids: list[str], seed: int, rows: int) -> Task:
    table = pd.read_parquet(DATA / "tables" / file).sample(rows, random_state=seed)
    x = table.drop(columns=[target, *ids]).to_numpy(np.float64)
    scaled = (x - x.mean(axis=0)) / (x.std(axis=0) + 1e-9)
    return planted(x, table[target].to_numpy(), scaled, seed)


def cifar10(seed: int, rows: int | None) -> Task:
    table = pd.read_parquet(DATA / "cifar10_jpeg" / "train.parquet")
    table = table.sample(rows or 5000, random_state=seed)
    x = np.stack([np.asarray(Image.open(io.BytesIO(one))) for one in table["image"]])
    small = x[:, ::2, ::2].reshape(len(x), -1) / 255
    return planted(x.transpose(0, 3, 1, 2), table["label"].to_numpy(np.int64), small, seed)


SETS |= {"cifar10": cifar10, "cover": cover, "eye": eye}


def by_name(name: str, seed: int, rows: int | None, labels_only: bool) -> Known:
    task = SETS[name](seed, rows)
    data = hcat.load(task.data, task.labels, name=name)
    truth = np.where(task.wrong, 0, -1)
    human = name in ("yoruba", "cifar10n")  # what people got wrong, and nothing else
    if labels_only or human:
        return Known(data, truth)
    made = data.replace(features=data.copied_features())
    free, parents = ~task.wrong, np.arange(len(data))
    rng = np.random.default_rng(1000 + seed)
    for cause in offered(data, features_fixed=False)[0][1:]:
        count = int(SHARES[cause] * len(data))
        rows_of = _planted_into(made, data, cause, count, free, parents, rng)
        truth[rows_of], free[rows_of] = CAUSES.index(cause), False
    return Known(made, truth)


def of_files(place: str, truth: str, target: str | None) -> Known:
    path = Path(place)
    if path.is_dir():
        data = hcat.load(path)
        told = pd.read_csv(truth).set_index("sample_id")["truth"].reindex(data.sample_ids)
    else:
        frame = pd.read_parquet(path) if path.suffix == ".parquet" else pd.read_csv(path)
        told = frame.pop(truth)
        data = hcat.load(frame, target=target, name=path.stem)
    words = told.astype(object).where(told.notna(), "").astype(str).to_numpy()
    if set(words) <= {*CAUSES, "", "none"}:
        return Known(data, np.array([CAUSES.index(w) if w in CAUSES else -1 for w in words]))
    labels = np.asarray(data.label_values()).astype(str)
    return Known(data, np.where((words != "") & (words != labels), 0, -1))


def rankings(audit: Audit, truth: np.ndarray) -> pd.DataFrame:
    """Return AUROC and average precision of wrong labels, against rows that are fine."""
    use = truth <= 0
    wrong = truth[use] == 0
    run = audit.run
    scores = {name: run.scores[name].to_numpy() for name in METHODS.names() if name in run.methods}
    for name in ("linear", "knn_label"):
        if name in run.details:
            scores[name] = run.details[name].to_numpy()
    if run.first_look is not None:
        scores["first_look"] = run.first_look.scores
    scores["audit"] = -audit.samples["rank"].reindex(run.details.index).to_numpy(float)
    rows = {}
    for name, score in scores.items():
        values = np.nan_to_num(score[use], nan=float(np.nanmin(score)))
        rows[name] = {
            "auroc": roc_auc_score(wrong, values),
            "ap": average_precision_score(wrong, values),
        }
    return pd.DataFrame(rows).T


def causes(audit: Audit, truth: np.ndarray) -> pd.DataFrame:
    """Return AP per cause beside the best single method in hindsight."""
    run, rows = audit.run, {}
    samples = audit.samples.reindex(run.details.index)
    for cause in audit.causes.index:
        own = truth == CAUSES.index(cause)
        if not own.any():
            continue
        single = {
            name: average_precision_score(own, np.nan_to_num(run.scores[name], nan=-1e9))
            for name in METHODS.names()
            if name in run.methods
        }
        best = max(single, key=lambda name: single[name])
        rank = -samples[f"rank_{cause}"].to_numpy(float)
        rows[cause] = {
            "rows": int(own.sum()),
            "auroc": roc_auc_score(own, rank),
            "ap": average_precision_score(own, rank),
            "best_single": single[best],
            "which": best,
        }
    return pd.DataFrame(rows).T


def named(audit: Audit, truth: np.ndarray) -> str:
    """Return how many faulty rows are named, and how many right."""
    cause = audit.samples["cause"].reindex(audit.run.details.index).to_numpy()
    said = ~np.isin(cause, ["", "unclear"])
    right = cause == np.array([*CAUSES, "fine"], dtype=object)[truth]
    faulty = truth >= 0
    top = audit.samples.index[: int(faulty.sum())]
    place = audit.run.details.index.get_indexer(top)
    place = place[said[place]]
    share = (said & faulty).sum() / faulty.sum()
    return (
        f"named {share:.0%} of {faulty.sum()} faulty rows, "
        f"right {right[said & faulty].mean():.0%}; "
        f"among the first {len(top)}, fine ones counted as wrong, right {right[place].mean():.0%}"
    )


def counts(audit: Audit, truth: np.ndarray, seed: int) -> dict[str, float]:
    """Return coverage at cuts and at stop (a), its width, and its reviews over those for 90 %."""
    order = audit.run.details.index.get_indexer(audit.samples.index)
    wrong = truth[order] == 0
    n, total = len(wrong), int(wrong.sum())
    rng = np.random.default_rng(seed)
    held, held_at_stop, width, recall, cost = [], [], [], [], []
    for _ in range(REVIEWS):
        answers = wrong ^ (rng.random(n) < MISTAKES)

        def look(upto: int, answers: np.ndarray = answers) -> Remaining:
            passed = int((audit.probes * n < upto).sum())
            return remaining(int(answers[:upto].sum()), passed, len(audit.probes))

        for cut in (one for one in CUTS if one < n):
            left = look(cut)
            if left.high is not None and left.low is not None:
                held.append(left.low <= wrong[cut:].sum() <= left.high)
        at_80 = int(np.searchsorted(wrong.cumsum(), 0.8 * total)) + 1
        if (left := look(at_80)).high is not None:
            width.append((left.high + left.found) / total)
        for upto in range(2 * LOOK, n, LOOK):
            now = look(upto)
            if may_stop(now, look(upto - LOOK)):
                assert now.low is not None
                assert now.high is not None
                held_at_stop.append(now.low <= wrong[upto:].sum() <= now.high)
                recall.append(wrong[:upto].sum() / total)
                perfect = int(np.searchsorted(wrong.cumsum(), 0.9 * total)) + 1
                cost.append(upto / max(perfect, 1))
                break
    return {
        "coverage": np.mean(held) if held else np.nan,
        "coverage_at_stop": np.mean(held_at_stop) if held_at_stop else np.nan,
        "upper_at_80": np.median(width) if width else np.nan,
        "recall_at_stop": np.mean(recall) if recall else np.nan,
        "reviews_over_perfect": np.median(cost) if cost else np.nan,
        "stopped": len(recall) / REVIEWS,
    }


def report(known: Known, seed: int, options: dict[str, Any], mend: bool) -> dict[str, float]:
    began = time.perf_counter()
    audit = hcat.audit(known.data, seed=seed, **options)
    seconds = time.perf_counter() - began
    print(f"\n{audit}\n")
    table = rankings(audit, known.truth)
    print(table.to_string(float_format="{:.3f}".format))
    single = table.loc[[name for name in table.index if name in METHODS.names()]].max()
    own = table.loc["audit"]
    figures: dict[str, float] = {
        "auroc": own["auroc"],
        "auroc_hindsight": single["auroc"],
        "ap": own["ap"],
        "ap_hindsight": single["ap"],
    }
    if (known.truth > 0).any() and len(audit.causes) > 1:
        by_cause = causes(audit, known.truth)
        print(by_cause.to_string(float_format="{:.3f}".format))
        figures["cause_gain"] = float((by_cause["ap"] - by_cause["best_single"]).mean())
        print(named(audit, known.truth))
    figures |= counts(audit, known.truth, seed)
    if mend:
        print(audit.remedy())
    memory = psutil.Process().memory_info().rss / 1e6
    figures |= {"seconds": seconds, "resident_mb": memory}
    print({name: round(float(value), 3) for name, value in figures.items()}, flush=True)
    return figures


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("data", nargs="+", help=f"a file, a folder, or of {', '.join(SETS)}")
    parser.add_argument("--truth", help="column, or file of sample_id and truth")
    parser.add_argument("--target", help="column of the labels")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--rows", type=int)
    parser.add_argument("--labels-only", action="store_true")
    parser.add_argument("--remedy", action="store_true")
    parser.add_argument("--set", action="append", default=[], metavar="OPTION=VALUE")
    given = parser.parse_args()
    options: dict[str, Any] = dict(one.split("=", 1) for one in given.set)
    rows = {}
    for data in given.data:
        for seed in range(given.seeds):
            known = (
                by_name(data, seed, given.rows, given.labels_only)
                if data in SETS
                else of_files(data, given.truth, given.target)
            )
            rows[data, seed] = report(known, seed, options, given.remedy)
    print(pd.DataFrame(rows).T.to_string(float_format="{:.3f}".format))


if __name__ == "__main__":
    main()
