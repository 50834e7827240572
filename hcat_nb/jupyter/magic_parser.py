"""From the text of ``%hcat_train`` to keywords of ``characterize``."""

from __future__ import annotations

import inspect
import shlex
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from hcat_nb.arguments import OptionParser, add_spec_options, spec_options
from hcat_nb.errors import SpecError, UnknownNameError
from hcat_nb.jupyter.screens import DISPLAYS, Display
from hcat_nb.registry import MODELS, SOURCES, names_file, nearest
from hcat_nb.spec import OPTION_ALIASES

__all__ = [
    "MagicCall",
    "looks_like_data",
    "looks_like_model",
    "make_parser",
    "parse",
    "user_variables",
]

# What IPython itself puts among the variables is nobody's data.
_SHELLS = {"In", "Out", "exit", "quit", "get_ipython", "open"}
_OWN = ("out", "overwrite", "display", "name", "dry_run")


@dataclass
class MagicCall:
    """One call of the magic.

    Parameters
    ----------
    keywords : dict
        Of :func:`hcat_nb.runs.characterize.characterize`.
    display : str
    name : str, optional
        Variable that gets the run.
    help : bool
        Whether only the help is wanted.
    dry_run : bool
        Whether only a forecast is wanted.
    """

    keywords: dict[str, Any] = field(default_factory=dict)
    display: Display = "auto"
    name: str | None = None
    help: bool = False
    dry_run: bool = False


def make_parser() -> OptionParser:
    """Return the parser of a line."""
    parser = OptionParser(
        prog="%hcat_train",
        add_help=False,
        description="Train a model once, watch it learn, and score how hard each sample is. "
        "The dataset and --model take names or variables of the notebook "
        "(a DataFrame, a torch Dataset, a pair (X, y); a module, or what makes one). "
        "As %%hcat_train the cell holds the same options as YAML.",
    )
    add_spec_options(parser)
    parser.add_argument("--out", metavar="DIR", help="folder to save the run to")
    parser.add_argument("--overwrite", action="store_true", help="replace a run that stands there")
    parser.add_argument("--display", metavar="STR", help=f"one of {', '.join(DISPLAYS)} [auto]")
    parser.add_argument("--name", metavar="VAR", help="variable that gets the run")
    parser.add_argument("--dry-run", action="store_true", help="say what it would take, and stop")
    parser.add_argument("-h", "--help", action="store_true", help="show this help")
    return parser


def parse(line: str, cell: str | None, variables: Mapping[str, Any]) -> MagicCall:
    """Read a call.

    Parameters
    ----------
    line : str
        Behind the magic's name.
    cell : str, optional
        YAML: option names and values.
    variables : mapping
        Of the notebook.

    Raises
    ------
    SpecError, UnknownNameError
        If an option, a value or a variable is wrong.
    """
    try:
        words = shlex.split(line)
    except ValueError as error:
        raise SpecError(f"the line cannot be read ({error})", "balanced quotes") from None
    if "-h" in words or "--help" in words:
        return MagicCall(help=True)
    namespace = make_parser().parse(words)
    options = spec_options(namespace)
    options |= {key: getattr(namespace, key) for key in _OWN if getattr(namespace, key)}
    for key, value in _read_cell(cell).items():
        name = OPTION_ALIASES.get(str(key), str(key)).replace("-", "_")
        if name in options:
            raise SpecError(f"the option {key!r} is given in the line and in the cell", "one place")
        options[name] = value
    name = options.pop("name", None)
    if name is not None and not str(name).isidentifier():
        raise SpecError(f"name is {name!r}", "a name of a variable")
    display = options.pop("display", "auto")
    if display not in DISPLAYS:
        raise SpecError(f"display is {display!r}", "one of " + ", ".join(DISPLAYS))
    dry_run = bool(options.pop("dry_run", False))
    keywords = {**options, **_data(options.pop("dataset", None), variables)}
    keywords.pop("dataset", None)
    if "model" in options:
        keywords["model"] = _model(options["model"], variables)
    if dry_run:
        for key in ("out", "overwrite"):
            keywords.pop(key, None)
    return MagicCall(keywords, display, name, dry_run=dry_run)


def looks_like_data(value: Any) -> bool:
    """Tell whether a variable may be a dataset; what it really is ``load`` finds out."""
    plain = isinstance(value, (str, bytes, Mapping, type)) or inspect.isroutine(value)
    frame = type(value).__module__.partition(".")[0] == "pandas"
    return (not plain or frame) and hasattr(value, "__getitem__") and hasattr(value, "__len__")


def looks_like_model(value: Any) -> bool:
    """Tell whether a variable may be a model or what makes one."""
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
    import yaml  # type: ignore[import-untyped]

    try:
        content = yaml.safe_load(cell)
    except yaml.YAMLError as error:
        where = " ".join(str(error).split())
        raise SpecError(f"the cell is no YAML ({where})", "lines such as `epochs: 10`") from None
    if content is None:
        return {}
    if not isinstance(content, Mapping):
        raise SpecError(f"the cell holds a {type(content).__name__}", "lines such as `epochs: 10`")
    return dict(content)


def _data(word: Any, variables: Mapping[str, Any]) -> dict[str, Any]:
    """Return the keywords for the data; a variable goes before a name, and gives its own."""
    if word is None:
        return {}
    value = variables.get(str(word))
    if isinstance(value, tuple) and len(value) == 2:
        return {"data": value[0], "labels": value[1], "name": str(word)}
    if looks_like_data(value):
        # A LabelledDataset has a name already.
        return {"data": value} | ({} if hasattr(value, "class_values") else {"name": str(word)})
    if names_file(str(word)):
        return {"data": str(word)}
    _known_name("dataset", str(word), SOURCES.names(), variables, looks_like_data)
    return {"data": SOURCES.resolve(str(word))[0]}


def _model(word: Any, variables: Mapping[str, Any]) -> Any:
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
        raise SpecError(f"the variable {word!r} is a {type(variables[word]).__name__}", kinds[kind])
    own = user_variables(variables, fits)
    raise UnknownNameError(f"there is no {kind} or variable {word!r}", nearest(word, names + own))
