"""The L2 norm of each sample's own gradient with respect to all trainable parameters.

Exact: the gradient of that one sample's cross-entropy, the model in
evaluation mode; frozen parameters do not count, a shared parameter counts
once, with its summed gradient.

Layers that are known are measured in closed form (:mod:`._layer_norms`), from
one forward and one backward pass that computes no parameter gradient at all;
the remaining parameters by ``vmap`` of ``grad``; and where a model cannot be
vmapped (a fused recurrent layer, control flow that reads the data), one row
at a time, with a warning.  ``state_dict``, the ``.grad`` fields and the mode
of every module stay as they were.
"""

from __future__ import annotations

import warnings

import torch
from torch import Tensor, nn
from torch.func import functional_call, grad, vmap
from torch.nn.functional import cross_entropy

from hcat_nb.observation._layer_norms import squared_norm
from hcat_nb.observation._layer_plan import LayerPlan, make_plan, uses_batch_statistics
from hcat_nb.observation._memory import bytes_per_row, rows_within
from hcat_nb.observation.traced import TracedForward, differentiable, traced_forward

# What torch raises where vmap meets something that it has no rule for.
_NO_VMAP = (RuntimeError, NotImplementedError, ValueError, TypeError, IndexError, AssertionError)


class GradientNorms:
    """Measures per-sample gradient norms of one model.

    ``model``: raw features in, logits out; in evaluation mode when it is measured. Which of its
    parameters are trainable must not change afterwards; ``chunk``: samples measured together;
    default: as many as a fixed amount of memory holds, found by weighing a small forward. The norms
    do not depend on it.
    """

    def __init__(self, model: nn.Module, chunk: int | None = None) -> None:
        self.model = model
        self.chunk = chunk
        self._plan: LayerPlan | None = None
        self._row_by_row = False

    def measure(self, x: Tensor, labels: Tensor) -> Tensor:
        """Return the gradient norms for raw samples."""
        with differentiable(self.model):
            if self._plan is None:
                self._prepare(x)
            size = self.chunk or len(x)
            parts = zip(x.split(size), labels.split(size), strict=True)
            return torch.cat([self._chunk(*part) for part in parts]).sqrt().float()

    def traceable(self, x: Tensor) -> int:
        """Return how many samples like those of ``x`` may be measured by :meth:`follow`; 0: none.

        A parameter that no closed form knows needs forwards of its own.
        """
        if self._plan is None:
            with differentiable(self.model):
                self._prepare(x)
        assert self._plan is not None
        if self._row_by_row or self._plan.others:
            return 0
        return self.chunk or len(x)

    @property
    def layers(self) -> list[nn.Module]:
        """The layers whose calls :meth:`follow` needs, once the first samples were seen."""
        return [] if self._plan is None else self._plan.layers

    def follow(self, forward: TracedForward, labels: Tensor) -> Tensor:
        """Return what :meth:`measure` does, going back through a forward that knows the layers."""
        return self._squares(forward, labels).sqrt().float()

    def _prepare(self, x: Tensor) -> None:
        self._plan = make_plan(self.model, x)
        if uses_batch_statistics(self.model):
            self._fall_back("a BatchNorm without running statistics mixes the samples of a batch")
        if any(isinstance(one, torch.jit.ScriptModule) for one in self.model.modules()):
            self._fall_back("a torch.jit module cannot be taken apart")
        if self.chunk is None:
            price = bytes_per_row(self.model, x) + self._plan.bytes_per_row
            self.chunk = rows_within(price, x.device)

    def _chunk(self, x: Tensor, labels: Tensor) -> Tensor:
        """Return the squared norms of one chunk, (b,), float64."""
        assert self._plan is not None
        if not self._row_by_row and self._plan.others:
            try:
                return self._by_vmap(x, labels) + self._in_closed_form(x, labels)
            except _NO_VMAP as error:
                self._fall_back(str(error).strip().partition("\n")[0] or repr(error))
        if self._row_by_row:
            return self._one_by_one(x, labels)
        return self._in_closed_form(x, labels)

    def _in_closed_form(self, x: Tensor, labels: Tensor) -> Tensor:
        if not self.layers:
            return torch.zeros(len(x), dtype=torch.float64, device=x.device)
        traced = traced_forward(self.model, x, leaf=False, layers=self.layers)
        return self._squares(traced, labels)

    def _squares(self, forward: TracedForward, labels: Tensor) -> Tensor:
        """Return the squared norms over the layers in closed form, (b,), float64."""
        total = torch.zeros(len(labels), dtype=torch.float64, device=labels.device)
        reached = [
            (layer, call.x, call.edge)
            for layer in self.layers
            for call in forward.calls[layer]
            if call.edge is not None
        ]
        edges = [edge for _, _, edge in reached]
        with differentiable(self.model):
            loss = cross_entropy(forward.logits.float(), labels, reduction="sum")
            # Only the gradients of outputs: autograd skips those of parameters.
            grads = torch.autograd.grad(loss, edges, allow_unused=True, retain_graph=True)
        for (layer, entered, _), g in zip(reached, grads, strict=True):
            if g is not None:
                total += squared_norm(layer, entered, g.detach())
        return total

    def _by_vmap(self, x: Tensor, labels: Tensor) -> Tensor:
        assert self._plan is not None
        others = {name: one.detach() for name, one in self._plan.others.items()}

        def loss(parameters: dict[str, Tensor], row: Tensor, label: Tensor) -> Tensor:
            logits = functional_call(self.model, parameters, (row[None],))
            return cross_entropy(logits.float(), label[None])

        grads = vmap(grad(loss), in_dims=(None, 0, 0), randomness="different")(others, x, labels)
        total = torch.zeros(len(x), dtype=torch.float64, device=x.device)
        for one in grads.values():
            total += one.detach().double().square().flatten(1).sum(1)
        return total

    def _one_by_one(self, x: Tensor, labels: Tensor) -> Tensor:
        parameters = [one for one in self.model.parameters() if one.requires_grad]
        kept = [one.grad for one in parameters]
        squares = torch.zeros(len(x), dtype=torch.float64, device=x.device)
        try:
            for i in range(len(x)):
                for one in parameters:
                    one.grad = None
                # Not autograd.grad: a checkpointed block of the older kind refuses it.
                cross_entropy(self.model(x[i : i + 1]).float(), labels[i : i + 1]).backward()
                for one in parameters:
                    if one.grad is not None:
                        squares[i] += one.grad.double().square().sum()
        finally:
            for one, before in zip(parameters, kept, strict=True):
                one.grad = before
        return squares

    def _fall_back(self, reason: str) -> None:
        self._row_by_row = True
        warnings.warn(
            f"the gradient norms of this model are measured one row at a time, which is slow: "
            f"{reason}; to mend it: leave out grand, or use layers that torch.func.vmap takes",
            stacklevel=2,
        )
