"""For which samples a model gave numbers, and for which none.

One sample may bring a model to NaN or infinity although all others are fine.
It has no score then; the others keep theirs.  Memory: 5 bytes a sample.
"""

from __future__ import annotations

import torch
from torch import Tensor

from hcat_nb.observation.buffered import Buffered
from hcat_nb.observation.record import EachEpoch, Need, Observation


class FiniteOutputs(EachEpoch, Buffered):
    """A subscriber that remembers which samples had no finite output.

    ``n``: samples; ``since`` (n,) int32: the first epoch whose probabilities were NaN; 0 where none
    was; ``partly`` (n,) bool: whether any measurement was not finite: a class that is ruled out by
    a logit of -inf, a gradient that overflows. Most methods can score these.
    """

    needs = frozenset({Need.LOGITS})
    buffers = ("since", "partly")

    def __init__(self, n: int, device: torch.device) -> None:
        self.since = torch.zeros(n, dtype=torch.int32, device=device)
        self.partly = torch.zeros(n, dtype=torch.bool, device=device)

    def observe(self, record: Observation) -> None:
        """Look at an ``epoch`` record, and at all that was measured for others."""
        if record.logits.shape[1] == 0:
            return
        rows = record.rows
        low, high = record.logits.aminmax(dim=1)  # NaN wins in both
        # The largest logit alone decides whether a softmax is finite.
        since = self.since[rows]
        self.since[rows] = since.masked_fill(~high.isfinite() & (since == 0), record.epoch)
        finite = low.isfinite() & high.isfinite()
        for values in record.measured.values():
            finite &= values.reshape(len(values), -1).isfinite().all(dim=1)
        self.partly[rows] |= ~finite

    @property
    def none(self) -> Tensor:
        """Rows whose probabilities were NaN in some epoch, (n,), bool."""
        return self.since > 0

    def note(self) -> str:
        """Return what there is to say of rows without an output; empty if there are none."""
        since = self.since[self.none]
        if not len(since):
            return ""
        return (
            f"{len(since):,} of {len(self.since):,} samples have no score: what the model made "
            f"of them was NaN or infinite, from epoch {int(since.min())} on"
        )
