"""The card of a method: what it must say about itself, checked when its class is made."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Literal, get_args

from hcat_nb.errors import HcatError
from hcat_nb.observation.record import Need

if TYPE_CHECKING:
    from hcat_nb.methods.base import Method

Fault = Literal["mislabel", "ood", "atypical", "boundary"]
DataKind = Literal["image", "table", "text"]
KINDS: tuple[DataKind, ...] = get_args(DataKind)

_TEXTS = ("title", "paper", "cost", "misleads")
_CARD = ("name", *_TEXTS, "needs", "hard_when", "detects", "looks_at_labels", "buffers")


def is_abstract(cls: type) -> bool:
    """Return whether ``cls`` leaves an abstract method open.

    ``inspect.isabstract`` is of no use while a class is being made: ABCMeta
    marks it only after ``__init_subclass__`` has run.
    """
    attributes = (getattr(cls, name, None) for name in dir(cls))
    return any(getattr(item, "__isabstractmethod__", False) for item in attributes)


def check_card(cls: type[Method]) -> None:
    """Refuse a class whose card lacks a class variable, or has one that makes no sense."""
    for item in _CARD:
        if not hasattr(cls, item):
            raise HcatError(f"{cls.__name__} has no `{item}`", "every card field (see Method)")
    faults = frozenset(get_args(Fault))
    rules: list[tuple[str, bool, str]] = [
        *((text, _is_text(getattr(cls, text)), "text") for text in _TEXTS),
        ("name", _is_text(cls.name) and cls.name.isidentifier(), "a Python identifier"),
        ("needs", _all_of(cls.needs, frozenset, Need), "a frozenset of Need"),
        ("hard_when", cls.hard_when in ("high", "low"), '"high" or "low"'),
        (
            "detects",
            isinstance(cls.detects, frozenset) and cls.detects <= faults,
            "a frozenset of " + ", ".join(get_args(Fault)),
        ),
        (
            "detects_in",
            isinstance(cls.detects_in, Mapping)
            and {*cls.detects_in} <= faults  # a subclass may claim less than it inherits
            and all(kinds and kinds <= {*KINDS} for kinds in cls.detects_in.values()),
            "a mapping of faults to kinds of data: " + ", ".join(KINDS),
        ),
        ("looks_at_labels", isinstance(cls.looks_at_labels, bool), "True or False"),
        ("buffers", _all_of(cls.buffers, tuple, str), "a tuple of attribute names"),
        ("sweeps", isinstance(cls.sweeps, int) and cls.sweeps >= 1, "at least 1"),
        ("ties", cls.ties is None or _is_text(cls.ties), "a column or None"),
        (
            "variants",
            _all_of(cls.variants, tuple, str)
            and cls.variants[:1] in ((), (getattr(cls, "variant", None),)),
            "a tuple of texts, the default of the option `variant` first",
        ),
    ]
    for item, holds, expected in rules:
        if not holds:
            raise HcatError(f"{cls.__name__}.{item} is {getattr(cls, item)!r}", expected)
    if "scores" in vars(cls):
        raise HcatError(f"{cls.__name__} overrides `scores`", remedy="override `raw` instead")


def claim_words(cls: type[Method]) -> list[str]:
    """Return the faults that a card claims, each with the kinds of data if these are not all."""
    words = []
    for fault in sorted(cls.detects):
        kinds = [f"{kind}s" for kind in KINDS if kind in cls.detects_in.get(fault, ())]
        words.append(f"{fault} ({' and '.join(kinds)})" if kinds else fault)
    return words


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and bool(value)


def _all_of(
    values: Any, container: type[frozenset[Any]] | type[tuple[Any, ...]], kind: type
) -> bool:
    return isinstance(values, container) and all(isinstance(value, kind) for value in values)
