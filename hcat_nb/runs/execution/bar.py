"""A run in a terminal: a progress bar, as a listener."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hcat_nb.training import events

if TYPE_CHECKING:
    from tqdm import tqdm


class TerminalBar(events.Listener):
    """Shows epoch, loss, accuracy and time left on standard error, if that is a terminal."""

    _bar: tqdm[None]

    def on_start(self, event: events.StartEvent) -> None:
        """Draw an empty bar; its unit is the batch."""
        from tqdm import tqdm

        self._bar = tqdm(
            total=event.n_epochs * event.n_steps,
            desc=f"{event.model} on {event.dataset}",
            unit="batch",
            disable=None,
            bar_format="{desc} {percentage:3.0f}%|{bar}| {elapsed}<{remaining}{postfix}",
        )

    def on_step(self, event: events.StepEvent) -> None:
        """Move the bar by a batch."""
        self._bar.update((event.epoch - 1) * event.n_steps + event.step - self._bar.n)

    def on_epoch(self, event: events.EpochEvent) -> None:
        """Show the epoch's figures."""
        self._bar.set_postfix_str(
            f"epoch {event.epoch}/{event.n_epochs}, loss {event.loss:.4f}, "
            f"accuracy {event.accuracy:.3f}"
        )

    def on_extra(self, event: events.ExtraEvent) -> None:
        """Show how far the extra training is, before the figures of the run's own."""
        self._bar.set_description_str(event.line(), refresh=event.step == 0)

    def on_end(self, event: events.EndEvent) -> None:
        """Leave the bar as it is."""
        self._bar.close()
