"""The small works that campaigns attack, and what each must give whatever happened."""

from __future__ import annotations

import functools
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

import hcat_nb as hcat
from hcat_nb.errors import StoreError
from tests.campaign.trials import LostError

TABLE = np.random.default_rng(0).normal(size=(150, 6)).astype(np.float32)
LABELS = (TABLE[:, 0] + 0.3 * TABLE[:, 1] > 0).astype(int)
SETTINGS: dict[str, Any] = {
    "epochs": 12, "methods": "el2n vog aum", "model": "dense", "seed": 0, "judges": False,
    "learning_check": False, "device": "cpu",
}  # fmt: skip
KINDS: dict[str, dict[str, Any]] = {
    "run": {},
    "seeds": {"seeds": 3},
    "folds": {"folds": 3},
    "logits": {"keep_dynamics": "logits"},
}


def train(kind: str, **more: Any) -> hcat.Run:
    """Train one kind of run."""
    warnings.simplefilter("ignore")
    return hcat.characterize(TABLE, LABELS, **{**SETTINGS, **KINDS[kind], **more})


@functools.cache
def whole(kind: str) -> pd.DataFrame:
    """The scores of a run that nothing disturbed."""
    return train(kind).scores


def saved(kind: str, folder: Path, **more: Any) -> None:
    """Train into a folder."""
    train(kind, out=folder, **more)


def come_back(kind: str, folder: Path) -> None:
    """Go on from what lies in ``folder`` as a person would; raise if anything differs.

    A finished run is read, a checkpoint resumed; only where neither was
    written yet is it trained anew.
    """
    warnings.simplefilter("ignore")
    written = any((folder / name).exists() for name in ("run.json", "checkpoint/checkpoint.json"))
    try:
        run = hcat.load_run(folder)
    except StoreError as unread:
        try:
            run = hcat.resume(folder, TABLE, LABELS)
        except StoreError as refused:
            if written:
                raise LostError(f"{unread}; {refused}") from refused
            saved(kind, folder)
            run = hcat.load_run(folder)
    for found in (run, hcat.load_run(folder)):
        if not found.scores.equals(whole(kind)):
            raise LostError("other scores")
