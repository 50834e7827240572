"""One state of the live view as binary columns.

A frame is a JSON header and one buffer a column: coordinates are uint16,
codes uint8 or uint16, counts uint32, other numbers float32, names UTF-8.
``live_map.js`` reads them; only the copy on the wire is rounded, to 1/131070
of the range.  A large frame travels as several messages.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

MESSAGE_BYTES = 8_000_000  # a host may refuse ten million
_SEPARATOR = "\0"
_DTYPES = {"uint8": "u1", "uint16": "<u2", "uint32": "<u4", "float32": "<f4"}


@dataclass(frozen=True, eq=False)
class Column:
    """A column as it travels: how to read it, and its bytes."""

    header: dict[str, Any]
    data: bytes
    length: int


@dataclass(frozen=True, eq=False)
class Frame:
    """A message to the live view, in plain JSON, and a buffer a column, in the order of datasets.

    A view keeps the datasets and signals that a frame does not name.
    """

    content: dict[str, Any]
    buffers: list[bytes]

    @property
    def size(self) -> int:
        """Bytes of all buffers."""
        return sum(map(len, self.buffers))

    def updated(self, newer: Frame) -> Frame:
        """Return what a view shows that got this frame and then ``newer``."""
        parts = {**_by_dataset(self), **_by_dataset(newer)}
        content = {
            **self.content,
            **newer.content,
            "signals": {**self.content["signals"], **newer.content["signals"]},
            "datasets": [described for described, _ in parts.values()],
        }
        return Frame(content, [one for _, buffers in parts.values() for one in buffers])


def _by_dataset(frame: Frame) -> dict[str, tuple[dict[str, Any], list[bytes]]]:
    left = iter(frame.buffers)
    return {
        described["name"]: (described, [next(left) for _ in described["columns"]])
        for described in frame.content["datasets"]
    }


def numbers(values: np.ndarray, high: float, low: float = 0.0) -> Column:
    """Encode numbers in [``low``, ``high``] as uint16; what lies outside is clipped."""
    steps = np.round(np.clip((values - low) / (high - low), 0, 1) * 65535).astype("<u2")
    header = {"dtype": "uint16", "scale": (high - low) / 65535}
    if low:
        header["offset"] = low
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


def floats(values: np.ndarray) -> Column:
    """Encode numbers as float32; NaN arrives as a missing value."""
    return Column({"dtype": "float32"}, np.asarray(values).astype("<f4").tobytes(), len(values))


def names(values: Sequence[object]) -> Column:
    """Encode texts."""
    text = _SEPARATOR.join(str(value).replace(_SEPARATOR, "") for value in values)
    return Column({"dtype": "text"}, text.encode(), len(values))


def encode(
    epoch: int, signals: Mapping[str, Any], datasets: Mapping[str, Mapping[str, Column]]
) -> Frame:
    """Put columns, of one length in each dataset, into one frame; signals are chart parameters."""
    described, buffers = [], []
    for name, columns in datasets.items():
        lengths = {column.length for column in columns.values()}
        if len(lengths) != 1:
            raise ValueError(f"the columns of {name!r} have the lengths {sorted(lengths)}")
        headers = [{"name": key, **column.header} for key, column in columns.items()]
        described.append({"name": name, "n": lengths.pop(), "columns": headers})
        buffers += [column.data for column in columns.values()]
    content = {"type": "frame", "epoch": epoch, "signals": dict(signals), "datasets": described}
    return Frame(content, buffers)


def rows(frame: Frame) -> dict[str, list[dict[str, Any]]]:
    """Read a frame as ``live_map.js`` does: rows by dataset.

    >>> rows(encode(1, {}, {"points": {"x": small(np.array([3])), "id": names(["s1"])}}))
    {'points': [{'x': 3, 'id': 's1'}]}
    """
    tables = {}
    for name, (described, buffers) in _by_dataset(frame).items():
        columns = {
            header["name"]: _values(header, data, described["n"])
            for header, data in zip(described["columns"], buffers, strict=True)
        }
        tables[name] = [
            dict(zip(columns, values, strict=True))
            for values in zip(*columns.values(), strict=True)
        ]
    return tables


def _values(header: Mapping[str, Any], data: bytes, n: int) -> list[Any]:
    if header["dtype"] == "text":
        return data.decode().split(_SEPARATOR) if n else []
    values = np.frombuffer(data, _DTYPES[header["dtype"]])
    if "levels" in header:
        return [header["levels"][code] for code in values.tolist()]
    if "scale" in header:
        return list((values * header["scale"] + header.get("offset", 0.0)).tolist())
    return [None if value != value else value for value in values.tolist()]  # NaN is not itself


def messages(
    frame: Frame, seq: int, limit: int = MESSAGE_BYTES
) -> Iterator[tuple[dict[str, Any], list[bytes]]]:
    """Cut a frame into messages of at most ``limit`` bytes of buffers.

    One message, the frame itself, where it fits.  Else parts come first, each
    with ``pieces``, a (buffer, bytes of that buffer, offset) for each of its
    buffers; and the frame last, without buffers.
    """
    content = {**frame.content, "seq": seq}
    if frame.size <= limit:
        yield content, frame.buffers
        return
    parts = list(_packed(frame.buffers, limit))
    for number, part in enumerate(parts, start=1):
        pieces = [(buffer, len(frame.buffers[buffer]), offset) for buffer, offset, _ in part]
        head = {"type": "part", "seq": seq, "part": number, "parts": len(parts), "pieces": pieces}
        yield head, [data for *_, data in part]
    yield {**content, "parts": len(parts)}, []


def _packed(buffers: Sequence[bytes], limit: int) -> Iterator[list[tuple[int, int, bytes]]]:
    part: list[tuple[int, int, bytes]] = []
    room = limit
    for number, data in enumerate(buffers):
        offset = 0
        # An empty buffer is a piece too: the page learns its length from it.
        while offset < len(data) or not len(data):
            piece = data[offset : offset + room]
            part.append((number, offset, piece))
            room -= len(piece)
            offset += len(piece)
            if room == 0:
                yield part
                part, room = [], limit
            if not len(data):
                break
    if part:
        yield part
