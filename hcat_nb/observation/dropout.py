"""Predictions of sub-networks that dropout makes of the final model.

Gal and Ghahramani 2016 (arXiv 1506.02142) for dropout as an ensemble.  A
sub-network has one *fixed* mask for each dropout call, shared by all samples:
it is one network, it costs no random number a sample, and its predictions do
not depend on the batch.  The model stays in evaluation mode: masks enter by
forward hooks, BatchNorm's running statistics are not touched.

What stands before the first dropout is the same in all sub-networks, so it is
computed once, and the rest for all of them together, unless a trial on a few
samples gives something else than one sub-network after the other.
"""

from __future__ import annotations

import math
import warnings
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any, Literal

import torch
from torch import Tensor, nn

from hcat_nb.errors import SpecError, check_word
from hcat_nb.seeds import child_seed

# What a model may raise that cannot take the rows of all sub-networks together.
_NOT_MADE_FOR_IT = (RuntimeError, ValueError, TypeError, IndexError, AssertionError)
# Of probabilities: another matrix kernel moves them by 1e-6, another network by more.
_ROUNDING, _ALIKE = 1e-6, 1e-4
_TRIAL = 16  # rows: some that a sub-network changes, at little cost
_WHOLE_CHANNELS = (nn.Dropout1d, nn.Dropout2d, nn.Dropout3d, nn.FeatureAlphaDropout)
_ALPHA = (nn.AlphaDropout, nn.FeatureAlphaDropout)
KINDS = (nn.Dropout, nn.AlphaDropout, *_WHOLE_CHANNELS)
# What a dropped unit becomes in a self-normalizing network: minus lambda times
# alpha of SELU (Klambauer et al. 2017, arXiv 1706.02515, section 2).
_SELU_FLOOR = -1.0507009873554805 * 1.6732632423543772


class DropoutEnsemble:
    """K sub-networks of one model.

    ``model``: in evaluation mode; ``seed``: parent of the masks; ``k``: number of sub-networks;
    ``masks`` {"fixed", "per_sample"}: ``per_sample`` draws a mask of its own for every sample, as
    training does; its predictions depend on the batch.
    """

    def __init__(
        self,
        model: nn.Module,
        seed: int,
        k: int = 10,
        masks: Literal["fixed", "per_sample"] = "fixed",
    ) -> None:
        if k < 1:
            raise SpecError(f"k is {k}", "at least 1 sub-network")
        check_word("masks", masks, ("fixed", "per_sample"))
        self.model = model
        self.k = k
        self.masks = Masks(seed, per_sample=masks == "per_sample")
        self._layers = {module: name for name, module in model.named_modules() if _drops(module)}
        self._calls: Counter[str] = Counter()
        self._effective: bool | None = None
        self._together: bool | None = False if masks == "per_sample" or k == 1 else None

    def measure(self, x: Tensor, logits: Tensor) -> Tensor:
        """Return the sub-networks' probabilities for raw samples.

        ``x`` (b, ...); ``logits`` (b, C): of the whole network, for the same samples. Returns (b,
        K, C) float32: (b, 1, C), of the whole network, if no dropout takes effect; then the first
        call warns.
        """
        whole = torch.softmax(logits.float(), dim=1)[:, None]
        if self._effective is False:
            return whole
        if self._together is None:
            self._together = self._try_together(x[:_TRIAL])
        probs = self._all_at_once(x) if self._together else None
        if probs is None:
            self._together = False
            probs = self._one_by_one(x)
        if self._effective is None:
            self._effective = not torch.allclose(probs, whole, rtol=0, atol=_ROUNDING)
            if not self._effective:
                warnings.warn(
                    "no dropout takes effect in this model, so its sub-networks are all the "
                    "same: conf_agree is 1 minus the largest probability of one pass; to mend "
                    "it: add nn.Dropout modules with p > 0 to the model",
                    stacklevel=2,
                )
                return whole
        return probs

    def _try_together(self, x: Tensor) -> bool:
        """Whether all sub-networks at once give for ``x`` what one after the other gives."""
        probs = self._all_at_once(x)
        return probs is not None and torch.allclose(probs, self._one_by_one(x), atol=_ALIKE)

    def _one_by_one(self, x: Tensor) -> Tensor:
        """Run each sub-network from the input on."""
        members = []
        for network in range(self.k):
            with self._hooked(partial(self._drop_in_one, network)):
                members.append(torch.softmax(self.model(x).float(), dim=1))
        return torch.stack(members, dim=1)

    def _drop_in_one(self, network: int, layer: nn.Module, _inputs: Any, output: Tensor) -> Tensor:
        return self.masks.apply((*self._key(layer), network), layer, output)

    def _all_at_once(self, x: Tensor) -> Tensor | None:
        """Run what stands before the first dropout once, and from there on all sub-networks.

        Returns None where the model is not made for it: what follows must
        take any number of rows, and derive from that dropout alone.
        """
        rows = max(2, -(-len(x) // self.k))  # so that a forward is as large as any other
        try:
            return torch.cat([self._expanded(part) for part in x.split(rows)])
        except _NOT_MADE_FOR_IT:
            return None

    def _expanded(self, x: Tensor) -> Tensor:
        b = len(x)

        def drop(layer: nn.Module, _inputs: Any, output: Tensor) -> Tensor:
            first = not self._calls
            if len(output) != (b if first else b * self.k):
                raise ValueError("a dropout does not follow from the first")
            members = output.unflatten(0, (b, 1 if first else self.k))
            return self.masks.apply_all(self._key(layer), self.k, layer, members).flatten(0, 1)

        with self._hooked(drop):
            logits = self.model(x).float()
        return torch.softmax(logits.unflatten(0, (b, self.k)), dim=2)

    @contextmanager
    def _hooked(self, drop: Callable[[nn.Module, Any, Tensor], Tensor]) -> Iterator[None]:
        self._calls.clear()
        hooks = [layer.register_forward_hook(drop) for layer in self._layers]
        try:
            yield
        finally:
            for hook in hooks:
                hook.remove()

    def _key(self, layer: nn.Module) -> tuple[str, int]:
        """Return name and number of this call of a module."""
        name = self._layers[layer]
        self._calls[name] += 1
        return name, self._calls[name] - 1


def _drops(module: nn.Module) -> bool:
    return isinstance(module, KINDS) and bool(module.p > 0)


class Masks:
    """Draws each sub-network's masks; those that all samples share are kept.

    ``seed``: parent of the masks. They are drawn on the CPU, so every device sees the same;
    ``per_sample``: whether every sample has a mask of its own; such masks are drawn anew at each
    call.
    """

    def __init__(self, seed: int, *, per_sample: bool) -> None:
        self.seed = seed
        self.per_sample = per_sample
        self._generators: dict[tuple[str, int, int], torch.Generator] = {}
        self._kept: dict[tuple[str, int, int], Tensor] = {}
        self._stacked: dict[tuple[str, int], tuple[Tensor, Tensor | None]] = {}

    def keep(self, key: tuple[str, int, int], layer: nn.Module, output: Tensor) -> Tensor:
        """Return which units stay, bool, of the shape of ``output`` but with 1 or b rows."""
        if key in self._kept:
            return self._kept[key]
        shape = [len(output) if self.per_sample else 1, *output.shape[1:]]
        if isinstance(layer, _WHOLE_CHANNELS):
            shape[2:] = [1] * (output.dim() - 2)
        if key not in self._generators:
            seed = child_seed(self.seed, "masks/" + "/".join(map(str, key)))
            self._generators[key] = torch.Generator().manual_seed(seed)
        drawn = torch.rand(shape, generator=self._generators[key])
        keep: Tensor = (drawn >= float(layer.p)).to(output.device)  # type: ignore[arg-type]
        if not self.per_sample:
            self._kept[key] = keep
        return keep

    def apply(self, key: tuple[str, int, int], layer: nn.Module, output: Tensor) -> Tensor:
        """Return what the module makes of ``output`` in one sub-network."""
        return _affine(output, *_factors(layer, self.keep(key, layer, output), output))

    def apply_all(
        self, key: tuple[str, int], networks: int, layer: nn.Module, output: Tensor
    ) -> Tensor:
        """Return what the module makes of (b, 1 or K, ...) in all K sub-networks at once."""
        if key not in self._stacked:
            one = output[0]
            masks = [self.keep((*key, network), layer, one) for network in range(networks)]
            scale, offset = _factors(layer, torch.cat(masks), one)
            # The axes in memory as the data have them: one stride for both is one fast loop.
            self._stacked[key] = _like(scale, one), None if offset is None else _like(offset, one)
        return _affine(output, *self._stacked[key])


def _factors(layer: nn.Module, keep: Tensor, output: Tensor) -> tuple[Tensor, Tensor | None]:
    """Return what is multiplied and what is added to make dropout of a mask."""
    p = float(layer.p)  # type: ignore[arg-type]
    kept = keep.to(output.dtype)
    if not isinstance(layer, _ALPHA):
        return kept * (1 / (1 - p) if p < 1 else 0.0), None
    # Affine correction that keeps mean 0 and variance 1 (same paper, appendix).
    a = 1 / math.sqrt((1 - p) * (1 + p * _SELU_FLOOR**2)) if p < 1 else 0.0
    return a * kept, a * _SELU_FLOOR * (1 - kept - p)


def _affine(output: Tensor, scale: Tensor, offset: Tensor | None) -> Tensor:
    return output * scale if offset is None else output * scale + offset


def _like(values: Tensor, one: Tensor) -> Tensor:
    if values.dim() == 4 and one.is_contiguous(memory_format=torch.channels_last):
        return values.contiguous(memory_format=torch.channels_last)
    return values
