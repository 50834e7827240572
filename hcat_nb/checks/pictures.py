"""What image files show by their heads: sizes, modes, formats, and whether these tell a class."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from hcat_nb.checks.alone import alone, leaks, sampled
from hcat_nb.checks.finding import LOOK, Finding
from hcat_nb.checks.profile import profiles


def file_table(files: Sequence[str | os.PathLike[str]]) -> pd.DataFrame:
    """Return ``size`` ("640 x 480"), ``mode`` and ``format`` of files; missing if unreadable."""
    from PIL import Image

    rows: list[tuple[Any, ...]] = []
    for file in files:
        try:
            with Image.open(file) as picture:
                width, height = picture.size
                rows.append((f"{width} x {height}", picture.mode, picture.format))
        except Exception:  # decoders raise whatever they like; reading the pixels reports it
            rows.append((None, None, None))
    return pd.DataFrame(rows, columns=["size", "mode", "format"])


def file_findings(files: pd.DataFrame, labels: np.ndarray) -> list[Finding]:
    """Return whether the size, mode or format of a file tells its class."""
    n_classes = int(labels.max(initial=-1)) + 1
    rows = sampled(len(labels), 3)
    columns, rows = profiles(files), rows[labels[rows] >= 0]
    scores = {one.name: alone(one, labels, rows, n_classes) for one in columns}
    return [
        dataclasses.replace(one, severity=LOOK, remedy="store all images alike", columns=())
        for one in (leaks(columns, scores, n_classes) if len(rows) >= 10 * n_classes else ())
    ]
