"""What images show: files that tell the class, corners that do, empty pictures."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from hcat_nb.checks.alone import alone, leaks, sampled
from hcat_nb.checks.finding import LOOK, Finding, some
from hcat_nb.checks.profile import profiles

if TYPE_CHECKING:
    from hcat_nb.data.dataset import LabelledDataset

__all__ = ["file_table", "image_findings"]


def file_table(files: Sequence[str | os.PathLike[str]]) -> pd.DataFrame:
    """Return width, height, mode and format of image files, by their heads; missing if unreadable.

    Parameters
    ----------
    files : sequence of path
    """
    from PIL import Image

    rows: list[tuple[Any, ...]] = []
    for file in files:
        try:
            with Image.open(file) as picture:
                rows.append((*picture.size, picture.mode, picture.format))
        except Exception:  # decoders raise whatever they like; reading the pixels reports it
            rows.append((None, None, None, None))
    return pd.DataFrame(rows, columns=["width", "height", "mode", "format"])


def image_findings(dataset: LabelledDataset, files: pd.DataFrame | None = None) -> list[Finding]:
    """Return what is wrong with images.

    Parameters
    ----------
    dataset : LabelledDataset
        Of images.
    files : pandas.DataFrame, optional
        As :func:`file_table` gives it, a row an image.
    """
    labels = dataset.labels.numpy()
    rows = sampled(len(dataset), 8)
    rows = rows[(labels[rows] >= 0) & dataset.readable.numpy()[rows]]
    looks = _looks(dataset, np.sort(rows))
    findings: list[Finding] = []
    if files is not None:
        findings += _telling(files.iloc[np.sort(rows)], labels[np.sort(rows)], LOOK)
    findings += _telling(looks, labels[np.sort(rows)], None)
    blank = np.sort(rows)[(looks["its spread"] == 0).to_numpy()]
    if len(blank):
        shown = some(repr(dataset.sample_ids[row]) for row in blank)
        text = f"{len(blank):,} images are of one colour throughout: {shown}"
        findings.append(Finding("blank", LOOK, text, "leave them out: they show nothing"))
    return findings


def _looks(dataset: LabelledDataset, rows: np.ndarray) -> pd.DataFrame:
    parts = []
    for some_rows in np.array_split(rows, max(1, len(rows) // 2000)):
        images = dataset.features[some_rows].float().mean(dim=1)
        parts.append(
            pd.DataFrame(
                {
                    "its mean": images.mean(dim=(1, 2)),
                    "its spread": images.flatten(1).std(dim=1, correction=0),
                    "its upper left pixel": images[:, 0, 0],
                    "its upper right pixel": images[:, 0, -1],
                    "its lower left pixel": images[:, -1, 0],
                    "its lower right pixel": images[:, -1, -1],
                }
            )
        )
    return pd.concat(parts, ignore_index=True)


def _telling(table: pd.DataFrame, labels: np.ndarray, severity: str | None) -> list[Finding]:
    present, codes = np.unique(labels, return_inverse=True)
    if len(present) < 2 or len(codes) < 10 * len(present):
        return []
    columns = profiles(table)
    order = sampled(len(codes), 8)
    scores = {one.name: alone(one, codes, order, len(present)) for one in columns}
    remedy = "store all images alike" if severity else "cut or mask what tells it"
    return [
        dataclasses.replace(one, severity=severity or one.severity, remedy=remedy, columns=())
        for one in leaks(columns, scores, len(present))
    ]
