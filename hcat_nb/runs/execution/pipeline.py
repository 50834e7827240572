"""One training in the making: wires the stages load, perturb, train and observe, score."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd
import torch
from torch import nn

from hcat_nb.checks.before_training import told_before
from hcat_nb.data.class_order import in_recorded_order
from hcat_nb.data.placement import place_features
from hcat_nb.observation.record import Need
from hcat_nb.runs.execution.accumulators import begin
from hcat_nb.runs.execution.answers import answer
from hcat_nb.runs.execution.costs import OBSERVE, SCORE
from hcat_nb.runs.execution.epochs import chosen_epochs
from hcat_nb.runs.execution.info import DRAWN, GIVEN, peak_memory_mb, pipeline_info, start_event
from hcat_nb.runs.execution.inputs import load_dataset, make_methods
from hcat_nb.runs.execution.model_outputs import fit_outputs
from hcat_nb.runs.execution.state import PipelineState
from hcat_nb.runs.execution.tables import (
    details_table,
    flags_table,
    held_out_table,
    id_frame,
    map_columns,
    output_notes,
    score_and_release,
    scores_table,
)
from hcat_nb.runs.store.fingerprint import seen_fingerprint, spec_fingerprint
from hcat_nb.runs.store.record import Record
from hcat_nb.seeds import child_seed

if TYPE_CHECKING:
    from hcat_nb.data.dataset import LabelledDataset
    from hcat_nb.models._backbone import Backbone
    from hcat_nb.models._building import ModelLike
    from hcat_nb.training.events import Control, Listener
    from hcat_nb.training.loop import Notify, Trainer, Training


class Pipeline(PipelineState):
    """The stages of one training; what they hand on is :class:`PipelineState`."""

    def prepare(
        self,
        data: Any,
        labels: Any,
        name: str | None,
        model: ModelLike | None,
        classes: Sequence[Any] | None,
        truth: Any = None,
        features: Any = None,
    ) -> None:
        """Do and check everything that comes before training."""
        from hcat_nb.models._backbone import check_follows, make_backbone
        from hcat_nb.runs.execution.given_truth import with_hardness
        from hcat_nb.runs.execution.judging import make_judges, settled
        from hcat_nb.runs.execution.memory_need import check_fits
        from hcat_nb.training.device import choose_device

        spec = self.spec
        self.methods = make_methods(spec)
        ranks = self.ranks
        self.device = (choose_device if ranks is None else ranks.device)(spec.device)
        with nullcontext() if ranks is None else ranks.one_before_the_others():
            clean = (
                load_dataset(data, labels, name, spec, classes, truth)
                if self.given is None
                else self.given.dataset
            )
        if self.class_order:
            clean = in_recorded_order(clean, self.class_order)
        self.timings["load"] = time.perf_counter() - self.began
        if self.given is None and self.checks_data:
            self.notes += told_before(clean, spec, tell=ranks is None or ranks.leads)
        if self.backbone is None:
            self.backbone = make_backbone(spec.features, features, clean, download=spec.download)
        like = self.backbone.like(clean)
        self.methods = settled(self.methods, like)
        self.judges, note = make_judges(spec, like)
        self.notes += [note] if note else []
        clean = self._build(spec.model if model is None else model, clean, self.backbone)
        self.spec = spec.replace(epochs=self.epochs)
        self.perturbed, note = with_hardness(clean, spec, self.given)
        self.notes += [note] if note else []
        check_follows(self.backbone, self.dataset.features is not clean.features)
        self.seen = self.backbone.seen(self.dataset)
        self._wire()
        check_fits(self, self._need())
        self.timings["prepare"] = time.perf_counter() - self.began - self.timings["load"]

    def train(self, listeners: Sequence[Listener], control: Control | None) -> Training:
        """Train and observe."""
        from hcat_nb.training.events import Control

        self.trainer.listeners = listeners
        self.trainer.control = control or Control()
        self.trainer.afterwards = self._end
        try:
            return self.trainer.fit(start_event(self))
        finally:
            self.trainer.afterwards = None  # a cycle would keep the features alive

    @property
    def epoch_files(self) -> Path | None:
        """The folder to which training adds a file each epoch, if it does."""
        return None if self.logits_keeper is None else self.logits_keeper.folder

    def states(self) -> dict[str, dict[str, torch.Tensor]]:
        """Return the state of each accumulator; of several ranks, to the one that leads."""
        if self.shares is not None:
            return self.shares.states()
        return {name: one.state() for name, one in self.accumulators().items()}

    def load_states(self, states: dict[str, dict[str, torch.Tensor]]) -> None:
        """Go back to where :meth:`states` was asked."""
        if self.shares is not None:
            self.shares.take(states)
            return
        for name, one in self.accumulators().items():
            one.load_state(states[name])

    def _end(self, training: Training, notify: Notify) -> None:
        if self.shares is not None:
            self.gather()
        self.extra.run(training, notify)
        if self.ranks is None or self.ranks.leads:
            self.ask_judges(len(training.history))

    def ask_judges(self, epochs: int) -> None:
        """Show the data to the judges, once; they need no more than the epochs that are over."""
        from hcat_nb.runs.execution.judging import ask

        if not self.judging.seconds and epochs:
            ask([*self.methods, *self.judges], self.seen, epochs, self.judging)

    def gather(self) -> None:
        """Bring together on rank 0 what the ranks observed; all of them call it, once."""
        if self.shares is not None:
            self.shares.gather()

    def run(self, training: Training, outcome: str) -> Record:
        """Score what was observed; of that, nothing but the tables is left."""
        from hcat_nb.runs.execution.judging import judged

        scoring = time.perf_counter()
        dataset, epochs = self.dataset, len(training.history)
        self.ask_judges(epochs)
        said = self.answers = answer(
            dataset,
            self.dynamics,
            held_out=self.extra.held_out,
            accuracies=[record.accuracy for record in training.history],
            judges=judged([*self.methods, *self.judges]),
        )
        on_map = map_columns(dataset, self.dynamics, epochs, self.methods, said)
        self.dynamics.release()
        everyone = score_and_release([*self.methods, *self.judges], self.judging)
        self.notes += output_notes(self.outputs, everyone)
        outcomes = {method.name: everyone[method.name] for method in self.methods}
        history = pd.DataFrame([vars(record) for record in training.history]).set_index("epoch")
        now = time.perf_counter()
        self.timings |= {
            "train": float(history["train_seconds"].sum()),
            "observe": float(history["observe_seconds"].sum()),
            **self.extra.timings(),
            **{OBSERVE + part: took for part, took in self.trainer.observer.clock.seconds.items()},
            **{SCORE + method: took for method, took in self.judging.seconds.items()},
            "score": now - scoring,
            "total": now - self.began,
        }
        if (peak := peak_memory_mb()) is not None:
            self.timings["peak_memory_mb"] = peak
        return Record(
            spec=self.spec,
            scores=scores_table(dataset, outcomes),
            details=details_table(dataset, on_map, everyone),
            truth=self.perturbed.truth,
            flags=flags_table(dataset, outcomes),
            history=history,
            timings=self.timings,
            info=pipeline_info(self, outcome),
            dynamics=None if self.keeper is None else id_frame(dataset, self.keeper.columns()),
            weights={
                name: value.detach().cpu().clone().contiguous()
                for name, value in self.trainer.model.state_dict().items()
            },
            dataset=dataset,
            logits=None if self.logits_keeper is None else self.logits_keeper.stored(),
            held_out=held_out_table(dataset, self.extra.held_out.probabilities()),
        )

    def _build(
        self, model: ModelLike, clean: LabelledDataset, backbone: Backbone
    ) -> LabelledDataset:
        """Make the network, and return the data with a class for each of its outputs."""
        from hcat_nb.models._adapter import AdaptedModel, fit_scaling
        from hcat_nb.models._building import build_network, default_model, model_name
        from hcat_nb.models._embedding import output_width
        from hcat_nb.runs.execution.judging import find_embedding_of
        from hcat_nb.training.seed import isolated_rng

        two = backbone.like(clean.take(torch.nonzero(clean.trainable).ravel()[:2]))
        columns = 0 if two.modality == "image" else two.encoded_shape[0]
        rows = int(clean.trainable.sum())
        self.epochs, note = chosen_epochs(self.spec, rows, columns)
        self.notes += [note] if note else []
        if isinstance(model, str) and model == "auto":
            model = default_model(two, self.spec.effective_defaults)
        self.model_name = model_name(model, two)
        self.initial_weights = GIVEN if isinstance(model, torch.nn.Module) else DRAWN
        self.make_network = partial(build_network, model, options=self.spec.model_options)
        with isolated_rng(child_seed(self.spec.effective_model_seed, "weights")):
            self.net = self.make_network(two, notes=self.notes)
            trial = AdaptedModel(fit_scaling(two, self.spec.normalize), self.net).cpu()
            own = None if isinstance(model, str) else backbone
            clean = fit_outputs(self, clean, output_width(trial, two.features), own)
            asked = any(Need.EMBEDDINGS in one.needs for one in (*self.methods, *self.judges))
            if asked or self.spec.embedding is not None:
                find_embedding_of(self, trial, two.features)
        return clean

    def _model(self) -> nn.Module:
        """Return the network as it is trained and observed: raw features in, logits out."""
        from hcat_nb.models._adapter import AdaptedModel, fit_scaling

        scaling = fit_scaling(self.seen, self.spec.normalize, self.spec.effective_defaults)
        model = AdaptedModel(scaling, self.net).to(self.device)
        if self.ranks is not None:
            self.ranks.start_alike(model)
        return model

    def _trainer(self) -> Callable[..., Trainer]:
        """Return what makes the trainer."""
        if self.ranks is None:
            from hcat_nb.training.loop import Trainer

            return Trainer
        from hcat_nb.training.rank_trainer import RankTrainer

        return RankTrainer

    def _need(self) -> dict[str, int]:
        """Return the bytes that the run will take, by name."""
        from hcat_nb.runs.execution.memory_need import memory_need

        return memory_need(self.trainer, self.accumulators())

    def _wire(self) -> None:
        """Connect model, methods, observer and trainer."""
        from hcat_nb.observation.batch_size import default_batch_size
        from hcat_nb.observation.observer import Observer
        from hcat_nb.observation.traits import InputTraits
        from hcat_nb.runs.execution.extra_trainings import ExtraTrainings
        from hcat_nb.runs.execution.held_out import HeldOut
        from hcat_nb.runs.execution.memory_need import free_memory
        from hcat_nb.training.seed import isolated_rng

        spec, dataset, device = self.spec, self.dataset, self.device
        labels = dataset.labels.to(device)
        seed = spec.effective_model_seed
        own = begin(self, labels)
        seen = self.seen
        batch_size = spec.observe_batch_size or default_batch_size(seen.sample_shape, device)
        observed = torch.nonzero(dataset.readable).ravel().to(device)
        weights = dataset.weights
        if weights is not None:
            weights = (weights / weights[dataset.trainable].mean()).to(device)
        if self.ranks is not None:
            from hcat_nb.training.shares import Shares

            same = seen_fingerprint(dataset, self.backbone), spec_fingerprint(spec)
            self.ranks.check_same(dict(zip(("dataset", "specification"), same, strict=True)))
            portions = self.ranks.portions(observed, batch_size)
            self.shares = Shares(self.ranks, portions, len(dataset), self.accumulators())
            observed = self.shares.mine
        model = self._model()
        own_bytes = [one.later_bytes(seen.sample_shape) for one in self.accumulators().values()]
        reserved = 4 * seen.n_classes * len(seen) + sum(own_bytes)
        free = free_memory(device)
        self.placement = place_features(seen, device, spec.data_on, reserved, free)
        features = self.placement.features
        observer = Observer(
            model,
            features,
            labels,
            observed,
            [*own, *self.methods, *self.judges],
            n_classes=dataset.n_classes,
            batch_size=batch_size,
            seed=seed,
            embedding=self.embedding,
            traits=InputTraits.of(seen),
            sharing=self.shares,
            from_training=spec.observe == "training",
            weights=weights,
            tokens=self.tokens,
        )
        with isolated_rng(child_seed(seed, "rehearsal"), device):
            observer.rehearse()
        self.trainer = self._trainer()(
            model,
            features,
            labels,
            torch.nonzero(dataset.trainable).ravel().to(device),
            observer,
            self.dynamics,
            epochs=self.epochs,
            batch_size=spec.batch_size,
            lr=spec.lr,
            seed=seed,
            weights=weights,
            ranks=self.ranks,
        )
        held_out = HeldOut(spec, dataset, seed, self.epochs)
        agreed = bool if self.ranks is None else self.ranks.broadcast
        self.extra = ExtraTrainings(
            self.methods, seen, self.make_network, self.trainer, held_out, agreed
        )
