"""How far a sweep is: figures, and a line in the terminal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from hcat_nb.casts import time_words

if TYPE_CHECKING:
    from tqdm import tqdm


@dataclass(frozen=True)
class SweepProgress:
    """How far a sweep is."""

    total: int
    complete: int  # done before
    done: int = 0
    failed: int = 0  # killed ones, too
    running: int = 0
    seconds_left: float | None = None  # None before the first run ended
    waiting: bool = False  # whether no worker is there to do what is left
    best: str = ""  # so far, in words

    @property
    def ended(self) -> int:
        """Runs that need nothing more."""
        return self.complete + self.done + self.failed

    def __str__(self) -> str:
        words = [f"{self.complete + self.done}/{self.total} done"]
        words += [f"{self.running} running"] if self.running else []
        words += ["waiting for a worker"] if self.waiting else []
        words += [f"{self.failed} failed"] if self.failed else []
        if self.seconds_left is not None and self.ended < self.total and not self.waiting:
            words.append(f"{time_words(self.seconds_left)} left")
        return ", ".join(words)


class Standing:
    """Which method is best so far, by its mean AUROC over the runs that ended."""

    def __init__(self) -> None:
        self._sums: dict[str, list[float]] = {}
        self._runs = 0

    def add(self, metrics: Sequence[Mapping[str, Any]]) -> None:
        """Take in the metrics of a run; without hardness there are none."""
        known = {row["hcm"]: row["auroc"] for row in metrics if row.get("kind") == "method"}
        known = {name: value for name, value in known.items() if value is not None}
        self._runs += bool(known)
        for name, value in known.items():
            self._sums.setdefault(name, []).append(value)

    def __str__(self) -> str:
        whole = {name: sum(one) for name, one in self._sums.items() if len(one) == self._runs}
        if not whole:
            return ""
        best = max(whole, key=lambda name: whole[name])
        runs = "1 run" if self._runs == 1 else f"{self._runs} runs"
        return f"best so far: {best}, mean AUROC {whole[best] / self._runs:.2f} of {runs}"


class SweepListener(Protocol):
    """What is told about progress."""

    def show(self, progress: SweepProgress) -> None:
        """Show the newest figures."""

    def end(self) -> None:
        """Leave them as they are."""


class TerminalProgress:
    """A bar on standard error, if that is a terminal and it is not ``hidden``."""

    _bar: tqdm[None] | None = None

    def __init__(self, *, hidden: bool = False) -> None:
        self._hidden = hidden or None  # None: tqdm asks whether it is a terminal

    def show(self, progress: SweepProgress) -> None:
        """Move the bar."""
        from tqdm import tqdm

        if self._bar is None:
            shape = "sweep |{bar}| {elapsed}{postfix}"
            self._bar = tqdm(total=progress.total, disable=self._hidden, bar_format=shape)
        self._bar.n = progress.ended
        self._bar.set_postfix_str(str(progress))

    def end(self) -> None:
        """Leave the bar as it is."""
        if self._bar is not None:
            self._bar.close()
