"""The command line: ``hcat run | resume | evaluate | rescore | sweep | results | report | ...``.

``hcat methods | hardness | datasets | models`` list what there is by name.
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any

from hcat_nb.arguments import (
    READING,
    OptionParser,
    add_spec_options,
    as_options,
    in_line_words,
    read_pair,
    spec_options,
)
from hcat_nb.errors import HcatError
from hcat_nb.spec import RunSpec

if TYPE_CHECKING:
    import pandas as pd

    from hcat_nb.runs.run import Run
    from hcat_nb.training.events import Control

__all__ = ["main"]

_LISTINGS = {
    "methods": "hardness characterization methods, what they detect and cost",
    "hardness": "kinds of hardness that can be injected",
    "datasets": "datasets known by name",
    "models": "models known by name",
}

_PLAN = (
    "The plan: `grid` (parameters to lists of values, all combinations), `runs` (a list of "
    "parameters), `sample` (so many of them, or {n: 10, seed: 0}), `base` (what all have in "
    "common), `total_runs` and `fix_seed` (repetitions), `out`, `workers`, `scheduler`, "
    "`time_limit`, `memory_limit`. Parameters are the options of `hcat run -h`, with underscores."
)

_SEVERAL_PROCESSES = (
    "On several GPUs, or processes of a CPU: torchrun --standalone --nproc-per-node 2 -m hcat_nb "
    "run mnist ...; the optimizer sees the same gradients, and each process observes its share."
)


def main(words: Sequence[str] | None = None) -> int:
    """Run the command line; return the exit status.

    Parameters
    ----------
    words : sequence of str, optional
        Default: what stands behind ``hcat`` on the command line.

    Returns
    -------
    int
        0; 1 if a check failed, or a sweep is not complete; or 2 after a mistake
        of the user, told in one line on standard error.
    """
    told: Callable[[HcatError], str] = in_line_words
    try:
        arguments = _parser().parse(sys.argv[1:] if words is None else words)
        if arguments.command is _sweep:  # options of its runs stand in the plan, not in the line
            told = str
        failed = arguments.command(arguments)
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
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    run = commands.add_parser(
        "run", help="train once and score every sample", epilog=_SEVERAL_PROCESSES
    )
    add_spec_options(run)
    run.add_argument("--out", metavar="DIR", help="folder to save the run to")
    run.add_argument("--overwrite", action="store_true", help="replace a run that stands there")
    _add_ending(run)
    run.add_argument("--dry-run", action="store_true", help="say what it would take, and stop")
    run.set_defaults(command=_run, parser=run)
    look = commands.add_parser("check", help="say what is wrong with data, without training")
    add_spec_options(look, only=READING)
    look.add_argument("--test", metavar="DATA", help="a test set: tell what is in both")
    look.add_argument("--json", action="store_true", help="print JSON")
    look.add_argument("--fix", metavar="FILE", help="mend into FILE; FILE.plan is to be confirmed")
    look.set_defaults(command=_check, parser=look)
    resume = commands.add_parser("resume", help="go on with a run that was interrupted")
    resume.add_argument("out", metavar="DIR", help="folder of the run")
    _add_ending(resume)
    resume.set_defaults(command=_resume, parser=resume)
    evaluate = commands.add_parser("evaluate", help="print the metrics of a saved run")
    evaluate.add_argument("run", metavar="DIR", help="folder of the run")
    evaluate.set_defaults(command=_evaluate)
    rescore = commands.add_parser("rescore", help="add methods to a saved run, without training")
    rescore.add_argument("run", metavar="DIR", help="folder of a run that kept its dynamics")
    rescore.add_argument("--methods", nargs="+", default=["all"], metavar="NAME", help="[all]")
    rescore.add_argument(
        *("--method-options", "--method_options"),
        nargs="+",
        default=argparse.SUPPRESS,
        metavar="KEY=VALUE",
        help="as method.key=value",
    )
    rescore.set_defaults(command=_rescore, parser=rescore)
    for name, text in _LISTINGS.items():
        entry = commands.add_parser(name, help=f"list {text}")
        entry.add_argument("names", nargs="*", metavar="NAME", help="print its whole card")
        entry.add_argument("-v", "--verbose", action="store_true", help="print all whole cards")
        entry.set_defaults(command=_list, listing=name, parser=entry)
    _add_sweep(commands)
    check = commands.add_parser("self-check", help="plant faults and see that methods find them")
    check.add_argument("--seed", type=int, default=0, help="of data and training [0]")
    check.set_defaults(command=_self_check)
    report = commands.add_parser("report", help="write the analysis of many runs as one page")
    report.add_argument("results", metavar="DIR", help="folder of a sweep, or a table of results")
    report.add_argument("--out", metavar="FILE", help="the page [report.html in DIR]")
    report.add_argument("--metric", choices=("auroc", "auprc"), help="to rank by [auroc]")
    report.add_argument(
        "--posthoc", choices=("nemenyi", "wilcoxon"), help="test of pairs [nemenyi]"
    )
    report.add_argument("--alpha", type=float, help="level of significance [0.05]")
    report.add_argument(
        "--only",
        nargs="+",
        default=[],
        metavar="COLUMN=VALUE",
        help="rows of the results, as epochs=10 or dataset=[mnist,eye]",
    )
    report.set_defaults(command=_write_report, parser=report)
    demo = commands.add_parser("demo", help="execute the tutorial and say what it found")
    demo.add_argument("--out", default="output", metavar="DIR", help="folder to write to [output]")
    demo.set_defaults(command=_demo)
    return parser


def _add_sweep(commands: argparse._SubParsersAction[OptionParser]) -> None:
    sweep = commands.add_parser(
        "sweep", help="do many runs, those that are done left out", epilog=_PLAN
    )
    sweep.add_argument("source", metavar="FILE", help="YAML file, or folder of a sweep to go on")
    sweep.add_argument("--out", metavar="DIR", help="folder to write to")
    sweep.add_argument("--workers", type=_count, metavar="N", help="runs at a time [cores]")
    sweep.add_argument(
        "--scheduler", metavar="ADDRESS", help="of Dask, as tcp://host:8786; or local"
    )
    sweep.add_argument("--time-limit", type=float, metavar="S", help="seconds of a run")
    sweep.add_argument("--memory-limit", type=float, metavar="MB", help="megabytes of a run")
    sweep.add_argument("--only", nargs="+", default=(), metavar="RUN", help="addresses of runs")
    sweep.add_argument("--dry-run", action="store_true", help="show the runs and their time")
    sweep.set_defaults(command=_sweep, parser=sweep)
    results = commands.add_parser("results", help="collect the runs of a folder in one table")
    results.add_argument("folder", metavar="DIR", help="of a sweep, or of saved runs")
    results.add_argument("--out", metavar="FILE", help=".parquet or .csv file to write")
    results.add_argument("--planned", action="store_true", help="only runs of the last plan")
    results.add_argument("--version", metavar="V", help="of the code that made the runs")
    results.add_argument("--mlflow", metavar="URI", help="to mirror them: sqlite:///runs.db")
    results.add_argument("--wandb", metavar="DIR", help="folder for offline runs of W&B")
    results.set_defaults(command=_results, parser=results)


def _sweep(arguments: argparse.Namespace) -> bool:
    """Do the sweep; return whether a run of it failed, or was not begun."""
    from hcat_nb.sweeps.sweep import Sweep, sweep

    names = ("out", "workers", "scheduler", "time_limit", "memory_limit", "only", "dry_run")
    done = sweep(arguments.source, **{name: getattr(arguments, name) for name in names})
    print(done)
    return isinstance(done, Sweep) and done.done < len(done.cells)


def _results(arguments: argparse.Namespace) -> None:
    from hcat_nb.sweeps.collect import results
    from hcat_nb.sweeps.mirrors import mirror_to_mlflow, mirror_to_wandb

    table = results(
        arguments.folder,
        version=arguments.version,
        planned=arguments.planned,
        out=arguments.out,
    )
    runs = table["run"].nunique()
    if arguments.out is not None:
        print(f"{runs} runs, {len(table)} rows: {Path(arguments.out).resolve()}")
    for name, mirror in (("mlflow", mirror_to_mlflow), ("wandb", mirror_to_wandb)):
        if (place := getattr(arguments, name)) is not None:
            print(f"{mirror(table, place)} new of {runs} runs: {name}, {place}")
    if arguments.out or arguments.mlflow or arguments.wandb:
        return
    shown = [
        "dataset",
        "hardness",
        "p",
        "model",
        "data_seed",
        "model_seed",
        "hcm",
        "auroc",
        "auprc",
    ]
    _print(table[[name for name in shown if name in table]])


def _run(arguments: argparse.Namespace) -> None:
    from hcat_nb.runs._before_training import told_in_a_line
    from hcat_nb.runs.bar import TerminalBar
    from hcat_nb.runs.characterize import characterize

    spec = RunSpec.from_options(**spec_options(arguments))
    if arguments.dry_run:
        from hcat_nb.runs.forecast import forecast
        from hcat_nb.training.ranks import speaks

        if speaks():
            print(forecast(spec=spec))
        return
    with _soft_interrupt() as control, told_in_a_line():
        run = characterize(
            spec=spec,
            listeners=[TerminalBar()],
            control=control,
            out=arguments.out,
            overwrite=arguments.overwrite,
            keep_checkpoint=arguments.keep_checkpoint,
        )
    _report(run, arguments)


def _check(arguments: argparse.Namespace) -> bool:
    """Print what is wrong with data; return whether some of it is severe."""
    from hcat_nb.runs.check import check

    found = check(test=arguments.test, fix=arguments.fix, **spec_options(arguments))
    print(found.to_json() if arguments.json else as_options(str(found)))
    return bool(found.severe)


def _resume(arguments: argparse.Namespace) -> None:
    from hcat_nb.runs.bar import TerminalBar
    from hcat_nb.runs.resume import resume

    with _soft_interrupt() as control:
        run = resume(
            arguments.out,
            listeners=[TerminalBar()],
            control=control,
            keep_checkpoint=arguments.keep_checkpoint,
        )
    _report(run, arguments)


def _add_ending(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--hardest", type=_count, default=3, metavar="K", help="samples to print [3]"
    )
    text = "keep the last checkpoint of a finished run"
    parser.add_argument("--keep-checkpoint", action="store_true", help=text)


def _count(text: str) -> int:
    """Read a number of samples or runs; what is none is refused before training."""
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"{text!r} is no whole number, 0 or more")
    return int(text)


def _report(run: Run, arguments: argparse.Namespace) -> None:
    from hcat_nb.runs._followers import FollowerRun

    if isinstance(run, FollowerRun):  # rank 0 reports
        return
    print(run)
    for note in (*run.info["dataset"]["notes"], *run.info["notes"]):
        print(f"note: {note}")
    if run.spec.knows_truth:
        _print(_brief(_metrics(run, arguments.out)))
    print(run.hardest(arguments.hardest))
    if arguments.out is not None:
        print(f"saved to {Path(arguments.out).resolve()}")
        if run.info["outcome"] == "stopped":
            print(f"`hcat resume {arguments.out}` goes on from there")


def _evaluate(arguments: argparse.Namespace) -> None:
    from hcat_nb.runs.store import load_run

    run = load_run(arguments.run)
    print(run)
    _print(run.evaluate())


def _rescore(arguments: argparse.Namespace) -> None:
    from hcat_nb.runs.rescore import rescore

    run = rescore(arguments.run, **spec_options(arguments))
    print(run)
    print("added", ", ".join(run.info["rescored"][-1]["methods"]))
    for name, reason in run.info["skipped"].items():
        print(f"skipped {name}: {reason}")
    if run.spec.knows_truth:
        _print(_brief(_metrics(run, arguments.run)))


def _metrics(run: Run, folder: str | None) -> pd.DataFrame:
    """Return the run's metrics: thousand resamples of each method take a while, so once."""
    from hcat_nb.runs.store import saved_metrics

    return run.evaluate() if folder is None else saved_metrics(folder)


def _list(arguments: argparse.Namespace) -> None:
    from hcat_nb.runs.listing import listing

    print(listing(arguments.listing, arguments.names, verbose=arguments.verbose))


def _self_check(arguments: argparse.Namespace) -> bool:
    """Print a line for each method and fault; return whether one failed."""
    from hcat_nb.runs._record import versions
    from hcat_nb.runs.self_check import self_check

    print(", ".join(f"{name} {number}" for name, number in versions().items()))
    table = self_check(seed=arguments.seed)
    for _, row in table.iterrows():
        fault = row["fault"] or "names no fault"
        verdict = "ok" if row["passed"] else f"FAILED: {row['problem']}"
        print(f"{row['method']:<18}{fault:<16}{row['auroc']:<5.2f} {verdict}")
    failed = table.loc[~table["passed"], "method"].unique()
    if len(failed):
        print(f"hcat: the self-check failed for {', '.join(failed)}", file=sys.stderr)
    return bool(len(failed))


def _demo(arguments: argparse.Namespace) -> None:
    from hcat_nb.sweeps.demo import run_demo

    print(run_demo(arguments.out))


def _write_report(arguments: argparse.Namespace) -> None:
    from hcat_nb.sweeps.report import write_report

    chosen = {name: getattr(arguments, name) for name in ("metric", "posthoc", "alpha")}
    given = {name: value for name, value in chosen.items() if value is not None}
    if arguments.only:
        given["only"] = dict(map(read_pair, arguments.only))
    print(f"report: {write_report(arguments.results, arguments.out, parameters=given)}")


def _brief(table: pd.DataFrame) -> pd.DataFrame:
    figures = ["n_hard", "base_rate", "auroc", "auroc_low", "auroc_high", "auprc"]
    return table[["hcm", *figures, "kind"]]


def _print(table: pd.DataFrame) -> None:
    print(table.to_string(index=False, float_format=lambda value: f"{value:.4f}"))


@contextmanager
def _soft_interrupt() -> Iterator[Control]:
    """Let the first Ctrl-C end training after the current batch; the next one kills."""
    from hcat_nb.training.events import Control

    control = Control()
    before: Any = signal.getsignal(signal.SIGINT)

    def stop(_number: int, _frame: FrameType | None) -> None:
        control.stop.set()
        signal.signal(signal.SIGINT, before)

    signal.signal(signal.SIGINT, stop)
    try:
        yield control
    finally:
        signal.signal(signal.SIGINT, before)
