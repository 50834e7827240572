"""The one call that does everything: load, perturb, train and observe, score."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hcat_nb.api.run import Run, faced
from hcat_nb.runs.execution.carry_out import carry_out
from hcat_nb.runs.execution.inputs import Inputs, check_audience, make_spec, run_head
from hcat_nb.runs.execution.pipeline import Pipeline

if TYPE_CHECKING:
    from hcat_nb.models._building import ModelLike
    from hcat_nb.spec import RunSpec
    from hcat_nb.training.events import Control, Listener


def characterize(
    data: Any = None,
    labels: Any = None,
    *,
    name: str | None = None,
    model: ModelLike | None = None,
    classes: Sequence[Any] | None = None,
    truth: Any = None,
    features: Any = None,
    listeners: Sequence[Listener] = (),
    control: Control | None = None,
    out: str | Path | None = None,
    overwrite: bool = False,
    keep_checkpoint: bool = False,
    spec: RunSpec | None = None,
    **options: Any,
) -> Run:
    """Train a model once and score how hard each sample is.

    Parameters
    ----------
    data : str or object, optional
        Name of a dataset, or the user's own: features (with ``labels``), a
        DataFrame (with ``target=``), a map-style torch Dataset; see
        :func:`hcat_nb.load`.  Never changed.
    labels : array-like of length n, optional
        One label a row of ``data``.
    name : str, optional
        What the user's own data are called in tables and on charts.
    model : str, Module, callable or estimator, optional
        Name of a model; a class or function that makes one; or a module, of
        which each training (of several seeds, or of a fold) takes a copy
        with its weights: hand over one that was not trained on these data.  Or
        a classifier with scikit-learn's interface.  Stages of boosting (also of
        XGBoost, LightGBM) stand for epochs; any other classifier gives
        out-of-fold probabilities, and fewer methods (``run.info["skipped"]``).
    classes : sequence, optional
        All class values, where some have no sample.
    truth : str or array-like of length n, optional
        The true labels, or which are wrong (yes or no), for ``run.evaluate()``:
        a column of the data, which is then no feature, or the values, None
        where nothing is known.
    features : str, array, DataFrame or callable, optional
        What the model sees in place of the samples: see ``features`` of
        :class:`RunSpec`; or an array with a row for each sample, a DataFrame
        whose index holds the sample ids, or a function that maps a batch of raw
        samples, a tensor (b, ...), to (b, columns).
    listeners : sequence of Listener
        Objects whose methods are called as the training proceeds.
    control : Control, optional
        Stops or pauses from another thread.
    out : str or Path, optional
        Folder to save the run to; checked before training.  After each epoch a
        checkpoint is written there, from which :func:`hcat_nb.resume` goes on.
    overwrite : bool
        Replace a run that stands at ``out``, finished or not.
    keep_checkpoint : bool
        Whether the last checkpoint stays when the run is finished.
    spec : RunSpec, optional
        A specification to start from; ``options`` change it.
    **options
        Fields of :class:`RunSpec`.

    Returns
    -------
    Run
        After a stop, the run of the finished epochs.

    Raises
    ------
    HcatError
        If anything is wrong with the inputs, before training starts;
        DivergedError if training diverges (its ``run`` holds the epochs
        before); HcatError if it is stopped before its first epoch ends.

    Notes
    -----
    Under ``torchrun`` all processes call this alike, with the same data and options, and train
    together: each observes a share of the samples.  Rank 0 tells its listeners, scores, and writes
    ``out``; the other ranks return its run, with their own copy of the data, and its ``save`` does
    nothing there. Scores are those of one process, up to the rounding of float32 sums, unless a
    model or method draws random numbers for each batch by other means than torch's dropout modules
    (``conf_agree`` with ``masks="per_sample"``, say). An error that all processes make is raised in
    all; one that a single process makes ends them all.  Several machines need the data on each of
    them, and for :func:`hcat_nb.resume` a folder that all of them see.

    Examples
    --------
    >>> import hcat_nb as hcat
    >>> run = hcat.characterize("wine", epochs=2, methods="aum el2n", seed=0)
    >>> run.scores.shape
    (178, 2)
    """
    from hcat_nb.api._estimators import is_estimator, of_estimator
    from hcat_nb.runs.store.saving import check_folder, folder_path
    from hcat_nb.training.ranks import together
    from hcat_nb.training.seed import undisturbed

    if is_estimator(model):
        chosen = make_spec(data, model, spec, options, truth, features)
        check_audience(listeners, control, overwrite=overwrite, keep_checkpoint=keep_checkpoint)
        if out is not None:
            check_folder(out, overwrite=overwrite)
        run = of_estimator(chosen, Inputs(data, labels, name, model, classes, truth))
        if out is not None:
            run.save(out, overwrite=overwrite)
        return run
    with undisturbed(), together() as ranks, ExitStack() as held:
        flags = {"overwrite": overwrite, "keep_checkpoint": keep_checkpoint}
        listeners = check_audience(listeners, control, **flags)
        chosen = make_spec(data, model, spec, options, truth, features)
        inputs = Inputs(data, labels, name, model, classes, truth, features)
        journal = None
        if out is not None:
            from hcat_nb.runs.execution.followers import FollowerJournal
            from hcat_nb.runs.store.journal import Journal
            from hcat_nb.runs.store.lock import owned

            follows = ranks is not None and not ranks.leads
            # What stands there may be rank 0's own already, when another one looks.
            folder = folder_path(out)
            if not follows:
                check_folder(folder, overwrite=overwrite)
                held.enter_context(owned(folder, "a run"))
                check_folder(folder, overwrite=overwrite)  # nobody came between
            kind = FollowerJournal if follows else Journal
            journal = kind(folder, run_head(chosen, inputs), keep_checkpoint)
        return faced(
            lambda: carry_out(Pipeline, chosen, inputs, listeners, control, journal, ranks)
        )
