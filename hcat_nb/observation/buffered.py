"""An accumulator whose whole memory is a few named tensors, so that a run can go on from them."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from hcat_nb.errors import SpecError

__all__ = ["Buffered"]


class Buffered:
    """Keeps its state in the attributes that ``buffers`` names.

    Attributes
    ----------
    buffers : tuple of str
        Attributes that make up the state, all tensors.  An axis whose length
        only the first record tells is allocated with length 0.
    """

    buffers: tuple[str, ...]

    def state(self) -> dict[str, Tensor]:
        """Return the accumulators by name; the object's own tensors, not copies."""
        return {name: getattr(self, name) for name in self.buffers}

    def release(self) -> None:
        """Forget everything: what was made of the state is all that is wanted."""
        for name in self.buffers:
            delattr(self, name)

    def later_bytes(self, sample_shape: tuple[int, ...]) -> int:
        """Return the bytes of what only the first record will allocate; none, or little, here."""
        return 0

    def load_state(self, state: Mapping[str, Tensor]) -> None:
        """Take over accumulators that :meth:`state` gave; what allocates them comes first.

        Raises
        ------
        SpecError
            If names, shapes or dtypes differ.
        """
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


def _fits(own: torch.Size, given: torch.Size) -> bool:
    """Whether a state's shape is the buffer's, but for axes that have no length yet."""
    return len(own) == len(given) and all(
        mine in (0, its) for mine, its in zip(own, given, strict=True)
    )
