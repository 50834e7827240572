"""Samples that are no rows of one tensor, as rows that hold their numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from hcat_nb.errors import DataError

if TYPE_CHECKING:
    from hcat_nb.data.dataset import LabelledDataset
    from hcat_nb.spec import RunSpec

_MOST = 2**24  # whole numbers that float32 tells apart


def numbered(
    data: Any, labels: Any, spec: RunSpec, name: str | None, classes: Sequence[Any] | None
) -> LabelledDataset:
    """Return a dataset whose one feature is each sample's number in ``data``.

    Parameters
    ----------
    data : map-style dataset
    labels : array-like, optional
        Default: the column of labels of Hugging Face's datasets; of each
        sample that is a dict its ``label`` (or ``labels``, ``target``, ...),
        of a tuple the last.
    spec : RunSpec
        How labels are read.
    name, classes
        As in :func:`hcat_nb.load`.

    Raises
    ------
    DataError
        If the samples have no number, or no label.
    """
    import torch

    from hcat_nb.data.loading import load
    from hcat_nb.data.reading.hugging_face import column_values, is_hugging_face
    from hcat_nb.data.reading.torch_data import LABELS

    if not (hasattr(data, "__len__") and hasattr(data, "__getitem__")):
        raise DataError(
            f"the samples of {type(data).__name__} have no number", "__len__ and __getitem__"
        )
    n = len(data)
    if n > _MOST:
        raise DataError(f"{n:,} samples", f"at most {_MOST:,} with collate=")
    if labels is None and is_hugging_face(data):
        known = [spec.target] if spec.target else [key for key in LABELS if key in data.features]
        labels = column_values(data, known[0]) if known else None
    if labels is None:
        labels = [_label(data[number], number, spec.target) for number in range(n)]
    return load(
        torch.arange(n, dtype=torch.float32)[:, None],
        labels,
        name=name or type(data).__name__,
        classes=classes,
        on_missing_label=spec.on_missing_label,
    )


def _label(item: Any, number: int, target: str | None) -> Any:
    """Return the label of a sample."""
    from hcat_nb.data.reading.torch_data import LABELS

    if isinstance(item, Mapping):
        keys = [key for key in ([target] if target else LABELS) if key in item]
        if keys:
            return item[keys[0]]
    elif isinstance(item, (tuple, list)) and len(item) > 1:
        return item[-1]
    raise DataError(f"sample {number} has no label", "labels=, one a sample")
