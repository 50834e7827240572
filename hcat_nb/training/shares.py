"""Which samples each rank observes, and how what it remembers of them comes together.

Each rank observes its own samples and remembers them alone; the state of all,
row by row from whoever owns the row, comes together on rank 0.  No sum over
ranks enters a row, so that the whole is what a single process would hold.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from torch import Tensor

from hcat_nb.errors import SpecError
from hcat_nb.observation.buffered import Buffered
from hcat_nb.observation.dynamics import MapDynamics, MapSnapshot
from hcat_nb.training.ranks import Ranks

_COORDINATES = ("confidence", "variability", "aleatoric", "correctness", "mean_loss")


@dataclass(eq=False)
class Replicated:
    """Sharing of a training whose samples every rank observes; trained logits are exchanged."""

    ranks: Ranks

    def exchange(self, staged: Tensor, presented: Tensor) -> None:
        """Fill in what the others staged, (n, C), and which samples were presented to them.

        Of a sample that several ranks trained (samplers pad their shares) the first one's counts.
        """
        first = self.ranks.first(presented)
        staged[first != self.ranks.rank] = 0  # exact: all others add zeros
        self.ranks.all_reduce(staged)
        presented.copy_(first < self.ranks.size)

    def owned(self, rows: Tensor) -> Tensor:
        """Return all of them."""
        return rows

    def places(self, rows: Tensor) -> Tensor:
        """Return them as they are."""
        return rows

    def sweep_ended(self) -> None:
        """Bring nothing together: all ranks saw the same."""

    def look(self, dynamics: MapDynamics, epoch: int) -> tuple[float, MapSnapshot]:
        """Return accuracy and coordinates."""
        return dynamics.accuracy(), dynamics.snapshot(epoch)


@dataclass(eq=False)
class Shares(Replicated):
    """Sharing in which each rank observes, and remembers, samples of its own.

    ``portions`` are the positions that each rank observes, ascending. The accumulators are those
    of this rank, for all ``n`` samples still; they are narrowed here.
    """

    portions: Sequence[Tensor]
    n: int
    accumulators: Mapping[str, Buffered]
    _before: dict[str, dict[str, Any]] = field(default_factory=dict, init=False)
    _first: dict[tuple[str, str], Tensor] = field(default_factory=dict, init=False)
    _gathered: bool = field(default=False, init=False)
    _summed: dict[tuple[str, str], Tensor] = field(default_factory=dict, init=False)

    def __post_init__(self) -> None:
        self._numbers = torch.full((self.n,), -1, device=self.mine.device)
        self._numbers[self.mine] = torch.arange(len(self.mine), device=self.mine.device)
        for who, one in self.accumulators.items():
            for name, value in one.state().items():
                if name in one.across:
                    continue
                if value.dim() == 0 or len(value) != self.n:
                    raise SpecError(
                        f"{who}.{name} is {tuple(value.shape)}, so processes cannot share it",
                        f"a row for each of {self.n} samples, or a name in {who}.across",
                        f"leave out {who}, or run in one process",
                    )
                self._first[who, name] = value[:1].clone()
            self._before[who] = {
                key: value for key, value in vars(one).items() if key not in one.buffers
            }
            one.narrow(self.mine)

    @property
    def mine(self) -> Tensor:
        """Positions that this rank observes, (m,), int64."""
        return self.portions[self.ranks.rank]

    def owned(self, rows: Tensor) -> Tensor:
        """Return those of ``rows`` that this rank remembers."""
        return rows[self._numbers[rows] >= 0]

    def places(self, rows: Tensor) -> Tensor:
        """Return where this rank's memory has the samples at ``rows``."""
        return self._numbers[rows]

    def sweep_ended(self) -> None:
        """Add up the sums, so that every rank has those over all samples."""
        for key, one, value in self._sums():
            base = self._summed.get(key)
            more = value.clone() if base is None else value - base
            if more.numel() == 0:
                continue
            self.ranks.all_reduce(more)
            total = more if base is None else base + more
            self._summed[key] = total.clone()
            setattr(one, key[1], total)

    def look(self, dynamics: MapDynamics, epoch: int) -> tuple[float, MapSnapshot]:
        """Return the accuracy over all samples, and the coordinates of all on rank 0.

        On other ranks the coordinates are those of their own samples.
        """
        right, known = self.ranks.total(*dynamics.right())
        accuracy = right / known if known else float("nan")
        own = dynamics.snapshot(epoch)
        columns = torch.from_numpy(np.stack([getattr(own, name) for name in _COORDINATES], axis=1))
        whole = self._whole(columns, torch.full((1, len(_COORDINATES)), torch.nan))
        if whole is None:
            return accuracy, own
        values = {name: whole[:, i].contiguous().numpy() for i, name in enumerate(_COORDINATES)}
        return accuracy, MapSnapshot(epoch=epoch, **values)

    def states(self) -> dict[str, dict[str, Tensor]]:
        """Return on rank 0 the state of each accumulator over all samples; empty elsewhere.

        Called by all ranks at the same time.
        """
        whole: dict[str, dict[str, Tensor]] = {}
        for who, one in self.accumulators.items():
            for name, value in one.state().items():
                rule = one.across.get(name)
                if rule == "sum":  # equal on all ranks since the sweep ended
                    made: Tensor | None = value
                elif rule == "any":
                    made = self.ranks.either(value)
                else:
                    made = self._whole(value, self._first[who, name])
                if self.ranks.leads:
                    assert made is not None
                    whole.setdefault(who, {})[name] = made
        return whole

    def take(self, states: Mapping[str, Mapping[str, Tensor]]) -> None:
        """Go on from states over all samples, of which each rank remembers its own."""
        for who, one in self.accumulators.items():
            mine = self.mine.cpu()
            one.load_state(
                {
                    name: value if name in one.across else value.cpu()[mine]
                    for name, value in states[who].items()
                }
            )
        for key, _, value in self._sums():
            if value.numel():
                self._summed[key] = value.clone()

    def gather(self) -> None:
        """Give rank 0's accumulators the state over all samples; the others stay as they are.

        Once only.  Called by all ranks at the same time, after the last observation.
        """
        if self._gathered:
            return
        self._gathered = True
        states = self.states()
        if not self.ranks.leads:
            return
        for who, one in self.accumulators.items():
            vars(one).update(self._before[who])
            for name, value in states[who].items():
                setattr(one, name, value)

    def _sums(self) -> list[tuple[tuple[str, str], Buffered, Tensor]]:
        return [
            ((who, name), one, value)
            for who, one in self.accumulators.items()
            for name, value in one.state().items()
            if one.across.get(name) == "sum"
        ]

    def _whole(self, mine: Tensor, first: Tensor) -> Tensor | None:
        """Return on rank 0 the rows of all; ``first`` stands where nobody observes a sample."""
        parts = self.ranks.to_leader(mine, [len(one) for one in self.portions])
        if parts is None:
            return None
        shape = (self.n, *mine.shape[1:])
        if first.shape[1:] == mine.shape[1:]:
            whole = first.to(mine.device).expand(shape).clone()
        else:  # the first record told the length of an axis; nothing is known of the others
            whole = mine.new_full(shape, torch.nan)
        for rows, part in zip(self.portions, parts, strict=True):
            whole[rows.to(mine.device)] = part.to(mine.device)
        return whole
