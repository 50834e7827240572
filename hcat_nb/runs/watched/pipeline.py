"""The stages of a run whose model somebody else trains: what can be observed of it is."""

from __future__ import annotations

import copy
import dataclasses
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, cast

import torch
from torch import nn

from hcat_nb.errors import HcatError, ModelError, SpecError, StoreError
from hcat_nb.methods.base import Context, Method
from hcat_nb.models._adapter import Scaling, fit_scaling
from hcat_nb.models._embedding import output_width
from hcat_nb.models._watched import Forward, Items, WatchedModel, token_layer
from hcat_nb.observation.observer import Observer
from hcat_nb.observation.record import Need
from hcat_nb.observation.shapes_only import ShapesOnly
from hcat_nb.runs.execution.followers import broadcast
from hcat_nb.runs.execution.info import GIVEN
from hcat_nb.runs.execution.judging import find_embedding_of, without_embedding
from hcat_nb.runs.execution.model_outputs import check_outputs, fit_outputs, output_names
from hcat_nb.runs.execution.pipeline import Pipeline
from hcat_nb.runs.recorded.replaying import needs
from hcat_nb.runs.store.fingerprint import seen_fingerprint, spec_fingerprint
from hcat_nb.training.loop import EpochRecord
from hcat_nb.training.watching import Watching

if TYPE_CHECKING:
    from hcat_nb.data.dataset import LabelledDataset
    from hcat_nb.models._backbone import Backbone
    from hcat_nb.runs.store.record import Record
    from hcat_nb.training.loop import Trainer, Training

# Extra trainings are ours, and the training is not.
_NEVER = frozenset({Need.OUT_OF_FOLD, Need.THRESHOLD_SAMPLES})
_OF_ROWS = frozenset({Need.AUGMENTED, Need.FEATURES, Need.DROPOUT})
_UNTOLD = "needs the logits of the training forward: watch.batch(ids, logits) after each step"
_FAILURES = (HcatError, RuntimeError, TypeError, ValueError, NotImplementedError)


@dataclasses.dataclass(eq=False)
class WatchedPipeline(Pipeline):
    """One training of somebody else's; ``items``: the data are the numbers of these samples."""

    items: Items | None = None
    forward: Forward | None = None
    skipped: dict[str, str] = dataclasses.field(default_factory=dict)
    watched: WatchedModel = dataclasses.field(init=False)

    @property
    def watching(self) -> Watching:
        """The trainer, that trains nothing."""
        return cast("Watching", self.trainer)

    @property
    def wants_batches(self) -> bool:
        """Whether what was asked for cannot be had without the logits of training."""
        named = "all" not in self.spec.methods and self._asking(Need.TRAIN_LOGITS)
        return bool(named) or self.spec.observe == "training"

    def run(self, training: Training, outcome: str) -> Record:
        """Score what was observed, and say what was not."""
        self.notes.append(
            "a loop of the user's own trained the model, and hcat_nb watched: lr and batch_size of "
            "the specification say nothing of it"
        )
        if len(training.history) < self.epochs:
            self.notes += self._used(len(training.history))
        for method in self._asking(Need.TRAIN_LOGITS):
            count = getattr(method, "count", None)
            if count is not None and not (count > 0).any():
                self._skip(method, _UNTOLD)
        record = super().run(training, outcome)
        record.info |= {"kind": "watched", "skipped": self.skipped}
        if self.items is not None:
            record.info["dataset"]["modality"] = "other"
            record = dataclasses.replace(record, dataset=None)
        return record

    def shared_run(self, training: Training, outcome: str) -> Record:
        """Return the run, which of several processes the first makes for all."""
        self.gather()
        run = self.run(training, outcome) if self.watching.leads else None
        if self.ranks is None:
            assert run is not None
            return run
        return broadcast(self.ranks, run, None if self.items is not None else self.dataset)

    def _build(self, model: Any, clean: LabelledDataset, backbone: Backbone) -> LabelledDataset:
        """Take the user's module as it is, and find out what can be measured of it."""
        assert self.spec.epochs is not None
        self.epochs, self.net = self.spec.epochs, model
        self.model_name, self.initial_weights = type(model).__name__, GIVEN
        prepare: Callable[..., Any] = Scaling(torch.tensor(0.0), torch.tensor(1.0))
        if self.items is not None:
            prepare, self.judges = self.items, []
        elif self.spec.normalize != "none":
            prepare = fit_scaling(clean, self.spec.normalize)
        self.watched = WatchedModel(model, prepare, self.forward, self.device)
        self.make_network = lambda *_, **__: model  # nothing asks: there is no extra training
        two = clean.features[torch.nonzero(clean.trainable).ravel()[:2]]
        clean = fit_outputs(self, clean, output_width(self.watched, two), None)
        named = output_names(model, clean) is not None
        self.notes += check_outputs(model, self.watched, clean, given=True, named=named)
        self._choose(two.to(self.device), clean)
        return clean

    def _choose(self, two: torch.Tensor, dataset: LabelledDataset) -> None:
        """Leave out what cannot be measured."""
        asking = [one for one in (*self.methods, *self.judges) if Need.EMBEDDINGS in one.needs]
        without = ""
        if asking or self.spec.embedding is not None:
            try:
                find_embedding_of(self, self.watched, two)
            except ModelError as error:
                if self.spec.embedding is not None:
                    raise
                without, self.judges = str(error), without_embedding(self.judges, error)[0]
        name, self.tokens = ("", None) if self.items is None else token_layer(self.net)
        for method in tuple(self.methods):
            reason = without if Need.EMBEDDINGS in method.needs else ""
            if reason := reason or self._why_not(method, two, dataset):
                self._skip(method, reason)
            elif self.tokens is not None and Need.INPUT_GRADIENTS in method.needs:
                self.notes.append(
                    f"{method.name}: its gradients are those of the output of {name}, which "
                    "embeds the samples, summed over the positions of each"
                )

    def _why_not(self, method: Method, two: torch.Tensor, dataset: LabelledDataset) -> str:
        """Return why a method cannot be measured; empty if it can."""
        if method.needs & _NEVER:
            return needs(method.needs & _NEVER)
        unlike = self.items is not None
        if unlike and self.tokens is None and Need.INPUT_GRADIENTS in method.needs:
            return "needs samples of one shape, or a model that names its embedding of tokens"
        if unlike and method.needs & _OF_ROWS:
            return (
                "needs samples that are tensors of one shape, and collate= says that yours are not"
            )
        gradient = any(need.is_gradient for need in method.needs)
        if gradient and any(one._post_accumulate_grad_hooks for one in self.net.parameters()):
            return "a parameter has a hook that acts on each gradient (an optimizer step, say)"
        rows = torch.arange(len(two), device=self.device)
        how: dict[str, Any] = {"n_classes": dataset.n_classes, "batch_size": 2, "seed": 0}
        how["tokens"] = self.tokens
        try:
            with ShapesOnly():
                copy.copy(method).begin(Context(dataset.labels, dataset.n_classes, self.epochs))
            if gradient:
                Observer(self.watched, two, 0 * rows, rows, [method], **how).rehearse()
        except _FAILURES as error:
            return str(error).partition("\n")[0]
        return ""

    def _skip(self, method: Method, reason: str) -> None:
        """Leave a method out; refuse that before training if it was asked for by name."""
        if "all" not in self.spec.methods and not hasattr(self, "trainer"):
            wanted = "methods that can be measured"
            raise SpecError(f"{method.name}: {reason}", wanted, "leave it out")
        self.methods.remove(method)
        self.skipped[method.name] = reason

    def _asking(self, need: Need) -> list[Method]:
        return [one for one in self.methods if need in one.needs]

    def _used(self, epochs: int) -> list[str]:
        """Return which epochs each method used that does not take every one."""
        every = list(range(1, self.epochs + 1))
        said = [f"{epochs} of {self.epochs} planned epochs; the last one's model is the final one"]
        for method in self.methods:
            counts = getattr(method, "counts", method.due)
            planned = [epoch for epoch in every if counts(epoch)]
            if planned == every or {need.kind for need in method.needs} <= {"final", "data"}:
                continue
            used = [str(epoch) for epoch in planned if epoch <= epochs]
            said.append(
                f"{method.name} used epochs {', '.join(used) or 'none'} of the planned "
                + ", ".join(map(str, planned))
            )
        return said

    def kept(self) -> dict[str, Any]:
        """Return the state between two epochs; see :meth:`hcat_nb.Watch.state_dict`."""
        watching = self.watching
        if watching.was_told:
            raise SpecError(
                f"epoch {watching.epoch} has begun: its training logits are in no state",
                "a call after watch.end_epoch(), before the next watch.batch(...)",
            )
        if self.logits_keeper is not None:
            raise SpecError("keep_dynamics is 'logits', which go to files", "'none' or 'probs'")
        states = {
            who: {name: value.cpu().clone() for name, value in state.items()}
            for who, state in self.states().items()
        }
        history = [dataclasses.asdict(record) for record in watching.history]
        return {"facts": self._facts(), "history": history, "states": states}

    def go_on(self, state: Mapping[str, Any]) -> None:
        """Go on, before the first epoch, from where :meth:`kept` was called."""
        watching = self.watching
        if watching.epoch > 1 or watching.was_told:
            raise SpecError("epochs were observed already", "load_state_dict before the first one")
        if not isinstance(state, Mapping) or not {*state} >= {"facts", "history", "states"}:
            raise StoreError("this is no state of a watch", "what watch.state_dict() returned")
        own = self._facts()
        if names := [name for name in own if state["facts"].get(name) != own[name]]:
            raise StoreError(
                f"the state is of other {', '.join(names)}", "the same call of hcat.watch"
            )
        if not state["states"]:
            raise StoreError("the state holds nothing", "that of the first of several processes")
        self.load_states(state["states"])
        watching.go_on([EpochRecord(**record) for record in state["history"]])

    def _facts(self) -> dict[str, Any]:
        """Return what has to be the same for a state to fit."""
        return {
            "data": seen_fingerprint(self.dataset, self.backbone),
            "options": spec_fingerprint(self.spec.replace(device="auto")),
            "methods": list(self.accumulators()),
        }

    def _model(self) -> nn.Module:
        return self.watched

    def _trainer(self) -> Callable[..., Trainer]:
        return Watching

    def _need(self) -> dict[str, int]:
        """Return what the run takes beside the training."""
        need = {name: size for name, size in super()._need().items() if name != "training"}
        if self.tokens is not None:  # the samples themselves are numbers
            for method in self._asking(Need.INPUT_GRADIENTS):
                need[method.name] += method.later_bytes((self.tokens.embedding_dim,))
        return need


def device_of(model: nn.Module) -> torch.device:
    """Return where a module's parameters are."""
    return next((one.device for one in model.parameters()), torch.device("cpu"))
