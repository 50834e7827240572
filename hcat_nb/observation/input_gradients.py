"""The gradient of one output with respect to the raw input of each sample.

In evaluation mode no sample sees another, so one backward pass of the sum of
the chosen outputs gives every sample's own gradient.
"""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor, nn

from hcat_nb.errors import ModelError, check_word
from hcat_nb.observation._memory import bytes_per_row, rows_within
from hcat_nb.observation.traced import TracedForward, differentiable, traced_forward


class InputGradients:
    """Measures input gradients of one model.

    ``model``: raw features in, logits out; in evaluation mode when it is measured; ``target``
    {"label", "predicted"}: which class's output is differentiated; ``of`` {"logit", "softmax"}: the
    output itself, or its probability; ``tokens``: the layer that embeds samples of token ids, for
    which there are gradients (b, d) with respect to a shift of all of a sample's embeddings.
    """

    def __init__(
        self,
        model: nn.Module,
        target: Literal["label", "predicted"] = "label",
        of: Literal["logit", "softmax"] = "logit",
        tokens: nn.Embedding | None = None,
    ) -> None:
        check_word("target", target, ("label", "predicted"))
        check_word("of", of, ("logit", "softmax"))
        self.model = model
        self.target = target
        self.of = of
        self.tokens = tokens
        self._rows: int | None = None

    def measure(self, x: Tensor, labels: Tensor) -> Tensor:
        """Return the gradients (b, ...), float32, for raw samples: per unit of the raw feature."""
        size = self.affordable(x)
        parts = zip(x.split(size), labels.split(size), strict=True)
        return torch.cat(
            [
                self.follow(traced_forward(self.model, some, tokens=self.tokens), own)
                for some, own in parts
            ]
        )

    def affordable(self, x: Tensor) -> int:
        """Return how many samples like those of ``x`` may be measured together."""
        if self._rows is None:
            with differentiable(self.model):
                leaf = x[:1].float().requires_grad_()
                self._rows = rows_within(bytes_per_row(self.model, leaf), x.device)
        return self._rows

    def follow(self, forward: TracedForward, labels: Tensor) -> Tensor:
        """Return what :meth:`measure` does, going back through a forward that has a leaf."""
        assert forward.leaf is not None
        with differentiable(self.model):
            logits = forward.logits.float()
            output = logits if self.of == "logit" else torch.softmax(logits, dim=1)
            chosen = labels if self.target == "label" else logits.detach().argmax(1)
            total = output.gather(1, chosen[:, None]).sum()
            found: tuple[Tensor | None, ...] = (None,)
            if total.requires_grad:
                found = torch.autograd.grad(
                    total, forward.leaf, allow_unused=True, retain_graph=True
                )
        if found[0] is None:
            raise ModelError(
                "no gradient reaches the model's input",
                "a differentiable path from the features to the logits",
                "leave out the methods that need input gradients (vog)",
            )
        return found[0]
