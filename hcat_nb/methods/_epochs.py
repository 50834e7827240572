"""Methods that read every epoch: who was measured when, and means over epochs.

A mean is a running sum in float64 divided by the number of epochs in which
the sample was measured, so that a sample which a sampler skipped is scored
from what exists.  Memory: 2 + 8 bytes a sample and column.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from types import MappingProxyType
from typing import ClassVar, Literal, get_args

import torch
from torch import Tensor

from hcat_nb.methods.base import Context, Method
from hcat_nb.observation.record import Observation

Epochs = Literal["all", "second_half"]
EPOCHS: tuple[Epochs, ...] = get_args(Epochs)


def count_dtype(n_epochs: int) -> torch.dtype:
    """Return the narrowest type that counts up to ``n_epochs``, and beyond -1.

    >>> count_dtype(10), count_dtype(32_768)
    (torch.int16, torch.int32)
    """
    return torch.int16 if n_epochs <= torch.iinfo(torch.int16).max else torch.int32


class PerEpoch(Method):
    """A method that knows in which epochs it was shown each sample.

    A sample that missed some of them carries the status ``2_of_3_epochs``;
    one that missed all has no score and carries ``0_of_3_epochs``.
    """

    buffers: tuple[str, ...] = ("count", "heard", "broken")
    across = MappingProxyType({"heard": "any", "broken": "any"})

    def allocate(self, context: Context) -> None:
        """Set the books to empty; a subclass adds its own accumulators."""
        kind = count_dtype(context.n_epochs)
        self.count = torch.zeros(context.n, dtype=kind, device=context.device)
        self.heard = torch.zeros(context.n_epochs, dtype=torch.bool, device=context.device)
        self.broken = torch.zeros_like(self.heard)

    def attend(self, record: Observation, values: Tensor) -> None:
        """Enter in the books that the rows of ``record`` gave these values."""
        self.count[record.rows] += 1
        self.heard[record.epoch - 1] = True
        self.broken[record.epoch - 1] |= ~torch.isfinite(values).all()

    @property
    def n_heard(self) -> int:
        """Number of epochs that were measured so far."""
        return int(self.heard.sum())

    def missing(self) -> Mapping[str, Tensor]:
        """Return the rows that were never measured."""
        return {f"0_of_{self.n_heard}_epochs": self.count == 0}

    def notes(self) -> Mapping[str, Tensor]:
        """Return the rows that were measured in some epochs only."""
        heard = self.n_heard
        partial = self.count[(self.count > 0) & (self.count < heard)].unique()
        return {f"{k}_of_{heard}_epochs": self.count == k for k in partial.tolist()}

    def broken_since(self) -> int | None:
        """Return the first epoch that gave a value which is not finite."""
        epochs = torch.nonzero(self.broken).ravel().tolist()
        return epochs[0] + 1 if epochs else None


class MeanOverEpochs(PerEpoch):
    """A method whose score derives from means over epochs of some values a sample.

    Of E epochs that are planned all count, or in the ``"second_half"`` those above E / 2 (6 to
    10 of 10, 3 to 5 of 5).
    """

    buffers = (*PerEpoch.buffers, "sums")
    columns: ClassVar[int] = 1
    epochs: Epochs = "all"

    def __post_init__(self) -> None:
        super().__post_init__()
        self._one_of("epochs", EPOCHS)

    def allocate(self, context: Context) -> None:
        """Set the sums to zero."""
        super().allocate(context)
        self.sums = torch.zeros(context.n, self.columns, dtype=torch.float64, device=context.device)

    def counts(self, epoch: int) -> bool:
        """Whether the values of this epoch are averaged."""
        return self.epochs == "all" or 2 * epoch > self.context.n_epochs

    def due(self, epoch: int) -> bool:
        """Whether this epoch counts."""
        return self.counts(epoch)

    @abstractmethod
    def values(self, record: Observation) -> Tensor:
        """Return what is averaged, of shape (b,) or (b, columns)."""

    def observe(self, record: Observation) -> None:
        """Add the values of this epoch, if it counts."""
        if not self.counts(record.epoch):  # training logits come from every epoch
            return
        values = self.values(record)
        self.sums[record.rows] += values.double().reshape(len(record.rows), self.columns)
        self.attend(record, values)

    def means(self) -> Tensor:
        """Return the means so far, (n, columns), float64; NaN where nothing was measured."""
        return self.sums / self.count[:, None]

    def raw(self) -> Tensor:
        """Return the mean of the first column, (n,)."""
        return self.means()[:, 0]
