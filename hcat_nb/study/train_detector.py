"""Trains the detector's network: from runs with injected label noise to a weights file.

One's own, from runs of one's own or from the built-in families::

    train_detector("mine.safetensors", runs)
    hcat.characterize(data, method_options={"detector": {"weights": "mine.safetensors"}})

The file that ships, on one thread in about ten minutes::

    python -m hcat_nb.study.train_detector detector.safetensors

Any start of a run at a steady learning rate is a shorter run, and every k-th
epoch of it is much like a run on k times as much data.  So the network is
asked after each epoch, and every other batch shows it every second, third or
fifth epoch only: runs of 50 epochs teach all lengths up to 50.  The number of
passes is fixed and the last weights are kept: nothing is selected.
"""

from __future__ import annotations

import argparse
import json
import platform
from collections.abc import Iterable, Iterator, Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

from hcat_nb.api.run import Run
from hcat_nb.errors import DataError, SpecError, StoreError
from hcat_nb.runs.store.atomic import delivered
from hcat_nb.seeds import child_seed
from hcat_nb.study._detector_data import FAMILIES, Dynamics, dynamics_of, family_runs

if TYPE_CHECKING:
    import torch
    from torch import Tensor

HIDDEN = 16
_STRIDES = (1, 2, 1, 3, 1, 5)
_BATCH = 256
_LR = 5e-3


def train_detector(
    out: str | Path,
    runs: Run | Iterable[Run] | None = None,
    *,
    n_runs: int = 160,
    passes: int = 8,
    seed: int = 0,
    overwrite: bool = False,
) -> Path:
    """Train a detector and write its weights to ``out``, a safetensors file; return that path.

    ``runs`` have injected label noise and kept their dynamics (``keep_dynamics="probs"``), of any
    number of epochs; kinds of hardness other than label noise count as clean. Without them,
    ``n_runs`` runs of the built-in families are made, about 1.5 seconds each. ``passes`` says how
    often each sequence is seen; ``seed`` decides families, initial weights and the order of
    sequences. A StoreError, SpecError or DataError tells what is wrong before the network trains.
    """
    path = _checked(out, overwrite=overwrite)
    for name, value in (("n_runs", n_runs), ("passes", passes)):
        if value < 1:
            raise SpecError(f"{name} is {value}", "at least 1")
    given = [runs] if isinstance(runs, Run) else runs
    made = family_runs(n_runs, seed) if given is None else given
    dynamics = [dynamics_of(run) for run in made]
    if not dynamics:
        raise DataError("there is no run to learn from", "at least one")
    weights = _fit(dynamics, passes, seed)
    about = {
        "format": "pt",
        "made_by": "hcat_nb.study.train_detector",
        "training": json.dumps(
            {
                "data": ", ".join(FAMILIES) if runs is None else "runs of the user's own",
                "runs": len(dynamics),
                "sequences": sum(len(one.wrong) for one in dynamics),
                "wrong": sum(int(one.wrong.sum()) for one in dynamics),
                "epochs": max(one.probs.shape[1] for one in dynamics),
                "passes": passes,
                "hidden": HIDDEN,
                "seed": seed,
            }
        ),
        "versions": json.dumps(_versions()),
    }
    write_weights(path, weights, about)
    return path


def _fit(dynamics: Sequence[Dynamics], passes: int, seed: int) -> dict[str, Tensor]:
    """Return weights that minimise the cross-entropy, the mean over epochs and samples."""
    import torch

    from hcat_nb.methods.detector import read_sequences, weight_shapes

    generator = torch.Generator().manual_seed(child_seed(seed, "detector"))
    bound = HIDDEN**-0.5  # as torch.nn.LSTM draws
    weights = {
        name: ((2 * torch.rand(shape, generator=generator) - 1) * bound).requires_grad_()
        for name, shape in weight_shapes(HIDDEN).items()
    }
    lengths = _by_length(dynamics)
    steps = passes * sum(-(-len(wrong) // _BATCH) for _, wrong in lengths)
    optimizer = torch.optim.Adam(list(weights.values()), lr=_LR)
    decay = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, steps)
    for _ in range(passes):
        for sequences, wrong in _batches(lengths, generator):
            odds = read_sequences(sequences, weights)
            loss = torch.nn.functional.binary_cross_entropy_with_logits(
                odds, wrong[:, None].expand_as(odds)
            )
            optimizer.zero_grad()
            loss.backward()
            torch.nn.utils.clip_grad_norm_(list(weights.values()), 1.0)
            optimizer.step()
            decay.step()
    return {name: value.detach() for name, value in weights.items()}


def _by_length(dynamics: Sequence[Dynamics]) -> list[tuple[Tensor, Tensor]]:
    """Return sequences, (m, E), and whether they are wrong, (m,), for each length E."""
    import torch

    groups: dict[int, list[Dynamics]] = {}
    for one in dynamics:
        groups.setdefault(one.probs.shape[1], []).append(one)
    return [
        (
            torch.cat([torch.from_numpy(one.probs) for one in group]),
            torch.cat([torch.from_numpy(one.wrong).float() for one in group]),
        )
        for group in groups.values()
    ]


def _batches(
    lengths: Sequence[tuple[Tensor, Tensor]], generator: torch.Generator
) -> Iterator[tuple[Tensor, Tensor]]:
    """Yield all sequences once, in batches of one length: (b, E) and (b,)."""
    import torch

    batches = [
        (sequences[rows], wrong[rows])
        for sequences, wrong in lengths
        for rows in torch.randperm(len(wrong), generator=generator).split(_BATCH)
    ]
    for i in torch.randperm(len(batches), generator=generator).tolist():
        sequences, wrong = batches[i]
        stride = _STRIDES[int(torch.randint(len(_STRIDES), (), generator=generator))]
        # The first epoch that is seen is the stride-th: as much training as between any two.
        yield (
            (sequences[:, stride - 1 :: stride] if stride <= sequences.shape[1] else sequences),
            wrong,
        )


def _checked(out: str | Path, *, overwrite: bool) -> Path:
    """Return ``out`` as a path if it may be written."""
    path = Path(out).expanduser()
    if path.suffix != ".safetensors":
        raise StoreError(f"the weights' file is {path.name!r}", "a name that ends in .safetensors")
    if not path.parent.is_dir():
        raise StoreError(f"there is no folder {str(path.parent)!r}", remedy="make it")
    if path.exists() and not overwrite:
        raise StoreError(f"{path} exists", remedy="choose another name, or overwrite it")
    return path


def write_weights(path: Path, weights: Mapping[str, Tensor], about: Mapping[str, str]) -> None:
    """Write the file whole or not at all."""
    from safetensors.torch import save

    delivered(path, lambda draft: draft.write_bytes(save(dict(weights), dict(about))))


def _versions() -> dict[str, str]:
    packages = {name: version(name) for name in ("torch", "numpy", "scikit-learn")}
    return {"Python": platform.python_version(), **packages}


def main(words: Sequence[str] | None = None) -> None:
    """Make the weights that ship."""
    import torch

    parser = argparse.ArgumentParser(description="Train the detector.")
    parser.add_argument("out", type=Path, help="safetensors file; one that is there is replaced")
    parser.add_argument("--n-runs", type=int, default=160, help="training runs [160]")
    parser.add_argument("--seed", type=int, default=0, help="seed of everything [0]")
    options = parser.parse_args(words)
    torch.set_num_threads(1)  # sums in one order, whatever the machine
    train_detector(options.out, n_runs=options.n_runs, seed=options.seed, overwrite=True)


if __name__ == "__main__":
    main()
