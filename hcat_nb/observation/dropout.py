"""Predictions of sub-networks that dropout makes of the final model.

Gal and Ghahramani 2016 (arXiv 1506.02142) for dropout as an ensemble.  A
sub-network has one *fixed* mask for each dropout call, shared by all samples:
it is one network, it costs no random number a sample, and its predictions do
not depend on the batch.  Masks are drawn on the CPU from the run's seed, so
every device sees the same.  The model stays in evaluation mode: masks enter
by forward hooks, BatchNorm's running statistics are not touched.
"""

from __future__ import annotations

import math
import warnings
from collections import Counter
from typing import Any, Literal

import torch
from torch import Tensor, nn

from hcat_nb.errors import SpecError
from hcat_nb.seeds import child_seed

__all__ = ["DropoutEnsemble"]

_WHOLE_CHANNELS = (nn.Dropout1d, nn.Dropout2d, nn.Dropout3d, nn.FeatureAlphaDropout)
_ALPHA = (nn.AlphaDropout, nn.FeatureAlphaDropout)
_KINDS = (nn.Dropout, nn.AlphaDropout, *_WHOLE_CHANNELS)
# What a dropped unit becomes in a self-normalizing network: minus lambda times
# alpha of SELU (Klambauer et al. 2017, arXiv 1706.02515, section 2).
_SELU_FLOOR = -1.0507009873554805 * 1.6732632423543772


class DropoutEnsemble:
    """K sub-networks of one model.

    Parameters
    ----------
    model : Module
        In evaluation mode.
    seed : int
        Parent of the masks.
    k : int
        Number of sub-networks.
    masks : {"fixed", "per_sample"}
        ``per_sample`` draws a mask of its own for every sample, as training
        does; its predictions depend on the batch.

    Raises
    ------
    SpecError
        If ``k`` or ``masks`` is out of range.
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
        if masks not in ("fixed", "per_sample"):
            raise SpecError(f"masks is {masks!r}", '"fixed" or "per_sample"')
        self.model = model
        self.seed = seed
        self.k = k
        self.per_sample = masks == "per_sample"
        self._layers = {module: name for name, module in model.named_modules() if _drops(module)}
        self._masks: dict[tuple[str, int, int], Tensor] = {}
        self._generators: dict[tuple[str, int, int], torch.Generator] = {}
        self._calls: Counter[str] = Counter()
        self._network = 0
        self._effective: bool | None = None

    def measure(self, x: Tensor, logits: Tensor) -> Tensor:
        """Return the sub-networks' probabilities for raw samples.

        Parameters
        ----------
        x : Tensor of shape (b, ...)
        logits : Tensor of shape (b, C)
            Of the whole network, for the same samples.

        Returns
        -------
        Tensor of shape (b, K, C), float32
            (b, 1, C), of the whole network, if no dropout takes effect; then
            the first call warns.
        """
        whole = torch.softmax(logits.float(), dim=1)[:, None]
        if self._effective is False:
            return whole
        hooks = [layer.register_forward_hook(self._mask) for layer in self._layers]
        try:
            members = []
            for network in range(self.k):
                self._network = network
                self._calls.clear()
                members.append(torch.softmax(self.model(x).float(), dim=1))
        finally:
            for hook in hooks:
                hook.remove()
        probs = torch.stack(members, dim=1)
        if self._effective is None:
            self._effective = not torch.equal(probs, whole.expand_as(probs))
            if not self._effective:
                warnings.warn(
                    "no dropout takes effect in this model, so its sub-networks are all the "
                    "same: conf_agree is 1 minus the largest probability of one pass; to mend "
                    "it: add nn.Dropout modules with p > 0 to the model",
                    stacklevel=2,
                )
                return whole
        return probs

    def _mask(self, layer: nn.Module, _inputs: Any, output: Tensor) -> Tensor:
        name = self._layers[layer]
        key = (name, self._calls[name], self._network)
        self._calls[name] += 1
        keep = self._keep(key, layer, output)
        p = float(layer.p)  # type: ignore[arg-type]
        if isinstance(layer, _ALPHA):
            # Affine correction that keeps mean 0 and variance 1 (same paper, appendix).
            a = 1 / math.sqrt((1 - p) * (1 + p * _SELU_FLOOR**2)) if p < 1 else 0.0
            return a * (torch.where(keep, output, _SELU_FLOOR) - p * _SELU_FLOOR)
        kept: Tensor = output * keep * (1 / (1 - p) if p < 1 else 0.0)
        return kept

    def _keep(self, key: tuple[str, int, int], layer: nn.Module, output: Tensor) -> Tensor:
        if not self.per_sample and key in self._masks:
            return self._masks[key]
        rows = len(output) if self.per_sample else 1
        shape = [rows, *output.shape[1:]]
        if isinstance(layer, _WHOLE_CHANNELS):
            shape[2:] = [1] * (output.dim() - 2)
        if key not in self._generators:
            seed = child_seed(self.seed, "masks/" + "/".join(map(str, key)))
            self._generators[key] = torch.Generator().manual_seed(seed)
        drawn = torch.rand(shape, generator=self._generators[key])
        keep: Tensor = (drawn >= float(layer.p)).to(output.device)  # type: ignore[arg-type]
        if not self.per_sample:
            self._masks[key] = keep
        return keep


def _drops(module: nn.Module) -> bool:
    return isinstance(module, _KINDS) and bool(module.p > 0)
