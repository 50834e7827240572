"""Small tables with a planted fault of known kind: what the self-check scores."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from hcat_nb.seeds import child_seed

if TYPE_CHECKING:
    from torch import nn

    from hcat_nb.data.dataset import LabelledDataset

__all__ = ["FAULTS", "planted", "small_network"]

FAULTS = ("mislabel", "boundary", "atypical", "ood")

_N = 400
_CLASSES = 4
_COLUMNS = 12
_DISTANCE = 6.0  # of a class's centre from the origin; noise has the standard deviation 1
_SHARE = 0.1
_RESEMBLES = 0.3  # how much of its class an atypical sample shows


def planted(fault: str, seed: int) -> tuple[LabelledDataset, np.ndarray]:
    """Return four well separated classes, one sample in ten of them with a fault.

    Each class is a Gaussian cloud on an axis of its own (the axes turned at
    random), and as many axes again belong to no class.

    - mislabel: the label of another class.
    - boundary: half way between its own and another class.
    - atypical: a faint trace of its class, far out on an axis of no class.
    - ood: far out on an axis of no class, with no trace of its own.

    Parameters
    ----------
    fault : str
        One of ``FAULTS``.
    seed : int

    Returns
    -------
    dataset : LabelledDataset
    is_hard : array of shape (n,), bool
    """
    from hcat_nb.data.loading import load

    rng = np.random.default_rng(child_seed(seed, f"planted/{fault}"))
    own = np.arange(_N) % _CLASSES
    other = (own + rng.integers(1, _CLASSES, _N)) % _CLASSES
    is_hard = np.zeros(_N, dtype=bool)
    is_hard[rng.choice(_N, round(_SHARE * _N), replace=False)] = True
    axes = _DISTANCE * np.linalg.qr(rng.normal(size=(_COLUMNS, _COLUMNS)))[0]
    centres, free = axes[:_CLASSES], axes[_CLASSES:]
    away = free[rng.integers(0, len(free), _N)] * rng.choice([-1, 1], (_N, 1))
    places = {
        "mislabel": centres[own],
        "boundary": (centres[own] + centres[other]) / 2,
        "atypical": _RESEMBLES * centres[own] + away,
        "ood": away,
    }[fault]
    means = np.where(is_hard[:, None], places, centres[own])
    labels = np.where(is_hard & (fault == "mislabel"), other, own)
    features = (means + rng.normal(size=means.shape)).astype(np.float32)
    return load(features, labels, name=f"planted {fault}"), is_hard


def small_network() -> nn.Module:
    """Return a network that learns these tables in a few epochs, with dropout for conf_agree."""
    from torch import nn

    return nn.Sequential(
        *(nn.Linear(_COLUMNS, 32), nn.ReLU(), nn.Dropout(0.3)),
        *(nn.Linear(32, 32), nn.ReLU(), nn.Dropout(0.3)),
        nn.Linear(32, _CLASSES),
    )
