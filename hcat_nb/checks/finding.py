"""One thing that was found in the data: how bad it is, the evidence, and what mends it."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

SEVERITIES = SEVERE, LOOK, NOTE = ("severe", "worth a look", "note")
# Kinds whose columns ``exclude="found"`` leaves out.
EXCLUDABLE = ("leak", "identifier", "constant")


@dataclass(frozen=True)
class Finding:
    """A finding; findings of one severity are ranked by how they are listed.

    Parameters
    ----------
    kind : str
        ``"leak"``, ``"identifier"``, ``"constant"``, ``"conflict"``, ...
    severity : {"severe", "worth a look", "note"}
    evidence : str
        What was seen, in one line.
    remedy : str
        The option, as a keyword of Python, or the edit that mends it.
    price : str
        What it costs to leave it, where that was measured.
    columns : tuple of str
        Columns that it speaks of.

    Examples
    --------
    >>> str(Finding("constant", NOTE, "'a' is 0 in every row", "exclude='a'"))
    "note: 'a' is 0 in every row; to mend it: exclude='a'"
    """

    kind: str
    severity: str
    evidence: str
    remedy: str = ""
    price: str = ""
    columns: tuple[str, ...] = ()

    def __str__(self) -> str:
        price = f" ({self.price})" if self.price else ""
        remedy = f"; to mend it: {self.remedy}" if self.remedy else ""
        return f"{self.severity}: {self.evidence}{price}{remedy}"


def leave_out(columns: Iterable[str]) -> str:
    """Return the option of a run that leaves columns out.

    Examples
    --------
    >>> leave_out(["row"]), leave_out(["row", "patient id"])
    ("exclude='row'", "exclude='found'")
    """
    named = list(columns)
    plain = len(named) == 1 and re.fullmatch(r"\w+", named[0]) and named[0] != "found"
    return f"exclude={named[0]!r}" if plain else "exclude='found'"
