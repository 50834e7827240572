"""Tensors that have a shape and no memory, in place of those that are allocated."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode

_FACTORIES = {
    *(torch.zeros, torch.ones, torch.full, torch.empty),
    *(torch.zeros_like, torch.ones_like, torch.full_like, torch.empty_like),
    *(Tensor.new_zeros, Tensor.new_ones, Tensor.new_full, Tensor.new_empty),
}


class ShapesOnly(TorchFunctionMode):
    """While entered, what allocates makes tensors on the meta device, wherever it was told to.

    All else goes on with real numbers: an accumulator may look at the labels to decide what it
    needs.

    >>> with ShapesOnly():
    ...     made = torch.zeros(10**7, 2000, device="cpu")
    >>> made.nbytes, made.device.type
    (80000000000, 'meta')
    """

    def __torch_function__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Any = None
    ) -> Any:
        """Call ``func``, on the meta device if it allocates."""
        kwargs = kwargs or {}
        if func in _FACTORIES:
            kwargs = {**kwargs, "device": "meta"}
        return func(*args, **kwargs)
