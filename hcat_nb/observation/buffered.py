"""An accumulator whose whole memory is a few named tensors.

A run can go on from them, and several processes can share the samples.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Literal, Protocol

import torch
from torch import Tensor

from hcat_nb.errors import SpecError

Across = Literal["any", "sum"]


class Buffered:
    """Keeps its state in the attributes that ``buffers`` names.

    ``buffers``: attributes that make up the state, all tensors. An axis whose length only the first
    record tells is allocated with length 0; ``across`` {"any", "sum"}: the buffers that have no row
    for each sample, and how those of several processes, each of which saw other samples, become
    one: flags that are set where any is, or sums. All other buffers have the samples on their first
    axis, and start with the same value in each row.
    """

    buffers: tuple[str, ...]
    across: Mapping[str, Across] = MappingProxyType({})

    def state(self) -> dict[str, Tensor]:
        """Return the accumulators by name; the object's own tensors, not copies."""
        return {name: getattr(self, name) for name in self.buffers}

    def release(self) -> None:
        """Forget everything: what was made of the state is all that is wanted."""
        for name in self.buffers:
            delattr(self, name)

    def narrow(self, rows: Tensor) -> None:
        """Keep the samples at ``rows`` only; they are numbered anew, in that order."""
        for name in self.buffers:
            if name not in self.across:
                setattr(self, name, getattr(self, name)[rows])

    def later_bytes(self, sample_shape: tuple[int, ...]) -> int:
        """Return the bytes of what only the first record will allocate; none, or little, here."""
        return 0

    def load_state(self, state: Mapping[str, Tensor]) -> None:
        """Take over accumulators that :meth:`state` gave; what allocates them comes first."""
        own = self.state()
        who = getattr(self, "name", type(self).__name__)
        if set(own) != set(state):
            raise SpecError(f"the state of {who} has {sorted(state)}", str(sorted(own)))
        for name, value in state.items():
            mine = own[name]
            value = _counting_in(mine.dtype, value)
            if mine.dtype != value.dtype or not _fits(mine.shape, value.shape):
                raise SpecError(
                    f"{who}.{name} is {tuple(value.shape)} {value.dtype}",
                    f"{tuple(mine.shape)} {mine.dtype}",
                )
            setattr(self, name, value.to(mine.device).clone())


def _counting_in(dtype: torch.dtype, value: Tensor) -> Tensor:
    """Return integers in another width, if they fit: states of earlier versions are wider."""
    integers = not (value.is_floating_point() or dtype.is_floating_point)
    if value.dtype == dtype or not integers or torch.bool in (value.dtype, dtype):
        return value
    narrow = value.to(dtype)
    return narrow if torch.equal(narrow.to(value.dtype), value) else value


class Sharing(Protocol):
    """How observers of several processes share the samples; see ``training/shares.py``."""

    def exchange(self, staged: Tensor, presented: Tensor) -> None:
        """Fill in what the others staged, (n, C), and which samples were presented to them."""

    def owned(self, rows: Tensor) -> Tensor:
        """Return those of ``rows`` that the subscribers of this process remember."""

    def places(self, rows: Tensor) -> Tensor:
        """Return the numbers of samples in the memory of these subscribers."""

    def sweep_ended(self) -> None:
        """Bring together what is known of no single sample."""


def _fits(own: torch.Size, given: torch.Size) -> bool:
    """Whether a state's shape is the buffer's, but for axes that have no length yet."""
    return len(own) == len(given) and all(
        mine in (0, its) for mine, its in zip(own, given, strict=True)
    )
