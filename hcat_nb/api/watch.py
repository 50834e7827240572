"""Watches a training that somebody else runs: a Run of it, as of any other."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from hcat_nb.api.run import Run
from hcat_nb.errors import DataError, HcatError, ModelError, SpecError

if TYPE_CHECKING:
    from torch import nn

    from hcat_nb.models._watched import Forward
    from hcat_nb.runs.execution.inputs import Inputs
    from hcat_nb.runs.watched.pipeline import WatchedPipeline
    from hcat_nb.spec import RunSpec
    from hcat_nb.training.events import Listener
    from hcat_nb.training.loop import Outcome, Training

_OURS = {  # options of a training that is not ours
    *("hardness", "hardness_options", "p", "features", "seeds", "folds", "learning_check"),
    *("lr", "batch_size", "model", "model_options", "device", "subset"),
}
_LATER: Any = object()  # a module that nobody has yet


@dataclass(eq=False)
class Watch:
    """Watches one training; made by :func:`hcat_nb.watch`, whose parameters it has."""

    _spec: RunSpec
    _inputs: Inputs
    _listeners: Sequence[Listener]
    _out: str | Path | None
    _overwrite: bool
    _collate: Callable[[list[Any]], Any] | None
    _forward: Forward | None
    _run: Run | None = None
    _pipeline: WatchedPipeline | None = None
    _training: Training = field(init=False)

    def attach(self, model: nn.Module) -> None:
        """Watch this module, if :func:`hcat_nb.watch` was given None; same errors.

        >>> import torch, hcat_nb as hcat
        >>> hcat.watch(None, hcat.load("wine"), epochs=2).attach(torch.nn.Linear(13, 3))
        """
        from torch import nn
        from torch.nn.parallel import DistributedDataParallel

        from hcat_nb.models._watched import numbered
        from hcat_nb.runs.execution.followers import check_spec
        from hcat_nb.runs.execution.info import start_event
        from hcat_nb.runs.watched.pipeline import WatchedPipeline, device_of
        from hcat_nb.training.ranks import joined
        from hcat_nb.training.watching import left_alone

        if not isinstance(model, nn.Module):
            raise ModelError(f"the model is a {type(model).__name__}", "a torch.nn.Module")
        ranks = joined()
        model = getattr(model, "_orig_mod", model)  # of torch.compile; the weights are the same
        if isinstance(model, DistributedDataParallel):
            model = getattr(model.module, "_orig_mod", model.module)
        data, labels, name, _, classes, truth, _ = self._inputs
        with left_alone(model):
            device = device_of(model)
            # Under several processes each has a GPU of its own, which it knows.
            where = str(device) if ranks is None else device.type
            spec, items = self._spec.replace(device=where), None
            if ranks is not None:
                check_spec(spec, ranks)
            if self._collate is not None:
                items, data = numbered(data, labels, self._collate, spec, name, classes)
                labels = classes = None
            pipeline = WatchedPipeline(
                spec, ranks=ranks, items=items, forward=self._forward, checks_data=items is None
            )
            pipeline.prepare(data, labels, name, model, classes, truth)
        pipeline.watching.listeners = self._listeners if pipeline.watching.leads else ()
        self._training = pipeline.watching.open(start_event(pipeline))
        self._pipeline = pipeline

    def batch(self, ids: Any, logits: Any) -> None:
        """Take the logits of a training step; a sample that comes again in an epoch is replaced.

        ``ids``, of length b, are sample ids of the data, or positions where ids
        repeat.  ``logits``, (b, n_classes), or an output that holds them, are
        those of the training's forward pass.  DataError if they do not fit.
        """
        import torch

        from hcat_nb.api.record import positions
        from hcat_nb.models._adapter import logits_of

        pipeline = self._at_work()
        values, rows = logits_of(logits).detach(), positions(ids, pipeline.dataset.sample_ids)
        if values.shape != (len(rows), pipeline.dataset.n_classes):
            raise DataError(
                f"logits of the shape {tuple(values.shape)} for {len(rows)} ids",
                f"({len(rows)}, {pipeline.dataset.n_classes})",
            )
        device = pipeline.device
        pipeline.watching.batch(torch.from_numpy(rows).to(device), values.to(device))

    def end_epoch(self, loss: float | None = None) -> None:
        """Observe the model as it is; nothing of it or of the training is changed.

        ``loss`` is the epoch's mean, for the history and the charts; default: the mean
        cross-entropy of the logits given to :meth:`batch`, or else of the observed ones.
        SpecError if methods need :meth:`batch` and it was not called, or all epochs are over.
        """
        pipeline = self._at_work()
        trainer = pipeline.watching
        if pipeline.wants_batches and not trainer.was_told:
            raise SpecError(
                f"watch.batch was not called in epoch {trainer.epoch}",
                "watch.batch(ids, logits) after each step",
                "call it, or leave out observe=training and the methods that read training logits",
            )
        trainer.end_epoch(None if loss is None else float(loss))

    def run(self) -> Run:
        """Score what was observed, save it where ``out`` says so, and return the run.

        After early stopping the final model is the one that the module holds now.  HcatError if
        no epoch ended.
        """
        if self._run is None:
            from hcat_nb.training.watching import left_alone

            pipeline = self._pipeline
            if pipeline is None or not self._training.history:
                self._close("failed", "no epoch ended")
                raise HcatError("no epoch ended: there is nothing to score", "watch.end_epoch()")
            whole = len(self._training.history) == pipeline.epochs
            outcome: Outcome = "finished" if whole else "stopped"
            self._close(outcome)
            with left_alone(pipeline.net):
                self._run = Run.of(pipeline.shared_run(self._training, outcome))
            if self._out is not None:
                self._run.save(self._out, overwrite=self._overwrite)
        return self._run

    def state_dict(self) -> dict[str, Any]:
        """Return what was observed so far, to keep beside a checkpoint of your own.

        For ``torch.save``: tensors on the CPU and plain values, as many bytes as the methods
        remember.  Of several processes all call it, and the first gets all.  SpecError in the
        midst of an epoch that :meth:`batch` was told of, or with ``keep_dynamics="logits"``.

        >>> import torch, hcat_nb as hcat
        >>> watch = hcat.watch(torch.nn.Linear(13, 3), hcat.load("wine"), epochs=2)
        >>> watch.end_epoch()
        >>> len(watch.state_dict()["history"])
        1
        """
        if self._run is not None:
            raise SpecError("the training is over and scored", remedy="run.save(folder)")
        return self._attached().kept()

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on from :meth:`state_dict`, of the same call, in every process alike.

        The model and all else of the training are yours to restore.  StoreError if the state is
        not of such a watch; SpecError if epochs were observed already.

        >>> import torch, hcat_nb as hcat
        >>> net, data = torch.nn.Linear(13, 3), hcat.load("wine")
        >>> first, second = (hcat.watch(net, data, epochs=2, methods="el2n") for _ in range(2))
        >>> first.end_epoch()
        >>> second.load_state_dict(first.state_dict())
        """
        self._attached().go_on(state)

    def callback(self, of: str) -> Any:
        """Return a callback for a trainer of "huggingface", "lightning" or "skorch".

        It ends epochs and makes the run.  Methods that read the logits of
        training need the ids of samples.  A step of Lightning hands them on:
        ``return {"loss": loss, "ids": ids, "logits": logits}``.  With the
        others give the model a keyword more, ``sample_id``, of which it never
        hears: a column of the data that ``collate`` keeps (with Hugging Face's
        ``remove_unused_columns=False``), or ``fit({"x": X, "sample_id": ids},
        y)`` of skorch, where ``x`` is the module's own keyword.
        No example here: it needs one of these packages.  "How to" in the documentation has one.
        """
        from hcat_nb.api._callbacks import callback

        return callback(self, of)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, _: Any, error: BaseException | None, _at: Any) -> None:
        if error is not None and self._run is None:
            self._close("failed", f"{type(error).__name__}: {error}")
        elif error is None and self._pipeline is not None:
            self.run()

    def _at_work(self) -> WatchedPipeline:
        """Return the pipeline, on the model's device, if the training goes on."""
        from hcat_nb.runs.watched.pipeline import device_of

        pipeline = self._attached()
        done, planned = len(self._training.history), pipeline.epochs
        if self._run is not None or done == planned:
            raise SpecError(
                f"{done} of {planned} planned epochs are over" + " and scored" * bool(self._run),
                "epochs=, as many as there are at most",
            )
        if (now := device_of(pipeline.net)) != pipeline.device:
            if done or pipeline.watching.told:
                raise ModelError(f"the model moved to {now} while it was watched", "one device")
            self.attach(pipeline.net)  # it moved before it was trained
        return self._attached()

    def _attached(self) -> WatchedPipeline:
        if self._pipeline is None:
            raise SpecError("no model is watched yet", "watch.attach(model)")
        return self._pipeline

    def _close(self, outcome: Outcome, message: str = "") -> None:
        if self._pipeline is not None:
            self._pipeline.watching.close(outcome, message)


def watch(
    model: nn.Module | None,
    dataset: Any,
    labels: Any = None,
    *,
    epochs: int,
    name: str | None = None,
    classes: Sequence[Any] | None = None,
    truth: Any = None,
    listeners: Sequence[Listener] = (),
    out: str | Path | None = None,
    overwrite: bool = False,
    collate: Callable[[list[Any]], Any] | None = None,
    forward: Forward | None = None,
    **options: Any,
) -> Watch:
    """Watch a training of your own, without changing it.

    The model is observed at the end of each epoch, in evaluation mode, without
    autocast; modes, gradients, buffers and random state are put back.

    Parameters
    ----------
    model : Module or None
        The one that is trained, not a copy.  None: :meth:`Watch.attach` hands it over later.
    dataset, labels : object
        What :func:`hcat_nb.load` takes, without augmentation, the features as the
        model takes them; or, with ``collate``, any map-style dataset.
    epochs : int
        How many, at most.  Methods that read some epochs only (``grand``, ``vog``) choose
        them by it; after early stopping the run's notes say which they used.
    name, classes, truth, listeners, out, overwrite
        As in :func:`hcat_nb.characterize`.
    collate : callable, optional
        For samples that are no tensors of one shape (dicts, token ids,
        sounds): makes a batch of a list of ``dataset[i]``.  Methods that look
        at the samples themselves are then skipped.
    forward : callable, optional
        ``forward(model, batch)`` returns logits or an output that holds them;
        default: ``model(**batch)`` without the labels of a dict, else ``model(x)``.
    **options
        Fields of :class:`RunSpec` that do not concern the training:
        ``methods``, ``observe="training"``, ``seed``, ``keep_dynamics`` and
        how data are read.  Nothing is scaled unless ``normalize="auto"`` asks for it.

    Returns
    -------
    Watch
        Call ``batch(ids, logits)`` for methods that read the training's
        logits, ``end_epoch()``, and ``run()``; it is a context manager, too.

    Raises
    ------
    HcatError
        If something is wrong, before training.

    Examples
    --------
    >>> import torch, hcat_nb as hcat
    >>> net, data = torch.nn.Linear(13, 3), hcat.load("wine")
    >>> optimizer = torch.optim.Adam(net.parameters())
    >>> watch = hcat.watch(net, data, epochs=2, methods="aum el2n")
    >>> for epoch in range(2):
    ...     for ids in torch.randperm(178).split(32):
    ...         logits = net(data.features[ids])
    ...         optimizer.zero_grad()
    ...         torch.nn.functional.cross_entropy(logits, data.labels[ids]).backward()
    ...         optimizer.step()
    ...         watch.batch(ids, logits)
    ...     watch.end_epoch()
    >>> watch.run().scores.shape
    (178, 2)
    """
    from hcat_nb.runs.execution.inputs import Inputs, check_audience, make_spec
    from hcat_nb.runs.store.saving import check_folder
    from hcat_nb.spec import OPTION_ALIASES

    for option, value in options.items():
        own = OPTION_ALIASES.get(option, option)
        if own in _OURS or (own in ("on_missing_label", "on_bad_row") and value == "drop"):
            raise SpecError(
                f"{option}={value!r} is for a training that hcat_nb runs itself",
                remedy="hcat.characterize has it; or change what your own loop trains on",
            )
    for option, call in {"collate": collate, "forward": forward}.items():
        if call is not None and not callable(call):
            raise SpecError(f"{option} is {call!r}", "a function, or None")
    chosen = {"normalize": "none", **options, "epochs": epochs}
    chosen |= {"learning_check": False, "folds": "0"}
    spec = make_spec(dataset, model or _LATER, None, chosen, truth)
    heard = check_audience(listeners, None, overwrite=overwrite)
    if out is not None:
        check_folder(out, overwrite=overwrite)
    inputs = Inputs(dataset, labels, name, None, classes, truth)
    made = Watch(spec, inputs, heard, out, overwrite, collate, forward)
    if model is not None:
        made.attach(model)
    return made
