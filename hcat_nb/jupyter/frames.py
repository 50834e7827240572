"""One state of the live map as binary columns.

A frame is a JSON header and one buffer a column: coordinates are uint16,
codes uint8 or uint16, counts uint32, names UTF-8.  ``live_map.js`` reads
them; only the copy on the wire is rounded, to 1/131070 of the range.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

__all__ = ["Frame", "codes", "counts", "encode", "names", "numbers", "small"]

_SEPARATOR = "\0"


@dataclass(frozen=True, eq=False)
class Column:
    """A column as it travels: how to read it, and its bytes."""

    header: dict[str, Any]
    data: bytes
    length: int


@dataclass(frozen=True, eq=False)
class Frame:
    """A message to the live map.

    Parameters
    ----------
    content : dict
        ``type, epoch, heading, datasets``; plain JSON.
    buffers : list of bytes
        One a column, in the order of ``datasets``.
    """

    content: dict[str, Any]
    buffers: list[bytes]

    @property
    def size(self) -> int:
        """Bytes of all buffers."""
        return sum(map(len, self.buffers))


def numbers(values: np.ndarray, high: float) -> Column:
    """Encode numbers in [0, ``high``] as uint16; what lies outside is clipped."""
    steps = np.round(np.clip(values / high, 0, 1) * 65535).astype("<u2")
    header = {"dtype": "uint16", "scale": high / 65535}
    return Column(header, steps.tobytes(), len(steps))


def codes(values: np.ndarray, levels: Sequence[str]) -> Column:
    """Encode codes into ``levels``."""
    wide = len(levels) > 256
    data = np.asarray(values).astype("<u2" if wide else "u1")
    header = {"dtype": "uint16" if wide else "uint8", "levels": list(levels)}
    return Column(header, data.tobytes(), len(data))


def counts(values: np.ndarray) -> Column:
    """Encode whole numbers in [0, 2**32)."""
    data = np.asarray(values).astype("<u4")
    return Column({"dtype": "uint32"}, data.tobytes(), len(data))


def small(values: np.ndarray) -> Column:
    """Encode whole numbers in [0, 256)."""
    return Column({"dtype": "uint8"}, np.asarray(values).astype("u1").tobytes(), len(values))


def names(values: Sequence[object]) -> Column:
    """Encode texts."""
    text = _SEPARATOR.join(str(value).replace(_SEPARATOR, "") for value in values)
    return Column({"dtype": "text"}, text.encode(), len(values))


def encode(epoch: int, heading: str, datasets: Mapping[str, Mapping[str, Column]]) -> Frame:
    """Put columns into one message.

    Parameters
    ----------
    epoch : int
    heading : str
        Title of the map.
    datasets : mapping of name to mapping of column name to Column
        All columns of a dataset have one length.
    """
    described, buffers = [], []
    for name, columns in datasets.items():
        lengths = {column.length for column in columns.values()}
        if len(lengths) != 1:
            raise ValueError(f"the columns of {name!r} have the lengths {sorted(lengths)}")
        headers = [{"name": key, **column.header} for key, column in columns.items()]
        described.append({"name": name, "n": lengths.pop(), "columns": headers})
        buffers += [column.data for column in columns.values()]
    content = {"type": "frame", "epoch": epoch, "heading": heading, "datasets": described}
    return Frame(content, buffers)
