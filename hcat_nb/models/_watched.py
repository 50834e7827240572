"""A model that somebody else trains, as the observer wants it: rows in, logits out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor, nn

from hcat_nb.data.reading.torch_data import LABELS
from hcat_nb.models._adapter import logits_of

Forward = Callable[[nn.Module, Any], Any]


class WatchedModel(nn.Module):
    """A user's module, itself and not a copy, behind what is done to rows before it sees them.

    Parameters
    ----------
    net : Module
        Stays on its device, in its mode and its memory format.
    prepare : callable
        Makes of raw rows, (b, ...), what the module takes.
    forward : callable, optional
        ``forward(net, batch)`` returns logits, or what holds them; default: :func:`call`.
    device : device
        That of the module.
    """

    def __init__(
        self,
        net: nn.Module,
        prepare: Callable[[Tensor], Any],
        forward: Forward | None,
        device: torch.device,
    ) -> None:
        super().__init__()
        self.net = net
        self.prepare = prepare.to(device) if isinstance(prepare, nn.Module) else prepare
        self.returns = ""  # type of what the module returned last
        self._call = forward or call
        self._device = device

    def forward(self, x: Tensor) -> Tensor:
        """Map raw rows (b, ...) to logits (b, n_classes)."""
        made = self._call(self.net, self.prepare(x.to(self._device)))
        self.returns = type(made).__name__
        return logits_of(made)


class Items:
    """Rows by their number: the samples of a map-style dataset, put together by the user's collate.

    Parameters
    ----------
    dataset : object with ``__getitem__`` and ``__len__``
    collate : callable
        Makes a batch of a list of samples.
    """

    def __init__(self, dataset: Any, collate: Callable[[list[Any]], Any]) -> None:
        self.dataset, self.collate = dataset, collate

    def __call__(self, rows: Tensor) -> Any:
        """Return the batch of the samples whose numbers are ``rows``, (b, 1), on their device."""
        numbers = rows.detach().ravel().long().tolist()
        return to(self.collate([self.dataset[number] for number in numbers]), rows.device)


def call(net: nn.Module, batch: Any) -> Any:
    """Call a module with a batch: a dict by its keys but the labels, of a pair the first.

    Examples
    --------
    >>> call(nn.Identity(), (torch.ones(2), torch.zeros(2)))
    tensor([1., 1.])
    """
    if isinstance(batch, Mapping):
        return net(**{key: value for key, value in batch.items() if key not in LABELS})
    return net(batch[0] if isinstance(batch, (tuple, list)) else batch)


def to(batch: Any, device: torch.device) -> Any:
    """Return a batch, whatever holds its tensors, on a device."""
    if hasattr(batch, "to"):
        return batch.to(device)
    if isinstance(batch, Mapping):
        return {key: to(value, device) for key, value in batch.items()}
    if isinstance(batch, (tuple, list)):
        return type(batch)(to(value, device) for value in batch)
    return batch
