"""The step after a review: train again on the data as decided, and tell what changed."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

import ipywidgets  # noqa: TID253 - this module is imported when a panel is shown

from hcat_nb.jupyter.kernel_routes import hear_while_busy
from hcat_nb.jupyter.latest import keep
from hcat_nb.jupyter.review.compare_panel import ComparePanel
from hcat_nb.jupyter.screens import WidgetScreen, classed
from hcat_nb.jupyter.training_thread import TrainingThread, error_words

if TYPE_CHECKING:
    from hcat_nb.jupyter.review.explore_panel import ExplorePanel
    from hcat_nb.runs.store.record import Record
    from hcat_nb.training.events import Control

_FIRST = "Decide on some samples; then the data can be mended and the model trained again."


class Retraining:
    """A line that says what is left to find, a button, and below it the new run's comparison.

    ``parts`` are the widgets, in their order.
    """

    def __init__(self, panel: ExplorePanel) -> None:
        self._panel = panel
        self._retrain = getattr(panel.run, "retrain", None)  # of hcat_nb.Run, which stands above
        self._decided = 0
        self._training: TrainingThread | None = None
        self._screen: WidgetScreen | None = None
        self._said = ipywidgets.HTML("")
        self._button = ipywidgets.Button(
            description="Apply and retrain",
            tooltip="train again on the data as decided, and compare",
            button_style="primary",
        )
        self._button.on_click(lambda _: self.begin())
        hear_while_busy(self._button)
        line = classed(ipywidgets.HBox([self._said, self._button]), "hcat-result")
        self._compared, self._live = ipywidgets.VBox(), ipywidgets.VBox()
        self.parts = (line, self._compared, self._live)
        self.tell(0, "")

    def tell(self, decided: int, remains: str) -> None:
        """Show what is left to find, and let decisions be applied once there are some."""
        self._decided = decided
        self._say(remains or (f"{decided:,} decided on." if decided else _FIRST))

    def begin(self) -> None:
        """Train in the background, with a live view; a mistake is told in the line."""
        retrain, run, data = self._retrain, self._panel.run, self._panel.dataset
        if self._is_training or retrain is None:
            return
        if self._screen is not None:
            self._screen.close()
        self._screen = screen = WidgetScreen(self._live)
        given = data if run.dataset is None else None

        def work(control: Control) -> Record:
            from hcat_nb.jupyter.listener import LiveListener

            screen.obey(control)
            listener = LiveListener(screen=screen)
            made: Record = retrain(dataset=given, listeners=[listener], control=control)
            return keep(made)

        self._training = TrainingThread(work, self._ended)
        self._say(f"Training again, with {self._decided:,} decisions applied.")
        self._training.start()

    def close(self) -> None:
        """End a training, and let go of the runs."""
        if self._training is not None:
            self._training.control.stop.set()
            self._training = None  # it has the run
        self._retrain = None
        for shown in self._compared.children:
            shown.close()
        if self._screen is not None:
            self._screen.close()

    @property
    def _is_training(self) -> bool:
        return self._training is not None and not self._training.over

    def _ended(self) -> None:
        """Compare; called in the thread that trained."""
        training, screen = self._training, self._screen
        if training is None or screen is None:  # closed meanwhile
            return
        new, error = training.run, training.error
        if new is None:
            screen.discard()
            assert error is not None
            self._say(error_words(error), bad=True)
            return
        for shown in self._compared.children:
            shown.close()
        self._panel.retrained = new
        self._compared.children = (ComparePanel(self._panel.run, new),)
        self._say("Trained again on the data as decided: the new run is hcat_nb.last_run.")

    def _say(self, words: str, bad: bool = False) -> None:
        kind = "hcat-error" if bad else "hcat-left"
        self._said.value = f'<span class="hcat-view {kind}" role="status">{escape(words)}</span>'
        able = self._retrain is not None and self._decided > 0
        self._button.disabled = self._is_training or not able
