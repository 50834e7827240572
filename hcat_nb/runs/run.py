"""A run: what was asked for, what was measured, and how to look at it."""

from __future__ import annotations

import inspect
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from hcat_nb.errors import DataError, StoreError, UnknownNameError
from hcat_nb.registry import nearest
from hcat_nb.runs._answers import RunAnswers
from hcat_nb.runs._looking import RunLooks
from hcat_nb.spec import RunSpec

if TYPE_CHECKING:
    import altair as alt
    import pandas as pd
    from torch import Tensor

    from hcat_nb.charts.data_map import XAxis
    from hcat_nb.data.dataset import LabelledDataset
    from hcat_nb.jupyter.explore_panel import ExplorePanel
    from hcat_nb.observation.stored_logits import StoredLogits
    from hcat_nb.runs._apply import Mislabeled
    from hcat_nb.runs.decisions import Decisions

__all__ = ["Run"]


@dataclass(eq=False)
class Run(RunLooks, RunAnswers):
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
        (NaN where no other label is proposed), ``group``,
        ``confidence``, ``variability``, ``aleatoric``, ``correctness``,
        ``mean_loss``, ``last_loss``, ``dataiq_group``, ``datamaps_group``, the
        methods' own quantities, and a ``<method>_status`` each.
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
        ``logits.epoch(3)`` is a frame of one epoch.  Those of a run that is
        not saved go with it.
    held_out : pandas.DataFrame or None
        Probabilities by networks that did not see a sample, a column a class
        code; see :meth:`pred_probs`.
    weights : dict of str to Tensor
        The final model's state, scaling included.
    dataset : LabelledDataset or None
        The data as it was trained on; None after loading, until they are
        asked for.
    seed_scores : pandas.DataFrame or None
        With ``seeds=k``: each training's scores, columns ``el2n_seed_0 ...``.
        ``scores`` are then their means, and ``details["el2n_std"]`` their
        sample standard deviation.
    folder : Path or None
        Where the run was last saved to or loaded from.
    """

    spec: RunSpec
    scores: pd.DataFrame
    details: pd.DataFrame
    truth: pd.DataFrame
    flags: pd.DataFrame
    history: pd.DataFrame
    timings: dict[str, float]
    info: dict[str, Any]
    dynamics: pd.DataFrame | None = None
    weights: dict[str, Tensor] = field(default_factory=dict)
    dataset: LabelledDataset | None = None
    logits: StoredLogits | None = None
    held_out: pd.DataFrame | None = None
    seed_scores: pd.DataFrame | None = None
    folder: Path | None = None

    def __repr__(self) -> str:
        hardness = self.spec.hardness
        injected = f", {hardness} p={self.spec.p:g}" if hardness else ""
        check = self.learning_check.partition(":")[0].lower()
        injected += ", truth given" if self.spec.truth else ""
        injected += f", without {', '.join(self.spec.exclude)}" if self.spec.exclude else ""
        return (
            f"<Run: {self.info['dataset']['name']}, {len(self.scores):,} samples{injected}; "
            f"{self.info['model']}, {len(self.history)} epochs, {self.info['outcome']}; "
            f"{len(self.methods)} methods{f'; {check}' if check else ''}>"
        )

    def without_data(self) -> Run:
        """Return the run without dataset, model and logits: tables only, the same evaluation."""
        return replace(self, dataset=None, weights={}, logits=None)

    @property
    def methods(self) -> list[str]:
        """Names of the methods that scored."""
        return list(self.info["methods"])

    def evaluate(
        self,
        *,
        baselines: bool = True,
        variant: Literal["paper", "hcat"] = "paper",
        n_resamples: int | None = None,
        seed: int = 0,
        **unknown: Any,
    ) -> pd.DataFrame:
        """Measure how well each method finds the samples that are hard: by injection, or by truth.

        Parameters
        ----------
        baselines : bool
            Whether rows of the baselines follow: ``first_look``, the judges
            ``linear`` and ``knn_label`` that the run asked, ``random``,
            ``class_frequency`` and ``last_loss``.
        variant : {"paper", "hcat"}
            ``"hcat"``: ``auprc`` as H-CAT's released evaluator gives it.
        n_resamples : int, optional
            Bootstrap resamples behind the 95 % intervals.
        seed : int
            Of the resampling, and of the random baseline.
        **unknown
            Refused, by an error that names the nearest option.

        Returns
        -------
        pandas.DataFrame
            One row a method, then one a baseline; see :func:`hcat_nb.evaluate`.
            With ``seeds=k`` the figures are those of the mean scores, and
            ``auroc_std`` and ``auprc_std`` say how much they move from one
            seed to the next.

        Raises
        ------
        DataError
            If nobody knows which samples are hard.
        """
        import pandas as pd

        from hcat_nb.evaluation.baselines import baselines as baseline_scores
        from hcat_nb.evaluation.hcat import low_is_hard
        from hcat_nb.evaluation.seed_spread import with_seed_spread
        from hcat_nb.evaluation.table import evaluate
        from hcat_nb.runs.first_look import rankings, score_of

        for name in unknown:
            options = inspect.getfullargspec(Run.evaluate).kwonlyargs
            raise UnknownNameError(f"evaluate has no option {name!r}", nearest(name, options))
        if not self.spec.knows_truth:
            raise DataError(
                "nothing was injected into this run, and no truth is given, so nobody knows "
                "which samples are hard",
                "hardness= or truth= (true labels, or which are wrong), when it is trained",
                "hcat.evaluate(run.scores, truth) measures a run that is there",
            )
        details = self.details
        beside = None
        if baselines:
            beside = baseline_scores(
                details["label"], last_loss=details.get("last_loss"), seed=seed
            )
            names = [name for name in rankings(self) if name not in self.methods]
            beside = pd.concat([*(score_of(self, name) for name in names), beside], axis=1)
            beside = beside.drop(columns=self.methods, errors="ignore")  # a user's of that name
        low = low_is_hard(
            [
                name
                for name, card in self.info["methods"].items()
                if card["options"].get("variant") == "hcat"
            ]
        )
        more = {} if n_resamples is None else {"n_resamples": n_resamples}
        table = evaluate(
            self.scores[self.methods],
            self.truth,
            flagged=self.flags.drop(columns="position", errors="ignore"),
            baselines=beside,
            variant=variant,
            low_is_hard=low,
            seed=seed,
            **more,
        )
        if self.seed_scores is None:
            return table

        def measure(scores: pd.DataFrame) -> pd.DataFrame:
            return evaluate(scores, self.truth, variant=variant, low_is_hard=low, n_resamples=0)

        return with_seed_spread(table, self.by_seed(), measure)

    def by_seed(self) -> list[pd.DataFrame]:
        """Return the scores of each seed, a column a method; one frame where there is one seed."""
        if self.seed_scores is None:
            return [self.scores[self.methods]]
        table = self.seed_scores
        return [
            table[[f"{name}_seed_{number}" for name in self.methods]].set_axis(
                self.methods, axis="columns"
            )
            for number in range(len(self.info["model_seeds"]))
        ]

    def data_map(
        self, *, x: XAxis = "variability", color: str = "group", **options: Any
    ) -> alt.LayerChart:
        """Draw the data map.

        Parameters
        ----------
        x : {"variability", "aleatoric"}
        color : str
            ``"group"``, ``"truth"``, or a column of ``details`` or of ``scores``.
        **options
            Passed on to :func:`hcat_nb.charts.data_map.data_map`.

        Returns
        -------
        altair.LayerChart
        """
        from hcat_nb.charts.data_map import data_map

        scores = {
            name: self.scores[name].to_numpy()
            for name in self.methods
            if name not in self.details  # there, under some names, is the paper's own quantity
        }
        frame = self.details.assign(is_hard=self.truth["is_hard"].to_numpy(), **scores)
        note = self.learning_check
        if len(self.history) == 1:
            note = "One epoch: variability, and groups by it, need two. " + note
        return data_map(frame, x=x, color=color, **{"note": note.strip(), **options})

    def costs(self) -> pd.DataFrame:
        """Return what each method cost: its share of the passes, extra trainings, sums, scoring.

        Returns
        -------
        pandas.DataFrame
            Columns ``hcm``, ``part``, ``seconds``, ``of_training``; methods that
            asked for the same pass bear equal shares of it.

        Raises
        ------
        StoreError
            If nothing was trained: the run was made of dynamics.
        """
        from hcat_nb.runs._costs import costs_table

        if "parts" not in self.info:
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
        from hcat_nb.runs.decisions import decisions_of

        return decisions_of(self, file)

    def apply(
        self,
        decisions: Decisions | pd.DataFrame | str | Path | None = None,
        *,
        dataset: Any = None,
        mislabeled: Mislabeled = "unlabel",
    ) -> LabelledDataset:
        """Return the data as decisions make them; what they were stays as it is.

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
            at labels), go, or stay as they are.

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
        from hcat_nb.runs._apply import apply_to

        return apply_to(self, decisions, dataset, mislabeled)

    def explore(self, **options: Any) -> ExplorePanel:
        """Open the explorer in a notebook: from a dot on a map to the sample behind it.

        Parameters
        ----------
        **options
            Of :func:`hcat_nb.jupyter.explore_panel.explore`.

        Returns
        -------
        ExplorePanel
        """
        from hcat_nb.jupyter.explore_panel import explore

        return explore(self, **options)

    def save(self, folder: str | Path, *, overwrite: bool = False) -> Path:
        """Write the run into ``folder``; see :func:`hcat_nb.runs.store.save_run`."""
        from hcat_nb.runs.decisions import keep_beside
        from hcat_nb.runs.store import save_run

        path = save_run(self, folder, overwrite=overwrite)
        keep_beside(self)
        return path
