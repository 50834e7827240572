"""What the detector learns from: sequences of label probabilities, and which labels were wrong.

The families are small classification problems that anyone can make: three
generators of scikit-learn with drawn sizes and difficulty, ``wine`` and
``breast_cancer``.  Network, learning rate and batch size are drawn too, so
that runs learn at many paces; images, ``adjacent`` and ``instance`` noise are
kept for the evaluation.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from hcat_nb.api.characterize import characterize
from hcat_nb.api.run import Run
from hcat_nb.errors import DataError
from hcat_nb.seeds import child_seed

if TYPE_CHECKING:
    from hcat_nb.data.dataset import LabelledDataset

EPOCHS = 50
FAMILIES = ("classification", "blobs", "quantiles", "wine", "breast_cancer")
_SHARES = (0.4, 0.2, 0.2, 0.1, 0.1)
_WIDTHS: tuple[tuple[int, ...] | None, ...] = (None, (), (64,), (128, 64))  # None: the MLP's own


@dataclass(frozen=True, eq=False)
class Dynamics:
    """Sequences of one run, without the samples that were never measured."""

    probs: np.ndarray  # of the observed label after each epoch, float32, shape (n, E)
    wrong: np.ndarray  # bool, whether that label was injected


def dynamics_of(run: Run) -> Dynamics:
    """Return the sequences of a run that kept them, of right and of wrong labels both."""
    if run.dynamics is None:
        raise DataError(
            f"{run!r} kept no dynamics",
            "runs with the probability of every epoch",
            "run again with keep_dynamics=probs",
        )
    columns = [name for name in run.dynamics.columns if str(name).startswith("epoch_")]
    probs = run.dynamics[columns].to_numpy(np.float32)
    wrong = (run.truth["family"] == "mislabel").to_numpy()
    measured = np.isfinite(probs).all(1)
    probs, wrong = probs[measured], wrong[measured]
    if wrong.all() or not wrong.any():
        raise DataError(
            f"{run!r} has {wrong.sum()} wrong labels among {len(wrong)}",
            "some of both",
            "inject label noise: hardness='uniform', p=0.1",
        )
    return Dynamics(probs, wrong)


def family_runs(n_runs: int, seed: int) -> Iterator[Run]:
    """Train on ``n_runs`` drawn problems of the families, ``EPOCHS`` epochs each."""
    rng = np.random.default_rng(child_seed(seed, "families"))
    for _ in range(n_runs):
        family = str(rng.choice(FAMILIES, p=_SHARES))
        data: Any = family
        if family not in ("wine", "breast_cancer"):
            data = _problem(family, rng)
        widths = _WIDTHS[rng.integers(len(_WIDTHS))]
        yield characterize(
            data,
            hardness=str(rng.choice(["uniform", "asymmetric"])),
            p=float(rng.uniform(0.05, 0.45)),
            methods="datamaps",
            keep_dynamics="probs",
            epochs=EPOCHS,
            model="mlp",
            model_options={} if widths is None else {"hidden": widths},
            lr=float(np.exp(rng.uniform(np.log(3e-4), np.log(5e-3)))),
            batch_size=int(rng.choice([16, 32, 64, 128])),
            device="cpu",
            seed=int(rng.integers(2**31)),
        )


def _problem(family: str, rng: np.random.Generator) -> LabelledDataset:
    """Return a drawn problem of a synthetic family."""
    from sklearn.datasets import make_blobs, make_classification, make_gaussian_quantiles

    from hcat_nb.data.loading import load

    n, n_classes = int(rng.integers(300, 1500)), int(rng.integers(2, 11))
    width, draw = int(rng.integers(5, 41)), int(rng.integers(2**31))
    if family == "classification":
        informative = int(rng.integers(4, width))
        features, labels = make_classification(
            n,
            width,
            n_informative=informative,
            n_redundant=0,
            n_classes=n_classes,
            n_clusters_per_class=1,
            class_sep=float(rng.uniform(0.7, 3)),
            flip_y=0.0,
            random_state=draw,
        )
    elif family == "blobs":
        features, labels = make_blobs(
            n, width, centers=n_classes, cluster_std=float(rng.uniform(1, 6)), random_state=draw
        )
    else:
        features, labels = make_gaussian_quantiles(
            n_samples=n,
            n_features=int(rng.integers(2, 6)),
            n_classes=min(n_classes, 4),
            random_state=draw,
        )
    return load(features.astype(np.float32), labels, name=family)
