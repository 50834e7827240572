"""A model that somebody else trains, as the observer wants it: rows in, logits out."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from hcat_nb.data.dataset import LabelledDataset
from hcat_nb.data.loading import load
from hcat_nb.data.reading.hugging_face import column_values, is_hugging_face
from hcat_nb.data.reading.torch_data import LABELS
from hcat_nb.errors import DataError
from hcat_nb.models._adapter import AdaptedModel, logits_of
from hcat_nb.spec import RunSpec

Forward = Callable[[nn.Module, Any], Any]
Prepare = Callable[[Tensor], Any]
IDS = "sample_id"  # the keyword of ids in a batch that is a dict, of which no module hears
_MOST = 2**24  # whole numbers that float32 tells apart


class WatchedModel(AdaptedModel):
    """A user's module on its ``device``, itself and not a copy.

    ``prepare`` makes of raw rows, (b, ...), what it takes, and ``forward(net,
    batch)`` returns logits, or what holds them; default: :func:`call`.
    """

    def __init__(
        self, net: nn.Module, prepare: Prepare, forward: Forward | None, device: torch.device
    ) -> None:
        nn.Module.__init__(self)
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


@dataclass(frozen=True, eq=False)
class Items:
    """The samples of a map-style dataset by their numbers, put together by the user's collate."""

    dataset: Any
    collate: Callable[[list[Any]], Any]

    def __call__(self, rows: Tensor) -> Any:
        """Return the batch of the samples whose numbers are ``rows``, (b, 1), on their device."""
        numbers = rows.detach().ravel().long().tolist()
        return to(self.collate([self.dataset[number] for number in numbers]), rows.device)


def numbered(
    data: Any,
    labels: Any,
    collate: Callable[[list[Any]], Any],
    spec: RunSpec,
    name: str | None,
    classes: Sequence[Any] | None,
) -> tuple[Items, LabelledDataset]:
    """Return the samples, and a dataset whose one feature is each sample's number among them.

    Labels are those given, the column of Hugging Face's datasets, or of each
    sample that is a dict its ``label`` (``labels``, ``target``, ...), of a tuple the last.
    """
    n = len(data) if hasattr(data, "__len__") and hasattr(data, "__getitem__") else -1
    if not 0 <= n <= _MOST:
        what = "samples without a number" if n < 0 else f"{n:,} samples"
        raise DataError(what, f"__len__ and __getitem__, and at most {_MOST:,} with collate=")
    keys = [spec.target] if spec.target else LABELS
    if labels is None and is_hugging_face(data):
        labels = next((column_values(data, key) for key in keys if key in data.features), None)
    if labels is None:
        labels = [_label(data[number], number, keys) for number in range(n)]
    rows = torch.arange(n, dtype=torch.float32)[:, None]
    name, policy = name or type(data).__name__, spec.on_missing_label
    made = load(rows, labels, name=name, classes=classes, on_missing_label=policy)
    return Items(data, collate), made


def _label(item: Any, number: int, keys: Sequence[str]) -> Any:
    if isinstance(item, Mapping) and (known := [key for key in keys if key in item]):
        return item[known[0]]
    if isinstance(item, (tuple, list)) and len(item) > 1:
        return item[-1]
    raise DataError(f"sample {number} has no label", "labels=, one a sample")


def call(net: nn.Module, batch: Any) -> Any:
    """Call a module with a batch: a dict by its keys but labels and ids, of a pair the first."""
    if isinstance(batch, Mapping):
        return net(**{key: value for key, value in batch.items() if key not in (*LABELS, IDS)})
    return net(batch[0] if isinstance(batch, (tuple, list)) else batch)


def token_layer(net: nn.Module) -> tuple[str, nn.Embedding | None]:
    """Return the layer that embeds tokens, with its name before it.

    That is the only ``nn.Embedding``, or the one that ``get_input_embeddings()`` names, as models
    of transformers do.
    """
    found = {name: one for name, one in net.named_modules() if isinstance(one, nn.Embedding)}
    for one in net.modules():
        if len(found) > 1 and hasattr(one, "get_input_embeddings"):
            try:
                named = one.get_input_embeddings()  # type: ignore[operator]
            except NotImplementedError:  # it says so of sounds
                continue
            found = {name: layer for name, layer in found.items() if layer is named}
    return next(iter(found.items())) if len(found) == 1 else ("", None)


def to(batch: Any, device: torch.device) -> Any:
    """Return a batch, whatever holds its tensors, on a device."""
    if hasattr(batch, "to"):
        return batch.to(device)
    if isinstance(batch, Mapping):
        return {key: to(value, device) for key, value in batch.items()}
    if isinstance(batch, (tuple, list)):
        return type(batch)(to(value, device) for value in batch)
    return batch
