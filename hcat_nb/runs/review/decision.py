"""One decision on a sample."""

from __future__ import annotations

from dataclasses import dataclass

from hcat_nb.errors import SpecError, check_word

ACTIONS = ("mislabeled", "relabel", "drop", "keep")


@dataclass(frozen=True)
class Decision:
    """What is to become of a sample.

    ``action`` "mislabeled": the label is wrong, the right one is not known; "keep": looked at, and
    right as it is.  ``time`` is UTC, ISO 8601, whole seconds; ``code`` the class of the new label,
    -1 unless the action is "relabel"; ``note`` a person's own words.
    """

    action: str
    time: str
    code: int = -1
    note: str = ""

    def __post_init__(self) -> None:
        check_word("the action", self.action, ACTIONS)
        if (self.action == "relabel") != (self.code >= 0):
            raise SpecError(
                f"{self.action!r} {'without' if self.code < 0 else 'with'} a new label",
                "a new label for 'relabel', and for nothing else",
            )


Step = dict[int, Decision | None]  # by position; None: nothing is decided any more
