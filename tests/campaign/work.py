"""The small works that campaigns attack, and what each must give whatever happened."""

from __future__ import annotations

import functools
import os
import pickle
import tempfile
import uuid
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch

import hcat_nb as hcat
from hcat_nb.errors import StoreError
from tests.campaign.trials import SHARED, LostError

TABLE = np.random.default_rng(0).normal(size=(150, 6)).astype(np.float32)
LABELS = (TABLE[:, 0] + 0.3 * TABLE[:, 1] > 0).astype(int)
SETTINGS: dict[str, Any] = {
    "epochs": 6, "methods": "el2n vog aum", "model": "dense", "seed": 0, "judges": False,
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


def once(name: str, make: Callable[[], Any]) -> Any:
    """What a campaign makes once, for all its processes."""
    place = Path(os.environ[SHARED]) / f"{name}.pickle"
    if not place.exists():
        draft = place.with_name(uuid.uuid4().hex)
        draft.write_bytes(pickle.dumps(make()))
        draft.replace(place)
    return pickle.loads(place.read_bytes())


@functools.cache
def whole(kind: str) -> pd.DataFrame:
    """The scores of a run that nothing disturbed."""
    found: pd.DataFrame = once(f"run {kind}", lambda: train(kind).scores)
    return found


def saved(kind: str, folder: Path, **more: Any) -> None:
    """Train into a folder."""
    train(kind, out=folder, **more)


def watched(seed: int, out: Path | None) -> hcat.Run:
    """Train a network in a loop of its own, watched."""
    warnings.simplefilter("ignore")
    torch.manual_seed(seed)
    net = torch.nn.Linear(TABLE.shape[1], 2)
    optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
    with hcat.watch(
        net, TABLE, LABELS, epochs=4, methods="el2n aum", seed=seed, out=out, overwrite=True
    ) as watch:
        for _ in range(4):
            for rows in torch.arange(len(TABLE)).split(50):
                logits = net(torch.from_numpy(TABLE)[rows])
                optimizer.zero_grad()
                torch.nn.functional.cross_entropy(logits, torch.from_numpy(LABELS)[rows]).backward()
                optimizer.step()
                watch.batch(rows, logits)
            watch.end_epoch()
        return watch.run()


def on_a_file(folder: Path) -> None:
    """A run on ``rows.csv`` with decisions, which ``mend`` carries out."""
    frame = pd.DataFrame(TABLE, columns=list("abcdef")).assign(y=LABELS)
    frame.to_csv(folder / "rows.csv", index=False)
    warnings.simplefilter("ignore")
    run = hcat.characterize(str(folder / "rows.csv"), target="y", out=folder / "run", **SETTINGS)
    run.decisions().relabel([3], int(1 - LABELS[3]))
    run.decisions().drop([9])


def mend(folder: Path) -> None:
    """Write the file of ``on_a_file`` anew, as decided."""
    data = hcat.load_run(folder / "run").apply(dataset=folder / "rows.csv")
    data.export(folder / "mended.csv", overwrite=True)


def mended_or_not(folder: Path) -> None:
    """What was mended is whole if it is there, and the source is what it was."""
    again = Path(os.environ[SHARED]) / "mended"
    if not again.exists():
        draft = Path(tempfile.mkdtemp(dir=again.parent))
        on_a_file(draft)
        mend(draft)
        draft.replace(again)
    if (folder / "rows.csv").read_bytes() != (again / "rows.csv").read_bytes():
        raise LostError("the source was changed")
    for name in ("mended.csv", "mended.csv.changes.csv"):
        place = folder / name
        if place.exists() and place.read_bytes() != (again / name).read_bytes():
            raise LostError(f"{name} is not whole")
    mend(folder)
    if (folder / "mended.csv").read_bytes() != (again / "mended.csv").read_bytes():
        raise LostError("it cannot be done again")


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
