"""Where a run is shown: live widgets, or one output that needs no front end.

Nothing here loads torch or altair at import, so that a run shows its first
line at once.  All methods are safe in any thread; none prints.
"""

from __future__ import annotations

import contextvars
import sys
import threading
import warnings
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Literal, Protocol, TypeVar

from hcat_nb.commands.table import DISPLAYS
from hcat_nb.errors import check_word
from hcat_nb.jupyter.progress import ProgressBar
from hcat_nb.jupyter.static_view import StaticView, live_output
from hcat_nb.jupyter.throttle import Throttle

if TYPE_CHECKING:
    from IPython.display import DisplayHandle

    from hcat_nb.jupyter.frames import Frame
    from hcat_nb.jupyter.live_map import LiveMap
    from hcat_nb.jupyter.map_scene import MapScene
    from hcat_nb.jupyter.replay_bar import ReplayBar
    from hcat_nb.training.events import Control

T = TypeVar("T")
Display = Literal["auto", "widget", "static", "none"]

# Together below five messages a second, whatever a run does.
_MAP_SECONDS = 0.5
_LINE_SECONDS = 0.4
_EMPTY = {"text/plain": "", "text/html": ""}


class Screen(Protocol):
    """What the listener shows a run on."""

    def update(self, progress: ProgressBar) -> None:
        """Show how far the run is."""

    def start_map(self, scene: MapScene) -> None:
        """Prepare the map of this scene."""

    def ready(self) -> bool:
        """Whether a state of the map offered now is shown at once."""

    def move_map(self, frame: Callable[[], Frame]) -> None:
        """Show this state of the map; it is made only if it is shown."""

    def finish(self, progress: ProgressBar, view: StaticView) -> None:
        """Show the end, and leave what needs no kernel."""

    def offer_epochs(self, epochs: list[int], frame: Callable[[int], Frame], note: str) -> None:
        """Let these epochs be looked at again."""

    def discard(self) -> None:
        """Take everything away, unless the run began."""

    def obey(self, control: Control) -> None:
        """Let the user stop and pause the run, where there is somebody."""


class StaticScreen(Screen):
    """One output: a line of progress, and in the end the picture; nobody watches, or hears."""

    def __init__(self) -> None:
        self._handle = _output(StaticView("preparing", share=0.0))
        self._begun = False
        self._limiter = Throttle(_MAP_SECONDS, on_error=raised)

    def update(self, progress: ProgressBar) -> None:
        """Show how far the run is."""
        view = StaticView(f"{progress.title()} · {progress.line()}", share=progress.share)
        self._limiter.offer(lambda: self._handle.update(view.bundle(), raw=True))

    def start_map(self, scene: MapScene) -> None:
        """Take note that the run began; nobody watches."""
        self._begun = True

    def ready(self) -> bool:
        """Say yes: the picture in the end shows what led to it."""
        return True

    def finish(self, progress: ProgressBar, view: StaticView) -> None:
        """Put the picture in the place of the progress."""
        self._limiter.finish()
        self._handle.update(view.bundle(), raw=True)

    def discard(self) -> None:
        """Empty the output, unless the run began."""
        if self._begun:
            return
        self._limiter.finish()
        self._handle.update(_EMPTY, raw=True)


class WidgetScreen:
    """Two outputs: the live view, and the picture that stands in for it later.

    The map comes as soon as Vega is at hand; the bar is there at once. The live view shows in
    ``place``, where there is one, instead of outputs of the cell.
    """

    def __init__(self, place: Any = None) -> None:
        import ipywidgets
        from IPython.display import display

        from hcat_nb.jupyter.run_monitor import RunMonitor

        self._monitor = RunMonitor(line="preparing")
        self._run = classed(ipywidgets.VBox([self._monitor]), "hcat-run")
        # The outer box is what the inner one's layout measures (live_map.css).
        self._box = classed(ipywidgets.VBox([self._run]), "hcat-frame")
        self._closing: list[Callable[[], object]] = []
        self._map: LiveMap | None = None
        self._replay: ReplayBar | None = None
        self._epochs: tuple[list[int], Callable[[int], Frame], str] | None = None
        self._begun = False
        self._scene: MapScene | None = None
        self._early: Callable[[], Frame] | None = None
        self._failure: Exception | None = None
        self._lock = threading.Lock()
        self._known = threading.Event()  # whether and which map is wanted
        self._built = threading.Event()
        self._lines = Throttle(_LINE_SECONDS, on_error=self._fail)
        self._frames = Throttle(_MAP_SECONDS, on_error=self._fail)
        self._handle: DisplayHandle | None = None
        if place is None:
            display(live_output(self._box), raw=True)
            preparing = StaticView("a run is being prepared", share=0.0)
            self._handle = _output(preparing, self._box.model_id)
        else:
            place.children = (self._box,)
        # Altair, loaded in that thread, and scikit-learn, loaded in this one, would both load it,
        # and its modules import each other: Python takes that for a deadlock, and one import fails.
        import narwhals.stable.v1  # noqa: F401

        in_thread(self._build, "hcat-live-map")

    def update(self, progress: ProgressBar) -> None:
        """Show how far the run is."""
        self._raise_failure()
        self._lines.offer(lambda: self._show(progress))

    def start_map(self, scene: MapScene) -> None:
        """Prepare the map of this scene."""
        self._begun, self._scene = True, scene
        self._known.set()

    def ready(self) -> bool:
        """Whether a state of the map offered now is shown at once."""
        return self._frames.ready()

    def move_map(self, frame: Callable[[], Frame]) -> None:
        """Show this state of the map; it is made only if it is shown."""
        self._raise_failure()
        self._frames.offer(lambda: self._send(frame))

    def finish(self, progress: ProgressBar, view: StaticView) -> None:
        """Show the end; the last state of the map arrives in any case."""
        self._known.set()
        self._built.wait()
        self._frames.finish()
        self._lines.finish()
        self._show(progress)
        if self._handle is not None:
            self._handle.update(view.bundle(self._box.model_id), raw=True)
        if self._map is not None and self._replay is not None and self._epochs is not None:
            live, (epochs, frame, note) = self._map, self._epochs
            self._replay.offer(epochs, lambda epoch: live.show(lambda: frame(epoch)), note)
        self._raise_failure()

    def offer_epochs(self, epochs: list[int], frame: Callable[[int], Frame], note: str) -> None:
        """Let these epochs be looked at again; call it before :meth:`finish`."""
        self._epochs = (epochs, frame, note)

    def discard(self) -> None:
        """Take everything away, unless the run began; then its buttons only."""
        if self._begun:
            self._monitor.buttons = False  # a view that failed never heard of the end
            return
        self._known.set()
        self._built.wait()
        self._lines.finish()
        self._frames.finish()
        self.close()
        if self._handle is not None:
            self._handle.update(_EMPTY, raw=True)

    def obey(self, control: Control) -> None:
        """Show the buttons that stop and pause the run of this cell."""
        self._monitor.obey(control)

    def conclude(self, widget: Any) -> None:
        """Put a line under the view of a run that is over."""
        self._run.children += (widget,)

    def add(self, widget: Any, close: Callable[[], object]) -> None:
        """Put a view under this one, which is closed with it."""
        self._closing.append(close)
        self._box.children += (widget,)

    def close(self) -> None:
        """Close the widgets; the page then shows the picture."""
        for close in self._closing:
            close()
        close_tree(self._box)

    def _show(self, progress: ProgressBar) -> None:
        with self._monitor.hold_sync():
            self._monitor.share = progress.share
            self._monitor.line = f"{progress.title()} · {progress.line()}"
            self._monitor.outcome = progress.outcome

    def _build(self) -> None:
        try:
            from hcat_nb.jupyter.live_map import LiveMap
            from hcat_nb.jupyter.replay_bar import ReplayBar

            live, self._replay = LiveMap(on_drawn=self._frames.drawn, fit=True), ReplayBar()
            self._run.children = (self._monitor, live, self._replay)
            import hcat_nb.charts.offline  # noqa: F401 - loads Altair while the run prepares

            self._known.wait()
            if self._scene is not None:
                live.present(self._scene)
                live.on_pick(live.follow)
                self._scene = None  # the map's own now
            with self._lock:
                self._map, early, self._early = live, self._early, None
            if early is not None:
                live.show(early)
        except Exception as error:  # a thread has no caller: the next call raises it
            self._fail(error)
        finally:
            self._built.set()

    def _send(self, frame: Callable[[], Frame]) -> int | None:
        with self._lock:
            live = self._map
            if live is None:
                self._early = frame
                return None
        return live.show(frame)

    def _fail(self, error: Exception) -> None:
        self._failure = error

    def _raise_failure(self) -> None:
        if self._failure is not None:
            failure, self._failure = self._failure, None
            raise failure


def in_thread(body: Callable[[], None], name: str) -> None:
    """Run ``body`` in a daemon thread: a restart of the kernel does not wait for it."""
    context = contextvars.copy_context()  # holds the cell that outputs and messages belong to
    threading.Thread(target=context.run, args=(body,), name=name, daemon=True).start()


def classed(widget: Any, name: str) -> Any:
    """Return a widget, which a style sheet finds by the class ``name`` from now on."""
    widget.add_class(name)
    return widget


def close_tree(widget: Any) -> None:
    """Close a widget and all that stands in it: what is not closed, ipywidgets keeps for ever."""
    close_inside(widget)
    widget.close()


def close_inside(widget: Any) -> None:
    """Close all that stands in a widget."""
    for child in getattr(widget, "children", ()):
        close_tree(child)
    for part in ("layout", "style"):  # widgets of their own
        if hasattr(widget, part):
            getattr(widget, part).close()


def _output(view: StaticView, of: str = "") -> DisplayHandle:
    """Return one output of the cell, to be replaced in place."""
    from IPython.display import display

    handle: DisplayHandle = display(view.bundle(of), raw=True, display_id=True)
    return handle


# The screen of each cell: running a cell again closes what it showed before,
# so that widgets do not pile up in the kernel.
_screens: dict[str | None, WidgetScreen] = {}


def open_screen(display: Display = "auto") -> Screen | None:
    """Open the screen that fits the front end; call it in the cell's own thread.

    "auto": widgets where a person watches, the static output under papermill, nbconvert and nbval,
    nothing outside a notebook.
    """
    check_word("display", display, DISPLAYS)
    fitting, cell = asked_from()
    if display == "auto":
        display = fitting
    if display == "none":
        return None
    screen: Screen | None = None
    if display == "widget":
        screen = attempt("the live view", lambda: _widgets_of(cell))
    # A run needs no screen: without widgets it has one output, without that none.
    return screen or attempt("the view of the run", StaticScreen)


def _widgets_of(cell: str | None) -> WidgetScreen:
    before = _screens.pop(cell, None)
    if before is not None:
        attempt("closing the view before", before.close)
    screen = _screens[cell] = WidgetScreen()
    return screen


def attempt(what: str, action: Callable[[], T]) -> T | None:
    """Do what concerns a screen alone: its failure is a warning, None, and the run goes on."""
    try:
        return action()
    except Exception as error:
        warnings.warn(
            f"{what} failed, and the run goes on without it: {type(error).__name__}: {error}",
            RuntimeWarning,
            stacklevel=2,
        )
        return None


def asked_from() -> tuple[Display, str | None]:
    """Return what fits the front end, and the cell that asks; call it in the cell's own thread.

    The cell is None where the front end does not tell.
    """
    request = _request()
    if request is None:
        return "none", None
    # Only a front end with a person before it can ask for input; one that
    # does not say so is taken for one.
    watched = request.get("content", {}).get("allow_stdin", True)
    return "widget" if watched else "static", request.get("metadata", {}).get("cellId")


def _request() -> dict[str, Any] | None:
    """Return the request that a kernel is executing, None outside a kernel."""
    if "IPython" not in sys.modules:
        return None
    from IPython.core.getipython import get_ipython

    kernel = getattr(get_ipython(), "kernel", None)
    return None if kernel is None else kernel.get_parent()


def raised(error: Exception) -> None:
    """Raise what a thread without a caller met, so that its traceback is shown."""
    raise error
