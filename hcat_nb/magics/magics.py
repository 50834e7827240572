"""What each magic of the table does: a line becomes one plain call, whose result is returned."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from IPython.core.error import UsageError  # noqa: TID253 - loaded by %load_ext only

from hcat_nb.arguments import in_line_words
from hcat_nb.commands.command import Command
from hcat_nb.commands.table import MAGICS
from hcat_nb.errors import HcatError, SpecError, StoreError
from hcat_nb.jupyter.interrupt import wait_for
from hcat_nb.jupyter.latest import keep
from hcat_nb.jupyter.screens import attempt, open_screen
from hcat_nb.magics.completion import add_completer
from hcat_nb.magics.history import add_history
from hcat_nb.magics.parser import MagicCall, parse

if TYPE_CHECKING:
    from hcat_nb.api.run import Run
    from hcat_nb.audits.outcome import Audit
    from hcat_nb.checks.page import Check
    from hcat_nb.jupyter.sweep_screen import SweepScreen
    from hcat_nb.runs.execution.forecast import Forecast
    from hcat_nb.sweeps.dry_run import DryRun
    from hcat_nb.sweeps.sweep import Sweep

Called = Callable[..., Any]
Action = Callable[[MagicCall, Any, Called], Any]


def load(ipython: Any) -> None:
    """Register the magics, their completion, and the care for what cells show."""
    for command in MAGICS.values():
        kind = "line_cell" if command.cell else "line"
        ipython.register_magic_function(_magic(ipython, command), kind, command.magic)
    add_completer(ipython)
    add_history(ipython)


def _magic(shell: Any, command: Command) -> Callable[..., Any]:
    """Return the function that IPython calls with a line, and perhaps a cell."""

    def magic(line: str, cell: str | None = None, local_ns: dict[str, Any] | None = None) -> Any:
        # Raised outside of the handler: there it would carry the error's frames,
        # and they a model, as its context.
        mistake: str | None = None
        try:
            call = parse(command, line, cell, {**shell.user_ns, **(local_ns or {})})
            if call.help:
                print(command.parser().format_help())
                return None
            result = ACTIONS[command.magic](call, shell, command.function())
        except HcatError as error:
            mistake = in_line_words(error)
        if mistake is not None:
            raise UsageError(mistake)
        if call.name is not None:
            shell.user_ns[call.name] = result
            return None
        return result

    magic.__name__ = command.magic
    magic.__doc__ = f"{command.about} -h shows the options."
    magic.needs_local_scope = True  # type: ignore[attr-defined] # IPython's mark
    return magic


def _train(call: MagicCall, _: Any, characterize: Called) -> Run | Forecast:
    if "dry_run" in call.own:
        from hcat_nb.jupyter.training_thread import aside
        from hcat_nb.runs.execution.forecast import forecast

        with aside():
            return forecast(**call.keywords)
    out = {"out": call.own.get("out"), "overwrite": "overwrite" in call.own}
    return _watched(call, lambda **watch: characterize(**{**call.keywords, **out, **watch}))


def _resume(call: MagicCall, _: Any, resume: Called) -> Run:
    again = dict(call.own.get("data", {}))
    again.pop("name", None)  # the run knows what its data are called
    if "model" in call.own:
        again["model"] = call.own["model"]
    return _watched(call, lambda **watch: resume(call.own["folder"], **again, **watch))


def _watched(call: MagicCall, train: Callable[..., Run]) -> Run:
    """Train in a thread while the cell waits; the first interrupt ends it softly."""
    screen = open_screen(call.own.get("display", "auto"))
    try:
        from hcat_nb.jupyter.listener import LiveListener
        from hcat_nb.jupyter.next_step import offer_next
        from hcat_nb.jupyter.training_thread import trained
        from hcat_nb.training.events import Control

        control = Control()
        listener = LiveListener("none") if screen is None else LiveListener(screen=screen)
        if screen is not None:
            attempt("showing the buttons", partial(screen.obey, control))

        watch = {"listeners": [listener], "control": control}
        kept = "keep_checkpoint" in call.own
        work = partial(trained, partial(train, **watch, keep_checkpoint=kept))
        run = wait_for(work, control.stop)
        attempt("the result's line", lambda: offer_next(screen, run))
        return run
    finally:
        if screen is not None:
            attempt("clearing the view", screen.discard)  # of a run that did not begin


def _audit(call: MagicCall, _: Any, audit: Called) -> Audit:
    from hcat_nb.audits.page import page_place

    if "report" in call.own:
        page_place(call.own["report"])  # a bad name is told before the trainings
    made: list[Audit] = []
    own = {name: call.own[name] for name in ("out", "budget") if name in call.own}

    def train(*, keep_checkpoint: bool, **watch: Any) -> Run:
        made.append(audit(**call.keywords, **own, overwrite="overwrite" in call.own, **watch))
        return made[0].run

    _watched(call, train)
    if "report" in call.own:
        made[0].report(call.own["report"])
    return made[0]


def _check(call: MagicCall, _: Any, check: Called) -> Check:
    given = dict(call.own.get("test", {}))
    test = given.get("data")
    found: Check = check(
        **call.keywords,
        test=(test, given["labels"]) if "labels" in given else test,
        fix=call.own.get("fix"),
    )
    return found


def _eval(call: MagicCall, _: Any, measured: Called) -> Any:
    options = {
        "variant": call.own.get("variant", "paper"),
        "n_resamples": call.own.get("resamples"),
        "seed": call.own.get("seed", 0),
        "baselines": "no_baselines" not in call.own,
    }
    return measured(_run_of(call), **options)


def _rescore(call: MagicCall, _: Any, rescore: Called) -> Run:
    run = call.own.get("run")
    made: Run = rescore(_newest() if run is None else run, **call.keywords)
    return keep(made)


def _compare(call: MagicCall, shell: Any, panel: Called) -> Any:
    runs = map(_loaded, call.own["runs"])
    return panel(*runs, methods=call.own.get("methods"), variables=shell.user_ns)


def _sweep(call: MagicCall, shell: Any, sweep: Called) -> Sweep | DryRun:
    """Do a sweep in a thread while the cell waits; the first interrupt ends it softly."""
    from hcat_nb.jupyter.sweep_screen import SweepScreen
    from hcat_nb.sweeps.sweep import Stop

    given = dict(call.own)
    word = given.pop("source", None)
    if (word is None) == (not call.document):
        raise SpecError(
            "the sweep is given twice" if word else "there is no sweep",
            "a YAML file, a folder, a variable, or the cell",
        )
    source = call.document if word is None else shell.user_ns.get(word, word)
    stop, screen = Stop(), SweepScreen()
    try:
        done: Sweep | DryRun = wait_for(
            lambda: sweep(source, listener=screen, stop=stop, **given), stop.soon
        )
    except KeyboardInterrupt:
        stop.now.set()
        raise
    if not given.get("dry_run"):
        _answer(screen, cast("Sweep", done))
    return done


def _answer(screen: SweepScreen, done: Sweep) -> None:
    """Show which method is best for which hardness, in a sentence and as a table."""
    from hcat_nb.study.findings import answer, choice_table, method_results

    if not done.done:
        return
    folder = done.out
    with suppress(ValueError):  # elsewhere the whole path is needed
        folder = folder.relative_to(Path.cwd())
    line = f"hcat report {shlex.quote(str(folder))}"
    results = done.results(planned=True)
    if "auroc" not in results or method_results(results).empty:
        screen.conclude("Nothing was made hard, so that no method can be judged.", "", line)
        return
    table = choice_table(method_results(results, baselines=True))
    order = table.groupby("hcm")["mean_rank"].mean().sort_values().index
    shown = table.pivot_table("value", "hcm", "hardness", sort=False).reindex(order)
    shown = shown.rename_axis(index=None, columns="mean AUROC")
    words = re.sub(r"\*\*(.+?)\*\*", r"<em>\1</em>", escape(answer(table)))
    screen.conclude(words, shown.to_html(border=0, float_format="{:.2f}".format), line)


def _run_of(call: MagicCall) -> Run:
    """Return the run that the line names, else the newest."""
    run = call.own.get("run")
    return _newest() if run is None else _loaded(run)


def _loaded(run: Run | str) -> Run:
    from hcat_nb.api.run import load_run

    return load_run(run) if isinstance(run, str) else run


def _newest() -> Run:
    from hcat_nb.jupyter import latest

    run: Run | None = latest.last_run
    if run is None:
        raise StoreError("there is no run yet", "a run: a variable, or the folder of a saved one")
    return run


def _listed(kind: str) -> Action:
    def listed(call: MagicCall, _: Any, listing: Called) -> Any:
        return listing(kind, call.own.get("names", ()), verbose="verbose" in call.own)

    return listed


# By magic; each takes a call, the shell, and what the table says that the command calls.
ACTIONS: dict[str, Action] = {
    "hcat_train": _train,
    "hcat_check": _check,
    "hcat_audit": _audit,
    "hcat_perturb": lambda call, _, perturbed: perturbed(**call.keywords),
    "hcat_eval": _eval,
    "hcat_panel": lambda call, shell, panel: panel(shell, call),
    "hcat_explore": lambda call, _, explore: explore(_run_of(call)),
    "hcat_compare": _compare,
    "hcat_resume": _resume,
    "hcat_rescore": _rescore,
    "hcat_sweep": _sweep,
    **{f"hcat_{kind}": _listed(kind) for kind in ("methods", "hardness", "datasets", "models")},
}
