"""``%hcat_train``: a run from one line of a notebook; and lists of what there is by name."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from IPython.core.error import UsageError  # noqa: TID253 - loaded by %load_ext only
from IPython.core.magic import (  # noqa: TID253
    Magics,
    line_cell_magic,
    line_magic,
    magics_class,
    needs_local_scope,
)

from hcat_nb.arguments import OptionParser
from hcat_nb.errors import HcatError
from hcat_nb.jupyter.completion import add_completer
from hcat_nb.jupyter.interrupt import wait_for
from hcat_nb.jupyter.magic_parser import MagicCall, make_parser, parse
from hcat_nb.jupyter.screens import open_screen

if TYPE_CHECKING:
    from hcat_nb.runs.forecast import Forecast
    from hcat_nb.runs.listing import Listing
    from hcat_nb.runs.run import Run

__all__ = ["HcatMagics", "last_run", "load"]

# The newest run that ended, also one whose cell was interrupted twice.
last_run: Run | None = None


def load(ipython: Any) -> None:
    """Register the magics and their completion."""
    ipython.register_magics(HcatMagics)
    add_completer(ipython)


@magics_class
class HcatMagics(Magics):
    """The magics of hcat_nb."""

    @needs_local_scope
    @line_cell_magic
    def hcat_train(
        self, line: str, cell: str | None = None, local_ns: dict[str, Any] | None = None
    ) -> Run | Forecast | None:
        """Train a model once, watch it learn, and score every sample; -h shows the options."""
        # Raised outside of the handler: there it would carry the error's frames,
        # and they a model, as its context.
        assert self.shell is not None
        mistake: str | None = None
        try:
            call = parse(line, cell, {**self.shell.user_ns, **(local_ns or {})})
            if call.help:
                print(make_parser().format_help())
                return None
            run = _forecast(call) if call.dry_run else _train(call)
        except HcatError as error:
            mistake = str(error)
        if mistake is not None:
            raise UsageError(mistake)
        if call.name is not None:
            self.shell.user_ns[call.name] = run
            return None
        return run

    @line_magic
    def hcat_methods(self, line: str) -> Listing:
        """List the methods; with names, or -v for all, their whole cards."""
        return _listed("methods", line)

    @line_magic
    def hcat_hardness(self, line: str) -> Listing:
        """List the kinds of hardness; with names, or -v for all, their whole cards."""
        return _listed("hardness", line)

    @line_magic
    def hcat_datasets(self, line: str) -> Listing:
        """List the named datasets; with names, or -v for all, their whole cards."""
        return _listed("datasets", line)

    @line_magic
    def hcat_models(self, line: str) -> Listing:
        """List the named models; with names, or -v for all, their whole cards."""
        return _listed("models", line)


def _listed(kind: str, line: str) -> Listing:
    from hcat_nb.runs.listing import listing

    parser = OptionParser(prog=f"%hcat_{kind}", add_help=False)
    parser.add_argument("names", nargs="*")
    parser.add_argument("-v", "--verbose", action="store_true")
    try:
        given = parser.parse(line.split())
        return listing(kind, given.names, verbose=given.verbose)
    except HcatError as error:
        mistake = str(error)
    raise UsageError(mistake)


def _forecast(call: MagicCall) -> Forecast:
    from hcat_nb.runs.forecast import forecast

    return forecast(**call.keywords)


def _train(call: MagicCall) -> Run:
    """Run in a thread while the cell waits; the first interrupt ends it softly."""
    screen = open_screen(call.display)

    from hcat_nb.jupyter.listener import LiveListener
    from hcat_nb.runs.characterize import characterize
    from hcat_nb.training.events import Control

    control = Control()
    listener = LiveListener("none") if screen is None else LiveListener(screen=screen)

    def work() -> Run:
        global last_run
        last_run = characterize(**call.keywords, listeners=[listener], control=control)
        return last_run

    try:
        return wait_for(work, control.stop)
    except BaseException:
        listener.discard()
        raise
