"""What characterization costs beside the training that it watches.

    python tests/benchmarks/speed.py                  # everything, about 50 minutes on two cores
    python tests/benchmarks/speed.py --only mlp --rounds 1
    python tests/benchmarks/speed.py --scale 0.1      # a tenth of the samples, to try it out

Every figure is a ratio of two times that were measured in turn in one process,
or of two memories of processes that did the same work: the median over rounds
and the range; of ``hcat check`` it is seconds.  H-CAT's own figures alone are
constants, of another run on two cores: what they are compared with is measured
here, relative to the same textbook loop.  Results go to ``tests/benchmarks/results.json`` with
versions and machine; subjects that were not measured keep theirs.  Reads the public
data beside the checkout (../shared/data).
"""

from __future__ import annotations

import argparse
import json
import platform
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np
import plain
import torch

import hcat_nb as hcat

RESULTS = Path(__file__).with_name("results.json")
GRADIENTS = ("grand", "vog")
FROM_TRAINING = "aum datamaps el2n forgetting loss"  # of the logits that the optimizer saw
FORWARD_ONLY = "aum cleanlab conf_agree dataiq datamaps el2n forgetting loss prototypicality"
EPOCHS = 10
# LeNet, MNIST 20,000 x 10 epochs, batch 64, two cores, measured apart: H-CAT with its 13
# methods, and its own plain training, which is a textbook loop over tensors; seconds, bytes.
HCAT_SECONDS, HCAT_PLAIN_SECONDS, HCAT_PEAK = 271.0, 59.0, 5.1e9

# name -> (what, goal); "<=" or ">=" is the first character pair
GOALS = {
    "lenet, all methods": "<= 1.55",
    "lenet, nine forward-only": "<= 1.25",
    "lenet, without conf_agree": "<= 1.20",
    "resnet18, all methods": "<= 1.70",
    "mlp, all methods": "<= 1.25",
    "cnn, all methods": "<= 1.70",
    "dense, all methods": "<= 1.25",
    "lenet, five from training logits": "<= 1.05",
    "cnn, five from training logits": "<= 1.05",
    "mlp, five from training logits": "<= 1.05",
    "lenet, torchvision loader against ours": ">= 1.40",
    "lenet, TensorDataset loader against ours": ">= 1.10",
    "mlp, TensorDataset loader against ours": ">= 1.50",
    "H-CAT against ours, time (constants)": ">= 2.80",
    "H-CAT against ours, peak memory (constants)": ">= 4.00",
    "growth exponent, 5,000 to 60,000 samples": "<= 1.05",
    "growth exponent, 2 to 8 epochs": "<= 1.05",
    "memory slope over its bound": "<= 1.00",
    "memory slope over its bound, without vog": "<= 1.00",
    "constant memory, MB": "<= 64",
    "check, 100,000 x 50 numbers, seconds": "<= 10.00",
    "check, 100,000 x 50 words, seconds": "<= 10.00",
    "GPU, textbook loop against ours": ">= 20.00",
    "GPU, all methods": "<= 2.00",
}


def timed(work: Callable[[], object]) -> float:
    """Return the wall-clock of one call, seconds."""
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def characterize(
    data: hcat.LabelledDataset,
    model: str,
    methods: str = "all",
    epochs: int = EPOCHS,
    device: str = "cpu",
    **options: object,
) -> float:
    """Return the seconds of training, observation and scoring; judges are no methods of these."""
    given = {"judges": False, **options}
    run = hcat.characterize(
        data, model=model, methods=methods, epochs=epochs, device=device, seed=0, **given
    )
    return run.timings["train"] + run.timings["observe"] + run.timings["score"]


def side_by_side(
    rounds: int, base: Callable[[], float], others: dict[str, Callable[[], float]]
) -> Iterator[tuple[str, list[float]]]:
    """Yield each work's times over those of ``base`` before and after it, round by round.

    A machine's speed drifts by a tenth within minutes; the mean of its two
    neighbours is what ``base`` would have taken then.
    """
    ratios: dict[str, list[float]] = {name: [] for name in others}
    before = base()
    for _ in range(rounds):
        for name, work in others.items():
            taken = work()
            after = base()
            ratios[name].append(2 * taken / (before + after))
            before = after
    yield from ratios.items()


def lenet(rounds: int, scale: float) -> Iterator[tuple[str, list[float]]]:
    """Methods on LeNet, MNIST 20,000."""
    data = plain.mnist(round(20_000 * scale))
    without = FORWARD_ONLY.replace("conf_agree ", "")
    yield from side_by_side(
        rounds,
        lambda: plain.ours(data, "lenet", EPOCHS),
        {
            "lenet, all methods": lambda: characterize(data, "lenet"),
            "lenet, nine forward-only": lambda: characterize(data, "lenet", FORWARD_ONLY),
            "lenet, without conf_agree": lambda: characterize(data, "lenet", without),
        },
    )


def resnet18(rounds: int, scale: float) -> Iterator[tuple[str, list[float]]]:
    """All methods on ResNet-18, CIFAR-10 300."""
    data = plain.cifar10(round(300 * scale))
    yield from side_by_side(
        rounds,
        lambda: plain.ours(data, "resnet18", EPOCHS),
        {"resnet18, all methods": lambda: characterize(data, "resnet18")},
    )


def mlp(rounds: int, scale: float) -> Iterator[tuple[str, list[float]]]:
    """All methods on the MLP, a table of 50,000 x 50."""
    data = plain.table(round(50_000 * scale), 50)
    yield from side_by_side(
        rounds,
        lambda: plain.ours(data, "mlp", EPOCHS),
        {"mlp, all methods": lambda: characterize(data, "mlp")},
    )


def cnn(rounds: int, scale: float) -> Iterator[tuple[str, list[float]]]:
    """All methods on the default network for images, CIFAR-10 5,000."""
    data = plain.cifar10(round(5_000 * scale))
    yield from side_by_side(
        rounds,
        lambda: plain.ours(data, "cnn", EPOCHS),
        {"cnn, all methods": lambda: characterize(data, "cnn")},
    )


def dense(rounds: int, scale: float) -> Iterator[tuple[str, list[float]]]:
    """All methods on the default network for tables, a table of 50,000 x 50."""
    data = plain.table(round(50_000 * scale), 50)
    yield from side_by_side(
        rounds,
        lambda: plain.ours(data, "dense", EPOCHS),
        {"dense, all methods": lambda: characterize(data, "dense")},
    )


def training_logits(rounds: int, scale: float) -> Iterator[tuple[str, list[float]]]:
    """Methods that read the logits of training, on three networks, without a pass."""
    subjects = {
        "lenet": plain.mnist(round(20_000 * scale)),
        "cnn": plain.cifar10(round(5_000 * scale)),
        "mlp": plain.table(round(50_000 * scale), 50),
    }
    few = {"observe": "training", "judges": False, "learning_check": False}
    for name, data in subjects.items():
        yield from side_by_side(
            rounds,
            lambda name=name, data=data: plain.ours(data, name, EPOCHS),
            {
                f"{name}, five from training logits": lambda name=name, data=data: characterize(
                    data, name, FROM_TRAINING, **few
                )
            },
        )


def loops(rounds: int, scale: float) -> Iterator[tuple[str, list[float]]]:
    """Textbook loops against ours; two epochs each."""
    images = plain.mnist(round(20_000 * scale))
    yield from side_by_side(
        rounds,
        lambda: plain.ours(images, "lenet", 2),
        {
            "lenet, torchvision loader against ours": lambda: plain.torchvision_loader(images, 2),
            "lenet, TensorDataset loader against ours": lambda: plain.tensor_loader(
                images, "lenet", 2
            ),
        },
    )
    rows = plain.table(round(50_000 * scale), 50)
    yield from side_by_side(
        rounds,
        lambda: plain.ours(rows, "mlp", 2),
        {"mlp, TensorDataset loader against ours": lambda: plain.tensor_loader(rows, "mlp", 2)},
    )


def hcat_end_to_end(rounds: int, scale: float) -> Iterator[tuple[str, list[float]]]:
    """H-CAT's cost in textbook loops, by its constants, over ours, measured."""
    data = plain.mnist(round(20_000 * scale))
    share = 2 / EPOCHS  # of a textbook loop, whose epochs cost the same
    theirs = HCAT_SECONDS / HCAT_PLAIN_SECONDS
    ours = [
        share * characterize(data, "lenet") / plain.tensor_loader(data, "lenet", 2)
        for _ in range(min(rounds, 2))
    ]
    yield "H-CAT against ours, time (constants)", [theirs / one for one in ours]


def growth(rounds: int, scale: float) -> Iterator[tuple[str, list[float]]]:
    """Fitted exponents of the time of all methods in samples and in epochs.

    Two epochs have what ten have: checkpoints of gradients, and the last.
    Sizes are measured in turn, each once a round, from the small to the large.
    """
    images = {size: plain.mnist(round(size * scale)) for size in (5_000, 15_000, 60_000)}
    subjects: dict[str, dict[int, Callable[[], float]]] = {
        "growth exponent, 5,000 to 60,000 samples": {
            size: lambda data=data: characterize(data, "lenet", epochs=2)
            for size, data in images.items()
        },
        "growth exponent, 2 to 8 epochs": {
            epochs: lambda epochs=epochs: characterize(images[5_000], "lenet", epochs=epochs)
            for epochs in (2, 4, 8)
        },
    }
    for name, works in subjects.items():
        found = []
        for _ in range(min(rounds, 2)):
            seconds = [work() for work in works.values()]
            found.append(float(np.polyfit(np.log(list(works)), np.log(seconds), 1)[0]))
        yield name, found


def memory(rounds: int, scale: float) -> Iterator[tuple[str, list[float]]]:
    """Peak memory above the plain loop's, of two sizes, and of the smaller beside H-CAT's.

    Two epochs: few make the bound tight: 4 E is 8 bytes a sample.
    """
    del rounds  # it repeats to a percent
    sizes = [round(size * scale) for size in (20_000, 60_000)]
    base = [_peak(size, "plain") for size in sizes]
    classes, epochs, pixels = 10, 2, 28 * 28
    for with_vog, what in ((True, "characterize"), (False, "without_vog")):
        peaks = [_peak(size, what) for size in sizes]
        above = [peak - less for peak, less in zip(peaks, base, strict=True)]
        slope = (above[1] - above[0]) / (sizes[1] - sizes[0])
        allowed = 120 + 12 * classes + 4 * epochs + 2 * 4 * pixels * with_vog
        print(f"{what}: {slope:.0f} bytes a sample; the bound at E={epochs} is {allowed}")
        end = "" if with_vog else ", without vog"
        yield f"memory slope over its bound{end}", [slope / allowed]
        if with_vog:
            yield "constant memory, MB", [(above[0] - slope * sizes[0]) / 1e6]
            yield "H-CAT against ours, peak memory (constants)", [HCAT_PEAK / peaks[0]]


def check(rounds: int, scale: float) -> Iterator[tuple[str, list[float]]]:
    """``hcat check`` of a frame; no ratio, there is nothing to compare it with."""
    import pandas as pd

    rng, n, width = np.random.default_rng(0), int(100_000 * scale), 50
    tables = {
        "numbers": {f"c{at}": rng.normal(size=n) for at in range(width)},
        "words": {
            f"c{at}": rng.choice([f"level {level}" for level in range(5 + 4 * at)], n)
            for at in range(width)
        },
    }
    for kind, columns in tables.items():
        frame = pd.DataFrame(columns).assign(y=rng.choice(["oak", "elm", "ash"], n))
        seconds = [timed(lambda frame=frame: hcat.check(frame, target="y")) for _ in range(rounds)]
        yield f"check, 100,000 x 50 {kind}, seconds", seconds


def gpu(rounds: int, scale: float) -> Iterator[tuple[str, list[float]]]:
    """On a GPU, if there is one: MNIST 60,000, an epoch of textbook's against ours, and methods."""
    if not torch.cuda.is_available():
        print("no GPU at hand: its two rows are not measured")
        return
    data = plain.mnist(round(60_000 * scale))
    plain.ours(data, "lenet", 1, "cuda")  # contexts and libraries wake
    yield from side_by_side(
        rounds,
        lambda: plain.ours(data, "lenet", 1, "cuda"),
        {"GPU, textbook loop against ours": lambda: plain.torchvision_loader(data, 1, "cuda")},
    )
    yield from side_by_side(
        rounds,
        lambda: plain.ours(data, "lenet", EPOCHS, "cuda"),
        {"GPU, all methods": lambda: characterize(data, "lenet", device="cuda")},
    )


def _peak(size: int, what: str) -> float:
    """Return the peak resident memory of a process that does one thing, bytes."""
    words = [sys.executable, str(Path(__file__).with_name("plain.py")), what, str(size)]
    done = subprocess.run(words, check=True, capture_output=True, text=True)  # ours
    return float(done.stdout.split()[-1])


SUBJECTS = {
    one.__name__: one
    for one in (
        *(lenet, resnet18, mlp, cnn, dense),
        *(training_logits, loops, hcat_end_to_end, growth, memory, check, gpu),
    )
}


def report(figures: dict[str, list[float]]) -> None:
    """Print the table of ratios beside their goals."""
    print(f"{'':44} {'median':>7} {'lowest':>7} {'highest':>8}  goal")
    for name, values in figures.items():
        middle = statistics.median(values)
        goal = GOALS[name]
        bound = float(goal[2:])
        met = middle <= bound if goal.startswith("<") else middle >= bound
        print(
            f"{name:44} {middle:7.2f} {min(values):7.2f} {max(values):8.2f}  "
            f"{goal}{'' if met else '  missed'}",
            flush=True,
        )


def main(words: Sequence[str] | None = None) -> None:
    """Measure, print, and write the results."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", choices=SUBJECTS, nargs="+", default=list(SUBJECTS))
    parser.add_argument("--rounds", type=int, default=3, help="alternating rounds [3]")
    parser.add_argument("--scale", type=float, default=1.0, help="share of the samples [1]")
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    options = parser.parse_args(words)
    torch.set_num_threads(options.threads)
    plain.ours(plain.table(512, 50), "mlp", 1)  # a process's first optimizer imports a compiler
    figures: dict[str, list[float]] = {}
    for subject in options.only:
        for name, values in SUBJECTS[subject](options.rounds, options.scale):
            figures[name] = [round(value, 3) for value in values]
            report({name: values})
            if options.scale == 1:  # at once: the rest takes its time
                _write({name: figures[name]}, options.threads)
    print()
    report(figures)


def _write(figures: dict[str, list[float]], threads: int) -> None:
    """Put the figures into the file of results; those not measured now stay."""
    before = json.loads(RESULTS.read_text()) if RESULTS.is_file() else {}
    machine = {
        "threads": threads,
        "processor": platform.processor() or platform.machine(),
        "python": platform.python_version(),
        "torch": torch.__version__,
    }
    made = {name: {"ratios": values, **machine} for name, values in figures.items()}
    RESULTS.write_text(json.dumps(before | made, indent=1) + "\n")


if __name__ == "__main__":
    main()
