"""Watches a training that somebody else runs: a Run of it, as of any other."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Literal, Self

from hcat_nb.api.run import Run
from hcat_nb.errors import DataError, HcatError, ModelError, SpecError, UnknownNameError
from hcat_nb.registry import nearest

if TYPE_CHECKING:
    from torch import nn

    from hcat_nb.models._watched import Forward
    from hcat_nb.runs.watched.pipeline import WatchedPipeline
    from hcat_nb.spec import RunSpec
    from hcat_nb.training.events import Listener

_OURS = {  # options of a training that is not ours
    *("hardness", "hardness_options", "p", "features", "seeds", "folds", "learning_check"),
    *("lr", "batch_size", "model", "model_options", "device", "subset"),
}
_LATER: Any = object()  # a module that nobody has yet
_DROPPED = ("on_missing_label", "on_bad_row")


class Watch:
    """Watches one training; made by :func:`hcat_nb.watch`, whose parameters it has."""

    def __init__(
        self,
        model: nn.Module | None,
        dataset: Any,
        labels: Any,
        spec: RunSpec,
        *,
        name: str | None,
        classes: Sequence[Any] | None,
        truth: Any,
        listeners: Sequence[Listener],
        out: str | Path | None,
        overwrite: bool,
        collate: Callable[[list[Any]], Any] | None,
        forward: Forward | None,
    ) -> None:
        self._spec, self._out, self._overwrite = spec, out, overwrite
        self._listeners, self._collate, self._forward = listeners, collate, forward
        self._data, self._beside = (dataset, labels), (name, classes, truth)
        self._run: Run | None = None
        self._pipeline: WatchedPipeline | None = None
        if model is not None:
            self.attach(model)

    def attach(self, model: nn.Module) -> None:
        """Watch this module, where :func:`hcat_nb.watch` was given None.

        Raises
        ------
        HcatError
            If it does not suit the data, or a method that is asked for cannot be measured.
        """
        from torch import distributed, nn

        from hcat_nb.runs.execution.info import start_event
        from hcat_nb.training.watching import left_alone

        if not isinstance(model, nn.Module):
            raise ModelError(f"the model is a {type(model).__name__}", "a torch.nn.Module")
        several = distributed.is_available() and distributed.is_initialized()
        if several and (size := distributed.get_world_size()) > 1:
            raise SpecError(
                f"{size} processes train together, and hcat.watch watches one",
                "one process",
                "hcat.characterize trains in several, or train in one",
            )
        model = getattr(model, "_orig_mod", model)  # of torch.compile; the weights are the same
        with left_alone(model):
            self._pipeline = self._prepared(model)
        self._pipeline.watching.listeners = self._listeners
        self._training = self._pipeline.watching.open(start_event(self._pipeline))

    def attach_once(self, model: nn.Module) -> None:
        """Watch this module unless one is watched."""
        if self._pipeline is None:
            self.attach(model)

    def batch(self, ids: Any, logits: Any) -> None:
        """Take what the optimizer saw: before or after its step, in any order, as often as it is.

        Of a sample that comes twice in an epoch, the last time counts.

        Parameters
        ----------
        ids : sequence or Tensor of length b
            Ids of the samples, those of the data; where these repeat, positions.
        logits : Tensor of shape (b, n_classes), or an output that holds them
            Of the training forward; not changed, and no gradient goes through.

        Raises
        ------
        DataError
            If an id is not among the samples, or the shapes contradict each other.
        """
        from hcat_nb.models._adapter import logits_of

        pipeline = self._at_work()
        values, rows = logits_of(logits).detach(), self._rows(ids)
        if values.shape != (len(rows), pipeline.dataset.n_classes):
            raise DataError(
                f"logits of the shape {tuple(values.shape)} for {len(rows)} ids",
                f"({len(rows)}, {pipeline.dataset.n_classes})",
            )
        pipeline.watching.batch(rows.to(pipeline.device), values.to(pipeline.device))

    def end_epoch(self, loss: float | None = None) -> None:
        """Observe the model as it is; nothing of it or of the training is changed.

        Parameters
        ----------
        loss : float, optional
            The epoch's mean, for the history and the charts; default: the mean
            cross-entropy of the logits that :meth:`batch` was told, or else of the observed ones.

        Raises
        ------
        SpecError
            If more epochs end than were planned, or a method that was asked
            for by name needs :meth:`batch`, which was not called.
        """
        pipeline = self._at_work()
        trainer = pipeline.watching
        if not trainer.told and not pipeline.told_all:
            raise SpecError(
                f"watch.batch was not called in epoch {trainer.epoch}",
                "watch.batch(ids, logits) after each step",
                "call it, or leave out observe=training and the methods that read training logits",
            )
        trainer.end_epoch(None if loss is None else float(loss))

    def run(self) -> Run:
        """Score what was observed, save it where ``out`` says so, and return the run.

        After early stopping the final model is the one that the module holds now.

        Raises
        ------
        HcatError
            If no epoch ended.
        """
        if self._run is None:
            pipeline = self._pipeline
            if pipeline is None or not self._training.history:
                self._close("failed", "no epoch ended")
                raise HcatError(
                    "no epoch ended, and there is nothing to score", "watch.end_epoch()"
                )
            whole = len(self._training.history) == pipeline.epochs
            outcome: Literal["finished", "stopped"] = "finished" if whole else "stopped"
            from hcat_nb.training.watching import left_alone

            self._close(outcome)
            with left_alone(pipeline.net):
                self._run = Run.of(pipeline.run(self._training, outcome))
            if self._out is not None:
                self._run.save(self._out, overwrite=self._overwrite)
        return self._run

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        if error is not None:
            self._close("failed", f"{type(error).__name__}: {error}")
        elif self._pipeline is not None:
            self.run()

    def callback(self, of: Literal["huggingface", "lightning", "skorch"]) -> Any:
        """Return a callback for a trainer of this library: it ends epochs and makes the run.

        Raises
        ------
        UnknownNameError
            If there is none for it.
        """
        from hcat_nb.api import callbacks

        makers = {
            "huggingface": callbacks.of_hugging_face,
            "lightning": callbacks.of_lightning,
            "skorch": callbacks.of_skorch,
        }
        if of not in makers:
            raise UnknownNameError(f"there is no callback for {of!r}", nearest(of, list(makers)))
        return makers[of](self)

    def _prepared(self, model: nn.Module) -> WatchedPipeline:
        import torch

        from hcat_nb.models._watched import Items
        from hcat_nb.runs.watched.numbered import numbered
        from hcat_nb.runs.watched.pipeline import WatchedPipeline

        (data, labels), (name, classes, truth) = self._data, self._beside
        items = None if self._collate is None else Items(data, self._collate)
        if items is not None:
            data = numbered(data, labels, self._spec, name, classes)
            labels = classes = None
        device = next((one.device for one in model.parameters()), torch.device("cpu"))
        spec = self._spec.replace(device=str(device))
        pipeline = WatchedPipeline(spec, items=items, forward=self._forward)
        pipeline.prepare(data, labels, name, model, classes, truth)
        self._positions = pipeline.dataset.sample_ids
        return pipeline

    def _at_work(self) -> WatchedPipeline:
        """Return the pipeline, on the model's device, if the training goes on."""
        if self._pipeline is None:
            raise SpecError("no model is watched yet", "watch.attach(model)")
        done, planned = len(self._training.history), self._pipeline.epochs
        if self._run is not None or done == planned:
            raise SpecError(
                f"{done} of {planned} planned epochs are over" + (", and scored" * bool(self._run)),
                "no more of the training",
                "epochs= is how many there are at most",
            )
        now = next((one.device for one in self._pipeline.net.parameters()), None)
        if now is not None and now != self._pipeline.device:
            if done or self._pipeline.watching.told:
                raise ModelError(f"the model moved to {now} while it was watched", "one device")
            self.attach(self._pipeline.net)  # it moved before it was trained
        return self._pipeline

    def _rows(self, ids: Any) -> Any:
        """Return the positions of samples, (b,), int64."""
        import numpy as np
        import pandas as pd
        import torch

        index = self._positions
        given = ids.detach().cpu().numpy() if isinstance(ids, torch.Tensor) else np.asarray(ids)
        if index.is_unique:
            rows = index.get_indexer(pd.Index(given))
        else:
            rows = np.where((given >= 0) & (given < len(index)), given, -1)
        if (rows < 0).any():
            first = given.tolist()[int(np.argmax(rows < 0))]
            raise DataError(
                f"there is no sample with the id {first!r}",
                f"ids of the data, as {index[0]!r}",
                "let the dataset of your loop give each sample's id: (id, x, y)",
            )
        return torch.from_numpy(np.asarray(rows, dtype=np.int64))

    def _close(self, outcome: Literal["finished", "stopped", "failed"], message: str = "") -> None:
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
    """Watch a training of your own, which goes on as if nobody did.

    The model is observed at the end of each epoch, in evaluation mode, without
    autocast, on the data handed over, as they are: hand over the dataset
    without augmentation.  Modes, gradients, buffers and random state are put
    back.

    Parameters
    ----------
    model : Module or None
        The one that is trained, not a copy, with as many outputs as there are
        classes.  None: :meth:`Watch.attach` hands it over later.
    dataset : object
        What :func:`hcat_nb.load` takes, with the features as the model takes
        them; or, with ``collate``, any map-style dataset.
    labels : array-like, optional
        One label a sample, where ``dataset`` has none.
    epochs : int
        At most.  Methods that read some epochs only (``grand``, ``vog``)
        choose them by it; after early stopping the run's notes say which
        they used.
    name, classes, truth, listeners
        As in :func:`hcat_nb.characterize`.
    out : str or Path, optional
        Folder to save the run to.
    overwrite : bool
        Replace a run that stands there.
    collate : callable, optional
        For samples that are no tensors of one shape (dicts, token ids,
        sounds): makes a batch of a list of ``dataset[i]``.  Methods that look
        at the samples themselves are then skipped.
    forward : callable, optional
        ``forward(model, batch)`` returns logits or an output that holds them;
        default: ``model(**batch)`` without the labels of a dict, ``model(x)``
        else.
    **options
        Fields of :class:`RunSpec` that are no matter of the training:
        ``methods``, ``method_options``, ``observe="training"``, ``seed``,
        ``keep_dynamics``, ``embedding``, ``judges`` and how data are read.
        Nothing is scaled unless ``normalize="auto"`` asks for it.

    Returns
    -------
    Watch
        Call ``batch(ids, logits)`` for methods that read the training's
        logits, ``end_epoch()``, and ``run()``; it is a context manager, too.

    Raises
    ------
    HcatError
        If something is wrong with the inputs, before training.

    Examples
    --------
    >>> import torch, hcat_nb as hcat
    >>> net, data = torch.nn.Linear(13, 3), hcat.load("wine")
    >>> x, y = data.features, data.labels
    >>> optimizer = torch.optim.Adam(net.parameters())
    >>> watch = hcat.watch(net, data, epochs=2, methods="aum el2n")
    >>> for epoch in range(2):
    ...     for ids in torch.randperm(178).split(32):
    ...         logits = net(x[ids])
    ...         optimizer.zero_grad()
    ...         torch.nn.functional.cross_entropy(logits, y[ids]).backward()
    ...         optimizer.step()
    ...         watch.batch(ids, logits)
    ...     watch.end_epoch()
    >>> watch.run().scores.shape
    (178, 2)
    """
    from hcat_nb.runs.execution.inputs import check_audience, make_spec
    from hcat_nb.runs.store.saving import check_folder
    from hcat_nb.spec import OPTION_ALIASES

    for option, value in options.items():
        own = OPTION_ALIASES.get(option, option)
        if own in _OURS or (own in _DROPPED and value == "drop"):
            raise SpecError(
                f"{option}={value!r} is of a training that hcat_nb runs itself",
                "options of observing",
                "hcat.characterize has it; or change what your own loop trains on",
            )
    chosen = {"normalize": "none", **options, "epochs": epochs}
    fixed = {"learning_check": False, "folds": "0"}
    heard = check_audience(listeners, None)
    spec = make_spec(dataset, model or _LATER, None, {**chosen, **fixed}, truth)
    if out is not None:
        check_folder(out, overwrite=overwrite)
    return Watch(
        *(model, dataset, labels, spec),
        name=name,
        classes=classes,
        truth=truth,
        listeners=heard,
        out=out,
        overwrite=overwrite,
        collate=collate,
        forward=forward,
    )
