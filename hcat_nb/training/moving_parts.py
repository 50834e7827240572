"""What changes while a model is trained, as named tensors: weights, optimizer, random generators.

With these, and the accumulators of those who observe, a training goes on
after any epoch as if it had never been interrupted.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from hcat_nb.errors import ModelError
from hcat_nb.training.seed import random_state, set_random_state


@dataclass(frozen=True, eq=False)
class MovingParts:
    """The moving parts of one training; ``order`` draws the order of the samples."""

    model: nn.Module
    optimizer: torch.optim.Optimizer
    order: torch.Generator
    device: torch.device

    def state(self) -> dict[str, Tensor]:
        """Return copies by name: ``model/...``, ``optimizer/<parameter>/...``, ``random/...``.

        The global generators are read as they are now, so this belongs
        inside the block that seeded them.
        """
        state = {f"model/{name}": value for name, value in self.model.state_dict().items()}
        for number, values in self.optimizer.state_dict()["state"].items():
            state |= {f"optimizer/{number}/{key}": value for key, value in values.items()}
        state |= {f"random/{key}": value for key, value in random_state(self.device).items()}
        state["random/order"] = self.order.get_state()
        return {name: value.detach().clone() for name, value in state.items()}

    def load_state(self, state: Mapping[str, Tensor]) -> None:
        """Go back to where :meth:`state` was taken."""
        groups: dict[str, dict[str, Tensor]] = {"model": {}, "optimizer": {}, "random": {}}
        for name, value in state.items():
            group, _, key = name.partition("/")
            groups[group][key] = value
        self._check(groups["model"])
        self.model.load_state_dict(groups["model"])
        trained = [one for group in self.optimizer.param_groups for one in group["params"]]
        values: dict[int, dict[str, Tensor]] = {}
        for name, value in groups["optimizer"].items():
            number, _, key = name.partition("/")
            like = trained[int(number)]
            if value.shape == like.shape:
                # A fused step walks through memory: it needs the strides of the parameter.
                value = torch.empty_like(like, dtype=value.dtype).copy_(value)
            values.setdefault(int(number), {})[key] = value
        self.optimizer.load_state_dict({**self.optimizer.state_dict(), "state": values})
        self.order.set_state(groups["random"].pop("order").cpu())
        set_random_state(groups["random"], self.device)

    def _check(self, given: Mapping[str, Tensor]) -> None:
        own = self.model.state_dict()
        for name in (*own, *given):
            mine, its = (one[name].shape if name in one else None for one in (own, given))
            if mine != its:
                raise ModelError(
                    f"the model's {name} was {_words(its)} and is {_words(mine)}",
                    "the model that was trained before",
                )


def _words(shape: torch.Size | None) -> str:
    return "absent" if shape is None else f"of shape {tuple(shape)}"
