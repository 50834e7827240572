"""How a run is looked at, sample by sample, as methods."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from hcat_nb.api._charts import RunCharts
from hcat_nb.errors import StoreError
from hcat_nb.runs.first_look import FirstLook, first_look
from hcat_nb.runs.review.hardest import HardestSamples, hardest_samples

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import ArrayLike


class RunLooks(RunCharts):
    """What :class:`Run` inherits; each method names samples, or shows them."""

    @property
    def first_look(self) -> FirstLook | None:
        """Which samples to look at first; see :mod:`hcat_nb.runs.first_look`.

        None where the run has neither judges nor one of the methods.
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
        UnknownNameError
            If the run has no such method.
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
            How many of each.
        space : {"auto", "input", "embedding"} or array of shape (n, d)
            Where they are near; ``"auto"``: where ``knn_label`` looked.

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
            If there is no such sample, the run was loaded and its data or its
            model cannot be made again.
        SpecError
            If ``k`` or ``space`` is none.
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
        """Return each sample's probabilities by a network that was not trained on it.

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
