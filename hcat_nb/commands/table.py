"""All commands as one table: what each is for, what it calls, and what may stand behind it.

The command line (``hcat run``) and the magics (``%hcat_train``) are made from
it, with their parsing, help and completion.  How a result is shown stands in
:mod:`hcat_nb.cli` and :mod:`hcat_nb.magics.magics`.
"""

from __future__ import annotations

import argparse
import dataclasses

from hcat_nb.arguments import READING_FIELDS
from hcat_nb.commands.command import Command, Own
from hcat_nb.spec import RunSpec

DISPLAYS = ("auto", "widget", "static", "none")  # of what a training shows in a notebook
FIELDS = tuple(item.name for item in dataclasses.fields(RunSpec))
# What decides the data of a run, before anything is trained.
DATA_FIELDS = (
    *("dataset", "dataset_options", "target", "root", "download", "subset"),
    *("on_missing_label", "on_bad_row", "hardness", "p", "hardness_options"),
    *("seed", "data_seed"),
)


def _count(text: str) -> int:
    """Read a number of samples or runs; what is none is refused before any work."""
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"{text!r} is no whole number, 0 or more")
    return int(text)


_NAME = Own("--name", "variable that gets the result", metavar="VAR", only="magic")
_DISPLAY = Own(
    "--display",
    "how it is shown [auto]",
    choices=DISPLAYS,
    metavar=f"{{{','.join(DISPLAYS)}}}",
    only="magic",
)
MISLABELED = ("unlabel", "drop", "keep")
_MUST = {"required": True, "metavar": "FILE"}
_OUT = (
    Own("--out", "folder to save the run to", metavar="DIR"),
    Own("--overwrite", "replace a run that stands there", flag=True),
)
_KEEP = Own("--keep-checkpoint", "keep the last checkpoint of a finished run", flag=True)
_HARDEST = Own(
    *("--hardest", "how many samples to print [3]"),
    settings={"type": _count, "default": 3, "metavar": "K"},
    only="line",
)
_DRY = Own("--dry-run", "say how long it would take and how much memory, and stop", flag=True)
_LOG = (
    Own("--verbose", "log to the terminal", flag=True, short="-v", only="line"),
    Own("--log-file", "log to the end of a file", metavar="FILE", only="line"),
)
_FOLDER = {"nargs": None, "metavar": "DIR"}
_RUN = Own(
    "run",
    "a run: a variable, or the folder of a saved one (default: the newest)",
    "run",
    settings={"nargs": "?"},
    line={**_FOLDER, "help": "folder of the run"},
)
_VARIABLES = (
    "The dataset and --model take names or variables of the notebook "
    "(a DataFrame, a torch Dataset, a pair (X, y); a module, or what makes one)."
)


_SEVERAL_PROCESSES = (
    "On several GPUs, or processes of a CPU: torchrun --standalone --nproc-per-node 2 -m hcat_nb "
    "run mnist ...; the optimizer sees the same gradients, and each process observes its share."
)
_PLAN = (
    "The plan: `grid` (parameters to lists of values, all combinations), `runs` (a list of "
    "parameters), `sample` (so many of them, or {n: 10, seed: 0}), `base` (what all have in "
    "common), `total_runs` and `fix_seed` (repetitions), `out`, `workers`, `scheduler`, "
    "`time_limit`, `memory_limit`. Parameters are the options of `hcat run -h`, with underscores."
)


def _listing(kind: str, words: str) -> Command:
    return Command(
        f"List {words}; with names, or -v for all, their whole cards.",
        "hcat_nb.api.listing:listing",
        magic=f"hcat_{kind}",
        line=kind,
        arguments=(
            Own(
                "names",
                "show the cards of these",
                kind,
                settings={"nargs": "*"},
                line={"metavar": "NAME"},
            ),
            Own("--verbose", "show whole cards", flag=True, short="-v"),
        ),
    )


COMMANDS = (
    Command(
        "Train a model once, watch it learn, and score how hard each sample is. " + _VARIABLES,
        "hcat_nb.api.characterize:characterize",
        magic="hcat_train",
        line="run",
        fields=FIELDS,
        arguments=(*_OUT, _KEEP, _DISPLAY, _NAME, _HARDEST, _DRY, *_LOG),
        cell=True,
        epilog=_SEVERAL_PROCESSES,
    ),
    Command(
        "Read data as a run would, train nothing, and say what is wrong with them. "
        "The dataset may be a variable.",
        "hcat_nb.runs.checking.check:check",
        magic="hcat_check",
        line="check",
        fields=READING_FIELDS,
        arguments=(
            Own(
                "--test", "a test set: tell what is in both sets", "data", line={"metavar": "DATA"}
            ),
            Own("--fix", "new file, mended as far as safe; .plan: the rest", metavar="FILE"),
            _NAME,
        ),
        cell=True,
    ),
    Command(
        "Say what is wrong with a dataset, how sure that is, and what to look at first: trains on "
        "the data as they are, and on copies with planted faults. " + _VARIABLES,
        "hcat_nb.audits.audit:audit",
        magic="hcat_audit",
        line="audit",
        fields=FIELDS,
        arguments=(
            Own("--budget", "time for all trainings: 90s, 10min, 1h; more time, more seeds"),
            *_OUT,
            Own("--report", "HTML page to write", metavar="FILE"),
            _DISPLAY,
            _NAME,
            _HARDEST,
            *_LOG,
        ),
        cell=True,
    ),
    Command(
        "Make a stated share of a dataset's samples hard; gives .dataset and .truth. "
        "The dataset may be a variable.",
        "hcat_nb.runs.execution.inputs:perturbed",
        magic="hcat_perturb",
        fields=DATA_FIELDS,
        arguments=(_NAME,),
        cell=True,
    ),
    Command(
        "Measure how well each method finds the samples that were made hard.",
        "hcat_nb.runs.measuring:measured",
        magic="hcat_eval",
        line="evaluate",
        arguments=(
            _RUN,
            Own("--variant", "the papers' measures, or H-CAT's", choices=("paper", "hcat")),
            Own("--resamples", "bootstrap resamples for the intervals", type=int),
            Own("--seed", "seed of the bootstrap and of the random baseline", type=int),
            Own("--no-baselines", "show the methods without the baselines", flag=True),
            _NAME,
        ),
    ),
    Command(
        "Open the panel that sets up, starts, pauses and stops a run; "
        "what is given here is where it begins. Executed again, the cell stops what its panel "
        "trains. " + _VARIABLES,
        "hcat_nb.magics.setup_panel:SetupPanel",
        magic="hcat_panel",
        fields=FIELDS,
        arguments=(*_OUT, _NAME),
        cell=True,
    ),
    Command(
        "Look at the samples of a run, one by one.",
        "hcat_nb.jupyter.review.explore_panel:explore",
        magic="hcat_explore",
        arguments=(_RUN, _NAME),
    ),
    Command(
        "Compare two runs, or two methods of one run.",
        "hcat_nb.jupyter.review.compare_panel:ComparePanel",
        magic="hcat_compare",
        arguments=(
            Own("runs", "two runs, or one", "run", settings={"nargs": "+"}),
            Own("--methods", "the methods to compare", "methods", settings={"nargs": "+"}),
            _NAME,
        ),
    ),
    Command(
        "Go on with a run that was killed or stopped, from its last checkpoint.",
        "hcat_nb.api.resume:resume",
        magic="hcat_resume",
        line="resume",
        arguments=(
            Own("folder", "the --out of the run", "folder", line=_FOLDER),
            Own("--data", "variable: the data of the run again", "data", only="magic"),
            Own("--model", "variable: the model of the run again", "model", only="magic"),
            _KEEP,
            _DISPLAY,
            _NAME,
            _HARDEST,
            *_LOG,
        ),
    ),
    Command(
        "Add methods to a run that kept its dynamics, without training.",
        "hcat_nb.api.rescore:rescore",
        magic="hcat_rescore",
        line="rescore",
        fields=("methods", "method_options"),
        arguments=(_RUN, _NAME),
    ),
    Command(
        "Write your data again with the decisions carried out, in the format that they came in.",
        "hcat_nb.runs.review.export:apply_to_files",
        line="apply",
        arguments=(
            Own("decisions", "a run's folder, its file of decisions, or a table of them"),
            Own("data", "the table or folder that the decisions are about"),
            Own("--out", "what to write, of the data's kind; of images also .csv", line=_MUST),
            Own("--target", "column of the labels [that of the run]"),
            Own("--mislabeled", "what to do with those so marked [unlabel]", choices=MISLABELED),
            Own("--overwrite", "replace what stands there", flag=True),
        ),
        reads=True,
    ),
    Command(
        "Do many runs, each in a notebook and a folder of its own; those that are done are "
        "skipped. An interrupt lets finish what runs, another one ends it.",
        "hcat_nb.sweeps.sweep:sweep",
        magic="hcat_sweep",
        line="sweep",
        arguments=(
            Own(
                "source",
                "a YAML file, the folder of a sweep, or a variable with a grid or list",
                settings={"nargs": "?"},
                line={"nargs": None, "metavar": "PLAN", "help": "YAML file, or folder of a sweep"},
            ),
            Own("--out", "folder to write to", metavar="DIR"),
            Own("--workers", "how many runs at a time [number of cores]", metavar="N", type=_count),
            Own("--scheduler", "Dask scheduler: tcp://host:8786, or local"),
            Own("--time-limit", "end a run after so many seconds", metavar="S", type=float),
            Own("--memory-limit", "end a run above so many MB", metavar="MB", type=float),
            Own("--only", "addresses of the runs to do", metavar="RUN", settings={"nargs": "+"}),
            Own("--dry-run", "show the runs and how long they would take", flag=True),
            _NAME,
            *_LOG,
        ),
        cell=True,
        document="the sweep",
        epilog=_PLAN,
    ),
    Command(
        "Collect the runs of a folder in one table.",
        "hcat_nb.sweeps.collect:results",
        line="results",
        arguments=(
            Own("folder", "folder of a sweep, or of saved runs", line=_FOLDER),
            Own("--out", ".parquet or .csv file to write", metavar="FILE"),
            Own("--planned", "only runs that the last plan has", flag=True),
            Own("--version", "only runs that this version of the code made", metavar="V"),
            Own("--mlflow", "copy them to MLflow: sqlite:///runs.db, or a server", metavar="URI"),
            Own("--wandb", "copy them to offline runs of Weights & Biases", metavar="DIR"),
        ),
    ),
    _listing("methods", "the methods"),
    _listing("hardness", "the kinds of hardness"),
    _listing("datasets", "the named datasets"),
    _listing("models", "the named models"),
    Command(
        "Plant faults and see that the methods find those that their cards name.",
        "hcat_nb.api.self_check:self_check",
        line="self-check",
        arguments=(
            Own("--seed", "seed of data and training [0]", type=int, settings={"default": 0}),
        ),
    ),
    Command(
        "Say whether this installation is in order, and what mends it.",
        "hcat_nb.api.doctor:doctor",
        line="doctor",
    ),
    Command(
        "Write the analysis of many runs as one page.",
        "hcat_nb.study.report:write_report",
        line="report",
        arguments=(
            Own("results", "folder of a sweep, or a table of results", line=_FOLDER),
            Own("--out", "the page [report.html in DIR]", metavar="FILE"),
            Own("--metric", "measure to rank by [auroc]", choices=("auroc", "auprc")),
            Own("--posthoc", "test of pairs of methods [nemenyi]", choices=("nemenyi", "wilcoxon")),
            Own("--alpha", "level of significance [0.05]", type=float),
            Own(
                "--only",
                "only these rows of the results, as epochs=10 or dataset=[mnist,eye]",
                settings={"nargs": "+", "default": [], "metavar": "COLUMN=VALUE"},
            ),
        ),
    ),
    Command(
        "Execute the tutorial and say what it found.",
        "hcat_nb.sweeps.demo:run_demo",
        line="demo",
        arguments=(
            Own("--out", "folder to write to [output]", settings=_FOLDER | {"default": "output"}),
        ),
    ),
)

MAGICS = {command.magic: command for command in COMMANDS if command.magic}
LINES = {command.line: command for command in COMMANDS if command.line}
