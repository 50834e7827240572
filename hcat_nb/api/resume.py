"""Goes on with a run that was interrupted, from its last checkpoint."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hcat_nb.api.run import Run, faced
from hcat_nb.errors import SpecError, StoreError
from hcat_nb.runs.execution.carry_out import carry_out
from hcat_nb.runs.execution.followers import FollowerJournal
from hcat_nb.runs.execution.inputs import Inputs, check_audience, make_spec, run_head
from hcat_nb.runs.execution.pipeline import Pipeline
from hcat_nb.runs.store.checkpoint import is_ours, last_good
from hcat_nb.runs.store.fingerprint import differences
from hcat_nb.runs.store.folder import CHECKPOINT, settle
from hcat_nb.runs.store.journal import Journal
from hcat_nb.runs.store.lock import owned
from hcat_nb.runs.store.saving import folder_path, load_record
from hcat_nb.spec import RunSpec

if TYPE_CHECKING:
    from hcat_nb.models._building import ModelLike
    from hcat_nb.training.events import Control, Listener


def resume(
    folder: str | os.PathLike[str],
    data: Any = None,
    labels: Any = None,
    *,
    model: ModelLike | None = None,
    truth: Any = None,
    features: Any = None,
    listeners: Sequence[Listener] = (),
    control: Control | None = None,
    keep_checkpoint: bool = False,
    **options: Any,
) -> Run:
    """Go on with a run that was killed or stopped; on a CPU it ends as if never interrupted.

    Parameters
    ----------
    folder : str or Path
        The ``out`` of the run.
    data, labels, model, truth, features : optional
        Those of the run again, if they were objects instead of names.
    listeners : sequence of Listener
        Objects whose methods are called as the training proceeds.
    control : Control, optional
        Stops or pauses from another thread.
    keep_checkpoint : bool
        Whether the last checkpoint stays when the run is finished.
    **options
        Fields of :class:`RunSpec`, only to hand objects over again (a dataset
        as ``source`` of far_ood, say) or to check that others are equal.

    Returns
    -------
    Run
        Saved in ``folder``; ``info["resumed"]`` says from where.

    Raises
    ------
    StoreError
        If there is nothing to resume, the run is finished, or the data, model
        or options are not those of the run; the error says what differs.
    HcatError
        As :func:`hcat_nb.characterize` raises it.

    Examples
    --------
    >>> import tempfile, hcat_nb as hcat
    >>> from hcat_nb.training.events import Control, Listener
    >>> out, control = tempfile.mkdtemp() + "/run", Control()
    >>> class Impatient(Listener):
    ...     def on_epoch(self, event):
    ...         control.stop.set()  # as Ctrl-C does
    >>> told = {"listeners": [Impatient()], "control": control, "out": out}
    >>> hcat.characterize("wine", epochs=2, methods="el2n", **told).info["outcome"]
    'stopped'
    >>> hcat.resume(out).info["outcome"]
    'finished'
    """
    from hcat_nb.training.ranks import together
    from hcat_nb.training.seed import undisturbed

    with undisturbed(), together() as ranks, ExitStack() as held:
        listeners = check_audience(listeners, control, keep_checkpoint=keep_checkpoint)
        path = folder_path(folder)
        leads = ranks is None or ranks.leads
        if leads:
            settle(path)
        if not (path / CHECKPOINT).is_dir():
            raise _nothing(path)
        if leads:
            held.enter_context(owned(path, "a run, resumed"))
        index = last_good(path)
        if index is None or index["outcome"] is not None:
            raise _nothing(path)
        given = {"dataset": data, "model": model, "truth": truth, "features": features, **options}
        _refuse_missing(path, index, given)
        spec = _spec(path, index, data, model, options, truth, features)
        inputs = Inputs(data, labels, index["name"], model, index["classes"], truth, features)
        kept = ("data", "model", "epochs", "environment")
        head = run_head(spec, inputs) | {key: index[key] for key in kept if key in index}
        resumed = [*index.get("resumed", [])]
        if index["epoch"] or index["seed"]:
            resumed.append({"seed": index["seed"], "epoch": index["epoch"]})
        kind = Journal if leads else FollowerJournal
        journal = kind(path, head | {"resumed": resumed}, keep_checkpoint, index)
        return faced(lambda: carry_out(Pipeline, spec, inputs, listeners, control, journal, ranks))


def _nothing(path: Path) -> StoreError:
    """Return why there is nothing to resume in a folder."""
    if (path / "run.json").is_file():
        if load_record(path).info.get("kind") == "watched":
            return StoreError(
                f"the run in {path} watched a training of your own, and cannot be resumed",
                "a run that hcat_nb trained",
                "go on with your own loop from your own checkpoint, watched anew",
            )
        return StoreError(
            f"the run in {path} has ended; there is nothing to resume",
            "a run that was interrupted",
            "load_run or `hcat evaluate` shows it",
        )
    if path.is_dir() and is_ours(path):
        return StoreError(
            f"the run in {path} was interrupted before it began", remedy="start it again"
        )
    return StoreError(f"{path} holds no run", "the folder of a run that was interrupted")


def _refuse_missing(path: Path, index: Mapping[str, Any], given: dict[str, Any]) -> None:
    """Refuse to go on without the objects of the run, which no file can hold."""
    if isinstance(given.get("hardness"), Mapping):  # a mixture, whose parts are an option
        given["hardness_options"] = given["hardness"]
    missing = [name for name in index["objects"] if given.get(name) is None]
    if missing:
        words = {"dataset": "data, labels", "model": "model=..."}
        again = ", ".join(words.get(name, f"{name}=...") for name in missing)
        raise StoreError(
            f"the {' and the '.join(missing)} of the run in {path} "
            f"{'was an object' if len(missing) == 1 else 'were objects'}, of which no file is kept",
            remedy=f"hand over again in Python what it was: hcat_nb.resume(folder, {again})",
        )


def _spec(
    path: Path,
    index: Mapping[str, Any],
    data: Any,
    model: Any,
    options: Mapping[str, Any],
    truth: Any,
    features: Any,
) -> RunSpec:
    """Return the run's specification, objects handed over again included."""
    recorded = RunSpec.recorded(index["spec"])
    spec = make_spec(data, model, recorded, dict(options), truth, features)
    then = {key: value for key, value in index["spec"].items() if key not in index["objects"]}
    now = {key: spec.to_dict()[key] for key in then}
    if words := differences(then, now):
        raise SpecError(
            f"the run in {path} was begun with another specification ({'; '.join(words)})",
            "the same options, or none",
        )
    return spec
