"""Random numbers of every sample without their memory: made again, block by block, when read."""

from __future__ import annotations

import torch
from torch import Tensor

__all__ = ["BlockedDraws"]

# Rows of a block.  A state of the generator is 5 kB: a third of a byte a sample.
_BLOCK = 2**14


class BlockedDraws:
    """A row of uniform numbers for each sample: those of ``torch.rand(n, width)``.

    One block of rows is held, and the generator's state at the start of each
    block that was reached; rows in ascending order cost one drawing of each.

    Parameters
    ----------
    n : int
        Samples.
    width : int
        Numbers of a sample.
    generator : Generator
        Of the CPU; nobody else draws from it.
    """

    def __init__(self, n: int, width: int, generator: torch.Generator) -> None:
        self._n, self._width, self._generator = n, width, generator
        self._starts = [generator.get_state()]
        self._held: int | None = None
        self._numbers = torch.empty(0, width)

    def of(self, rows: Tensor) -> Tensor:
        """Return the numbers of these samples, (b, width), in [0, 1), on the device of ``rows``."""
        here = rows.cpu()
        numbers = torch.empty(len(here), self._width)
        blocks = here // _BLOCK
        for block in blocks.unique().tolist():
            of_block = blocks == block
            numbers[of_block] = self.block(block)[here[of_block] - block * _BLOCK]
        return numbers.to(rows.device)

    def block(self, number: int) -> Tensor:
        """Return the numbers of a block of samples, held until another one is asked for."""
        if number != self._held:
            while len(self._starts) <= number:
                self._draw(len(self._starts) - 1)
                self._starts.append(self._generator.get_state())
            self._numbers = self._draw(number)
            self._held = number
        return self._numbers

    def _draw(self, number: int) -> Tensor:
        self._generator.set_state(self._starts[number])
        rows = min(_BLOCK, self._n - number * _BLOCK)
        return torch.rand(rows, self._width, generator=self._generator)
