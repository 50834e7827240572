"""How a run is looked at, as methods: its samples and neighbours, and charts of its tables."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from hcat_nb.errors import StoreError, UnknownNameError
from hcat_nb.registry import nearest, refuse_unknown
from hcat_nb.runs.first_look import FirstLook, first_look
from hcat_nb.runs.review.hardest import HardestSamples, hardest_samples
from hcat_nb.runs.review.samples import positions
from hcat_nb.runs.store.record import Record

if TYPE_CHECKING:
    import os
    from collections.abc import Iterable, Sequence

    import altair as alt
    import pandas as pd
    from numpy.typing import ArrayLike

    from hcat_nb.charts.agreement import Measure
    from hcat_nb.charts.scatter import Scale
    from hcat_nb.runs.review.comparing import TwoRankings


class RunViews(Record):
    """What :class:`Run` inherits; charts are Altair charts, which you can change further."""

    @property
    def first_look(self) -> FirstLook | None:
        """Which samples to look at first: ``scores``, (n,), in (0, 1], higher = look first.

        The mean of three ranks: by ``aum``, ``el2n``, ``datamaps`` and ``loss`` together, by
        ``linear``, and by ``knn_label``.  What the run lacks is left out; None if it has none.
        """
        return first_look(self)

    def hardest(self, k: int | None = 20, *, by: str | None = None) -> HardestSamples:
        """Return the samples to look at first, hardest first.

        Parameters
        ----------
        k : int or None
            How many; None for all.
        by : str, optional
            What to rank by: ``"first_look"`` (the default), a method of the
            run, or a judge.  Equal scores are ranked by the second key that
            the method's card names.

        Returns
        -------
        HardestSamples
            A gallery or table in a notebook; ``.frame`` is the DataFrame, and
            ``.by`` and the text say by what it ranks.

        Raises
        ------
        UnknownNameError, SpecError
            If the run has no such method, or ``k`` is not a whole number from 0.
        """
        return hardest_samples(self, k, by)

    def neighbours(
        self, ids: Iterable[Any] | Any, k: int = 10, *, space: str | ArrayLike = "auto"
    ) -> pd.DataFrame:
        """Return the nearest labelled samples of some, by cosine distance.

        Parameters
        ----------
        ids : iterable of sample ids, or one
        k : int
            How many neighbours of each sample, at least 1.
        space : {"auto", "input", "embedding"} or array of shape (n, d)
            The features between which distances are taken; ``"auto"``: those that
            ``knn_label`` used.

        Returns
        -------
        pandas.DataFrame
            ``sample_id``; ``neighbour``, its id; ``rank``, from 0 as
            ``knn_label`` counts it, equal distances (to six digits) by
            position; ``distance``, in [0, 2]; ``label`` of the neighbour;
            ``same_label``, False where the sample has no label.

        Raises
        ------
        DataError, StoreError
            If there is no such sample; or if the run was loaded, and its data
            or its model cannot be made again.
        SpecError
            If ``k`` or ``space`` is not one of these.
        """
        from hcat_nb.runs.review.neighbours import neighbours

        return neighbours(self, ids, k, space)

    def duplicates(self) -> pd.DataFrame:
        """List the exact duplicates in the data, those of conflicting labels first.

        Returns
        -------
        pandas.DataFrame
            See :func:`hcat_nb.duplicates`.

        Raises
        ------
        DataError, StoreError
            If the run was loaded, and its data cannot be made again.
        """
        from hcat_nb.data.duplicates import duplicates
        from hcat_nb.runs.review.rebuilding import data_given

        return duplicates(data_given(self))

    def pred_probs(self) -> pd.DataFrame:
        """Return out-of-fold probabilities: by a network that was not trained on the sample.

        Returns
        -------
        pandas.DataFrame
            Index ``sample_id``, a float32 column for each class, named by its
            value; NaN where no fold judged a sample.

        Raises
        ------
        StoreError
            If the run trained no folds.
        """
        if self.held_out is None:
            raise StoreError(
                "the run has no probabilities out of fold",
                "a run with folds",
                "train it with folds=5",
            )
        values = self.info["dataset"]["class_values"]
        columns = self.held_out[[str(code) for code in range(len(values))]]
        return columns.set_axis(list(values), axis="columns")

    def curves(self, **options: Any) -> alt.ConcatChart:
        """Draw loss and accuracy by epoch; options of :func:`hcat_nb.charts.curves.curves`."""
        from hcat_nb.charts.curves import curves

        return curves(self.history, **options)

    def histograms(
        self,
        methods: str | Sequence[str] | None = None,
        *,
        overlay: str | None = "auto",
        **options: Any,
    ) -> alt.ConcatChart:
        """Draw how the scores are distributed, a small plot for each method.

        Parameters
        ----------
        methods : str or sequence of str, optional
            Default: all of the run.
        overlay : {"auto", "truth", "flagged", None}
            What the bars are split by; ``"auto"``: the truth, where some sample
            is known to be hard.
        **options
            Of :func:`hcat_nb.charts.histograms.histograms`.

        Raises
        ------
        UnknownNameError
            If there is no such method or overlay.
        """
        from hcat_nb.charts.histograms import histograms

        names = self._known(methods)
        known = ["auto", "truth", "flagged"]
        if overlay not in (*known, None):
            raise UnknownNameError(f"overlay is {overlay!r}", nearest(str(overlay), known))
        marks: dict[str, Any] = {}
        if overlay == "truth" or (overlay == "auto" and self.truth["is_hard"].any()):
            marks["is_hard"] = self.truth["is_hard"].to_numpy()
        elif overlay == "flagged":
            marks["flagged"] = self.flags
        options.setdefault("columns", min(3, max(1, len(names))))
        return histograms(self.scores[names], **marks, **options)

    def agreement(
        self,
        methods: str | Sequence[str] | None = None,
        *,
        measure: Measure = "spearman",
        top: float = 0.1,
        **options: Any,
    ) -> alt.LayerChart:
        """Draw which methods rank the same samples as hard.

        The figures are those of
        ``hcat_nb.evaluation.consistency.agreement_table(run.scores)``.

        Parameters
        ----------
        methods : str or sequence of str, optional
        measure : {"spearman", "kendall", "top_overlap"}
            Rank correlation, in [-1, 1], or overlap of the hardest samples, in [0, 1].
        top : float
            Share of samples, in (0, 1], that ``"top_overlap"`` compares.
        **options
            Of :func:`hcat_nb.charts.agreement.agreement`.
        """
        from hcat_nb.charts.agreement import agreement
        from hcat_nb.evaluation.consistency import agreement_table

        names = self._known(methods)
        pairs = agreement_table(self.scores[names], top=top, kendall=measure == "kendall")
        return agreement(pairs, measure=measure, methods=names, **options)

    def trajectories(self, ids: Iterable[Any] | None = None, **options: Any) -> alt.LayerChart:
        """Draw the probability of the given label over the epochs.

        Marks say whether the prediction was correct.  Kept logits tell it of all
        epochs; the label's probability alone tells it only above 1/2 (correct)
        and below 1 / (number of classes) (wrong).

        Parameters
        ----------
        ids : iterable, optional
            Sample ids, such as ``run.hardest(5).ids`` (default: these).
        **options
            Of :func:`hcat_nb.charts.trajectories.trajectories`.

        Raises
        ------
        StoreError
            If the run kept no dynamics.
        DataError
            If there is no such sample.
        """
        from hcat_nb.charts.trajectories import trajectories
        from hcat_nb.runs.recorded.kept import label_probabilities, outcomes

        dynamics = label_probabilities(self)
        if ids is None:
            ids = hardest_samples(self, 5, None).ids
        rows = self.positions(ids)
        return trajectories(
            dynamics,
            rows.tolist(),
            outcomes=outcomes(self, dynamics, rows),
            labels=self.details["label"].iloc[rows].tolist(),
            **options,
        )

    def auroc_by_epoch(
        self, methods: str | Sequence[str] | None = None, **options: Any
    ) -> alt.LayerChart:
        """Draw how well each method finds what was made hard, had training ended earlier.

        Parameters
        ----------
        methods : str or sequence of str, optional
            Default: all of the run.  Those that the kept dynamics cannot serve
            are n/a.
        **options
            Of :func:`hcat_nb.charts.auroc.auroc_by_epoch`.

        Raises
        ------
        StoreError
            If the run kept no dynamics, or nothing was made hard.
        """
        from hcat_nb.charts.auroc import auroc_by_epoch
        from hcat_nb.runs.recorded.epoch_auroc import epoch_auroc

        return auroc_by_epoch(epoch_auroc(self, self._known(methods)), **options)

    def by_class(self, method: str | None = None, **options: Any) -> alt.LayerChart:
        """Draw how a score is distributed in each class, the hardest class first.

        Parameters
        ----------
        method : str, optional
            Default: the first of the run.
        **options
            Of :func:`hcat_nb.charts.by_class.by_class`.
        """
        from hcat_nb.charts.by_class import by_class

        (name,) = self._known(next(iter(self.info["methods"])) if method is None else method)
        return by_class(self.scores[name], self.details["label"], **options)

    def scatter(
        self, x: str, y: str, *, color: str | None = "auto", scale: Scale = "score", **options: Any
    ) -> alt.LayerChart:
        """Draw two methods' scores against each other.

        Parameters
        ----------
        x, y : str
            Methods.
        color : str or None
            ``"truth"``, a column of ``details`` or of ``scores``, or
            ``"auto"``: the truth where something was made hard.
        scale : {"score", "rank"}
        **options
            Of :func:`hcat_nb.charts.scatter.scatter`.
        """
        from hcat_nb.charts.scatter import scatter

        self._known([x, y])
        if color == "auto":
            color = "truth" if self.truth["is_hard"].any() else None
        methods = list(self.info["methods"])
        frame = self.scores[methods].assign(is_hard=self.truth["is_hard"].to_numpy())
        others = [str(name) for name in self.details if name not in frame]
        frame = frame.assign(**{name: self.details[name].to_numpy() for name in others})
        if "label" in others:
            frame["label"] = self.details["label"].array
        color = "is_hard" if color == "truth" else color
        return scatter(frame, x, y, color=color, scale=scale, **options)

    def compare(
        self,
        other: Record | str | os.PathLike[str],
        *,
        by: str | None = None,
        top: float = 0.1,
        kendall: bool = True,
        names: tuple[str, str] = ("first run", "second run"),
    ) -> TwoRankings:
        """Compare the rankings of this run with another's; see :func:`compare_runs`.

        Parameters
        ----------
        other : Run, str or Path
            A run, or a saved one's folder.
        by : str, optional
            The method whose moved samples are listed (default: the first that
            both have).
        top : float
            Share of samples, in (0, 1], whose overlap is measured.
        kendall : bool
            Whether Kendall's tau-b is measured too; it takes most of the time.
        names : tuple of two str
            What the runs are called on the chart.

        Raises
        ------
        DataError, StoreError, UnknownNameError
            If the runs share no method or no samples, ``other`` cannot be read, or ``by`` is not
            a method of both.
        """
        from hcat_nb.runs.review.comparing import compare_runs

        return compare_runs(self, other, by=by, top=top, kendall=kendall, names=names)

    def compare_methods(
        self, first: str, second: str, *, top: float = 0.1, kendall: bool = True
    ) -> TwoRankings:
        """Compare the rankings of two methods of this run.

        Parameters
        ----------
        first, second : str
        top : float
            Share of samples whose overlap is measured.
        kendall : bool
            Whether Kendall's tau-b is measured too.
        """
        from hcat_nb.runs.review.comparing import compare_methods

        self._known([first, second])
        return compare_methods(self, first, second, top=top, kendall=kendall)

    def _known(self, methods: str | Sequence[str] | None) -> list[str]:
        """Return the names of methods of this run."""
        there = list(self.info["methods"])
        if methods is None:
            return there
        names = [methods] if isinstance(methods, str) else list(methods)
        refuse_unknown(names, there, "this run has no method {!r}")
        return names

    def positions(self, ids: Iterable[Any] | Any) -> np.ndarray:
        """Return the positions of samples, in the order of the ids, int64; DataError if unknown."""
        return positions(self.scores.index, ids)
