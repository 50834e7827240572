"""Errors that say what was wrong, what was expected, and how to mend it.

Every mistake a user can make ends in one of these, raised before any long
work starts.  ``str(error)`` is one line, so that a magic or the command line
can print it as it is.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

_LONGEST = 1000  # characters in which a message says what was wrong


class HcatError(Exception):
    """Base of all errors that hcat_nb raises for a user's mistake.

    Parameters
    ----------
    wrong : str
        What was wrong, naming the value that was given.
    expected : str, optional
        What would have been right.
    remedy : str, optional
        What to do about it.

    Attributes
    ----------
    told : bool
        Whether another process of the same run shows it.
    """

    told: bool = False

    def __init__(self, wrong: str, expected: str | None = None, remedy: str | None = None) -> None:
        wrong = " ".join(wrong.split()) if "\n" in wrong else wrong  # of a table, say
        if len(wrong) > _LONGEST:  # a value that was given fills pages
            wrong = f"{wrong[: _LONGEST // 2]} ... {wrong[-_LONGEST // 2 :]}"
        self.wrong = wrong
        self.expected = expected
        self.remedy = remedy
        parts = [wrong.rstrip(".")]
        if expected:
            parts.append("expected " + expected.rstrip("."))
        if remedy:
            parts.append("to mend it: " + remedy.rstrip("."))
        super().__init__("; ".join(parts))


class UnknownNameError(HcatError, LookupError):
    """A name of a method, hardness type, dataset, model or option that does not exist."""


class SpecError(HcatError, ValueError):
    """A run specification holds a value outside its range."""


def check_word(name: str, value: Any, known: Iterable[str]) -> None:
    """Raise SpecError unless ``value`` is one of these words."""
    if not (isinstance(value, str) and value in known):
        raise SpecError(f"{name} is {value!r}", "one of " + ", ".join(known))


class DataError(HcatError, ValueError):
    """A dataset cannot be used as it is."""


class DataWarning(UserWarning):
    """A severe finding in the data of a run, told before it trains."""


class MissingDataError(HcatError, FileNotFoundError):
    """A dataset's files are absent and may not, or could not, be downloaded."""


class ModelError(HcatError, ValueError):
    """A model does not fit the dataset."""


class ScoreError(HcatError, ArithmeticError):
    """A method produced NaN or infinity without a stated reason."""


class DivergedError(HcatError, ArithmeticError):
    """Training's loss became NaN or infinite, or the model that it left did.

    Attributes
    ----------
    epoch : int
        Which epoch.
    loss : float
        Its mean loss, measured before each step: finite where the last steps broke the model.
    training : object
        History of the epochs that finished before.
    run : Run or None
        The run of those epochs, scored; None if there is none.
    """

    def __init__(self, epoch: int, loss: float, training: Any, what: str = "training") -> None:
        self.epoch = epoch
        self.loss = loss
        self.training = training
        self.run: Any = None
        finite = math.isfinite(loss)
        super().__init__(
            f"{what} diverged: "
            + (
                f"after epoch {epoch} weights or outputs of the model are NaN or infinite"
                if finite
                else f"the mean loss of epoch {epoch} is {loss}"
            ),
            "finite weights and outputs" if finite else "a finite loss",
            "lower lr, or scale the features (normalize=auto)",
        )


class TooLargeError(HcatError, MemoryError):
    """A run would need more memory than is free."""


class StoreError(HcatError, ValueError):
    """A saved run is absent, incomplete or of another schema."""


class RankError(HcatError, RuntimeError):
    """Another process of a run that several train together failed; the message is its own."""


def some(words: Iterable[object], most: int = 6, sign: str = ", ") -> str:
    """Return words as a list in a message, cut short.

    >>> some("abc", 2)
    'a, b and 1 more'
    """
    listed = [str(word) for word in words]
    more = f" and {len(listed) - most:,} more" if len(listed) > most else ""
    return sign.join(listed[:most]) + more
