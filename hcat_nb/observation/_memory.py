"""How many rows fit into a fixed amount of memory when gradients are wanted.

What autograd saves for the backward pass grows with the batch (53 GB for a
ResNet-50 and 128 rows of per-sample gradients, an issue of functorch's tells),
so a measurement splits the batch it is given.  The size is *measured*: two
small forwards of unlike size are weighed, and what grows between them is the
price of a row.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

# Bytes for one chunk.  Larger chunks are not faster: on a CPU they fall out of
# its caches, on a GPU a few hundred rows fill it.
BUDGET = {"cpu": 256 * 2**20, "cuda": 2**31}

_FACTOR = 2  # the backward pass makes gradients of about the size of what is saved


def bytes_per_row(model: nn.Module, x: Tensor) -> int:
    """Return the bytes that autograd saves for one row, by weighing two forwards."""
    return max(1, _saved(model, x[[0, 0, 0]]) - _saved(model, x[[0, 0]]))


def rows_within(bytes_of_a_row: int, device: torch.device) -> int:
    """Return how many rows of that price the budget of ``device`` pays; at least 1.

    >>> rows_within(2**20, torch.device("cpu"))
    128
    """
    budget = BUDGET.get(device.type, BUDGET["cpu"])
    return max(1, budget // (_FACTOR * max(1, bytes_of_a_row)))


def _saved(model: nn.Module, x: Tensor) -> int:
    total = 0

    def weigh(saved: Tensor) -> None:
        # Nothing is kept, for there is no way back: a layer that saves its own result
        # and got it back from here would hold itself, and the weights, for ever.
        nonlocal total
        total += saved.numel() * saved.element_size()

    with torch.enable_grad(), torch.autograd.graph.saved_tensors_hooks(weigh, lambda none: none):
        model(x)
    return total
