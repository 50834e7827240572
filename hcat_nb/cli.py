"""The command line: how the result of each command of the table is printed."""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from hcat_nb.arguments import (
    OptionParser,
    as_options,
    in_line_words,
    read_pair,
    reading_options,
    spec_options,
)
from hcat_nb.commands.table import LINES
from hcat_nb.errors import HcatError, StoreError
from hcat_nb.signals import interrupts
from hcat_nb.spec import RunSpec

if TYPE_CHECKING:
    import pandas as pd

    from hcat_nb.api.run import Run

_SHOWN = ("dataset", "hardness", "p", "model", "data_seed", "model_seed", "hcm", "auroc", "auprc")

Called = Callable[..., Any]


class Given(NamedTuple):
    """What a line says: its command, the command's own arguments, and fields of RunSpec."""

    line: str
    own: dict[str, Any]
    options: dict[str, Any]


def main(words: Sequence[str] | None = None) -> int:
    """Run the command line (default: of this process); return the exit status.

    0; 1 if a check failed, or a sweep is not complete; or 2 after a mistake
    of the user, told in one line on standard error.
    """
    told: Callable[[HcatError], str] = in_line_words
    try:
        parser = _parser()
        namespace = parser.parse(sys.argv[1:] if words is None else words)
        if namespace.line is None:
            parser.print_help()
            return 0
        if namespace.line == "sweep":  # options of its runs stand in the plan, not in the line
            told = str
        command = LINES[namespace.line]
        own = {one.key: getattr(namespace, one.dest) for one in command.of("line")}
        options = (reading_options if command.reads else spec_options)(namespace)
        given = Given(namespace.line, own, options)
        with _logged(own):
            failed = _ACTIONS[namespace.line](given, command.function())
        sys.stdout.flush()  # here, where a pipe that was closed can be told from a defect
    except HcatError as error:
        if error.told:  # by another of the processes that torchrun started
            from hcat_nb.training.ranks import yield_to_the_teller

            yield_to_the_teller()
        else:
            print(f"hcat: {told(error)}", file=sys.stderr)
        return 2
    except BrokenPipeError:  # the other end, such as `head`, has read enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    return int(bool(failed))


def _parser() -> OptionParser:
    parser = OptionParser(
        prog="hcat", description="How hard, and why, is each sample of a dataset?"
    )
    parser.add_argument("--version", action="version", version=f"hcat_nb {version('hcat-nb')}")
    parser.set_defaults(line=None)
    commands = parser.add_subparsers(title="commands", metavar="COMMAND")
    for name, command in LINES.items():
        words = command.about.partition(". ")[0].rstrip(".")
        help_text = words[0].lower() + words[1:]
        one = commands.add_parser(name, help=help_text, description=words, epilog=command.epilog)
        command.fill(one, "line")
        one.set_defaults(line=name, parser=one)
    return parser


@contextmanager
def _logged(own: Mapping[str, Any]) -> Iterator[None]:
    """Write what the package logs to where the line says, while its command runs."""
    logger = logging.getLogger("hcat_nb")
    handlers: list[logging.Handler] = []
    if (file := own.get("log_file")) is not None:
        try:
            handlers.append(logging.FileHandler(file, encoding="utf-8"))
        except OSError as error:
            raise StoreError(
                f"the log {file} cannot be written ({error.strerror})", "a file in a folder"
            ) from error
    if "log_file" in own and own["verbose"]:
        handlers.append(logging.StreamHandler())
    before = logger.level
    for handler in handlers:
        handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
        logger.addHandler(handler)
    if handlers:
        logger.setLevel(logging.INFO)
    try:
        yield
    finally:
        logger.setLevel(before)
        for handler in handlers:
            logger.removeHandler(handler)
            handler.close()


# -- what each command prints ----------------------------------------------------------------------


def _run(given: Given, characterize: Called) -> None:
    from hcat_nb.checks.before_training import told_in_a_line

    own, spec = given.own, RunSpec.from_options(**given.options)
    if own["dry_run"]:
        from hcat_nb.runs.execution.forecast import forecast
        from hcat_nb.training.ranks import speaks

        if speaks():
            print(forecast(spec=spec))
        return
    kept = {name: own[name] for name in ("out", "overwrite", "keep_checkpoint")}
    with _audience() as heard, told_in_a_line():
        run = characterize(spec=spec, **heard, **kept)
    _report(run, own["out"], own["hardest"])


def _audit(given: Given, audit: Called) -> None:
    from hcat_nb.audits.page import page_place
    from hcat_nb.checks.before_training import told_in_a_line

    own = given.own
    if own["report"] is not None:
        page_place(own["report"])  # a bad name is told before the trainings
    kept = {name: own[name] for name in ("out", "overwrite", "budget")}
    with _audience() as heard, told_in_a_line():
        found = audit(**given.options, **heard, **kept)
    print(found)
    print(found.samples.iloc[: own["hardest"], :7].to_string())
    if own["report"] is not None:
        print(f"report: {found.report(own['report']).resolve()}")
    if own["out"] is not None:
        print(f"saved to {found.folder}")


def _check(given: Given, check: Called) -> bool:
    """Print what is wrong with data; return whether some of it is severe."""
    found = check(test=given.own["test"], fix=given.own["fix"], **given.options)
    print(found.to_json() if given.own["json"] else as_options(str(found)))
    return bool(found.severe)


def _resume(given: Given, resume: Called) -> None:
    own = given.own
    with _audience() as heard:
        run = resume(own["folder"], **heard, keep_checkpoint=own["keep_checkpoint"])
    _report(run, own["folder"], own["hardest"])


@contextmanager
def _audience() -> Iterator[dict[str, Any]]:
    """Give what shows a training, and what lets Ctrl-C end it."""
    from hcat_nb.runs.execution.bar import TerminalBar
    from hcat_nb.training.events import Control

    control = Control()
    with interrupts(control.stop):
        yield {"listeners": [TerminalBar()], "control": control}


def _report(run: Run, folder: str | None, hardest: int) -> None:
    if run.follows:  # rank 0 reports
        return
    print(run)
    for note in (*run.info["dataset"]["notes"], *run.info["notes"]):
        print(f"note: {note}")
    if run.spec.knows_truth:
        _print(_brief(_metrics(run, folder)))
    print(run.hardest(hardest))
    if folder is not None:
        print(f"saved to {Path(folder).resolve()}")
        if run.info["outcome"] == "stopped":
            print(f"`hcat resume {folder}` goes on from there")


def _evaluate(given: Given, measured: Called) -> None:
    from hcat_nb.api.run import load_run

    run, own = load_run(given.own["run"]), given.own
    print(run)
    options = {"variant": own["variant"], "n_resamples": own["resamples"], "seed": own["seed"]}
    chosen = {name: value for name, value in options.items() if value is not None}
    _print(measured(run, baselines=not own["no_baselines"], **chosen))


def _rescore(given: Given, rescore: Called) -> None:
    run = rescore(given.own["run"], **given.options)
    print(run)
    print("added", ", ".join(run.info["rescored"][-1]["methods"]))
    for name, reason in run.info["skipped"].items():
        print(f"skipped {name}: {reason}")
    if run.spec.knows_truth:
        _print(_brief(_metrics(run, given.own["run"])))


def _apply(given: Given, apply_to_files: Called) -> None:
    own = {name: value for name, value in given.own.items() if value is not None}
    print(apply_to_files(**own, **given.options))


def _sweep(given: Given, sweep: Called) -> bool:
    """Do the sweep; return whether a run of it failed, or was not begun."""
    from hcat_nb.sweeps.sweep import Sweep

    names = ("out", "workers", "scheduler", "time_limit", "memory_limit", "dry_run")
    options = {name: given.own[name] for name in names}
    done = sweep(given.own["source"], only=given.own["only"] or (), **options)
    print(done)
    return isinstance(done, Sweep) and done.done < len(done.cells)


def _results(given: Given, results: Called) -> None:
    from hcat_nb.sweeps.mirrors import mirror_to_mlflow, mirror_to_wandb

    own = given.own
    table = results(own["folder"], **{name: own[name] for name in ("version", "planned", "out")})
    runs = table["run"].nunique()
    if own["out"] is not None:
        print(f"{runs} runs, {len(table)} rows: {Path(own['out']).resolve()}")
    for name, mirror in (("mlflow", mirror_to_mlflow), ("wandb", mirror_to_wandb)):
        if (place := own[name]) is not None:
            print(f"{mirror(table, place)} new of {runs} runs: {name}, {place}")
    if own["out"] or own["mlflow"] or own["wandb"]:
        return
    _print(table[[name for name in _SHOWN if name in table]])


def _list(given: Given, listing: Called) -> None:
    print(listing(given.line, given.own["names"], verbose=given.own["verbose"]))


def _self_check(given: Given, self_check: Called) -> bool:
    """Print a line for each method and fault; return whether one failed."""
    from hcat_nb.runs.execution.info import versions

    print(", ".join(f"{name} {number}" for name, number in versions().items()))
    table = self_check(seed=given.own["seed"])
    for _, row in table.iterrows():
        fault = row["fault"] or "names no fault"
        verdict = "ok" if row["passed"] else f"FAILED: {row['problem']}"
        print(f"{row['method']:<18}{fault:<16}{row['auroc']:<5.2f} {verdict}")
    failed = table.loc[~table["passed"], "method"].unique()
    if len(failed):
        print(f"hcat: the self-check failed for {', '.join(failed)}", file=sys.stderr)
    return bool(len(failed))


def _doctor(_: Given, doctor: Called) -> bool:
    """Print the findings; return whether something is wrong."""
    findings = doctor()
    print("\n".join(map(str, findings)))
    return any(finding.state == "wrong" for finding in findings)


def _demo(given: Given, run_demo: Called) -> None:
    print(run_demo(given.own["out"]))


def _write_report(given: Given, write_report: Called) -> None:
    own = given.own
    options = {name: own[name] for name in ("metric", "posthoc", "alpha") if own[name] is not None}
    if own["only"]:
        options["only"] = dict(map(read_pair, own["only"]))
    print(f"report: {write_report(own['results'], own['out'], parameters=options)}")


def _metrics(run: Run, folder: str | None) -> pd.DataFrame:
    """Return the run's metrics: thousand resamples of each method take a while, so once."""
    from hcat_nb.runs.store.saving import saved_metrics

    return run.evaluate() if folder is None else saved_metrics(folder)


def _brief(table: pd.DataFrame) -> pd.DataFrame:
    figures = ["n_hard", "base_rate", "auroc", "auroc_low", "auroc_high", "auprc"]
    return table[["hcm", *figures, "kind"]]


def _print(table: pd.DataFrame) -> None:
    print(table.to_string(index=False, float_format=lambda value: f"{value:.4f}"))


# By the word behind `hcat`; each takes what was given, and what the table says that it calls.
_ACTIONS: dict[str, Callable[[Given, Called], bool | None]] = {
    "run": _run,
    "check": _check,
    "audit": _audit,
    "resume": _resume,
    "evaluate": _evaluate,
    "rescore": _rescore,
    "apply": _apply,
    "sweep": _sweep,
    "results": _results,
    "self-check": _self_check,
    "doctor": _doctor,
    "report": _write_report,
    "demo": _demo,
    **dict.fromkeys(("methods", "hardness", "datasets", "models"), _list),
}
