"""Options that differ within the blocks of a comparison, where results would be averaged."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hcat_nb.evaluation.comparison import BLOCKS

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["DECISIVE", "mixed_options"]

# Fields of RunSpec that change figures and are no key of a block.
DECISIVE = (
    *("dataset_options", "target", "truth", "groups", "subset", "on_missing_label", "on_bad_row"),
    *("exclude", "join_spellings"),
    *("hardness_options", "model_options", "features", "embedding", "normalize"),
    *("epochs", "epoch_mean", "defaults", "batch_size", "lr", "seeds", "folds"),
)


def mixed_options(results: pd.DataFrame) -> dict[str, list[Any]]:
    """Return the options that differ between results of one method in one block.

    Parameters
    ----------
    results : pandas.DataFrame
        With the columns ``hcm`` and those of a block.

    Returns
    -------
    dict
        Option to its values, in the order of the table.  Seeds, which are
        repetitions, are no such option.

    Examples
    --------
    >>> import pandas as pd
    >>> table = pd.DataFrame({"hcm": "aum", "hardness": "uniform", "dataset": "wine", "p": 0.1,
    ...                       "model": "mlp", "epochs": [1, 3], "lr": 0.01})
    >>> mixed_options(table)
    {'epochs': [1, 3]}
    """
    varying = [name for name in DECISIVE if name in results and len(results[name].unique()) > 1]
    if not varying:
        return {}
    blocks = results.groupby([*BLOCKS, "hcm"], sort=False, dropna=False, observed=True)
    several = blocks[varying].nunique(dropna=False).max() > 1
    return {name: results[name].drop_duplicates().tolist() for name in varying if several[name]}
