"""Finds the embedding layer, and checks what a network returns."""

from __future__ import annotations

import difflib

import torch
from torch import Tensor, nn

from hcat_nb.errors import ModelError
from hcat_nb.models._adapter import logits_of


def output_width(model: nn.Module, sample: Tensor) -> int:
    """Return how many logits the model makes of a few raw samples."""
    shape = tuple(sample.shape[1:])
    try:
        logits = some_outputs(model, sample)
    except (RuntimeError, ValueError, TypeError, IndexError) as error:
        first_line = str(error).strip().splitlines()[0] if str(error).strip() else repr(error)
        raise ModelError(
            f"the model cannot take samples of shape {shape} ({first_line})",
            "a module that maps a batch of them to logits",
        ) from error
    if logits.dim() != 2 or len(logits) != len(sample):
        raise ModelError(
            f"the model returns the shape {tuple(logits.shape)} for {len(sample)} samples",
            f"({len(sample)}, number of classes)",
        )
    if not torch.isfinite(logits).all():
        raise ModelError("the untrained model returns NaN or infinity", "finite logits")
    return logits.shape[1]


def find_embedding(model: nn.Module, sample: Tensor, name: str | None = None) -> nn.Module:
    """Return the module whose flattened input is the embedding.

    ``sample`` (b, ...): a few raw samples, for a traced forward; ``name``: a module's qualified
    name; default: the last ``nn.Linear`` that the forward reaches.
    """
    modules = dict(model.named_modules())
    if name is not None:
        found: nn.Module | None = modules.get(f"net.{name}", modules.get(name)) if name else None
        if found is None:
            own = [key.removeprefix("net.") for key in modules if key.startswith("net.")]
            close = difflib.get_close_matches(name, own, n=3, cutoff=0.3)
            raise ModelError(
                f"the model has no module {name!r}", "one of " + ", ".join(close or own)
            )
        if not _reaches(model, sample, found):
            raise ModelError(
                f"the forward does not pass through the module {name!r} with a tensor",
                "a module that it calls with the embedding",
            )
        return found
    reached: list[nn.Module] = []
    hooks = [
        module.register_forward_pre_hook(lambda module, _inputs: reached.append(module))
        for module in modules.values()
        if isinstance(module, nn.Linear)
    ]
    try:
        some_outputs(model, sample)
    finally:
        for hook in hooks:
            hook.remove()
    if not reached and any(isinstance(one, torch.jit.ScriptModule) for one in modules.values()):
        raise ModelError(
            "a torch.jit module does not show its layers, so its embedding is unknown",
            "a plain module",
            "hand over the module that it was compiled from, or leave out what needs embeddings",
        )
    if not reached:
        raise ModelError(
            "the model has no nn.Linear, so its embedding is unknown",
            remedy='name the module whose input it is: embedding="module.name"',
        )
    return reached[-1]


def _reaches(model: nn.Module, sample: Tensor, layer: nn.Module) -> bool:
    seen: list[bool] = []
    hook = layer.register_forward_pre_hook(
        lambda _layer, inputs: seen.append(bool(inputs) and isinstance(inputs[0], Tensor))
    )
    try:
        some_outputs(model, sample)
    finally:
        hook.remove()
    return bool(seen) and all(seen)


def some_outputs(model: nn.Module, sample: Tensor) -> Tensor:
    """Return the logits of a few raw samples in evaluation mode; modules' modes are put back."""
    modes = {module: module.training for module in model.modules()}
    model.eval()
    try:
        with torch.no_grad():  # not inference mode: a module may keep what it makes here
            return logits_of(model(sample))
    finally:
        for module, mode in modes.items():
            module.training = mode
