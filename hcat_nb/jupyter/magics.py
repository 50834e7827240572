"""What each magic of the table does: a line becomes one plain call, whose result is returned."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from IPython.core.error import UsageError  # noqa: TID253 - loaded by %load_ext only

from hcat_nb.arguments import in_line_words
from hcat_nb.errors import HcatError, SpecError, StoreError
from hcat_nb.jupyter.commands import COMMANDS, Command
from hcat_nb.jupyter.completion import add_completer
from hcat_nb.jupyter.history import add_history
from hcat_nb.jupyter.interrupt import wait_for
from hcat_nb.jupyter.latest import keep
from hcat_nb.jupyter.magic_parser import MagicCall, parse
from hcat_nb.jupyter.screens import open_screen

if TYPE_CHECKING:
    from hcat_nb.checks.page import Check
    from hcat_nb.perturbations.base import Perturbed
    from hcat_nb.runs.forecast import Forecast
    from hcat_nb.runs.listing import Listing
    from hcat_nb.runs.run import Run
    from hcat_nb.sweeps.dry_run import DryRun
    from hcat_nb.sweeps.sweep import Sweep

__all__ = ["ACTIONS", "load"]


def load(ipython: Any) -> None:
    """Register the magics, their completion, and the care for what cells show."""
    for command in COMMANDS.values():
        kind = "line_cell" if command.cell else "line"
        ipython.register_magic_function(_magic(ipython, command), kind, command.name)
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
            result = ACTIONS[command.name](call, shell)
        except HcatError as error:
            mistake = in_line_words(error)
        if mistake is not None:
            raise UsageError(mistake)
        if call.name is not None:
            shell.user_ns[call.name] = result
            return None
        return result

    magic.__name__ = command.name
    magic.__doc__ = f"{command.about} -h shows the options."
    magic.needs_local_scope = True  # type: ignore[attr-defined] # IPython's mark
    return magic


def _train(call: MagicCall, _: Any) -> Run | Forecast:
    if "dry_run" in call.own:
        from hcat_nb.jupyter.training_thread import aside
        from hcat_nb.runs.forecast import forecast

        with aside():
            return forecast(**call.keywords)
    from hcat_nb.runs.characterize import characterize

    out = {"out": call.own.get("out"), "overwrite": "overwrite" in call.own}
    return _watched(call, lambda **watch: characterize(**{**call.keywords, **out, **watch}))


def _resume(call: MagicCall, _: Any) -> Run:
    from hcat_nb.runs.resume import resume

    again = dict(call.own.get("data", {}))
    again.pop("name", None)  # the run knows what its data are called
    if "model" in call.own:
        again["model"] = call.own["model"]
    return _watched(call, lambda **watch: resume(call.own["folder"], **again, **watch))


def _watched(call: MagicCall, train: Callable[..., Run]) -> Run:
    """Train in a thread while the cell waits; the first interrupt ends it softly."""
    screen = open_screen(call.own.get("display", "auto"))
    try:
        import torch

        from hcat_nb.jupyter.listener import LiveListener
        from hcat_nb.jupyter.training_thread import alone
        from hcat_nb.training.events import Control

        control = Control()
        listener = LiveListener("none") if screen is None else LiveListener(screen=screen)
        if screen is not None:
            screen.obey(control)

        def work() -> Run:
            with alone(), torch.enable_grad():  # a thread has a grad mode of its own
                return keep(
                    train(
                        listeners=[listener],
                        control=control,
                        keep_checkpoint="keep_checkpoint" in call.own,
                    )
                )

        return wait_for(work, control.stop)
    finally:
        if screen is not None:
            screen.discard()  # of a run that did not begin


def _check(call: MagicCall, _: Any) -> Check:
    from hcat_nb.runs.check import check

    given = dict(call.own.get("test", {}))
    test = given.get("data")
    return check(
        **call.keywords,
        test=(test, given["labels"]) if "labels" in given else test,
        fix=call.own.get("fix"),
    )


def _perturb(call: MagicCall, _: Any) -> Perturbed:
    from hcat_nb.runs.perturbed import perturbed

    return perturbed(**call.keywords)


def _eval(call: MagicCall, _: Any) -> Any:
    options = {
        "variant": call.own.get("variant", "paper"),
        "n_resamples": call.own.get("resamples"),
        "seed": call.own.get("seed", 0),
        "baselines": "no_baselines" not in call.own,
    }
    return _run_of(call).evaluate(**options)


def _rescore(call: MagicCall, _: Any) -> Run:
    from hcat_nb.runs.rescore import rescore

    run = call.own.get("run")
    return keep(rescore(_newest() if run is None else run, **call.keywords))


def _panel(call: MagicCall, shell: Any) -> Any:
    from hcat_nb.jupyter.setup_panel import SetupPanel

    return SetupPanel(shell, call)


def _explore(call: MagicCall, _: Any) -> Any:
    return _run_of(call).explore()


def _compare(call: MagicCall, shell: Any) -> Any:
    from hcat_nb.jupyter.compare_panel import ComparePanel

    runs = map(_loaded, call.own["runs"])
    return ComparePanel(*runs, methods=call.own.get("methods"), variables=shell.user_ns)


def _sweep(call: MagicCall, shell: Any) -> Sweep | DryRun:
    """Do a sweep in a thread while the cell waits; the first interrupt ends it softly."""
    from hcat_nb.jupyter.sweep_screen import SweepScreen
    from hcat_nb.sweeps.sweep import Stop, sweep

    given = dict(call.own)
    word = given.pop("source", None)
    if (word is None) == (not call.document):
        raise SpecError(
            "the sweep is given twice" if word else "there is no sweep",
            "a YAML file, a folder, a variable, or the cell",
        )
    source = call.document if word is None else shell.user_ns.get(word, word)
    stop = Stop()
    try:
        return wait_for(
            lambda: sweep(source, listener=SweepScreen(), stop=stop, **given), stop.soon
        )
    except KeyboardInterrupt:
        stop.now.set()
        raise


def _run_of(call: MagicCall) -> Run:
    """Return the run that the line names, else the newest."""
    run = call.own.get("run")
    return _newest() if run is None else _loaded(run)


def _loaded(run: Run | str) -> Run:
    from hcat_nb.runs.store import load_run

    return load_run(run) if isinstance(run, str) else run


def _newest() -> Run:
    from hcat_nb.jupyter import latest

    if latest.last_run is None:
        raise StoreError("there is no run yet", "a run: a variable, or the folder of a saved one")
    return latest.last_run


def _listed(kind: str) -> Callable[[MagicCall, Any], Listing]:
    def listed(call: MagicCall, _: Any) -> Listing:
        from hcat_nb.runs.listing import listing

        return listing(kind, call.own.get("names", ()), verbose="verbose" in call.own)

    return listed


# Under the names of the table; each takes a call and the shell.
ACTIONS: dict[str, Callable[[MagicCall, Any], Any]] = {
    "hcat_train": _train,
    "hcat_check": _check,
    "hcat_perturb": _perturb,
    "hcat_eval": _eval,
    "hcat_panel": _panel,
    "hcat_explore": _explore,
    "hcat_compare": _compare,
    "hcat_resume": _resume,
    "hcat_rescore": _rescore,
    "hcat_sweep": _sweep,
    **{f"hcat_{kind}": _listed(kind) for kind in ("methods", "hardness", "datasets", "models")},
}
