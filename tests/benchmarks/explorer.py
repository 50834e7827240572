"""Measures the explorer's kernel side: brush to page, by number of samples.

    python tests/benchmarks/explorer.py [--n 60000] [--moves 15] [--rounds 5]

A brush is dragged over a made-up map so that its last move holds a twelfth of
the samples (5,000 of 60,000).  Each move does what a move in the notebook
does: select among all samples, sort by a method, cut the page's 100 images
into one sprite.  Beside it, in the same run, what the page would cost as 100
separate PNG files, so that ratios can be read on any machine.  Drawing in
the browser is not in these figures; tests/browser drives it.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd

from hcat_nb.data.loading import load
from hcat_nb.jupyter.review.exploration import Exploration
from hcat_nb.jupyter.review.gallery_page import SampleViews
from hcat_nb.runs.review.decisions import Decisions
from hcat_nb.runs.review.pictures import png
from hcat_nb.runs.review.samples import Samples

SIDE = 28  # pixels, as MNIST


def made_up(n: int) -> SimpleNamespace:
    """Return a run of ``n`` noise images, which PNG cannot make small."""
    rng = np.random.default_rng(0)
    data = load(rng.integers(0, 256, (n, SIDE, SIDE), dtype=np.uint8), rng.integers(0, 10, n))
    label = pd.Series(data.label_values())
    details = pd.DataFrame(
        {
            "label": label,
            "predicted": label,
            "suggested": label,
            "variability": rng.random(n, dtype=np.float32),
            "confidence": rng.random(n, dtype=np.float32),
        }
    )
    return SimpleNamespace(
        details=details,
        scores=pd.DataFrame({"aum": rng.normal(size=n).astype(np.float32)}),
        truth=pd.DataFrame({"is_hard": np.zeros(n, dtype=bool)}),
        methods=["aum"],
        info={"methods": {"aum": {"ties": None}}},
        dataset=data,
    )


def milliseconds(work: Callable[[], Any]) -> float:
    """Return how long ``work`` took."""
    start = time.perf_counter()
    work()
    return 1000 * (time.perf_counter() - start)


def main() -> None:
    """Print medians in milliseconds, and their ratios, as JSON."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--n", type=int, default=60_000)
    parser.add_argument("--moves", type=int, default=15)
    parser.add_argument("--rounds", type=int, default=5)
    given = parser.parse_args()

    run: Any = made_up(given.n)
    decisions = Decisions(Samples(run.details.index, run.details["label"].array))
    exploration = Exploration(run, decisions.codes)
    views = SampleViews(run, run.dataset)
    times: dict[str, list[float]] = {
        key: [] for key in ("select", "order and cut", "tiles and sprite", "move", "separate PNGs")
    }
    exploration.on_page()  # the order of all samples, made once
    bytes_sent = 0
    for _ in range(given.rounds):
        for move in range(1, given.moves + 1):
            right = move / given.moves / 3  # a third of a quarter: a twelfth
            parts = {
                "select": lambda right=right: exploration.brush(
                    "variability", "confidence", (0, right, 0, 0.25)
                ),
                "order and cut": exploration.on_page,
            }
            total = 0.0
            for name, work in parts.items():
                times[name].append(milliseconds(work))
                total += times[name][-1]
            rows = exploration.on_page()
            start = time.perf_counter()
            page = views.page(rows, "aum", decisions.of)
            times["tiles and sprite"].append(1000 * (time.perf_counter() - start))
            times["move"].append(total + times["tiles and sprite"][-1])
            bytes_sent = sum(map(len, page.buffers)) + len(json.dumps(page.content))
            times["separate PNGs"].append(
                milliseconds(lambda rows=rows: [png(run.dataset, int(row)) for row in rows])
            )
    medians = {name: round(float(np.median(values)), 2) for name, values in times.items()}
    print(
        json.dumps(
            {
                "samples": given.n,
                "selected": len(exploration.rows),
                "median_ms": medians,
                "worst_move_ms": round(max(times["move"]), 1),
                "bytes": bytes_sent,
                "separate_over_sprite": round(
                    medians["separate PNGs"] / medians["tiles and sprite"], 2
                ),
            },
            indent=2,
        )
    )


if __name__ == "__main__":
    main()
