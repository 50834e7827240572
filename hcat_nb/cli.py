"""The command line: how the result of each command of the table is printed."""

from __future__ import annotations

import csv
import json
import os
import sys
from collections.abc import Callable, Iterator, Sequence
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
from hcat_nb.commands.logged import logged
from hcat_nb.commands.table import LINES
from hcat_nb.errors import HcatError
from hcat_nb.signals import interrupts
from hcat_nb.spec import RunSpec

if TYPE_CHECKING:
    import pandas as pd

    from hcat_nb.api.run import Run

_SHOWN = ("dataset", "hardness", "p", "model", "data_seed", "model_seed", "hcm", "auroc", "auprc")

_INTERRUPTED = 130  # as shells have it

Called = Callable[..., Any]


class Given(NamedTuple):
    """What a line says: its command, the command's own arguments, and fields of RunSpec."""

    line: str
    own: dict[str, Any]
    options: dict[str, Any]


def main(words: Sequence[str] | None = None) -> int:
    """Run the command line (default: of this process); return the exit status.

    0; 1 if something was found or failed; 2 after a mistake of the user, told
    in one line on standard error; 130 where Ctrl-C ended it before it was done.
    """
    told: Callable[[HcatError], str] = in_line_words
    try:
        parser = _parser()
        if "_ARGCOMPLETE" in os.environ:  # a shell asks for words
            import argcomplete

            argcomplete.autocomplete(parser)
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
        with logged(own.get("log_file"), verbose="log_file" in own and own["verbose"]):
            failed = _ACTIONS[namespace.line](given, command.function())
        sys.stdout.flush()  # here, where a pipe that was closed can be told from a defect
    except HcatError as error:
        if error.told:  # by another of the processes that torchrun started
            from hcat_nb.training.ranks import yield_to_the_teller

            yield_to_the_teller()
        else:
            print(f"hcat: {told(error)}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return _INTERRUPTED
    except BrokenPipeError:  # the other end, such as `head`, has read enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    return int(failed or 0)


def _parser() -> OptionParser:
    parser = OptionParser(
        prog="hcat",
        description="How hard, and why, is each sample of a dataset?",
        epilog="Exit codes: 0 done; 1 done, and something was found or failed; 2 wrong use; "
        "130 interrupted.",
    )
    parser.add_argument("--version", action="version", version=f"hcat_nb {version('hcat-nb')}")
    parser.set_defaults(line=None)
    commands = parser.add_subparsers(title="commands", metavar="COMMAND")
    for name, command in LINES.items():
        words = command.about.partition(". ")[0].rstrip(".")
        help_text = words[0].lower() + words[1:]
        one = commands.add_parser(name, help=help_text, description=words, epilog=command.epilog)
        command.fill(one, "line")
        one.offer_all()
        one.set_defaults(line=name, parser=one)
    return parser


# -- what each command prints ----------------------------------------------------------------------


def _say(given: Given, data: Any, *texts: Any) -> None:
    """Print the texts, or ``data`` where JSON is asked for; nothing where quiet is."""
    if given.own["json"]:
        # NumPy's numbers as Python's, and all else as its text.
        print(json.dumps(data, indent=1, default=lambda one: getattr(one, "item", one.__str__)()))
    elif not given.own["quiet"]:
        print(*texts, sep="\n")


def _rows(table: pd.DataFrame) -> Any:
    """Return a table for JSON: a mapping a row, null for what is missing."""
    return json.loads(table.to_json(orient="records", double_precision=15, default_handler=str))


def _run(given: Given, characterize: Called) -> int:
    from hcat_nb.checks.before_training import told_in_a_line

    own, spec = given.own, RunSpec.from_options(**given.options)
    if own["dry_run"]:
        from hcat_nb.runs.execution.forecast import forecast
        from hcat_nb.training.ranks import speaks

        if speaks():
            foreseen = forecast(spec=spec)
            figures = {"seconds": foreseen.seconds, "training_seconds": foreseen.training}
            figures |= {"epochs": foreseen.epochs, "memory_bytes": foreseen.needed}
            figures |= {"free_bytes": foreseen.free, "parts": _rows(foreseen.table.reset_index())}
            _say(given, figures, foreseen)
        return 0
    kept = {name: own[name] for name in ("out", "overwrite", "keep_checkpoint")}
    with _audience(given) as heard, told_in_a_line():
        run = characterize(spec=spec, **heard, **kept)
    return _report(given, run, own["out"])


def _audit(given: Given, audit: Called) -> None:
    from hcat_nb.audits.page import page_place
    from hcat_nb.checks.before_training import told_in_a_line

    own = given.own
    if own["report"] is not None:
        page_place(own["report"])  # a bad name is told before the trainings
    kept = {name: own[name] for name in ("out", "overwrite", "budget")}
    with _audience(given) as heard, told_in_a_line():
        found = audit(**given.options, **heard, **kept)
    first = found.samples.iloc[: own["hardest"], :7]
    texts = [found, first.to_string()]
    data = {"summary": found.summary().splitlines(), "recommended": found.recommended}
    data |= {"samples": _rows(first.reset_index()), "methods": _rows(found.methods.reset_index())}
    if own["report"] is not None:
        data["report"] = found.report(own["report"]).resolve()
        texts.append(f"report: {data['report']}")
    if own["out"] is not None:
        data["folder"] = found.folder
        texts.append(f"saved to {found.folder}")
    _say(given, data, *texts)


def _check(given: Given, check: Called) -> bool:
    """Print what is wrong with data; return whether some of it is severe."""
    found = check(test=given.own["test"], fix=given.own["fix"], **given.options)
    _say(given, found.to_dict(), as_options(str(found)))
    return bool(found.severe)


def _resume(given: Given, resume: Called) -> int:
    own = given.own
    with _audience(given) as heard:
        run = resume(own["folder"], **heard, keep_checkpoint=own["keep_checkpoint"])
    return _report(given, run, own["folder"])


@contextmanager
def _audience(given: Given) -> Iterator[dict[str, Any]]:
    """Give what shows a training, and what lets Ctrl-C end it."""
    from hcat_nb.runs.execution.bar import TerminalBar
    from hcat_nb.training.events import Control

    control = Control()
    with interrupts(control.stop):
        try:
            yield {"listeners": [] if given.own["quiet"] else [TerminalBar()], "control": control}
        except HcatError as error:
            if not control.stop.is_set():
                raise
            print(f"hcat: {in_line_words(error)}", file=sys.stderr)
            raise KeyboardInterrupt from error


def _report(given: Given, run: Run, folder: str | None) -> int:
    """Print a run; return whether it was interrupted, as an exit status."""
    stopped = _INTERRUPTED if run.info["outcome"] == "stopped" else 0
    if run.follows:  # rank 0 reports
        return stopped
    hardest = run.hardest(given.own["hardest"])
    notes = [*run.info["dataset"]["notes"], *run.info["notes"]]
    texts = [run, *(f"note: {note}" for note in notes)]
    data = {"run": repr(run), "outcome": run.info["outcome"], "notes": notes}
    data |= {"by": hardest.by, "hardest": _rows(hardest.frame.reset_index())}
    if run.spec.knows_truth:
        metrics = _metrics(run, folder)
        texts.append(_text(_brief(metrics)))
        data["metrics"] = _rows(metrics)
    texts.append(hardest)
    if folder is not None:
        data["folder"] = Path(folder).resolve()
        texts.append(f"saved to {data['folder']}")
        if stopped:
            texts.append(f"`hcat resume {folder}` goes on from there")
    _say(given, data, *texts)
    return stopped


def _evaluate(given: Given, measured: Called) -> None:
    from hcat_nb.api.run import load_run

    run, own = load_run(given.own["run"]), given.own
    options = {"variant": own["variant"], "n_resamples": own["resamples"], "seed": own["seed"]}
    chosen = {name: value for name, value in options.items() if value is not None}
    table = measured(run, baselines=not own["no_baselines"], **chosen)
    _say(given, _rows(table), run, _text(table))


def _rescore(given: Given, rescore: Called) -> None:
    run = rescore(given.own["run"], **given.options)
    added, skipped = run.info["rescored"][-1]["methods"], run.info["skipped"]
    texts = [run, f"added {', '.join(added)}"]
    texts += [f"skipped {name}: {reason}" for name, reason in skipped.items()]
    data: dict[str, Any] = {"added": added, "skipped": skipped}
    if run.spec.knows_truth:
        metrics = _metrics(run, given.own["run"])
        texts.append(_text(_brief(metrics)))
        data["metrics"] = _rows(metrics)
    _say(given, data, *texts)


def _apply(given: Given, apply_to_files: Called) -> None:
    from hcat_nb.runs.review.export import changes_of

    own = {k: v for k, v in given.own.items() if v is not None and k not in ("json", "quiet")}
    applied = apply_to_files(**own, **given.options)
    log = changes_of(applied)
    with log.open(encoding="utf-8", newline="") as file:
        lines = list(csv.DictReader(file))
    changes = [one for one in lines if one["id"]]
    notes = [one["reason"] for one in lines if not one["id"]]
    data = {"file": applied.resolve(), "log": log.resolve(), "changes": changes, "notes": notes}
    _say(given, data, applied, f"{len(changes)} changes: {log}")


def _sweep(given: Given, sweep: Called) -> int:
    """Do the sweep; return 1 if a run of it failed, or what an interrupt gives."""
    from hcat_nb.sweeps.progress import TerminalProgress
    from hcat_nb.sweeps.sweep import Sweep

    names = ("out", "workers", "scheduler", "time_limit", "memory_limit", "dry_run")
    options = {name: given.own[name] for name in names}
    options["listener"] = TerminalProgress(hidden=given.own["quiet"])
    done = sweep(given.own["source"], only=given.own["only"] or (), **options)
    if not isinstance(done, Sweep):
        table = _rows(done.table.reset_index())
        _say(given, {"runs": table, "seconds": done.seconds, "workers": done.n_workers}, done)
        return 0
    left = len(done.cells) - len(done.states)
    data = {"out": done.out, "runs": len(done.cells), "done": done.done, "skipped": done.skipped}
    _say(given, {**data, "left": left, "failed": done.failures}, done)
    return _INTERRUPTED if left else done.done < len(done.cells)


def _results(given: Given, results: Called) -> None:
    from hcat_nb.sweeps.mirrors import mirror_to_mlflow, mirror_to_wandb

    own = given.own
    table = results(own["folder"], **{name: own[name] for name in ("version", "planned", "out")})
    runs, texts = table["run"].nunique(), []
    data: dict[str, Any] = {"runs": runs, "rows": _rows(table)}
    if own["out"] is not None:
        data["file"] = Path(own["out"]).resolve()
        texts.append(f"{runs} runs, {len(table)} rows: {data['file']}")
    for name, mirror in (("mlflow", mirror_to_mlflow), ("wandb", mirror_to_wandb)):
        if (place := own[name]) is not None:
            data[name] = mirror(table, place)  # how many of the runs are new there
            texts.append(f"{data[name]} new of {runs} runs: {name}, {place}")
    shown = table[[name for name in _SHOWN if name in table]]
    _say(given, data, *(texts or [_text(shown)]))


def _list(given: Given, listing: Called) -> None:
    found = listing(given.line, given.own["names"], verbose=given.own["verbose"])
    _say(given, _rows(found.frame.reset_index()), found)


def _self_check(given: Given, self_check: Called) -> bool:
    """Print a line for each method and fault; return whether one failed."""
    from hcat_nb.runs.execution.info import versions

    texts = [", ".join(f"{name} {number}" for name, number in versions().items())]
    table = self_check(seed=given.own["seed"])
    for _, row in table.iterrows():
        fault = row["fault"] or "names no fault"
        verdict = "ok" if row["passed"] else f"FAILED: {row['problem']}"
        texts.append(f"{row['method']:<18}{fault:<16}{row['auroc']:<5.2f} {verdict}")
    _say(given, {"versions": versions(), "checks": _rows(table)}, *texts)
    failed = table.loc[~table["passed"], "method"].unique()
    if len(failed):
        print(f"hcat: the self-check failed for {', '.join(failed)}", file=sys.stderr)
    return bool(len(failed))


def _doctor(given: Given, doctor: Called) -> bool:
    """Print the findings; return whether something is wrong."""
    findings = doctor()
    _say(given, [vars(finding) for finding in findings], *findings)
    return any(finding.state == "wrong" for finding in findings)


def _demo(given: Given, run_demo: Called) -> None:
    told = run_demo(given.own["out"], progress=not given.own["quiet"])
    data = {name: getattr(told, name) for name in ("notebook", "page", "run", "picture", "by")}
    _say(given, data | {"hardest": _rows(told.hardest.reset_index())}, told)


def _write_report(given: Given, write_report: Called) -> None:
    own = given.own
    options = {name: own[name] for name in ("metric", "posthoc", "alpha") if own[name] is not None}
    if own["only"]:
        options["only"] = dict(map(read_pair, own["only"]))
    page = write_report(own["results"], own["out"], parameters=options, progress=not own["quiet"])
    _say(given, {"report": page}, f"report: {page}")


def _metrics(run: Run, folder: str | None) -> pd.DataFrame:
    """Return the run's metrics: thousand resamples of each method take a while, so once."""
    from hcat_nb.runs.store.saving import saved_metrics

    return run.evaluate() if folder is None else saved_metrics(folder)


def _brief(table: pd.DataFrame) -> pd.DataFrame:
    figures = ["n_hard", "base_rate", "auroc", "auroc_low", "auroc_high", "auprc"]
    return table[["hcm", *figures, "kind"]]


def _text(table: pd.DataFrame) -> str:
    return table.to_string(index=False, float_format=lambda value: f"{value:.4f}")


# By the word behind `hcat`; each takes what was given, and what the table says that it calls.
_ACTIONS: dict[str, Callable[[Given, Called], int | None]] = {
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
