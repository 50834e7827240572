"""Plug-ins by name: methods, perturbations, models and dataset sources.

A built-in plug-in is one module whose stem is its name; listing names reads
the folder and imports nothing.  Other packages add plug-ins through entry
points, a notebook through :func:`register`.
"""

from __future__ import annotations

import difflib
import functools
import importlib
import inspect
import os
import pkgutil
import re
import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import Any, TypeVar

from hcat_nb.casts import as_path
from hcat_nb.errors import HcatError, UnknownNameError

T = TypeVar("T", bound=type)

ARRAY_SUFFIX = ".npy"
TABLE_SUFFIXES = (
    *(".csv", ".tsv", ".parquet", ".json", ".jsonl", ".ndjson"),
    *(".xlsx", ".data", ".txt", ".arff"),
)
_SHARDS = (".csv", ".tsv", ".parquet", ".jsonl", ".ndjson")  # a folder of them is one table
COMPRESSIONS = (".gz", ".bz2", ".xz", ".zip", ".zst")

# H-CAT's words for our names; a value may stand for several names.
ALIASES: dict[str, dict[str, tuple[str, ...]]] = {
    "method": {
        "data_uncert": ("dataiq", "datamaps"),
        "prop": ("prototypicality",),
        "proto": ("prototypicality",),
        "data_iq": ("dataiq",),
        "data_maps": ("datamaps",),
        "small_loss": ("loss",),
        "confident_learning": ("cleanlab",),
    },
    "hardness": {"mislabeling": ("uniform",)},
    "model": {"resnet": ("resnet18",)},
    "dataset": {"cifar": ("cifar10",)},
}

# The order in which columns and tables stand; names that are
# not in it (a user's own) follow in alphabetical order.
_ORDER = (
    *("aum", "cleanlab", "conf_agree", "dataiq", "datamaps", "grand", "el2n"),
    *("forgetting", "loss", "prototypicality", "vog", "allsh", "detector"),
)

# Methods that look at no network: every run has their judgement beside its
# methods, and who wants one among them names it ("all" are the others).
JUDGES = ("linear", "knn_label")
# Methods that came after the thirteen; who names them has them, and an audit does.
FURTHER = ("alt_prob", "nearest_twin", "knn_ood", "embedding_norm")
APART = (*JUDGES, *FURTHER)  # not among "all"


def nearest(name: object, known: list[str] | tuple[str, ...]) -> str:
    """Return a clause that names the closest of ``known`` and lists them all."""
    listed = "one of " + ", ".join(known)
    close = difflib.get_close_matches(str(name).lower(), known, n=3, cutoff=0.5)
    return f"{listed} (nearest: {', '.join(close)})" if close else listed


def refuse_unknown(options: Iterable[str], known: Sequence[str], wrong: str) -> None:
    """Refuse an option that is not known; ``wrong`` has a place for its name."""
    for name in options:
        if name not in known:
            expected = nearest(name, tuple(known)) if known else "no options"
            raise UnknownNameError(wrong.format(name), expected)


_SPLITS = (
    *("train", "training", "test", "testing", "val", "valid", "validation"),
    *("dev", "eval", "fold"),
)


def split_of(name: str) -> str:
    """Return the word for a split that a file or folder is called by, "" if it is none.

    >>> split_of("Train"), split_of("test-00000-of-00001.parquet"), split_of("training_photos")
    ('Train', 'test', '')
    >>> split_of("training_set"), split_of("fold0")
    ('training', 'fold')
    """
    stem = re.match(r"([A-Za-z]+?)(?:[_-](?:set|images|imgs|data))?(?=\W|_\d|\d|$)", name)
    return stem[1] if stem and stem[1].lower() in _SPLITS else ""


def names_file(name: str) -> bool:
    """Whether the name of a dataset is the path of a table or an array.

    A table is read by the source ``file``; it may be an existing file of any
    kind, or a folder that holds tables.

    >>> names_file("data/birds.csv.gz"), names_file("digits")
    (True, False)
    """
    if _suffix(name) in (*TABLE_SUFFIXES, ARRAY_SUFFIX):
        return True
    path = as_path(name)
    if "/" not in name and os.sep not in name and "." not in name:
        return False  # the name of a dataset
    if not path.is_dir():
        return path.is_file()
    inside = [one for one in path.iterdir() if not one.name.startswith((".", "_"))]
    shards = any(_suffix(one.name) in _SHARDS for one in inside)
    return shards and not any(one.is_dir() for one in inside)  # else of images, and a list of them


def _suffix(name: str) -> str:
    suffixes = [] if Path(name).name.startswith(".") else Path(name).suffixes
    if suffixes and suffixes[-1].lower() in COMPRESSIONS:
        suffixes.pop()
    return suffixes[-1].lower() if suffixes else ""


def names_folder(name: str) -> bool:
    """Whether the name of a dataset is the path of a folder, which the source ``folder`` reads.

    >>> names_folder("./photos"), names_folder("photos/"), names_folder("photos")
    (True, True, False)
    """
    return not names_file(name) and ("/" in name or os.sep in name)


def name_of_path(path: str | os.PathLike[str]) -> str:
    """Return a path as the name of a dataset, that of a folder beginning with a dot if need be."""
    name = os.fspath(path)
    if isinstance(path, str) or names_file(name) or names_folder(name):
        return name
    return os.path.join(os.curdir, name)


@dataclass(eq=False)
class Registry:
    """The plug-ins of one kind (its word in messages).

    ``package``: its modules without a leading underscore are the plug-ins; others announce theirs
    in ``entry_point_group``.  ``base``: ``"module:Class"`` that every plug-in class derives from.
    """

    kind: str
    package: str
    entry_point_group: str
    _base: str
    _registered: dict[str, type] = field(default_factory=dict, init=False)

    def names(self) -> list[str]:
        """Return the names, methods in the order of all tables; imports no plug-in.

        Judges and further methods are not among them: see :meth:`known`.
        """
        found = {*self._stems(), *self._entry_points(), *self._registered} - self._apart()
        rank = {name: i for i, name in enumerate(_ORDER)} if self.kind == "method" else {}
        return sorted(found, key=lambda name: (rank.get(name, len(rank)), name))

    def known(self) -> list[str]:
        """Return all names that can be asked for: :meth:`names`, then what methods stand apart."""
        return [*self.names(), *(name for name in APART if name in self._apart())]

    def resolve(self, name: str) -> tuple[str, ...]:
        """Return the names that ``name`` stands for: itself, or what an alias means."""
        known = self.known()
        key = name.strip()
        if key in known:
            return (key,)
        key = key.lower().replace("-", "_")
        if key in known:
            return (key,)
        if key in ALIASES[self.kind]:
            return ALIASES[self.kind][key]
        beside = self.kind == "dataset" and Path(name).is_dir()
        remedy = f"the folder of that name is {os.path.join(os.curdir, name)}" if beside else ""
        raise UnknownNameError(f"unknown {self.kind} {name!r}", nearest(name, known), remedy)

    def get(self, name: str) -> Any:
        """Import the plug-in ``name`` and return its class."""
        resolved = self.resolve(name)
        if len(resolved) > 1:
            raise UnknownNameError(
                f"{name!r} stands for several {self.kind} names", "one of " + ", ".join(resolved)
            )
        key = resolved[0]
        if key in self._registered:
            return self._registered[key]
        if key in self._stems():
            return self._only_plugin(key)
        plugin = self._entry_points()[key].load()
        self._check(plugin, key)
        return plugin

    def is_local(self, name: str) -> bool:
        """Whether ``name`` was registered in this process, so that others do not know it."""
        return name in self._registered

    def register(self, plugin: T) -> T:
        """Add a class of the user's own; registering its next version replaces it.

        HcatError if the name belongs to a built-in or to another package.
        """
        name = getattr(plugin, "name", None)
        if not isinstance(name, str) or not name.isidentifier():
            raise HcatError(
                f"{plugin.__name__} has the name {name!r}",
                "a class variable `name` that is a Python identifier",
            )
        self._check(plugin, name)
        if name in self._stems() or name in self._entry_points():
            raise HcatError(
                f"the {self.kind} {name!r} exists already", remedy="choose another `name`"
            )
        self._registered[name] = plugin
        return plugin

    def unregister(self, name: str) -> None:
        """Forget a class that was added with :meth:`register`."""
        del self._registered[name]

    def base(self) -> type:
        """Import and return the class that every plug-in derives from."""
        module, _, attribute = self._base.partition(":")
        base: type = getattr(importlib.import_module(module), attribute)
        return base

    def _stems(self) -> list[str]:
        root = Path(__file__).parent.joinpath(*self.package.split(".")[1:])
        stems = [module.name for module in pkgutil.iter_modules([str(root)])]
        return [stem for stem in stems if not stem.startswith("_") and stem != "base"]

    def _apart(self) -> set[str]:
        return set(APART) if self.kind == "method" else set()

    def _entry_points(self) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for point in _installed(entry_points, self.entry_point_group, _places()):
            if point.name in found or point.name in self._stems():
                raise HcatError(
                    f"two plug-ins are called {point.name!r} ({point.value} is one of them)",
                    remedy="uninstall one of the packages that provide it",
                )
            found[point.name] = point
        return found

    def _only_plugin(self, stem: str) -> type:
        module = importlib.import_module(f"{self.package}.{stem}")
        base = self.base()
        own = [
            item
            for item in vars(module).values()
            if inspect.isclass(item)
            and issubclass(item, base)
            and item.__module__ == module.__name__
        ]
        if len(own) != 1:
            raise HcatError(f"{module.__name__} defines {len(own)} {self.kind} classes", "one")
        self._check(own[0], stem)
        return own[0]

    def _check(self, plugin: type, name: str) -> None:
        if not (inspect.isclass(plugin) and issubclass(plugin, self.base())):
            raise HcatError(f"{plugin!r} is no {self.kind}", f"a subclass of {self._base}")
        if getattr(plugin, "name", None) != name:
            raise HcatError(
                f"{plugin.__name__}.name is {getattr(plugin, 'name', None)!r}", repr(name)
            )


METHODS = Registry("method", "hcat_nb.methods", "hcat_nb.methods", "hcat_nb.methods.base:Method")
PERTURBATIONS = Registry(
    "hardness",
    "hcat_nb.perturbations",
    "hcat_nb.perturbations",
    "hcat_nb.perturbations.base:Perturbation",
)
MODELS = Registry("model", "hcat_nb.models", "hcat_nb.models", "hcat_nb.models.base:NamedModel")
SOURCES = Registry(
    "dataset", "hcat_nb.data.sources", "hcat_nb.data.sources", "hcat_nb.data.sources.base:Source"
)


def register(plugin: T) -> T:
    """Register a user's own method, perturbation, model or source (a class decorator).

    The kind is read off the base class.  Afterwards the plug-in's ``name``
    works wherever a built-in's does.  No example here, since its class would
    stay registered: ``notebooks/extending.ipynb`` has two.

    Raises
    ------
    HcatError
        If the class derives from none of the bases, or its name is taken.
    """
    registries = (METHODS, PERTURBATIONS, MODELS, SOURCES)
    for registry in registries:
        if inspect.isclass(plugin) and issubclass(plugin, registry.base()):
            return registry.register(plugin)
    raise HcatError(
        f"{plugin!r} cannot be registered",
        "a subclass of " + ", ".join(registry._base for registry in registries),
    )


def _places() -> tuple[tuple[str, int], ...]:
    """Return where packages may lie, each with the time of its last change."""
    found = []
    for place in sys.path:
        try:
            found.append((place, os.stat(place or ".").st_mtime_ns))
        except OSError:
            continue  # it is not there
    return tuple(found)


@functools.lru_cache(maxsize=32)
def _installed(
    read: Callable[..., Any], group: str, places: tuple[tuple[str, int], ...]
) -> tuple[EntryPoint, ...]:
    """Return the entry points of a group, read once as long as no package comes or goes.

    To read them opens a file of each installed package, which took more than
    half of a small run.
    """
    return tuple(read(group=group))
