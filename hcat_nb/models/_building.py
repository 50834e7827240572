"""From a name, a module or a function to a network that fits a dataset."""

from __future__ import annotations

import copy
import inspect
from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import nn

from hcat_nb.data.dataset import LabelledDataset
from hcat_nb.errors import HcatError, ModelError
from hcat_nb.registry import MODELS, refuse_unknown
from hcat_nb.spec import DEFAULTS

ModelLike = str | nn.Module | Callable[..., nn.Module]


# What ``auto`` takes for images, and for tables and texts, by generation of defaults.
_AUTO = {1: ("lenet", "mlp"), 2: ("cnn", "dense")}


def default_model(dataset: LabelledDataset, defaults: int = DEFAULTS) -> str:
    """Return the name of the model that ``auto`` stands for."""
    images, tables = _AUTO[defaults]
    return images if dataset.modality == "image" else tables


def model_name(model: ModelLike, dataset: LabelledDataset) -> str:
    """Return what the model is called in tables: its key, or its class's or function's name."""
    if isinstance(model, nn.Module):
        return type(model).__name__
    if isinstance(model, str):
        return default_model(dataset) if model == "auto" else MODELS.resolve(model)[0]
    return getattr(model, "__name__", type(model).__name__)


def build_network(
    model: ModelLike,
    dataset: LabelledDataset,
    options: Mapping[str, Any],
    notes: list[str] | None = None,
) -> nn.Module:
    """Return a network of its own for one run; weights come from torch's global generator.

    ``model``: a registered name or ``"auto"``; a module, of which a copy is trained, its weights as
    they are; or a class or function that makes one, called with nothing, ``(n_classes)`` or
    ``(sample_shape, n_classes)``, whichever it requires; ``options``: passed on by keyword;
    ``notes``: gets what was done to a module of the user's own.
    """
    if isinstance(model, nn.Module):
        if options:
            raise ModelError(
                f"model_options {dict(options)} are given with a module that is built already",
                remedy="build the module with them, or hand over its class",
            )
        if any(isinstance(one, torch.jit.ScriptModule) for one in model.modules()):
            raise ModelError(
                "a torch.jit module cannot be copied, and a training needs a copy",
                "a plain module",
                "hand over the module that it was made of, or a function that makes or loads it",
            )
        if any(one.is_meta for one in (*model.parameters(), *model.buffers())):
            raise ModelError(
                "weights of the module are on the meta device, without numbers",
                "a module with weights",
                "make it outside of torch.device('meta'), or load its weights",
            )
        return _plain(copy.deepcopy(model), notes)
    if isinstance(model, str):
        return _named(model_name(model, dataset), dataset, options)
    if not callable(model):
        raise ModelError(
            f"the model is {model!r}",
            "a name, a torch.nn.Module, or a class or function that makes one",
        )
    try:
        parameters = inspect.signature(model).parameters.values()
    except ValueError as error:  # a built-in type
        raise ModelError(f"the model is {model!r}", "what makes a torch.nn.Module") from error
    required = [
        parameter
        for parameter in parameters
        if parameter.default is parameter.empty
        and parameter.kind in (parameter.POSITIONAL_ONLY, parameter.POSITIONAL_OR_KEYWORD)
        and parameter.name not in options
    ]
    if len(required) > 2:
        raise ModelError(
            f"{model_name(model, dataset)} requires {len(required)} arguments",
            "none, (n_classes) or (sample_shape, n_classes)",
        )
    arguments = (dataset.encoded_shape, dataset.n_classes)[2 - len(required) :]
    name = model_name(model, dataset)
    try:
        network = model(*arguments, **options)
    except (TypeError, ValueError, RuntimeError) as error:
        raise ModelError(
            f"{name}{arguments} fails: {type(error).__name__}: {' '.join(str(error).split())}",
            "what takes nothing, (n_classes) or (sample_shape, n_classes)",
            f"a function that makes it: model=lambda shape, n_classes: {name}(...)",
        ) from error
    if not isinstance(network, nn.Module):
        raise ModelError(f"{name} made a {type(network).__name__}", "a torch.nn.Module")
    return _plain(network, notes)


def _plain(network: nn.Module, notes: list[str] | None) -> nn.Module:
    """Return a network in float32, without torch.compile: of such all can be measured."""
    told = [] if notes is None else notes
    if any(hasattr(one, "_orig_mod") for one in network.modules()):
        network = getattr(network, "_orig_mod", network)
        for module in list(network.modules()):
            for name, child in module._modules.items():
                module._modules[name] = getattr(child, "_orig_mod", child)
        told.append("torch.compile is undone: measurements look into the layers of the module")
    values = [*network.parameters(), *network.buffers()]
    types = {str(one.dtype) for one in values if one.is_floating_point()} - {"torch.float32"}
    if types:
        network = network.float()
        told.append(f"the module was in {', '.join(sorted(types))}; it is trained in torch.float32")
    return network


def _named(name: str, dataset: LabelledDataset, options: Mapping[str, Any]) -> nn.Module:
    plugin = MODELS.get(name)
    if dataset.modality not in plugin.modality:
        raise ModelError(
            f"the model {name!r} does not take {dataset.modality} data",
            " or ".join(sorted(plugin.modality)) + " data",
            "use the model dense" if dataset.modality == "table" else None,
        )
    known = list(inspect.signature(plugin).parameters)[2:]
    refuse_unknown(options, known, f"the model {name!r} has no option {{!r}}")
    try:
        network: nn.Module = plugin(dataset.encoded_shape, dataset.n_classes, **options)
    except HcatError:
        raise
    except (TypeError, ValueError, RuntimeError, OverflowError) as error:
        raise ModelError(
            f"the model {name!r} cannot be made with {dict(options)} "
            f"({' '.join(str(error).split())[:200]})",
            "model_options that its parameters allow",
        ) from error
    return network
