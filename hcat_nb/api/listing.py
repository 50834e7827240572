"""What there is by name: a line each, or whole cards."""

from __future__ import annotations

import html
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from hcat_nb.errors import UnknownNameError
from hcat_nb.registry import METHODS, MODELS, PERTURBATIONS, SOURCES, Registry, nearest

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["KINDS", "Listing", "listing"]

KINDS: dict[str, Registry] = {
    "methods": METHODS,
    "hardness": PERTURBATIONS,
    "datasets": SOURCES,
    "models": MODELS,
}
_LINE = ("title", "cost", "paper")


@dataclass(eq=False)
class Listing:
    """Cards of plug-ins.

    Attributes
    ----------
    frame : pandas.DataFrame
        Index ``name``; a column for each entry of the card.
    whole : bool
        Whether whole cards are shown, or a line each: title, cost and paper.
    """

    frame: pd.DataFrame
    whole: bool

    def __repr__(self) -> str:
        return "\n".join(self._cards() if self.whole else self._lines())

    def _repr_html_(self) -> str:
        shown = self.frame.T if self.whole else self._brief()
        head = "".join(_cell("th", name) for name in ("", *shown.columns))
        body = "".join(
            f"<tr>{_cell('th', name)}{''.join(_cell('td', value) for value in row)}</tr>"
            for name, row in zip(shown.index, shown.to_numpy(), strict=True)
        )
        return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"

    def _brief(self) -> pd.DataFrame:
        return self.frame[[column for column in _LINE if column in self.frame]]

    def _lines(self) -> list[str]:
        brief = self._brief()
        columns = [list(map(str, brief.index)), *(list(map(str, brief[key])) for key in brief)]
        padded = [[word.ljust(max(map(len, column))) for word in column] for column in columns]
        return ["  ".join(words).rstrip() for words in zip(*padded, strict=True)]

    def _cards(self) -> list[str]:
        width = max(map(len, self.frame.columns)) + 2
        lines = []
        for name, card in self.frame.iterrows():
            lines.append(str(name))
            for field, value in card.items():
                text = str(value).replace("\n", "\n" + " " * (4 + width))
                lines.append(f"    {field:{width}}{text}")
        return lines


def listing(kind: str, names: Sequence[str] = (), *, verbose: bool = False) -> Listing:
    """Return the plug-ins of one kind, those of a user's own and of other packages included.

    Parameters
    ----------
    kind : {"methods", "hardness", "datasets", "models"}
    names : sequence of str
        Those whose whole cards are wanted; default: a line of each plug-in.
    verbose : bool
        Whether the whole card is shown of each.

    Returns
    -------
    Listing
        Text in a shell, a table in a notebook.

    Raises
    ------
    UnknownNameError
        If there is no such kind or name; names the nearest.

    Examples
    --------
    >>> listing("methods", ["aum"]).frame.loc["aum", "paper"]
    'Pleiss et al. 2020, arXiv 2001.10528'
    """
    from hcat_nb.methods._listing import list_methods

    if kind not in KINDS:
        raise UnknownNameError(f"there is no list of {kind!r}", nearest(kind, list(KINDS)))
    found = [name for word in names for name in KINDS[kind].resolve(word)]
    frame = _tables()[kind]()
    if kind == "methods" and not set(found) <= set(frame.index):  # a judge
        frame = list_methods(judges=True)
    if found:
        frame = frame.loc[list(dict.fromkeys(found))]
    whole = verbose or bool(found)
    if kind == "datasets" and whole:
        frame = frame.assign(options=[_options(name) for name in frame.index])
    return Listing(frame, whole)


def _tables() -> dict[str, Callable[[], pd.DataFrame]]:
    from hcat_nb.data._listing import list_datasets
    from hcat_nb.methods._listing import list_methods
    from hcat_nb.models._listing import list_models
    from hcat_nb.perturbations._listing import list_hardness

    return {
        "methods": list_methods,
        "hardness": list_hardness,
        "datasets": list_datasets,
        "models": list_models,
    }


def _options(dataset: str) -> str:
    """Return a dataset's options with what they mean, a line each."""
    from hcat_nb.data._listing import option_texts

    texts = option_texts(SOURCES.get(dataset))
    return "\n".join(f"{option}: {text}" for option, text in texts.items()) or "none"


def _cell(tag: str, value: object) -> str:
    return f'<{tag} style="text-align:left;white-space:pre-line">{html.escape(str(value))}</{tag}>'
