"""Which runs a sweep does: a grid, a list or a random sample of parameters."""

from __future__ import annotations

import functools
import hashlib
import json
import math
import os
import random
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hcat_nb.arguments import read_yaml
from hcat_nb.errors import SpecError, UnknownNameError
from hcat_nb.fields import USERS_OWN
from hcat_nb.reading import with_reading
from hcat_nb.registry import (
    ARRAY_SUFFIX,
    METHODS,
    MODELS,
    PERTURBATIONS,
    SOURCES,
    TABLE_SUFFIXES,
    Registry,
    names_file,
    names_folder,
    nearest,
)
from hcat_nb.spec import OPTION_ALIASES, RunSpec
from hcat_nb.sweeps._content import content_of, forget
from hcat_nb.sweeps._version import code_version
from hcat_nb.sweeps.parameters import plain_parameter, refuse_unknown, whole_or_flag

# What a sweep takes beside the parameters of its runs.
LIMITS = ("workers", "time_limit", "memory_limit", "scheduler")
_PARTS = ("base", "grid", "runs", "sample", "total_runs", "fix_seed")
_KEYS = (*_PARTS, "out", *LIMITS)
# They say where a dataset lies, not what it is.
_NO_NUMBERS = ("root", "download")
_BY_PATH = ("file", "folder")  # datasets that have a path among their options
_TABLES = tuple(suffix for suffix in TABLE_SUFFIXES if suffix != ".parquet")


@dataclass(frozen=True)
class Cell:
    """One run of a sweep: the parameters given, under RunSpec's names, and ``run_tag``."""

    parameters: dict[str, Any]

    @property
    def spec(self) -> RunSpec:
        """The whole specification, defaults included."""
        return RunSpec.from_options(
            **{name: value for name, value in self.parameters.items() if name != "run_tag"}
        )

    @functools.cached_property
    def address(self) -> str:
        """Name of the run's folder: digests of its parameters and of the code."""
        spec = self.spec
        decisive = spec.to_dict() | {
            "data_seed": spec.effective_data_seed,
            "model_seed": spec.effective_model_seed,
            "methods": spec.method_names(),  # in whatever order they were named
            "run_tag": self.parameters.get("run_tag", ""),
        }
        for name in ("seed", *_NO_NUMBERS):
            del decisive[name]
        if spec.hardness is None:  # nothing is injected, whatever the grid has beside it
            for name in ("p", "hardness_options"):
                del decisive[name]
        if paths := _data_paths(decisive):
            decisive["content"] = " ".join(map(content_of, paths))
        text = json.dumps(decisive, sort_keys=True, allow_nan=False)
        digest = hashlib.blake2b(text.encode(), digest_size=6).hexdigest()
        return f"{digest}-{code_version()}"

    def __str__(self) -> str:
        return " ".join(f"{name}={_short(value)}" for name, value in self.parameters.items())


@dataclass(frozen=True)
class Plan:
    """All runs of a sweep, no two of one address; ``out`` and the :data:`LIMITS` given."""

    cells: tuple[Cell, ...]
    settings: dict[str, Any] = field(default_factory=dict)


_MOST = 100_000  # runs of a plan: each has a folder and a notebook


def read_plan(source: Any) -> Plan:
    """Return the runs that a mapping, a sequence or a YAML file of such asks for, each checked.

    ``grid``: parameters to lists of values, of which all combinations are run (``methods`` is one
    value: a list of lists to try several); ``runs``: a list of parameters, besides or instead;
    ``sample``: so many of them, or ``{n: ..., seed: ...}``, drawn at random; ``base``: what all
    have in common; ``total_runs`` and ``fix_seed``: repeated so often, run i with data and model
    seed ``seed + i``, or by ``fix_seed`` with the model seed only; ``out`` and the limits of a
    run. A mapping with none of these keys is a grid, a sequence a list.

    >>> plan = read_plan({"dataset": ["wine", "digits"], "hardness": "uniform", "prop": [0.1, 0.3]})
    >>> len(plan.cells), str(plan.cells[0])
    (4, 'dataset=wine hardness=uniform p=0.1')
    """
    forget()
    document = _document(source)
    base = _named(document.get("base", {}), "base")
    words = {}
    for word, alone in (("total_runs", 1), ("fix_seed", False)):
        value = document.get(word, alone)
        words[word] = whole_or_flag(word, base.pop(word, value), type(alone).__name__)
    chosen = _chosen(_axes(document), _listed(document), document.get("sample"))
    if not chosen and "runs" in document:
        raise SpecError("the list of runs is empty", "at least one")
    chosen = chosen or [{}]
    n = sum(_total(one, words) for one in chosen)
    _check_count(n, "runs")
    cells: dict[str, Cell] = {}
    for one in chosen:
        for cell in _repeated({**base, **one}, words):
            cells.setdefault(cell.address, cell)
    settings = {key: document[key] for key in ("out", *LIMITS) if key in document}
    return Plan(tuple(cells.values()), settings)


def _document(source: Any) -> dict[str, Any]:
    """Return the sweep as a mapping with the keys of ``_KEYS``."""
    if isinstance(source, (str, os.PathLike)):
        source = _load(Path(source))
    if isinstance(source, Mapping):
        if not any(key in _PARTS[:4] for key in source):
            return _split(source)
        for key in source:
            if key not in _KEYS:
                raise UnknownNameError(f"a sweep has no part {key!r}", nearest(str(key), _KEYS))
        return dict(source)
    if isinstance(source, Sequence):
        return {"runs": list(source)}
    raise SpecError(f"a sweep is {source!r}", "a mapping, a list of mappings, or a YAML file")


def _split(grid: Mapping[str, Any]) -> dict[str, Any]:
    """Return a grid, and beside it what stood among its parameters without being one."""
    beside = {key: grid[key] for key in grid if key in ("total_runs", "fix_seed", "out", *LIMITS)}
    return {"grid": {key: grid[key] for key in grid if key not in beside}, **beside}


def _load(path: Path) -> Any:
    try:
        return read_yaml(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        words = " ".join(str(error).split())
        raise SpecError(f"{path} cannot be read ({words})", "a sweep as a YAML file") from error


def _named(parameters: Any, part: str) -> dict[str, Any]:
    """Return plain parameters under RunSpec's names."""
    if not isinstance(parameters, Mapping):
        raise SpecError(f"{part} is {parameters!r}", "a mapping of parameters to values")
    refuse_unknown(parameters)
    named: dict[str, Any] = {}
    for given, value in parameters.items():
        name = OPTION_ALIASES.get(given) or str(given)
        if name == "out":
            raise SpecError(
                "out is no parameter of a sweep's runs", remedy="give the sweep its out"
            )
        if name in named:
            raise SpecError(f"the parameter {name!r} is given twice (as {given!r} too)")
        if name == "features" and hasattr(value, "shape"):
            raise SpecError("features is an array, which no notebook can hold", "a name")
        named[name] = plain_parameter(given, value)
    return named


def _axes(document: Mapping[str, Any]) -> dict[str, list[Any]]:
    """Return the values of each parameter of the grid."""
    grid = _named(document.get("grid", {}), "grid")
    for word in ("total_runs", "fix_seed"):
        if word in grid:
            raise SpecError(f"{word} stands in the grid", remedy="write it beside the grid")
    return {name: _axis(name, value) for name, value in grid.items()}


def _axis(name: str, value: Any) -> list[Any]:
    """Return the values of one parameter; a list of methods is one value."""
    if not isinstance(value, list):
        return [value]
    if not value:
        raise SpecError(f"the grid has no value for {name}", "at least one")
    if name == "methods" and not any(isinstance(one, list) for one in value):
        return [value]
    return value


def _listed(document: Mapping[str, Any]) -> list[dict[str, Any]]:
    runs = document.get("runs", [])
    if not isinstance(runs, Sequence) or isinstance(runs, str):
        raise SpecError(f"runs is {runs!r}", "a list of mappings of parameters to values")
    return [_named(run, f"run {number}") for number, run in enumerate(runs)]


def _chosen(
    axes: dict[str, list[Any]], listed: list[dict[str, Any]], sample: Any
) -> list[dict[str, Any]]:
    """Return the combinations and the listed runs, or some of them in their order.

    They are counted before any is made.
    """
    combinations = math.prod(map(len, axes.values())) if axes else 0
    total = combinations + len(listed)
    numbers: Iterable[int] = range(total)
    if sample is None:
        _check_count(total, "combinations")
    else:
        parts = sample if isinstance(sample, Mapping) else {"n": sample}
        for key in parts:
            if key not in ("n", "seed"):
                raise UnknownNameError(f"sample has no {key!r}", nearest(str(key), ("n", "seed")))
        n = whole_or_flag("the n of sample", parts.get("n"), "int")
        seed = whole_or_flag("the seed of sample", parts.get("seed", 0), "int")
        total = max(total, 1)  # without a grid or a list there is one run
        if not 1 <= n <= total:
            raise SpecError(f"sample asks for {n} combinations", f"1 to {total}, which there are")
        _check_count(n, "combinations")
        if axes or listed:
            numbers = sorted(_drawn(n, total, random.Random(seed)))  # noqa: S311 - no secret
    return [
        listed[number - combinations] if number >= combinations else _combination(axes, number)
        for number in numbers
    ]


def _drawn(n: int, total: int, chance: random.Random) -> list[int]:
    if total <= sys.maxsize:
        return chance.sample(range(total), n)
    found: set[int] = set()  # longer than any list may be: one is hardly ever drawn twice
    while len(found) < n:
        found.add(chance.randrange(total))
    return list(found)


def _combination(axes: dict[str, list[Any]], number: int) -> dict[str, Any]:
    """Return a combination by its number; the last parameter changes first."""
    found: dict[str, Any] = {}
    for name, values in reversed(axes.items()):
        number, place = divmod(number, len(values))
        found[name] = values[place]
    return {name: found[name] for name in axes}


def _check_count(n: int, what: str) -> None:
    if n > _MOST:
        raise SpecError(
            f"the plan asks for {n:,} {what}",
            f"at most {_MOST:,}",
            "fewer values, or a sample of the combinations (sample: 1000)",
        )


def _total(parameters: Mapping[str, Any], words: Mapping[str, Any]) -> int:
    """Return how often a run is asked for."""
    total: int = whole_or_flag(
        "total_runs", parameters.get("total_runs", words["total_runs"]), "int"
    )
    if total < 1:
        raise SpecError(f"total_runs is {total}", "at least 1")
    return total


def _repeated(parameters: Mapping[str, Any], words: Mapping[str, Any]) -> Iterator[Cell]:
    """Return a run as often as it is asked for, with the seeds that each has, checked."""
    own = dict(parameters)
    total = _total(own, words)
    own.pop("total_runs", None)
    fixed = whole_or_flag("fix_seed", own.pop("fix_seed", words["fix_seed"]), "bool")
    own = _absolute(with_reading(own))
    spec = Cell(own).spec  # checks the values
    _refuse_local(spec)
    check_hardness(spec)
    if total == 1 and not fixed:
        yield Cell(own)
        return
    own.pop("seed", None)
    for number in range(total):
        data = spec.effective_data_seed + (0 if fixed else number)
        yield Cell({**own, "data_seed": data, "model_seed": spec.effective_model_seed + number})


def _refuse_local(spec: RunSpec) -> None:
    """Refuse plug-ins that the processes of a sweep cannot find."""
    if USERS_OWN in (spec.dataset, spec.model, spec.features):
        raise SpecError(
            "dataset, model or features of a run are an object, and a sweep's runs are processes "
            "of their own",
            "names",
        )
    used: list[tuple[Registry, str | None]] = [
        *((METHODS, name) for name in spec.method_names()),
        *((PERTURBATIONS, spec.hardness), (MODELS, spec.model), (SOURCES, spec.dataset)),
    ]
    for registry, name in used:
        if name is not None and registry.is_local(name):
            raise SpecError(
                f"the {registry.kind} {name!r} is registered in this process only, "
                "and a sweep's runs are processes of their own",
                "built-in names, or those of an installed package",
                "announce it as an entry point (notebooks/extending.ipynb)",
            )


def check_hardness(spec: RunSpec) -> None:
    """Check the options of a run's hardness, and that it is one for such data."""
    if spec.hardness is None:
        return
    kind = PERTURBATIONS.get(spec.hardness)
    kind.from_options(**spec.hardness_options)
    if (modality := _modality(spec)) is not None:
        kind.check_modality(modality)


def _modality(spec: RunSpec) -> str | None:
    """Return what the samples are; None where only reading them tells."""
    if spec.dataset == "folder" or names_folder(spec.dataset):
        return "image"
    if spec.dataset == "file" or names_file(spec.dataset):
        # Arrays, and tables in Parquet, may hold images.
        open_ending = not spec.dataset.lower().endswith(_TABLES)
        return None if open_ending or "image" in spec.dataset_options else "table"
    modality: str = SOURCES.get(spec.dataset).modality
    return modality


def _absolute(parameters: dict[str, Any]) -> dict[str, Any]:
    """Return parameters whose paths hold in another working directory."""
    tag = parameters.get("run_tag", "")
    if not isinstance(tag, str):
        raise SpecError(f"run_tag is {tag!r}", "text", "write it in quotes")
    changed = dict(parameters)
    paths = _files(changed)
    dataset = changed.get("dataset")
    if isinstance(dataset, str) and names_folder(dataset):
        paths.append("dataset")
    if changed.get("root"):
        paths.append("root")
    for name in paths:
        changed[name] = str(Path(changed[name]).expanduser().resolve())
    return changed


def _data_paths(decisive: Mapping[str, Any]) -> list[Path]:
    """Return the files of data, or their folder."""
    dataset, named = decisive["dataset"], decisive["dataset_options"].get("path")
    if dataset in _BY_PATH and named:
        return [Path(named).expanduser()]
    if isinstance(dataset, str) and names_folder(dataset):
        return [Path(dataset)]
    return [Path(decisive[name]) for name in _files(decisive)]


def _files(parameters: Mapping[str, Any]) -> list[str]:
    """Return which parameters name a file of data: a table, or an array and that of its labels."""
    dataset = parameters.get("dataset")
    if not (isinstance(dataset, str) and names_file(dataset)):
        return []
    beside = isinstance(parameters.get("target"), str) and dataset.lower().endswith(ARRAY_SUFFIX)
    return ["dataset", "target"] if beside else ["dataset"]


def _short(value: Any) -> str:
    return ",".join(map(str, value)) if isinstance(value, list) else str(value)
