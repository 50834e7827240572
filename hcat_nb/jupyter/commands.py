"""The magics as a table: what each is for, and what may stand behind it.

Parsing, help, completion and registration all read this table; what a magic
*does* stands in :mod:`hcat_nb.jupyter.magics`, under the same name.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from hcat_nb.arguments import READING, OptionParser, add_spec_options
from hcat_nb.jupyter.screens import DISPLAYS
from hcat_nb.spec import RunSpec

__all__ = ["COMMANDS", "Command", "Own"]

FIELDS = tuple(item.name for item in dataclasses.fields(RunSpec))
# What decides the data of a run, before anything is trained.
DATA_FIELDS = (
    *("dataset", "dataset_options", "target", "root", "download", "subset"),
    *("on_missing_label", "on_bad_row", "hardness", "p", "hardness_options"),
    *("seed", "data_seed"),
)


@dataclass(frozen=True)
class Own:
    """An argument that is no field of RunSpec.

    Parameters
    ----------
    name : str
        ``"run"``: positional; ``"--out"``: an option.
    help : str
    values : str
        What may stand there: ``"run"`` (a variable, or a folder), ``"data"``
        or ``"model"`` (a variable), the name of a kind in
        :mod:`hcat_nb.runs.listing`, or ``""`` for free text.
    choices : tuple of str
        All that may stand there.
    settings : mapping
        Further settings of argparse.
    short : str
        A second name, of one letter.
    """

    name: str
    help: str
    values: str = ""
    choices: tuple[str, ...] = ()
    settings: Mapping[str, Any] = field(default_factory=dict)
    short: str = ""

    @property
    def dest(self) -> str:
        """Where the parser puts it, apart from the fields of RunSpec."""
        return f"own_{self.key}"

    @property
    def key(self) -> str:
        """The name as a keyword."""
        return self.name.lstrip("-").replace("-", "_")

    @property
    def positional(self) -> bool:
        """Whether it stands without a name."""
        return not self.name.startswith("-")


@dataclass(frozen=True)
class Command:
    """One magic.

    Parameters
    ----------
    name : str
        Without the percent sign.
    about : str
        One or two sentences for the help.
    fields : tuple of str
        The fields of RunSpec that are its options.
    own : tuple of Own
        Its further arguments.
    cell : bool
        Whether it may stand above a cell, which holds options as YAML.
    document : str
        What the cell holds instead, where it does not hold options.
    """

    name: str
    about: str
    fields: tuple[str, ...] = ()
    own: tuple[Own, ...] = ()
    cell: bool = False
    document: str = ""

    def parser(self) -> OptionParser:
        """Return the parser of a line."""
        about = self.about
        if self.document:
            about += f" As %%{self.name} the cell holds {self.document} as YAML."
        elif self.cell:
            about += f" As %%{self.name} the cell holds the same options as YAML."
        parser = OptionParser(prog=f"%{self.name}", add_help=False, description=about)
        for one in self.own:
            if one.positional:
                self._add(parser, one)
        add_spec_options(parser, only=self.fields)
        for one in self.own:
            if not one.positional:
                self._add(parser, one)
        parser.add_argument("-h", "--help", action="store_true", help="show this help")
        return parser

    def _add(self, parser: OptionParser, one: Own) -> None:
        text = one.help + (f": one of {', '.join(one.choices)}" if one.choices else "")
        settings: dict[str, Any] = {"default": None, "help": text, **one.settings}
        if one.positional:
            parser.add_argument(one.dest, metavar=one.key, **settings)
            return
        flags = [*([one.short] if one.short else []), one.name]
        flags += [f"--{one.key}"] if "_" in one.key else []
        if "action" not in settings:
            settings.setdefault("metavar", one.key.upper())
        parser.add_argument(*flags, dest=one.dest, **settings)


_NAME = Own("--name", "variable that gets the result", settings={"metavar": "VAR"})
_DISPLAY = Own("--display", "how it is shown [auto]", choices=DISPLAYS, settings={"metavar": "STR"})
_FLAG: Mapping[str, Any] = {"action": "store_true"}
_OUT = (
    Own("--out", "folder to save the run to", settings={"metavar": "DIR"}),
    Own("--overwrite", "replace a run that stands there", settings=_FLAG),
)
_KEEP = Own("--keep-checkpoint", "keep the last checkpoint of a finished run", settings=_FLAG)
_RUN = Own(
    "run",
    "a run: a variable, or the folder of a saved one (default: the newest)",
    "run",
    settings={"nargs": "?"},
)
_VARIABLES = (
    "The dataset and --model take names or variables of the notebook "
    "(a DataFrame, a torch Dataset, a pair (X, y); a module, or what makes one)."
)


def _listing(kind: str, words: str) -> Command:
    return Command(
        f"hcat_{kind}",
        f"List {words}; with names, or -v for all, their whole cards.",
        own=(
            Own("names", "whose cards", kind, settings={"nargs": "*"}),
            Own("--verbose", "show whole cards", settings=_FLAG, short="-v"),
        ),
    )


_ALL = (
    Command(
        "hcat_train",
        "Train a model once, watch it learn, and score how hard each sample is. " + _VARIABLES,
        FIELDS,
        (
            *_OUT,
            _KEEP,
            _DISPLAY,
            _NAME,
            Own("--dry-run", "say what it would take, and stop", settings=_FLAG),
        ),
        cell=True,
    ),
    Command(
        "hcat_check",
        "Read data as a run would, train nothing, and say what is wrong with them. "
        "The dataset may be a variable.",
        READING,
        (
            Own("--test", "a test set: a variable, or a path", "data"),
            Own("--fix", "file for what is safe to mend; its .plan holds the rest"),
            _NAME,
        ),
        cell=True,
    ),
    Command(
        "hcat_perturb",
        "Make a stated share of a dataset's samples hard; gives .dataset and .truth. "
        "The dataset may be a variable.",
        DATA_FIELDS,
        (_NAME,),
        cell=True,
    ),
    Command(
        "hcat_eval",
        "Measure how well each method finds the samples that were made hard.",
        own=(
            _RUN,
            Own("--variant", "as which measures", choices=("paper", "hcat")),
            Own("--resamples", "bootstrap resamples behind the intervals", settings={"type": int}),
            Own("--seed", "of the bootstrap and of the random baseline", settings={"type": int}),
            Own("--no-baselines", "methods only", settings=_FLAG),
            _NAME,
        ),
    ),
    Command(
        "hcat_panel",
        "Open the panel that sets up, starts, pauses and stops a run; "
        "what is given here is where it begins. Executed again, the cell stops what its panel "
        "trains. " + _VARIABLES,
        FIELDS,
        (*_OUT, _NAME),
        cell=True,
    ),
    Command("hcat_explore", "Look at the samples of a run, one by one.", own=(_RUN, _NAME)),
    Command(
        "hcat_compare",
        "Compare two runs, or two methods of one run.",
        own=(
            Own("runs", "two runs, or one", "run", settings={"nargs": "+"}),
            Own("--methods", "the methods to compare", "methods", settings={"nargs": "+"}),
            _NAME,
        ),
    ),
    Command(
        "hcat_resume",
        "Go on with a run that was killed or stopped, from its last checkpoint.",
        own=(
            Own("folder", "the --out of the run", "folder"),
            Own("--data", "variable: the data of the run again", "data"),
            Own("--model", "variable: the model of the run again", "model"),
            _KEEP,
            _DISPLAY,
            _NAME,
        ),
    ),
    Command(
        "hcat_rescore",
        "Add methods to a run that kept its dynamics, without training.",
        ("methods", "method_options"),
        (_RUN, _NAME),
    ),
    Command(
        "hcat_sweep",
        "Do many runs, each in a notebook and a folder of its own; those that are done are "
        "skipped. An interrupt lets finish what runs, another one ends it.",
        own=(
            Own(
                "source",
                "a YAML file, the folder of a sweep, or a variable with a grid or list",
                settings={"nargs": "?"},
            ),
            Own("--out", "folder to write to", settings={"metavar": "DIR"}),
            Own("--workers", "runs at a time [cores]", settings={"type": int, "metavar": "N"}),
            Own("--scheduler", "of Dask: tcp://host:8786, or local"),
            Own("--time-limit", "seconds of a run", settings={"type": float, "metavar": "S"}),
            Own("--memory-limit", "megabytes of a run", settings={"type": float, "metavar": "MB"}),
            Own("--only", "addresses of runs", settings={"nargs": "+", "metavar": "RUN"}),
            Own("--dry-run", "show the runs and their time", settings=_FLAG),
            _NAME,
        ),
        cell=True,
        document="the sweep",
    ),
    _listing("methods", "the methods"),
    _listing("hardness", "the kinds of hardness"),
    _listing("datasets", "the named datasets"),
    _listing("models", "the named models"),
)

COMMANDS: dict[str, Command] = {command.name: command for command in _ALL}
