"""What takes a minute to compute and depends on images alone, kept in the user's cache.

A file is named after a digest of all that decides what it holds, so that
nothing is ever out of date; the oldest go when all together grow too large.
"""

from __future__ import annotations

import hashlib
import os
import uuid
import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

_MOST = 4 * 2**30  # bytes of all files


def content_digest(*parts: Tensor | str) -> str:
    """Return a digest of tensors and words, 32 hexadecimal digits."""
    digest = hashlib.blake2b(digest_size=16)
    for part in parts:
        if isinstance(part, str):
            digest.update(part.encode() + b"\0")
            continue
        digest.update(f"{tuple(part.shape)} {part.dtype}\0".encode())
        for rows in part.split(4096) if part.dim() else (part,):
            digest.update(rows.contiguous().reshape(-1).view(torch.uint8).numpy().data)
    return digest.hexdigest()


def kept(key: str, make: Callable[[], Tensor]) -> Tensor:
    """Return the float32 tensor that ``make`` returned when it was called for this key first."""
    folder = _folder()
    path = folder / f"{key}.npy"
    if path.is_file():
        path.touch()  # it was of use
        return torch.from_numpy(np.load(path, mmap_mode="c"))
    made = make()
    draft = folder / f".{uuid.uuid4().hex}.part"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with draft.open("wb") as file:
            np.save(file, made.numpy())
        draft.replace(path)
        _make_room(folder, path)
    except OSError as error:
        if draft.exists():
            draft.unlink()
        warnings.warn(
            f"features are not kept for the next run ({error})", RuntimeWarning, stacklevel=2
        )
    return made


def _folder() -> Path:
    cache = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    return Path(cache).expanduser() / "hcat_nb" / "features"


def _make_room(folder: Path, newest: Path) -> None:
    """Take away the files that were not of use for longest, but never the newest."""
    files = sorted(folder.glob("*.npy"), key=lambda path: path.stat().st_mtime, reverse=True)
    total = 0
    for path in files:
        total += path.stat().st_size
        if total > _MOST and path != newest:
            path.unlink()
