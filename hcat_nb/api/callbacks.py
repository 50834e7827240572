"""Callbacks by which other libraries' trainers are watched; each is imported when it is asked for.

They end an epoch when their trainer does, and score when it is done; afterwards
``watch.run()`` is the run.  Methods that read the logits of training need the
ids of samples, which only Lightning's steps can hand on, as ``{"loss": ...,
"ids": ids, "logits": logits}``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from hcat_nb.errors import HcatError

if TYPE_CHECKING:
    from hcat_nb.api.watch import Watch


def of_hugging_face(watch: Watch) -> Any:
    """Return a ``transformers.TrainerCallback``."""
    base = _class("transformers", "TrainerCallback", "transformers")

    class HuggingFaceWatch(base):  # type: ignore[valid-type,misc]
        """Ends epochs of a Hugging Face Trainer."""

        def on_train_begin(self, args: Any, state: Any, control: Any, **has: Any) -> None:
            watch.attach_once(has["model"])

        def on_epoch_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
            watch.end_epoch()

        def on_train_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
            watch.run()

    return HuggingFaceWatch()


def of_lightning(watch: Watch) -> Any:
    """Return a ``lightning.pytorch.Callback``."""
    base = _class("lightning.pytorch", "Callback", "lightning")

    class LightningWatch(base):  # type: ignore[valid-type,misc]
        """Ends epochs of a Lightning Trainer."""

        def on_train_start(self, trainer: Any, pl_module: Any) -> None:
            watch.attach_once(pl_module)

        def on_train_batch_end(
            self, trainer: Any, pl_module: Any, outputs: Any, batch: Any, batch_idx: int
        ) -> None:
            if isinstance(outputs, Mapping) and {"ids", "logits"} <= outputs.keys():
                watch.batch(outputs["ids"], outputs["logits"])

        def on_train_epoch_end(self, trainer: Any, pl_module: Any) -> None:
            watch.end_epoch()

        def on_train_end(self, trainer: Any, pl_module: Any) -> None:
            watch.run()

    return LightningWatch()


def of_skorch(watch: Watch) -> Any:
    """Return a ``skorch.callbacks.Callback``."""
    base = _class("skorch.callbacks", "Callback", "skorch")

    class SkorchWatch(base):  # type: ignore[valid-type,misc]
        """Ends epochs of a skorch net."""

        def on_train_begin(self, net: Any, X: Any = None, y: Any = None, **_: Any) -> None:  # noqa: N803
            watch.attach_once(net.module_)

        def on_epoch_end(self, net: Any, **_: Any) -> None:
            watch.end_epoch()

        def on_train_end(self, net: Any, **_: Any) -> None:
            watch.run()

    return SkorchWatch()


def _class(module: str, name: str, extra: str) -> Any:
    """Return a class of another library.

    Raises
    ------
    HcatError
        If it is not installed.
    """
    import importlib

    try:
        return getattr(importlib.import_module(module), name)
    except ImportError as error:
        remedy = f"pip install 'hcat-nb[{extra}]'"
        raise HcatError(f"{module} cannot be imported ({error})", remedy=remedy) from error
