"""The datasets that are known by name."""

from __future__ import annotations

import inspect
import re
from typing import TYPE_CHECKING

from hcat_nb.registry import SOURCES

if TYPE_CHECKING:
    import pandas as pd

    from hcat_nb.data.sources.base import Source

__all__ = ["list_datasets", "option_texts"]


def list_datasets() -> pd.DataFrame:
    """Return the datasets that ``load`` knows by name.

    Returns
    -------
    pandas.DataFrame
        Index ``name``; columns ``title``, ``modality`` ("image" or "table"),
        ``n_samples`` (training set; NA where it depends on what is read),
        ``bundled`` (needs no download), ``options`` (their names), ``cost``
        (of getting it) and ``paper``.
    """
    import pandas as pd

    cards = [SOURCES.get(name) for name in SOURCES.names()]
    columns = ("title", "modality", "n_samples", "bundled")
    table = pd.DataFrame(
        {column: [getattr(card, column) for card in cards] for column in columns},
        index=pd.Index([card.name for card in cards], name="name"),
    )
    options = [", ".join(card.options()) for card in cards]
    return table.astype({"n_samples": "Int64"}).assign(
        options=options,
        cost=[card.cost or ("bundled" if card.bundled else "download") for card in cards],
        paper=[card.paper for card in cards],
    )


def option_texts(card: type[Source]) -> dict[str, str]:
    """Return the first sentence that the documentation has on each option of a dataset.

    Examples
    --------
    >>> option_texts(SOURCES.get("file"))["sep"]
    'Of a file of text, what stands between fields'
    """
    known: dict[str, str] = {}
    for owner in card.__mro__:
        known = _parameters(inspect.cleandoc(owner.__doc__ or "")) | known
    return {option: known.get(option, "") for option in card.options()}


def _parameters(docstring: str) -> dict[str, str]:
    """Return the first sentence on each parameter of a docstring in NumPy's style."""
    section = docstring.partition("Parameters\n----------\n")[2].partition("\n\n")[0]
    entries = re.split(r"^(\w+(?:, \w+)*) : .*$", section, flags=re.MULTILINE)[1:]
    return {
        name: _first_sentence(text)
        for names, text in zip(entries[::2], entries[1::2], strict=True)
        for name in names.split(", ")
    }


def _first_sentence(text: str) -> str:
    words = " ".join(text.replace("``", "").split())
    return re.split(r"[.;](?: |$)", words, maxsplit=1)[0]
