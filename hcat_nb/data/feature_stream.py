"""Features that stay where they are, in host memory or a mapped file, and come in batches.

A tensor on the device is indexed; this is for what does not fit there.  Rows
of an order that is known beforehand are gathered ahead by threads (gathering
releases the interpreter's lock, and a thread that waits for a disk waits
alone), into pinned memory where they go on to another device, so that the
copy need not be waited for.  Small batches are gathered several at a time: to
hand over a batch costs more than to gather a few rows.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor

import numpy as np
import torch
from torch import Tensor

_THREADS = 2
_GATHERED = 2**20  # bytes that are gathered at a time, if a batch is not larger
_AHEAD = 4  # gathered before they are asked for, but not more than so many bytes
_AHEAD_BYTES = 2**28


class FeatureStream:
    """Rows of features as tensors on a device, the features themselves elsewhere.

    Stands in for a tensor of features where rows are taken from it.

    ``features`` (n, ...) contiguous, on the CPU: in memory, or over a mapped file; ``device``:
    where batches are wanted.

    >>> stream = FeatureStream(torch.arange(6.0).reshape(3, 2), torch.device("cpu"))
    >>> stream[torch.tensor([2, 0])]
    tensor([[4., 5.],
            [0., 1.]])
    """

    def __init__(self, features: Tensor, device: torch.device) -> None:
        self._array = features.numpy()
        self.device = device
        self.shape = features.shape
        self.dtype = features.dtype
        self._row_bytes = math.prod(features.shape[1:]) * features.element_size()

    def __len__(self) -> int:
        return len(self._array)

    def __getitem__(self, rows: Tensor) -> Tensor:
        """Return the features at ``rows`` (b,), int64: (b, ...) on the device."""
        return self._sent(self._gathered(rows.cpu().numpy(), self._room(len(rows))))

    def numel(self) -> int:
        """Return the number of values."""
        return math.prod(self.shape)

    def batches(self, parts: Sequence[Tensor]) -> Iterator[Tensor]:
        """Yield the features of each part, in order, gathered ahead: (b, ...) on the device."""
        if not parts:
            return
        order = torch.cat(list(parts)).cpu().numpy()
        waiting: deque[tuple[list[int], Future[Tensor]]] = deque()
        pool = ThreadPoolExecutor(_THREADS, thread_name_prefix="hcat-features")
        try:
            start, bytes_ahead = 0, 0
            for sizes in self._groups([len(part) for part in parts]):
                rows = order[start : start + sum(sizes)]
                start += len(rows)
                bytes_ahead += len(rows) * self._row_bytes
                # Here, not in the thread: memory that threads ask for stays with each of them.
                room = self._room(len(rows))
                waiting.append((sizes, pool.submit(self._gathered, rows, room)))
                while len(waiting) > _AHEAD or (len(waiting) > 1 and bytes_ahead > _AHEAD_BYTES):
                    sizes, gathered = waiting.popleft()
                    bytes_ahead -= sum(sizes) * self._row_bytes
                    yield from self._sent(gathered.result()).split(sizes)
            while waiting:
                sizes, gathered = waiting.popleft()
                yield from self._sent(gathered.result()).split(sizes)
        finally:  # also when nobody wants the rest: a stopped epoch
            pool.shutdown(cancel_futures=True)

    def _groups(self, sizes: Sequence[int]) -> Iterator[list[int]]:
        group: list[int] = []
        for size in sizes:
            if group and (sum(group) + size) * self._row_bytes > _GATHERED:
                yield group
                group = []
            group.append(size)
        yield group

    def _room(self, n: int) -> Tensor:
        shape = (n, *self.shape[1:])
        return torch.empty(shape, dtype=self.dtype, pin_memory=self.device.type == "cuda")

    def _gathered(self, rows: np.ndarray, out: Tensor) -> Tensor:
        # mode: "raise" would gather into a buffer first; positions are the dataset's own
        np.take(self._array, rows, axis=0, out=out.numpy(), mode="clip")
        return out

    def _sent(self, gathered: Tensor) -> Tensor:
        return gathered.to(self.device, non_blocking=True)


Features = Tensor | FeatureStream


def streamed(features: Features, parts: Sequence[Tensor]) -> Iterator[Tensor]:
    """Return the features of each part in turn, ``features[part]``.

    >>> parts = torch.arange(3).split(2)
    >>> [len(batch) for batch in streamed(torch.zeros(3, 5), parts)]
    [2, 1]
    """
    if isinstance(features, Tensor):
        return (features[part] for part in parts)
    return features.batches(parts)
