"""Hands logits to a method as the observer would."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
import pytest
import torch

from hcat_nb.methods.base import Context, Method
from hcat_nb.observation.record import Observation


@pytest.fixture
def feed() -> Callable[..., Method]:
    def feed(
        method: Method,
        labels: np.ndarray,
        logits: np.ndarray,
        *,
        kind: str = "epoch",
        skipped: Mapping[int, list[int]] | None = None,
        unreadable: np.ndarray | None = None,
    ) -> Method:
        """Let ``method`` see logits (E, n, C), but for the rows ``skipped`` in an epoch."""
        n_epochs, n, n_classes = logits.shape
        codes = torch.from_numpy(labels)
        gone = np.zeros(n, dtype=bool) if unreadable is None else unreadable
        method.begin(
            Context(codes, n_classes, n_epochs, unreadable=torch.from_numpy(gone)),
        )
        for epoch in range(1, n_epochs + 1):
            if kind == "epoch" and not method.due(epoch):
                continue
            out = set((skipped or {}).get(epoch, [])) | set(np.flatnonzero(gone))
            if kind == "train":
                out |= set(np.flatnonzero(labels < 0))
            rows = torch.tensor([i for i in range(n) if i not in out], dtype=torch.int64)
            method.observe(
                Observation(
                    kind,
                    epoch,
                    rows,
                    codes[rows].clamp(min=0),
                    torch.from_numpy(logits[epoch - 1]).float()[rows],
                )
            )
        return method

    return feed


@pytest.fixture(params=[0, 1, 2], ids="seed{}".format)
def run(request: pytest.FixtureRequest) -> tuple[np.ndarray, np.ndarray]:
    """Labels (n,) and logits (E, n, C) of 5 epochs, 200 samples and 4 classes.

    The logits are exact in float32, so that float64 references see the same.
    """
    rng = np.random.default_rng(request.param)
    labels = rng.integers(0, 4, 200)
    logits = rng.normal(0, 3, (5, 200, 4)).astype(np.float32).astype(np.float64)
    logits[np.arange(5)[:, None], np.arange(200), labels] += np.arange(5)[:, None]
    return labels, logits.astype(np.float32).astype(np.float64)


@pytest.fixture
def softmax() -> Callable[[np.ndarray], np.ndarray]:
    """The softmax over the last axis, in the precision of its input."""

    def softmax(logits: np.ndarray) -> np.ndarray:
        powers = np.exp(logits - logits.max(-1, keepdims=True))
        return powers / powers.sum(-1, keepdims=True)

    return softmax
