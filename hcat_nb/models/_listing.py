"""A table of the models that are known by name."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hcat_nb.registry import MODELS

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["list_models"]


def list_models() -> pd.DataFrame:
    """Return the registered models.

    Returns
    -------
    pandas.DataFrame
        Index ``name``; columns ``title``, ``modality``, ``paper``.
    """
    import pandas as pd

    cards = [MODELS.get(name) for name in MODELS.names()]
    return pd.DataFrame(
        {
            "title": [card.title for card in cards],
            "modality": [", ".join(sorted(card.modality)) for card in cards],
            "paper": [card.paper for card in cards],
        },
        index=pd.Index([card.name for card in cards], name="name"),
    )
