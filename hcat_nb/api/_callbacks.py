"""Callbacks by which other libraries' trainers are watched, imported when they are asked for."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from hcat_nb.errors import HcatError, UnknownNameError
from hcat_nb.registry import nearest

if TYPE_CHECKING:
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

    def begins(_: Any, first: Any, *others: Any, **named: Any) -> None:
        own = {"huggingface": lambda: named["model"], "lightning": lambda: others[0]}
        if watch._pipeline is None:
            watch.attach(own.get(of, lambda: first.module_)())

    def told(_: Any, _trainer: Any, _module: Any, outputs: Any, *__: Any, **___: Any) -> None:
        if isinstance(outputs, Mapping) and {"ids", "logits"} <= outputs.keys():
            watch.batch(outputs["ids"], outputs["logits"])

    hooks: dict[str, Any] = {
        begin: begins,
        epoch: lambda *_, **__: watch.end_epoch(),
        end: lambda *_, **__: (watch.run(), None)[1],
    }
    if of == "lightning":
        hooks["on_train_batch_end"] = told
    return type("Watching", (base,), hooks)()
