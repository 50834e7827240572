"""The colours of families of methods, one wherever methods stand side by side."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from hcat_nb.charts.theme import CLASSES, NONE, OTHER
from hcat_nb.registry import METHODS

if TYPE_CHECKING:
    import altair as alt

FAMILIES = {
    "learning: output": CLASSES[0],
    "learning: statistic": CLASSES[4],
    "learning: gradient": CLASSES[2],
    "learning: other": CLASSES[7],
    "statistical": CLASSES[1],
    "distance": CLASSES[5],
    "judge": CLASSES[6],
    "own": CLASSES[3],
    "baseline": OTHER,
}
_BASELINES = frozenset({"random", "class_frequency", "last_loss", "first_look"})


def family_names(
    methods: Iterable[Any], families: Mapping[Any, str] | None = None
) -> dict[Any, str]:
    """Return the family of each method, whose name may have options in brackets.

    ``families`` goes before the methods' cards; one that is not registered is one's "own".

    >>> family_names(["cleanlab (cv=5)", "random", "mine"])
    {'cleanlab (cv=5)': 'statistical', 'random': 'baseline', 'mine': 'own'}
    """
    known = set(METHODS.known())
    found = {}
    for name in methods:
        if families is not None and name in families:
            found[name] = str(families[name])
        elif (base := str(name).partition(" (")[0]) in known:
            found[name] = str(METHODS.get(base).family)
        else:
            found[name] = "baseline" if name in _BASELINES else "own"
    return found


def family_color(present: Iterable[str]) -> alt.Color:
    """Return the encoding of the field ``family`` for the families that are there.

    Those that the project does not know follow in grey.
    """
    import altair as alt

    there = list(dict.fromkeys(present))
    domain = [name for name in FAMILIES if name in there]
    domain += [name for name in there if name not in FAMILIES]
    colors = [FAMILIES.get(name, NONE) for name in domain]
    return alt.Color("family:N", title="family", scale=alt.Scale(domain=domain, range=colors))
