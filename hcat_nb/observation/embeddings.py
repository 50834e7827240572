"""The embedding of each sample: the flattened input of one layer, as the forward passes it."""

from __future__ import annotations

from typing import Any, Self

from torch import Tensor, nn


class EmbeddingTap:
    """Keeps what enters ``layer`` first during a forward; a context manager."""

    def __init__(self, layer: nn.Module) -> None:
        self.layer = layer
        self._seen: Tensor | None = None

    def __enter__(self) -> Self:
        self._hook = self.layer.register_forward_pre_hook(self._keep)
        return self

    def __exit__(self, *_error: object) -> None:
        self._hook.remove()
        self._seen = None

    def _keep(self, _layer: nn.Module, inputs: tuple[Any, ...]) -> None:
        self._seen = inputs[0]

    def take(self) -> Tensor:
        """Return the embedding of the last forward, (b, d), float32."""
        assert self._seen is not None, "the forward did not reach the embedding layer"
        return self._seen.detach().flatten(1).float()
