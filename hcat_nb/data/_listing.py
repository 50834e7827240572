"""The table of datasets that are known by name."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hcat_nb.registry import SOURCES

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["list_datasets"]


def list_datasets() -> pd.DataFrame:
    """Return the datasets that ``load`` knows by name.

    Returns
    -------
    pandas.DataFrame
        Index ``name``; columns ``title``, ``modality`` ("image" or "table"),
        ``n_samples`` (training set), ``bundled`` (needs no download).
    """
    import pandas as pd

    cards = [SOURCES.get(name) for name in SOURCES.names()]
    columns = ("title", "modality", "n_samples", "bundled")
    return pd.DataFrame(
        {column: [getattr(card, column) for card in cards] for column in columns},
        index=pd.Index([card.name for card in cards], name="name"),
    )
