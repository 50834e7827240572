"""A run: what was asked for, what was measured, and how to look at it."""

from __future__ import annotations

import dataclasses
import inspect
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Self

from hcat_nb.api._views import RunViews
from hcat_nb.errors import DivergedError, StoreError
from hcat_nb.registry import refuse_unknown
from hcat_nb.runs.measuring import measured, metrics_to_keep
from hcat_nb.runs.review.drawing import drawn_map

if TYPE_CHECKING:
    import altair as alt
    import pandas as pd

    from hcat_nb.charts.data_map import XAxis
    from hcat_nb.data.dataset import LabelledDataset
    from hcat_nb.jupyter.review.explore_panel import ExplorePanel
    from hcat_nb.models._building import ModelLike
    from hcat_nb.runs.review.applying import Mislabeled
    from hcat_nb.runs.review.decisions import Decisions
    from hcat_nb.runs.store.record import Record
    from hcat_nb.training.events import Control, Listener


class Run(RunViews):
    """The outcome of :func:`hcat_nb.characterize`.

    All tables have the index ``sample_id``, the user's own; where ids repeat,
    a column ``position`` tells rows apart.

    Attributes
    ----------
    spec : RunSpec
        Everything that decided the numbers.
    scores : pandas.DataFrame
        A float32 column for each method, *higher = harder*; NaN only where
        ``details["<method>_status"]`` gives the reason.
    details : pandas.DataFrame
        ``label``, ``predicted``, ``suggested``, ``suggested_probability``
        (NaN where no other label is proposed), ``group``; over the epochs, with p the label's
        probability: ``confidence`` (mean p), ``variability`` (its standard deviation),
        ``aleatoric`` (mean p (1 - p)), ``correctness`` (share of them that predict the label),
        ``mean_loss`` and ``last_loss`` (cross-entropy, nats); ``dataiq_group``, ``datamaps_group``,
        the methods' own quantities, and for each method ``<method>_status`` ("": as usual).
    truth : pandas.DataFrame
        Which samples were made hard, and how; see ``Perturbed.truth``.
    flags : pandas.DataFrame
        A bool column for each method whose paper gives a threshold.
    history : pandas.DataFrame
        Index ``epoch``: ``loss``, ``accuracy``, ``train_seconds``,
        ``observe_seconds``.
    timings : dict
        Seconds by stage (``load``, ``prepare``, ``train``, ``observe``,
        ``extra``, ``score``, ``total``), by part (``observe/forward``,
        ``score/aum``; see :meth:`costs`), and ``peak_memory_mb``.
    info : dict
        Plain values: dataset, model, methods, device, versions, notes, outcome.
    dynamics : pandas.DataFrame or None
        With ``keep_dynamics``: the label's probability after each epoch,
        float32 columns ``epoch_1 ...``.
    logits : StoredLogits or None
        With ``keep_dynamics="logits"``: all logits after each epoch, on disk;
        ``logits.epoch(3)`` is a frame of one epoch.  Without ``save`` they are
        deleted together with the run.
    held_out : pandas.DataFrame or None
        Out-of-fold probabilities: of each sample by a network that was not
        trained on it, one column for each class code; see :meth:`pred_probs`.
    weights : dict of str to Tensor
        The final model's state, scaling included.
    dataset : LabelledDataset or None
        The data that it was trained on; None after loading, until a method
        such as :meth:`neighbours` makes them again.
    seed_scores : pandas.DataFrame or None
        With ``seeds=k``: each training's scores, columns ``el2n_seed_0 ...``. ``scores`` are then
        their means, and ``details["el2n_std"]`` their sample standard deviation.
    folder : Path or None
        Where the run was last saved to or loaded from.

    Examples
    --------
    >>> import tempfile, hcat_nb as hcat
    >>> run = hcat.characterize("wine", epochs=2, methods="aum el2n", seed=0)
    >>> run.methods, [len(one.columns) for one in run.by_seed()], run.positions([4, 2]).tolist()
    (['aum', 'el2n'], [2], [4, 2])
    >>> run.learning_check.partition(":")[0], run.without_data().dataset is None
    ('Still rising', True)
    >>> run.first_look.scores.shape
    (178,)
    >>> hcat.Run.of(run) is run, len(run.duplicates())
    (True, 0)
    >>> set(run.costs()["hcm"]) >= {"aum", "el2n"}
    True
    >>> run.decisions().mislabeled([3, 7], note="seen")
    >>> run.decisions().drop(9)
    >>> len(run.decisions()), len(run.apply().labels)
    (3, 177)
    >>> hcat.load_run(run.save(tempfile.mkdtemp() + "/first")).scores.equals(run.scores)
    True
    >>> charts = run.data_map(color="aum"), run.curves(), run.costs_chart()  # Altair's
    >>> charts += run.by_class("aum"), run.histograms("aum", overlay="flagged")
    >>> charts += run.scatter("aum", "el2n"), run.agreement(measure="top_overlap", top=0.05)
    >>> run.hardest(3, by="aum").frame.shape[0], run.neighbours(0, k=2)["rank"].tolist()
    (3, [0, 1])
    >>> run.compare(hcat.characterize("wine", epochs=2, methods="aum", seed=1)).by
    'aum'
    >>> made = {"hardness": "uniform", "p": 0.1, "folds": 3, "keep_dynamics": "logits"}
    >>> run = hcat.characterize("wine", epochs=2, methods="aum el2n", **made)
    >>> run.pred_probs().shape, run.evaluate(n_resamples=50)["n_hard"].iloc[0].item()
    ((178, 3), 18)
    >>> charts = run.trajectories([0, 5]), run.auroc_by_epoch()
    >>> run.compare_methods("aum", "el2n", kendall=False).agreement["n"].item()
    178
    """

    @classmethod
    def of(cls, record: Record) -> Self:
        """Return the run of a record: the same tables."""
        if isinstance(record, cls):
            return record
        fields = dataclasses.fields(record)
        return cls(**{one.name: getattr(record, one.name) for one in fields})

    def __repr__(self) -> str:
        hardness = self.spec.hardness
        injected = f", {hardness} p={self.spec.p:g}" if hardness else ""
        check = self.learning_check.partition(":")[0].lower()
        injected += ", truth given" if self.spec.truth else ""
        injected += f", without {', '.join(self.spec.exclude)}" if self.spec.exclude else ""
        own = "own training, " if self.info.get("kind") == "watched" else ""
        return (
            f"<Run: {self.info['dataset']['name']}, {len(self.scores):,} samples{injected}; "
            f"{own}{self.info['model']}, {len(self.history)} epochs, {self.info['outcome']}; "
            f"{len(self.methods)} methods{f'; {check}' if check else ''}>"
        )

    def evaluate(
        self,
        *,
        baselines: bool = True,
        variant: Literal["paper", "hcat"] = "paper",
        n_resamples: int | None = None,
        seed: int = 0,
        **unknown: Any,
    ) -> pd.DataFrame:
        """Measure how well each method finds the hard samples: those injected, or by ``truth``.

        Parameters
        ----------
        baselines : bool
            Whether rows of the baselines follow: ``first_look``, the judges
            ``linear`` and ``knn_label`` where the run has them, ``random``,
            ``class_frequency`` and ``last_loss``.
        variant : {"paper", "hcat"}
            ``"hcat"``: ``auprc`` as H-CAT's released evaluator gives it.
        n_resamples : int, optional
            Bootstrap resamples for the 95 % intervals; default as :func:`hcat_nb.evaluate`.
        seed : int
            Of the resampling, and of the random baseline.
        **unknown
            Refused, by an error that names the nearest option.

        Returns
        -------
        pandas.DataFrame
            One row a method, then one a baseline; see :func:`hcat_nb.evaluate`.
            With ``seeds=k`` the figures are those of the mean scores; ``auroc_std`` and
            ``auprc_std`` are sample standard deviations over the seeds.

        Raises
        ------
        DataError
            If no hardness was injected and no truth was given.
        """
        known = inspect.getfullargspec(Run.evaluate).kwonlyargs
        refuse_unknown(unknown, known, "evaluate has no option {!r}")
        return measured(
            self, baselines=baselines, variant=variant, n_resamples=n_resamples, seed=seed
        )

    def data_map(
        self, *, x: XAxis = "variability", color: str = "group", **options: Any
    ) -> alt.LayerChart:
        """Draw the data map; UnknownNameError if there is no such ``color``.

        Parameters
        ----------
        x : {"variability", "aleatoric"}
        color : str
            ``"group"``, ``"truth"``, or a column of ``details`` or of ``scores``.
        **options
            Passed on to :func:`hcat_nb.charts.data_map.data_map`.
        """
        return drawn_map(self, x=x, color=color, **options)

    def costs(self) -> pd.DataFrame:
        """Return what each method cost: share of passes and extra trainings, own work, scoring.

        Returns
        -------
        pandas.DataFrame
            Columns ``hcm``, ``part``, ``seconds``, ``of_training`` (seconds over those of the
            training).  Methods that need the same pass bear equal shares of it.

        Raises
        ------
        StoreError
            If nothing was trained: the run was made from recorded dynamics.
        """
        from hcat_nb.runs.execution.costs import costs_table

        if self.info.get("parts") is None or "train" not in self.timings:
            raise StoreError(
                "the run does not know what its methods cost",
                "a run that was trained",
                "run.timings has the seconds of its stages",
            )
        names = [*self.methods, *self.info.get("judges", {})]
        return costs_table(self.timings, self.info["parts"], names)

    def costs_chart(self, *, width: int = 420) -> alt.LayerChart:
        """Draw :meth:`costs`, the dearest method first."""
        from hcat_nb.charts.costs import costs_chart

        return costs_chart(self.costs(), width=width)

    def decisions(self, file: str | Path | None = None) -> Decisions:
        """Return what was decided about the samples, to add to.

        Of a saved run they are kept in ``<folder>.decisions.json`` beside it,
        written at each step, and found there after a restart.  Those of a run
        that is not saved are kept in memory until it is.

        Parameters
        ----------
        file : str or Path, optional
            A JSON file to keep them in instead.

        Returns
        -------
        Decisions
            The same object for each call.

        Raises
        ------
        DataError
            If sample ids repeat.
        StoreError
            If the file cannot be read, or holds decisions on other samples.
        """
        from hcat_nb.runs.review.decisions import decisions_of

        return decisions_of(self, file)

    def apply(
        self,
        decisions: Decisions | pd.DataFrame | str | Path | None = None,
        *,
        dataset: Any = None,
        mislabeled: Mislabeled = "unlabel",
    ) -> LabelledDataset:
        """Return a copy of the data with the decisions carried out.

        Parameters
        ----------
        decisions : Decisions, DataFrame or path, optional
            Default: :meth:`decisions`.  A table, or a .csv or .parquet file,
            has the columns of ``Decisions.frame()``.
        dataset : LabelledDataset, table or array, optional
            The data that the run was trained on, or what they were made of,
            where the run was loaded; those of a named dataset or a file are
            made again, injected hardness included.
        mislabeled : {"unlabel", "drop", "keep"}
            What becomes of samples marked as mislabeled: they stay without a
            label (never trained on, still scored by methods that do not look
            at labels), are dropped, or stay as they are.

        Returns
        -------
        LabelledDataset
            To be characterized again.  Ids and classes are kept.

        Raises
        ------
        DataError
            If the data are not the run's, or a label is not the one that was
            decided on.
        StoreError
            If the run holds no data, none are given, and none can be made.
        UnknownNameError
            If a decision names a sample or a class that does not exist.
        """
        from hcat_nb.runs.review.applying import apply_to

        return apply_to(self, decisions, dataset, mislabeled)

    def retrain(
        self,
        decisions: Decisions | pd.DataFrame | str | Path | None = None,
        *,
        dataset: Any = None,
        mislabeled: Mislabeled = "unlabel",
        model: ModelLike | None = None,
        features: Any = None,
        listeners: Sequence[Listener] = (),
        control: Control | None = None,
    ) -> Run:
        """Train again with this run's options, on the data with the decisions carried out.

        Parameters
        ----------
        decisions, dataset, mislabeled
            Of :meth:`apply`, whose data it trains on.  Nothing is injected again.
        model, features
            Where the run had objects of the user's own: these again, as
            :func:`hcat_nb.characterize` takes them.
        listeners, control
            Of :func:`hcat_nb.characterize`.

        Returns
        -------
        Run
            ``run.compare(run.retrain())`` tells what changed.

        Raises
        ------
        HcatError
            As :meth:`apply` and :func:`hcat_nb.characterize`; SpecError if your
            own code trained the run, or if an object that it had is not given.

        Examples
        --------
        >>> import hcat_nb as hcat
        >>> run = hcat.characterize("wine", epochs=1, methods="aum", seed=0)
        >>> run.decisions().drop([5])
        >>> len(run.retrain().scores)
        177
        """
        from hcat_nb.runs.review.retraining import retrain

        given = {"decisions": decisions, "given": dataset, "mislabeled": mislabeled}
        return faced(lambda: retrain(self, listeners, control, model, features, **given))

    def explore(self, **options: Any) -> ExplorePanel:
        """Open the explorer in a notebook: from a dot on a map to the sample behind it.

        No example here: it needs a kernel.  ``notebooks/own_data.ipynb`` has one.

        Parameters
        ----------
        **options
            Of :func:`hcat_nb.jupyter.review.explore_panel.explore`.
        """
        from hcat_nb.jupyter.review.explore_panel import explore

        return explore(self, **options)

    def save(self, folder: str | Path, *, overwrite: bool = False) -> Path:
        """Write the run into ``folder`` and return its path; StoreError if that is not possible.

        A run that is there is replaced only with ``overwrite``; your own files there stay.
        """
        from hcat_nb.runs.review.decisions import keep_beside
        from hcat_nb.runs.store.saving import folder_path, save_record

        if self.follows:  # the process that leads saves it
            return folder_path(folder)
        path = save_record(self, folder, metrics_to_keep(self), overwrite=overwrite)
        keep_beside(self)
        return path


def load_run(folder: str | Path) -> Run:
    """Read a run that :meth:`Run.save` wrote; its ``dataset`` is None.

    The example of :class:`Run` shows it.

    Raises
    ------
    StoreError
        If there is no run, a file of it is missing, or a newer version wrote it.
    """
    from hcat_nb.runs.store.saving import load_record

    return Run.of(load_record(folder))


def faced(carry: Callable[[], Record]) -> Run:
    """Return the run of the record that ``carry`` makes; an error that holds one holds its run."""
    try:
        return Run.of(carry())
    except DivergedError as error:
        if error.run is not None:
            error.run = Run.of(error.run)
        raise
