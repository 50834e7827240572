"""What there is by name: a line each, or whole cards."""

from __future__ import annotations

import dataclasses
import html
import inspect
import re
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from hcat_nb.errors import UnknownNameError
from hcat_nb.registry import METHODS, MODELS, PERTURBATIONS, SOURCES, nearest

if TYPE_CHECKING:
    import pandas as pd

    from hcat_nb.data.sources.base import Source
    from hcat_nb.perturbations.base import Perturbation

KINDS = {"methods": METHODS, "hardness": PERTURBATIONS, "datasets": SOURCES, "models": MODELS}
_LINE = ("title", "cost", "paper")


@dataclasses.dataclass(eq=False)
class Listing:
    """Cards of plug-ins: ``whole`` ones, or a line each (title, cost and paper).

    ``frame`` has the index ``name`` and a column for each entry of the card.
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
    """Return the plug-ins of one of ``KINDS``, a user's own and other packages' included.

    Whole cards of those that are named, or of all (``verbose``); else a line of each.

    >>> listing("methods", ["aum"]).frame.loc["aum", "paper"]
    'Pleiss et al. 2020, arXiv 2001.10528'
    """
    if kind not in KINDS:
        raise UnknownNameError(f"there is no list of {kind!r}", nearest(kind, list(KINDS)))
    found = [name for word in names for name in KINDS[kind].resolve(word)]
    tables: dict[str, Callable[[], pd.DataFrame]] = {
        "methods": list_methods,
        "hardness": list_hardness,
        "datasets": list_datasets,
        "models": list_models,
    }
    frame = tables[kind]()
    if kind == "methods" and not set(found) <= set(frame.index):  # a judge
        frame = list_methods(judges=True)
    if found:
        frame = frame.loc[list(dict.fromkeys(found))]
    whole = verbose or bool(found)
    if kind == "datasets" and whole:
        frame = frame.assign(options=[_options(name) for name in frame.index])
    return Listing(frame, whole)


def _options(dataset: str) -> str:
    """Return a dataset's options with what they mean, a line each."""
    texts = option_texts(SOURCES.get(dataset))
    return "\n".join(f"{option}: {text}" for option, text in texts.items()) or "none"


def _cell(tag: str, value: object) -> str:
    return f'<{tag} style="text-align:left;white-space:pre-line">{html.escape(str(value))}</{tag}>'


def list_methods(*, judges: bool = False) -> pd.DataFrame:
    """Return one row for each hardness characterization method, in the order of all tables.

    Parameters
    ----------
    judges : bool
        Whether the judges follow: baselines that use no training dynamics.

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
    from hcat_nb.methods._card import claim_words

    names = METHODS.known() if judges else METHODS.names()
    cards = [METHODS.get(name) for name in names]
    detects = [", ".join(claim_words(card)) for card in cards]
    table = _cards(cards, names, "title", "looks_at_labels", "cost", "paper", "misleads")
    table.insert(1, "detects", detects)
    return table


def list_hardness() -> pd.DataFrame:
    """Return the kinds of hardness that can be injected, plug-ins included.

    Returns
    -------
    pandas.DataFrame
        Index ``name``; columns ``title``, ``family``, ``modality`` (``image``,
        ``table`` or both), ``options`` (``name=default``), ``cost`` and
        ``paper``, all text.

    Examples
    --------
    >>> list_hardness().loc["adjacent", "options"]
    'order=None'
    """
    names = PERTURBATIONS.names()
    plugins: list[type[Perturbation]] = [PERTURBATIONS.get(name) for name in names]
    table = _cards(plugins, names, "title", "family", "modality", "cost", "paper")
    table.insert(3, "options", [_defaults(plugin) for plugin in plugins])
    return table


def _defaults(plugin: type[Perturbation]) -> str:
    return ", ".join(f"{item.name}={_default(item)}" for item in dataclasses.fields(plugin))


def _default(item: dataclasses.Field[object]) -> str:
    if item.default is not dataclasses.MISSING:
        return repr(item.default)
    if item.default_factory is not dataclasses.MISSING:
        return repr(item.default_factory())
    return "required"


def list_datasets() -> pd.DataFrame:
    """Return the datasets that ``load`` knows by name.

    Returns
    -------
    pandas.DataFrame
        Index ``name``; columns ``title``, ``modality`` ("image" or "table"),
        ``n_samples`` (training set; NA where it depends on what is read),
        ``bundled`` (needs no download), ``options`` (their names), ``cost``
        (of getting it) and ``paper``.

    Examples
    --------
    >>> int(list_datasets().loc["wine", "n_samples"])
    178
    """
    names = SOURCES.names()
    cards = [SOURCES.get(name) for name in names]
    table = _cards(cards, names, "title", "modality", "n_samples", "bundled")
    return table.astype({"n_samples": "Int64"}).assign(
        options=[", ".join(card.options()) for card in cards],
        cost=[card.cost or ("bundled" if card.bundled else "download") for card in cards],
        paper=[card.paper for card in cards],
    )


def option_texts(card: type[Source]) -> dict[str, str]:
    """Return the first sentence that the documentation has on each option of a dataset.

    >>> option_texts(SOURCES.get("file"))["sep"]
    'Character between the fields of a text file'
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


def list_models() -> pd.DataFrame:
    """Return the registered models.

    Returns
    -------
    pandas.DataFrame
        Index ``name``; columns ``title``, ``modality``, ``paper``.

    Examples
    --------
    >>> "mlp" in list_models().index
    True
    """
    names = MODELS.names()
    return _cards([MODELS.get(name) for name in names], names, "title", "modality", "paper")


def _cards(cards: Sequence[Any], names: Sequence[str], *columns: str) -> pd.DataFrame:
    """Return what the cards of plug-ins say under some heads, sets as words."""
    import pandas as pd

    said = {column: [getattr(card, column) for card in cards] for column in columns}
    told = {
        column: [", ".join(sorted(one)) if isinstance(one, frozenset) else one for one in values]
        for column, values in said.items()
    }
    return pd.DataFrame(told, index=pd.Index(names, name="name"))
