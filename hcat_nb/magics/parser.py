"""From the text behind a magic to keywords of the call that it stands for."""

from __future__ import annotations

import inspect
import os
import shlex
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from hcat_nb.arguments import read_yaml, refuse_several, spec_options
from hcat_nb.commands.command import Command
from hcat_nb.errors import SpecError, UnknownNameError
from hcat_nb.reading import READING, with_reading
from hcat_nb.registry import MODELS, SOURCES, names_file, names_folder, nearest
from hcat_nb.spec import OPTION_ALIASES

# What IPython itself puts among the variables is nobody's data.
_SHELLS = {"In", "Out", "exit", "quit", "get_ipython", "open"}


@dataclass
class MagicCall:
    """One call of a magic."""

    keywords: dict[str, Any] = field(default_factory=dict)  # those of hcat.characterize
    own: dict[str, Any] = field(default_factory=dict)  # the command's own; runs are looked up
    name: str | None = None  # the variable that gets the result
    help: bool = False  # whether only the help is wanted
    words: dict[str, str] = field(default_factory=dict)  # what stood for objects
    document: dict[Any, Any] = field(default_factory=dict)  # a cell's, where it holds no options


def parse(command: Command, line: str, cell: str | None, variables: Mapping[str, Any]) -> MagicCall:
    """Read a call; nothing in it is evaluated. The cell is YAML: option names and values."""
    try:
        words = shlex.split(line)
    except ValueError as error:
        raise SpecError(f"the line cannot be read ({error})", "balanced quotes") from None
    if "-h" in words or "--help" in words:
        return MagicCall(help=True)
    namespace = command.parser().parse(words)
    options = spec_options(namespace)
    for one in command.own:
        if _says_something(value := getattr(namespace, one.dest)):
            options[f"own {one.key}"] = value
    document = _read_cell(cell) if command.document else {}
    if not command.document:
        _add_cell(options, command, cell)
        options = with_reading(options)
    own = {key[4:]: options.pop(key) for key in list(options) if key.startswith("own ")}
    _check_own(command, own)
    own = {key: value for key, value in own.items() if _says_something(value)}
    refuse_several(options.get("hardness"))
    name = own.pop("name", None)
    if name is not None and not str(name).isidentifier():
        raise SpecError(f"name is {name!r}", "a name of a variable")
    as_objects = ("dataset", "model", "features")
    words_of = {str(key): str(options[key]) for key in as_objects if key in options}
    keywords = {**options, **data_keywords(options.pop("dataset", None), variables)}
    keywords.pop("dataset", None)
    if "model" in options:
        keywords["model"] = model_of(options["model"], variables)
    given = variables.get(words_of.get("features", ""))
    if looks_like_data(given) or (callable(given) and not isinstance(given, type)):
        keywords["features"] = given
    own = _looked_up(command, own, variables)
    return MagicCall(keywords, own, name, words=words_of, document=document)


def _says_something(value: Any) -> bool:
    """Whether an own argument was given; 0 is a value, and a flag that is false in a cell none."""
    return not (value is None or value is False or value == [])


def _add_cell(options: dict[str, Any], command: Command, cell: str | None) -> None:
    """Add what the cell says to ``options``; it may not say what the line says."""
    own = {one.key for one in command.own if not one.positional}
    for key, value in _read_cell(cell).items():
        name = OPTION_ALIASES.get(str(key), str(key)).replace("-", "_")
        if name in own:
            name = f"own {name}"
        elif name not in command.fields and not (
            name in READING and "dataset_options" in command.fields
        ):
            raise UnknownNameError(
                f"unknown option {key!r} in the cell", nearest(key, [*command.fields, *sorted(own)])
            )
        if name in options:
            raise SpecError(f"the option {key!r} is given in the line and in the cell", "one place")
        options[name] = value


def _check_own(command: Command, own: Mapping[str, Any]) -> None:
    for one in command.own:
        value = own.get(one.key)
        if value is None:
            continue
        if one.choices and value not in one.choices:
            raise SpecError(f"{one.key} is {value!r}", "one of " + ", ".join(one.choices))
        if one.flag and not isinstance(value, bool):
            raise SpecError(f"{one.key} is {value!r}", "true or false")


def _looked_up(
    command: Command, own: dict[str, Any], variables: Mapping[str, Any]
) -> dict[str, Any]:
    """Return the own arguments with runs, data and models in the place of their names."""
    found = dict(own)
    for one in command.own:
        value = own.get(one.key)
        if value is None:
            continue
        if one.values == "run":
            several = isinstance(value, list)
            runs = [_run(word, variables) for word in (value if several else [value])]
            found[one.key] = runs if several else runs[0]
        elif one.values == "data":
            found[one.key] = data_keywords(value, variables)
        elif one.values == "model":
            found[one.key] = model_of(value, variables)
    return found


def _run(word: str, variables: Mapping[str, Any]) -> Any:
    """Return the run that a variable holds, else the path of a folder."""
    value = variables.get(word)
    if looks_like_run(value):
        return value
    if looks_like_run(run := getattr(value, "run", None)):  # a panel
        return run
    if os.path.isdir(word):
        return word
    if word in variables:
        raise SpecError(f"the variable {word!r} is a {type(value).__name__}", "a run")
    own = user_variables(variables, looks_like_run)
    raise UnknownNameError(
        f"there is no run or folder {word!r}",
        nearest(word, own) if own else "a variable that holds a run, or the folder of a saved one",
    )


def looks_like_data(value: Any) -> bool:
    """Tell whether a variable may be a dataset; what it really is ``load`` finds out."""
    if isinstance(value, type):
        return False
    if hasattr(value, "class_values"):  # a LabelledDataset, as run.apply() returns it
        return True
    plain = isinstance(value, (str, bytes, Mapping)) or inspect.isroutine(value)
    frame = type(value).__module__.partition(".")[0] == "pandas"
    return (not plain or frame) and hasattr(value, "__getitem__") and hasattr(value, "__len__")


def looks_like_run(value: Any) -> bool:
    """Tell whether a variable is a run; loads nothing, for without its module there is none."""
    module = sys.modules.get("hcat_nb.api.run")
    return module is not None and isinstance(value, module.Run)


def looks_like_model(value: Any) -> bool:
    """Tell whether a variable may be a model or what makes one; of classes, modules only."""
    if isinstance(value, type):
        return any(base.__module__.startswith("torch.nn.") for base in value.__mro__)
    return callable(value)


def user_variables(variables: Mapping[str, Any], fits: Callable[[Any], bool]) -> list[str]:
    """Return the names of the user's own variables that fit, sorted."""
    return sorted(
        name
        for name, value in variables.items()
        if not name.startswith("_") and name not in _SHELLS and fits(value)
    )


def _read_cell(cell: str | None) -> dict[Any, Any]:
    if cell is None or not cell.strip():
        return {}
    try:
        content = read_yaml(cell)
    except ValueError as error:
        raise SpecError(f"the cell is no YAML ({error})", "lines such as `epochs: 10`") from None
    if content is None:
        return {}
    if not isinstance(content, Mapping):
        raise SpecError(f"the cell holds a {type(content).__name__}", "lines such as `epochs: 10`")
    return dict(content)


def data_keywords(word: Any, variables: Mapping[str, Any]) -> dict[str, Any]:
    """Return the keywords for the data; a variable goes before a name, and gives its own."""
    if word is None:
        return {}
    value = variables.get(str(word))
    if isinstance(value, tuple) and len(value) == 2:
        return {"data": value[0], "labels": value[1], "name": str(word)}
    if looks_like_data(value):
        # A LabelledDataset has a name already.
        return {"data": value} | ({} if hasattr(value, "class_values") else {"name": str(word)})
    if names_file(str(word)) or names_folder(str(word)):
        return {"data": str(word)}
    _known_name("dataset", str(word), SOURCES.names(), variables, looks_like_data)
    return {"data": SOURCES.resolve(str(word))[0]}


def model_of(word: Any, variables: Mapping[str, Any]) -> Any:
    """Return the model that ``word`` names: a variable goes before a name."""
    value = variables.get(str(word))
    if looks_like_model(value):
        return value
    names = ["auto", *MODELS.names()]
    if word in names:
        return word
    _known_name("model", str(word), names, variables, looks_like_model)
    return MODELS.resolve(str(word))[0]


def _known_name(
    kind: str,
    word: str,
    names: list[str],
    variables: Mapping[str, Any],
    fits: Callable[[Any], bool],
) -> None:
    registry = SOURCES if kind == "dataset" else MODELS
    try:
        registry.resolve(word)
    except UnknownNameError:
        pass
    else:
        return
    if word in variables:
        kinds = {"dataset": "a table, an array or a dataset", "model": "a module or its maker"}
        value = variables[word]
        raise SpecError(
            f"the variable {word!r} is a {type(value).__name__}",
            kinds[kind],
            # A run, or what %hcat_perturb returns.
            f"its data are {word}.dataset: give them a name of their own"
            if kind == "dataset" and hasattr(value, "dataset")
            else None,
        )
    own = user_variables(variables, fits)
    raise UnknownNameError(f"there is no {kind} or variable {word!r}", nearest(word, names + own))
