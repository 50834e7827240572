"""Reproducible blocks that leave the notebook's own randomness alone."""

from __future__ import annotations

import math
import random
import threading
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager

import numpy as np
import torch
from torch import Tensor

from hcat_nb.errors import SpecError

_MERSENNE = "MT19937"
_VERSION = 3  # of what random.getstate() gives
_drawing = threading.RLock()  # held by the thread whose block the generators belong to
_PATIENCE = 10.0  # seconds; longer than a preview takes, and shorter than a training


@contextmanager
def undisturbed() -> Iterator[None]:
    """Take back, for a block, what the caller's code set for its own: no gradients, autocast.

    Covers ``torch.no_grad``, ``torch.inference_mode``, ``torch.autocast`` and
    another default type of numbers.
    """
    with ExitStack() as stack:
        stack.enter_context(torch.inference_mode(False))
        stack.enter_context(torch.enable_grad())
        for device in ("cpu", "cuda"):
            stack.enter_context(torch.autocast(device, enabled=False))
        if (before := torch.get_default_dtype()) != torch.float32:
            stack.callback(torch.set_default_dtype, before)
            torch.set_default_dtype(torch.float32)
        yield


@contextmanager
def isolated_rng(seed: int, device: torch.device | None = None) -> Iterator[None]:
    """Seed all global generators for a block, and put them back as they were.

    Covers torch (CPU and ``device``), NumPy's legacy generator and ``random``, because a user's
    module may draw from any of them. A process has one of each, so that only one thread at a time
    can be in such a block (SpecError if another stays there).
    """
    if not _drawing.acquire(timeout=_PATIENCE):
        raise SpecError(
            "another thread of this process trains a run; both would draw from the same random "
            "streams, and neither could be repeated",
            remedy="stop it or wait for its end, or train in a process of its own",
        )
    try:
        with kept_streams(device):
            torch.manual_seed(seed)
            np.random.seed(seed % 2**32)  # noqa: NPY002
            random.seed(seed)
            yield
    finally:
        _drawing.release()


@contextmanager
def kept_streams(device: torch.device | None = None) -> Iterator[None]:
    """Put all global generators back, after a block, as they were before it."""
    cuda = [device] if device is not None and device.type == "cuda" else []
    numpy_state = np.random.get_state()  # noqa: NPY002  (what a user's module may use)
    python_state = random.getstate()
    with torch.random.fork_rng(devices=cuda):
        try:
            yield
        finally:
            np.random.set_state(numpy_state)  # noqa: NPY002
            random.setstate(python_state)


def random_state(device: torch.device) -> dict[str, Tensor]:
    """Return the state of all generators that :func:`isolated_rng` seeds, as plain tensors."""
    _, keys, position, has_gauss, gauss = np.random.get_state()  # noqa: NPY002
    _, words, python_gauss = random.getstate()
    state = {
        "torch": torch.get_rng_state(),
        "numpy": torch.tensor([*map(int, keys), int(position), int(has_gauss)]),
        "numpy_gauss": torch.tensor([gauss], dtype=torch.float64),
        "python": torch.tensor(words),
        # NaN for none: a normal number is never NaN.
        "python_gauss": torch.tensor(
            [torch.nan if python_gauss is None else python_gauss], dtype=torch.float64
        ),
    }
    if device.type == "cuda":
        state["cuda"] = torch.cuda.get_rng_state(device)
    return state


def set_random_state(state: Mapping[str, Tensor], device: torch.device) -> None:
    """Put all global generators back to what :func:`random_state` gave.

    A CUDA generator whose state is not there, because it was taken on another
    kind of device, stays as it is.
    """
    torch.set_rng_state(state["torch"].cpu())
    *keys, position, has_gauss = state["numpy"].tolist()
    np.random.set_state(  # noqa: NPY002
        (_MERSENNE, np.array(keys, np.uint32), position, has_gauss, float(state["numpy_gauss"]))
    )
    gauss = float(state["python_gauss"])
    words = tuple(state["python"].tolist())
    random.setstate((_VERSION, words, None if math.isnan(gauss) else gauss))
    if device.type == "cuda" and "cuda" in state:
        torch.cuda.set_rng_state(state["cuda"].cpu(), device)
