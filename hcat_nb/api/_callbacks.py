"""Callbacks by which other libraries' trainers are watched, imported when they are asked for."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from hcat_nb.errors import HcatError, UnknownNameError
from hcat_nb.registry import nearest

if TYPE_CHECKING:
    from torch import nn

    from hcat_nb.api.watch import Watch

# library -> module, class, and its moments: training begins, an epoch ended, training ended
_HOOKS = {
    "huggingface": "transformers TrainerCallback on_train_begin on_epoch_end on_train_end",
    "lightning": "lightning.pytorch Callback on_train_start on_train_epoch_end on_train_end",
    "skorch": "skorch.callbacks Callback on_train_begin on_epoch_end on_train_end",
}


def callback(watch: Watch, of: str) -> Any:
    """Return a callback that watches the trainer of a library; see :meth:`Watch.callback`."""
    if of not in _HOOKS:
        raise UnknownNameError(f"there is no callback for {of!r}", nearest(of, list(_HOOKS)))
    module, name, begin, epoch, end = _HOOKS[of].split()
    try:
        base = getattr(importlib.import_module(module), name)
    except ImportError as error:
        remedy = f"pip install 'hcat-nb[{of}]'"
        raise HcatError(f"{module} cannot be imported ({error})", remedy=remedy) from error

    tapped: list[Any] = []

    def begins(_: Any, first: Any, *others: Any, **named: Any) -> None:
        own = {"huggingface": lambda: named["model"], "lightning": lambda: others[0]}
        model = own.get(of, lambda: first.module_)()
        if watch._pipeline is None:
            watch.attach(model)
        if of != "lightning":  # its steps hand ids on, those of the others do not
            tapped.extend(_tap(watch, model))

    def told(_: Any, _trainer: Any, _module: Any, outputs: Any, *__: Any, **___: Any) -> None:
        if isinstance(outputs, Mapping) and {"ids", "logits"} <= outputs.keys():
            watch.batch(outputs["ids"], outputs["logits"])

    def ends(*_: Any, **__: Any) -> None:
        while tapped:
            tapped.pop().remove()
        watch.run()

    hooks: dict[str, Any] = {
        begin: begins,
        epoch: lambda *_, **__: watch.end_epoch(),
        end: ends,
    }
    if of == "lightning":
        hooks["on_train_batch_end"] = told
    return type("Watching", (base,), hooks)()


def _tap(watch: Watch, model: nn.Module) -> list[Any]:
    """Take the ids of samples out of each call of a model, and tell what it trained on.

    Returns the hooks.  Calls in evaluation mode are none of the training.
    """
    import torch

    from hcat_nb.models._watched import IDS

    taken: list[Any] = []

    def before(_: nn.Module, given: tuple[Any, ...], named: dict[str, Any]) -> Any:
        taken[:] = [named[IDS]] if IDS in named else []
        return given, {name: value for name, value in named.items() if name != IDS}

    def after(module: nn.Module, _: Any, output: Any) -> None:
        if taken and module.training and torch.is_grad_enabled():
            watch.batch(taken.pop(), output)

    return [
        model.register_forward_pre_hook(before, with_kwargs=True),
        model.register_forward_hook(after),
    ]
