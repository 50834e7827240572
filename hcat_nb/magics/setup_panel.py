"""The panel that sets up a run, shows it, and starts, pauses and stops it while cells stay free."""

from __future__ import annotations

import html
import shlex
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import ipywidgets  # noqa: TID253 - this module is imported when a panel opens

from hcat_nb.commands.table import MAGICS
from hcat_nb.errors import HcatError
from hcat_nb.jupyter.copy_button import CopyButton
from hcat_nb.jupyter.kernel_routes import hear_while_busy
from hcat_nb.jupyter.panels import show_panel
from hcat_nb.jupyter.screens import WidgetScreen, attempt, classed, close_inside
from hcat_nb.jupyter.static_view import StaticView
from hcat_nb.jupyter.training_thread import TrainingThread, aside, error_words
from hcat_nb.magics.newest import Newest
from hcat_nb.magics.parser import MagicCall, parse
from hcat_nb.magics.preview import PreviewPane
from hcat_nb.magics.problem import Problem
from hcat_nb.magics.setup_form import SetupForm
from hcat_nb.magics.text import magic_line, option_words, python_code
from hcat_nb.spec import RunSpec

if TYPE_CHECKING:
    from hcat_nb.api.run import Run
    from hcat_nb.audits.outcome import Audit
    from hcat_nb.runs.execution.forecast import Forecast
    from hcat_nb.training.events import Control

_TYPING_SECONDS = 0.3
_AUDIT_HELP = "look for wrong labels, and say how sure that is: trains several times"
_AUDITING = "After this run the audit trains on copies of the data with planted faults."


class SetupPanel(ipywidgets.VBox):  # type: ignore[misc] # ipywidgets is not annotated
    """Sets up a run by controls; trains it in a thread, so that buttons and cells stay free.

    The panel trains what its line says, through the same parser as the magic. ``spec`` is None
    while the controls hold a mistake; ``run`` is the newest run of this panel, a stopped one
    included, and ``hcat_nb.last_run`` too; ``found`` is its audit, where it was made for one;
    ``error`` is what the newest training failed with.
    """

    _open = False  # Python closes a panel, too, whose options were refused

    def __init__(self, shell: Any, call: MagicCall | None = None) -> None:
        call = MagicCall() if call is None else call
        self.spec: RunSpec | None = _spec(call)
        self.run: Run | None = None
        self.found: Audit | None = None
        self.error: Exception | None = None
        self._shell = shell
        self._lock = threading.RLock()  # callbacks may run in the thread of a subshell
        self._training: TrainingThread | None = None
        self._screen: Any = None
        self._estimates: Newest[Forecast] = Newest(
            lambda forecast: self._form.methods.show_costs(forecast),
            lambda error: self._form.methods.say(error_words(error)),
        )
        self._form = SetupForm(_spec(call), call.words, call.own, self.update, self.estimate)
        self._pane = PreviewPane(_TYPING_SECONDS, Problem(self._form.named))
        self._train_button = _button("Train", "train in the background", self.train, "primary")
        self._audit_button = _button("Audit", _AUDIT_HELP, lambda: self.train(audits=True))
        self._pause_button = _button("Pause", "wait after this batch", self._pause_or_go_on)
        self._stop_button = _button("Stop", "end after this batch, keep finished epochs", self.stop)
        self._starts = [self._train_button, self._audit_button]
        self._buttons = [*self._starts, self._pause_button, self._stop_button]
        self._message = Problem(self._form.named)
        self._line = ipywidgets.HTML("")
        self._code = ipywidgets.HTML("")
        self._copies = [
            CopyButton("Copy", "the line that does the same"),
            CopyButton("Copy as Python", "the Python code that does the same"),
        ]
        self._live = ipywidgets.VBox()
        super().__init__(self._layout())
        self.add_class("hcat-live")  # a live view stands here (static_view.py)
        self.add_class("hcat-frame")
        for button in self._buttons:
            hear_while_busy(button)
        self._show_state()
        self.refresh()
        shell.events.register("post_run_cell", self._after_cell)
        self._open = True

    def __repr__(self) -> str:
        state = "training" if self._is_training else "idle"
        return f"<SetupPanel: {self._form.data.word or 'no dataset'}; {state}>"

    @property
    def line(self) -> str:
        """The magic line that does the same; empty while the controls hold a mistake."""
        return self._text[0]

    @property
    def code(self) -> str:
        """The Python that does the same; empty while the controls hold a mistake."""
        return self._text[1]

    def train(self, audits: bool = False) -> None:
        """Start training, or with ``audits`` an audit that will be ``found``; return at once."""
        with self._lock:
            if self._is_training:
                return
            try:
                call = self._call()
                _spec(call)
            except HcatError as error:
                self._message.fail(error, error_words(error))
                return
            own = self._form.own()
            self.run, self.error, self.found = None, None, None
            if self._screen is not None:
                self._screen.close()
            self._screen = screen = WidgetScreen(self._live)

            def work(control: Control) -> Run:
                from hcat_nb.api.characterize import characterize
                from hcat_nb.audits.audit import audit
                from hcat_nb.jupyter.listener import LiveListener

                given = {**call.keywords, **own, "control": control}
                given["listeners"] = [LiveListener(screen=screen)]
                if not audits:
                    return characterize(**given)
                self.found = audit(**given)
                return self.found.run

            self._pane.drop()
            self._estimates.drop()
            self._pane.offer(call.keywords, training=True)
            self._training = TrainingThread(work, self._ended)
            self._message.say(_AUDITING if audits else "")
            self._training.start()
            self._show_state()

    def pause(self) -> None:
        """Let training wait after the batch that runs."""
        self._tell_training(lambda control: control.resume.clear(), "paused")

    def go_on(self) -> None:
        """Go on after a pause."""
        self._tell_training(lambda control: control.resume.set(), "")

    def stop(self) -> None:
        """End training after the batch that runs; ``run`` then holds all finished epochs."""
        self._tell_training(lambda control: control.stop.set(), "stopping after this batch")

    def wait(self, timeout: float | None = None) -> bool:
        """Wait until training is over; return whether that was in time."""
        return self._training is None or self._training.wait(timeout)

    def estimate(self) -> None:
        """Measure in the background what each method will cost."""
        try:
            call = self._call()
            _spec(call)
        except HcatError as error:
            self._form.methods.say(str(error))
            return
        self._form.methods.say("measuring ...")

        def trial() -> Forecast:
            from hcat_nb.runs.execution.forecast import forecast

            with aside():
                return forecast(**call.keywords)

        self._estimates.offer(trial)

    def refresh(self) -> None:
        """Look at the variables of the notebook again."""
        self._form.refresh(self._shell.user_ns)
        self.update()

    def update(self) -> None:
        """Show what the controls stand for now: line, code and preview."""
        with self._lock:
            self._text = ("", "")
            try:
                call = self._call()
                self.spec = _spec(call)
            except HcatError as error:
                self.spec = None
                self._message.fail(error, error_words(error))
                self._show_text()
                self._show_state()
                return
            own = self._form.own()
            words = self._form.words() + _own_words(own)
            self._text = (
                magic_line("run = %hcat_train", words),
                python_code(self.spec, _objects(call), own),
            )
            self._show_text()
            if not self._is_training:
                self._message.say("")
            self._pane.offer(call.keywords, self._is_training)
            self._show_state()

    def close(self) -> None:
        """Stop training, take the panel away, and let go of the data of its run."""
        if self._open:
            self._open = False
            self.stop()
            self._pane.drop()
            self._estimates.drop()
            self._shell.events.unregister("post_run_cell", self._after_cell)
            self._let_go()
            close_inside(self)
        super().close()

    def _ipython_display_(self, **_: Any) -> None:
        """Show the panel, and behind it words for where no kernel stands behind it."""
        show_panel(self, lambda: self, self._static)

    def _static(self) -> StaticView:
        words = "The panel needs a kernel: run this cell, or %hcat_panel opens it again."
        return StaticView(words + (f" It stood at: {self.line}" if self.line else ""))

    @property
    def _is_training(self) -> bool:
        return self._training is not None and not self._training.over

    def _call(self) -> MagicCall:
        words = shlex.join(self._form.words())
        return parse(MAGICS["hcat_train"], words, None, self._shell.user_ns)

    def _layout(self) -> list[Any]:
        sections = self._form.sections() | {"Python code": [self._code]}
        buttons = ipywidgets.HBox(self._buttons)
        form = classed(ipywidgets.Box([*sections.pop(""), buttons]), "hcat-fields")
        preview = ipywidgets.VBox([_heading("Preview"), self._pane.problem, self._pane.page])
        top = classed(ipywidgets.Box([form, preview]), "hcat-setup")
        line = classed(ipywidgets.HBox([self._line, *self._copies]), "hcat-same")
        folds = [_folding(*one) for one in sections.items()]
        openers = classed(ipywidgets.HBox([one for one, _ in folds]), "hcat-folds")
        opened = [box for _, box in folds]
        head = ipywidgets.HTML('<div class="hcat-view hcat-head"><h3>Set up a run</h3></div>')
        return [head, top, self._message, line, openers, *opened, self._live]

    def _pause_or_go_on(self) -> None:
        training = self._training
        if training is not None and not training.control.resume.is_set():
            self.go_on()
        else:
            self.pause()

    def _tell_training(self, tell: Callable[[Control], None], said: str) -> None:
        with self._lock:
            if self._training is not None and self._is_training:
                tell(self._training.control)
                self._message.say(said)
            self._show_state()

    def _ended(self) -> None:
        """Take over what the thread left; called in it."""
        with self._lock:
            training = self._training
            assert training is not None
            self.run, self.error = training.run, training.error
            notes = [] if self.run is None else [f"{self.run!r} is .run of this panel"]
            notes += [] if self.found is None else ["its audit is .found"]
            said = " · ".join([*notes, *training.warnings])
            if self.error is not None:
                self._message.fail(
                    self.error, " · ".join(filter(None, [error_words(self.error), said]))
                )
            else:
                self._message.say(said)
            self._show_state()
            attempt("clearing the view", self._screen.discard)  # of a run that did not begin
            if (run := training.run) is not None and self._open:
                from hcat_nb.jupyter.next_step import offer_next

                attempt("the result's line", lambda: offer_next(self._screen, run, self.found))
            if not self._open:
                self._let_go()
                return
            with suppress(HcatError):  # a mistake in the controls is told where it was made
                self._pane.offer(self._call().keywords, training=False)

    def _let_go(self) -> None:
        """Keep tables only of what was trained: the whole run is ``hcat_nb.last_run``."""
        training, self.found = self._training, None
        if training is not None and training.over and training.run is not None:
            self.run = training.run = training.run.without_data()

    def _show_text(self) -> None:
        names = ("magic line", "Python code")
        for box, copy, text, name in zip(
            (self._line, self._code), self._copies, self._text, names, strict=True
        ):
            copy.text = text
            box.value = (
                f'<pre tabindex="0" aria-label="{name}" style="white-space:pre-wrap;'
                f'word-break:normal;user-select:text;margin:2px 0">{html.escape(text)}</pre>'
            )

    def _show_state(self) -> None:
        training, active = self._training, self._is_training
        stopping = training is not None and training.control.stop.is_set()
        for button in self._starts:
            button.disabled = active or self.spec is None
        self._pause_button.disabled = self._stop_button.disabled = not active or stopping
        paused = active and training is not None and not training.control.resume.is_set()
        self._pause_button.description = "Resume" if paused else "Pause"

    def _after_cell(self, _: Any) -> None:
        self.refresh()


def _spec(call: MagicCall) -> RunSpec:
    """Return the specification that a call stands for."""
    from hcat_nb.runs.execution.inputs import make_spec

    given, objects = call.keywords, ("data", "labels", "name", "model", "features")
    options = {key: value for key, value in given.items() if key not in objects}
    data, model, features = (given.get(name) for name in ("data", "model", "features"))
    return make_spec(data, model, None, options, features=features)


def _objects(call: MagicCall) -> dict[str, str]:
    """Return the arguments that are variables, as expressions."""
    found: dict[str, str] = {}
    keywords, words = call.keywords, call.words
    if not isinstance(keywords.get("data", ""), str):
        pair = "labels" in keywords
        found["data"] = f"{words['dataset']}[0]" if pair else words["dataset"]
        if pair:
            found["labels"] = f"{words['dataset']}[1]"
        if "name" in keywords:
            found["name"] = repr(keywords["name"])
    if not isinstance(keywords.get("model", ""), str):
        found["model"] = words["model"]
    if not isinstance(keywords.get("features", ""), str):
        found["features"] = words["features"]
    return found


def _own_words(own: Mapping[str, Any]) -> list[str]:
    words = []
    for name, value in own.items():
        if value is not False:
            words += option_words(name, value)
    return words


def _button(text: str, tooltip: str, act: Any, style: str = "") -> Any:
    button = ipywidgets.Button(description=text, tooltip=tooltip, button_style=style)
    button.on_click(lambda _: act())
    return button


def _heading(text: str) -> Any:
    return ipywidgets.HTML(f"<b>{html.escape(text)}</b>")


def _folding(title: str, inside: list[Any]) -> tuple[Any, Any]:
    """Return a button and what it opens; a real button, so that the keyboard reaches it."""
    box = ipywidgets.VBox(inside, layout={"display": "none", "margin": "0 0 0 12px"})
    button = ipywidgets.ToggleButton(
        value=False, description=title, icon="chevron-right", tooltip=f"show or hide: {title}"
    )

    def fold(change: Any) -> None:
        box.layout.display = None if change["new"] else "none"
        button.icon = "chevron-down" if change["new"] else "chevron-right"

    button.observe(fold, "value")
    return button, box
