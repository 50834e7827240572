"""The table of methods, made from their cards."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hcat_nb.registry import METHODS

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["list_methods"]


def list_methods(*, judges: bool = False) -> pd.DataFrame:
    """Return one row a hardness characterization method, in the order of METHODS.

    Parameters
    ----------
    judges : bool
        Whether the judges, which look at no network, follow.

    Returns
    -------
    pandas.DataFrame
        Index ``name``; columns ``title``, ``detects`` (faults that rank
        high, in brackets the kinds of data where these are not all),
        ``looks_at_labels``, ``cost``, ``paper`` and ``misleads`` (when not to
        trust it).

    Examples
    --------
    >>> list_methods().loc["aum", "detects"]
    'mislabel'
    """
    import pandas as pd

    from hcat_nb.methods._card import claim_words

    names = METHODS.known() if judges else METHODS.names()
    cards = [METHODS.get(name) for name in names]
    return pd.DataFrame(
        {
            "title": [card.title for card in cards],
            "detects": [", ".join(claim_words(card)) for card in cards],
            "looks_at_labels": [card.looks_at_labels for card in cards],
            "cost": [card.cost for card in cards],
            "paper": [card.paper for card in cards],
            "misleads": [card.misleads for card in cards],
        },
        index=pd.Index(names, name="name"),
    )
