"""Forecasts beside what then happens: time and memory, in all and for each method.

    python tests/benchmarks/forecast.py                 # some minutes on two cores
    python tests/benchmarks/forecast.py --only lenet table --rounds 1
    python tests/benchmarks/forecast.py --each          # a line for each method, too

A forecast and a run follow each other in one process, several times: the ratio
forecast / measured is of the medians.  Memory is the forecast's ``needed``
beside the rise of the peak of a process that does nothing but the run.  The
promise is a factor of 1.5 either way; figures below 2 % of a run's time, or
.1 s, are in the sum alone.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import plain
import torch

import hcat_nb as hcat
from hcat_nb.runs.execution.forecast import REST, TRAINING, forecast

FACTOR = 1.5
_SMALL, _LEAST = 0.02, 0.1  # of the run's time; seconds
_FEW = "aum el2n vog"
_OUT_OF_FOLD = {"cleanlab": {"cv": 3}}


@dataclass(frozen=True)
class Case:
    """A run to foretell."""

    data: Callable[[], hcat.LabelledDataset]
    options: dict[str, Any]


CASES = {
    "lenet": Case(lambda: plain.mnist(10_000), {"model": "lenet", "epochs": 3}),
    "lenet, few methods": Case(
        lambda: plain.mnist(10_000), {"model": "lenet", "epochs": 3, "methods": _FEW}
    ),
    "lenet, seeds=2, cv=3": Case(
        lambda: plain.mnist(4_000),
        {"model": "lenet", "epochs": 2, "seeds": 2, "method_options": _OUT_OF_FOLD},
    ),
    "table": Case(lambda: plain.table(30_000, 50), {"model": "mlp", "epochs": 3}),
    "table, few methods": Case(
        lambda: plain.table(30_000, 50), {"model": "mlp", "epochs": 3, "methods": _FEW}
    ),
    "table, seeds=2, cv=3": Case(
        lambda: plain.table(15_000, 50),
        {"model": "mlp", "epochs": 2, "seeds": 2, "method_options": _OUT_OF_FOLD},
    ),
    "resnet18": Case(lambda: plain.cifar10(300), {"model": "resnet18", "epochs": 3}),
    "resnet18, few methods": Case(
        lambda: plain.cifar10(300), {"model": "resnet18", "epochs": 3, "methods": _FEW}
    ),
}


def foretold(case: Case, data: hcat.LabelledDataset) -> tuple[dict[str, float], float]:
    """Return the forecast's seconds by row, and how long it took to make."""
    began = time.perf_counter()
    found = forecast(data, seed=0, **case.options)
    took = time.perf_counter() - began
    return found.table["seconds"].to_dict(), took


def happened(case: Case, data: hcat.LabelledDataset) -> dict[str, float]:
    """Return the seconds of a run, by the rows of a forecast."""
    run = hcat.characterize(data, seed=0, **case.options)
    costs = run.costs()
    costs = costs[costs["part"] != "score"]
    seconds: dict[str, float] = costs.groupby("hcm")["seconds"].sum().to_dict()
    timings = run.timings
    whole = timings["train"] + timings["observe"] + timings.get("extra", 0.0)
    seconds[TRAINING] = timings["train"]
    return seconds | {REST: whole - sum(seconds.values())}


def memory(name: str) -> tuple[float, float]:
    """Return the bytes foretold and touched, of a fresh process."""
    words = [sys.executable, __file__, "--process", name]
    done = subprocess.run(words, check=True, capture_output=True, text=True)  # ours
    needed, touched = done.stdout.split()[-2:]
    return float(needed), float(touched)


def process(name: str) -> None:
    """Print what a run needs and by how much it raises the process's peak, bytes."""
    case = CASES[name]
    data = case.data()
    small = data.take(torch.arange(64))
    hcat.characterize(small, seed=0, **case.options | {"seeds": 1, "epochs": 2})  # imports
    before = plain.resident()
    hcat.characterize(data, seed=0, **case.options)
    touched = plain.peak() - before
    needed = forecast(data, seed=0, **case.options).needed
    print(needed, touched)


def measure(name: str, rounds: int, *, each: bool) -> None:
    """Print the ratios of one case."""
    case = CASES[name]
    data = case.data()
    guessed: dict[str, list[float]] = defaultdict(list)
    real: dict[str, list[float]] = defaultdict(list)
    trials = []
    for number in range(rounds + 1):
        guess, took = foretold(case, data)
        fact = happened(case, data)
        if number == 0 and rounds > 1:
            continue  # imports, and caches that wake; a single round has to do with them
        trials.append(took)
        for row in fact:
            guessed[row].append(guess[row])
            real[row].append(fact[row])
        guessed["in all"].append(sum(guess.values()))
        real["in all"].append(sum(fact.values()))
    middle = {row: statistics.median(values) for row, values in real.items()}
    ratios = {row: statistics.median(guessed[row]) / middle[row] for row in middle if middle[row]}
    least = max(_LEAST, _SMALL * middle["in all"])
    shown = {row: ratio for row, ratio in ratios.items() if middle[row] >= least}
    needed, touched = memory(name)
    print(
        f"{name:24} trial {statistics.median(trials):5.1f} s  run {middle['in all']:6.1f} s  "
        f"time {ratios['in all']:5.2f}  rows {min(shown.values()):5.2f} to "
        f"{max(shown.values()):5.2f}  memory {needed / touched:5.2f} "
        f"({needed / 1e6:.0f} / {touched / 1e6:.0f} MB)"
    )
    for row in shown if each else [row for row in shown if _is_off(shown[row])]:
        off = "  off" if _is_off(shown[row]) else ""
        print(f"    {row:20} {middle[row]:7.2f} s {ratios[row]:6.2f}{off}")


def _is_off(ratio: float) -> bool:
    return not 1 / FACTOR <= ratio <= FACTOR


def main(words: Sequence[str] | None = None) -> None:
    """Measure what is asked for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", choices=CASES, nargs="+", default=list(CASES), metavar="CASE")
    parser.add_argument("--rounds", type=int, default=3, help="forecasts and runs in turn [3]")
    parser.add_argument("--each", action="store_true", help="print each method's ratio")
    parser.add_argument("--process", choices=CASES, help=argparse.SUPPRESS)
    options = parser.parse_args(words)
    if options.process:
        process(options.process)
        return
    for name in options.only:
        measure(name, options.rounds, each=options.each)


if __name__ == "__main__":
    main()
