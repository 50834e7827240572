"""What a check of data returns: one page, as text, HTML or JSON."""

from __future__ import annotations

import html
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from hcat_nb.checks.finding import NOTE, SEVERE, SEVERITIES, Finding

_COLOR = dict(zip(SEVERITIES, ("#d33", "#b80", "#888"), strict=True))
_STYLE = (
    "color-scheme:light dark;font-family:system-ui,sans-serif;line-height:1.45;max-width:60em;"
    "color:inherit;background:transparent"
)


@dataclass(frozen=True)
class Check:
    """What a check found.

    Parameters
    ----------
    name : str
        Of the data.
    read : mapping of str to str or mapping
        What was read: rows, columns, classes, missing values, ...
    done : tuple of str
        How a run changes the data (scaling, encoding, imputing, ...).
    findings : tuple of Finding
        The worst first.
    skipped : tuple of str
        Checks that did not run, and why.
    """

    name: str
    read: Mapping[str, Any]
    done: tuple[str, ...] = ()
    findings: tuple[Finding, ...] = field(default=())
    skipped: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        rank = sorted(self.findings, key=lambda one: SEVERITIES.index(one.severity))
        object.__setattr__(self, "findings", tuple(rank))

    @property
    def severe(self) -> tuple[Finding, ...]:
        """The severe findings."""
        return tuple(one for one in self.findings if one.severity == SEVERE)

    @property
    def counts(self) -> dict[str, int]:
        """How many findings are of each severity."""
        return {word: sum(one.severity == word for one in self.findings) for word in SEVERITIES}

    def to_dict(self) -> dict[str, Any]:
        """Return plain values, for JSON."""
        return {
            "name": self.name,
            "counts": self.counts,
            "findings": [asdict(one) for one in self.findings],
            "read": dict(self.read),
            "done": list(self.done),
            "did_not_run": list(self.skipped),
        }

    def to_json(self) -> str:
        """Return the same as text."""
        return json.dumps(self.to_dict(), default=str)

    def __repr__(self) -> str:
        told = ", ".join(f"{count} {word}" for word, count in self.counts.items())
        return f"<Check: {self.name}; {told}>"

    def __str__(self) -> str:
        lines = [f"{self.name}: {self._head()}", ""]
        for number, one in enumerate(self.findings, 1):
            word = NOTE if one.severity == NOTE else one.severity.upper()
            lines.append(f"{number:>2}. {word}: {one.evidence}")
            lines += [f"    {one.price}"] if one.price else []
            lines += [f"    to mend it: {one.remedy}"] if one.remedy else []
        for title, part in (
            ("what was read", self._facts()),
            ("what a run does to it", self.done),
            ("did not run", self.skipped),
        ):
            if part:
                lines += ["", title, *(f"  {line}" for line in part)]
        return "\n".join(lines).replace("\n\n\n", "\n\n")

    def _repr_html_(self) -> str:
        safe = html.escape
        found = "".join(
            f'<li><b style="color:{_COLOR[one.severity]}">{one.severity}</b> {safe(one.evidence)}'
            + (f"<br><i>{safe(one.price)}</i>" if one.price else "")
            + (f"<br>to mend it: <code>{safe(one.remedy)}</code>" if one.remedy else "")
            + "</li>"
            for one in self.findings
        )
        parts = "".join(
            f"<details{' open' if is_open else ''}><summary>{title}</summary><ul>"
            + "".join(f"<li>{safe(line)}</li>" for line in lines)
            + "</ul></details>"
            for title, lines, is_open in (
                ("what was read", self._facts(), False),
                ("what a run does to it", self.done, False),
                ("did not run", self.skipped, True),
            )
            if lines
        )
        return (
            f'<div style="{_STYLE}"><b>{safe(self.name)}</b>: {safe(self._head())}'
            f"<ol>{found}</ol>{parts}</div>"
        )

    def _head(self) -> str:
        if not self.findings:
            return "nothing was found by the checks that ran"
        return ", ".join(f"{count} {word}" for word, count in self.counts.items() if count)

    def _facts(self) -> list[str]:
        lines = []
        for key, value in self.read.items():
            if isinstance(value, Mapping):
                lines.append(f"{key}: " + ", ".join(f"{one} {text}" for one, text in value.items()))
            else:
                lines.append(f"{key}: {value}")
        return lines
