"""What was read of a dataset: its classes, its columns, and a few samples."""

from __future__ import annotations

import html
from typing import TYPE_CHECKING

import numpy as np

from hcat_nb.checks.raw import feature_frame

if TYPE_CHECKING:
    import pandas as pd

    from hcat_nb.data.dataset import LabelledDataset

_IMAGES, _ROWS, _COLUMNS, _CLASSES = 6, 4, 12, 12
_PIXELS = 72  # a side


def seen(dataset: LabelledDataset) -> str:
    """Return it as HTML, in which whatever comes from the data is text."""
    few = min(_IMAGES if dataset.modality == "image" else _ROWS, len(dataset))
    rows = np.linspace(0, len(dataset) - 1, few).astype(int)
    labels = [str(value) for value in dataset.label_values()]
    counts = np.bincount(dataset.labels[dataset.labels >= 0], minlength=dataset.n_classes)
    classes = [f"{value} ({counts[code]:,})" for code, value in enumerate(dataset.class_values)]
    more = f", and {len(classes) - _CLASSES} more" if len(classes) > _CLASSES else ""
    lines = [
        f"{len(dataset):,} samples looked at",
        f"classes: {', '.join(classes[:_CLASSES])}{more}",
    ]
    if missing := int((dataset.labels < 0).sum()):
        lines.append(f"{missing:,} without a label")
    if dataset.modality == "image":
        lines.append(f"images of {' x '.join(map(str, dataset.sample_shape))}")
        return _lines(lines) + _pictures(dataset, rows, labels)
    frame = feature_frame(dataset)
    told = [_column(frame[name]) for name in frame.columns[:_COLUMNS]]
    lines.append(f"{frame.shape[1]:,} columns: {', '.join(told)}")
    shown = frame.iloc[rows, :_COLUMNS].copy()
    shown.insert(0, "label", [labels[row] for row in rows], allow_duplicates=True)
    # A sample is a column: a narrow cell has room for a few of those, and below it for the rest.
    table = shown.T.to_html(border=0, justify="right", float_format="{:.4g}".format)
    return _lines(lines) + f'<div style="overflow-x:auto">{table}</div>'


def _column(column: pd.Series) -> str:
    kind = "number" if column.dtype.kind in "fiub" else "words"
    missing = int(column.isna().sum())
    return f"{column.name} ({kind}{f', {missing:,} missing' if missing else ''})"


def _lines(lines: list[str]) -> str:
    return "".join(f'<div style="line-height:1.5">{html.escape(one)}</div>' for one in lines)


def _pictures(dataset: LabelledDataset, rows: np.ndarray, labels: list[str]) -> str:
    from hcat_nb.runs.review.pictures import figure, side_by_side, sprite

    figures = []
    for row in rows:
        image, label = sprite(dataset, np.array([row]), largest=_PIXELS).png, labels[row]
        words = html.escape(label)
        figures.append(figure({f"a sample of class {words}": image}, words, _PIXELS))
    return side_by_side(figures)
