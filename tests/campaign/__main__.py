"""Run the campaigns, or go on with them, and print the table.

    python -m tests.campaign                     # all of them: hours on two cores
    python -m tests.campaign kills --trials 20   # the first 20 attempts of one
    python -m tests.campaign disk --only folds   # those whose name has this in it
    python -m tests.campaign --table             # what was found so far
    python -m tests.campaign --lines             # the line that each bad input got

Each attempt is a line of the results' file; what stands there is not tried again.
"""

from __future__ import annotations

import argparse
import importlib
import json
import tempfile
import time
from itertools import islice
from pathlib import Path
from typing import Any

from tests.campaign.trials import SAID, Campaign, LostError, warm

NAMES = ["kills", "interrupts", "bits", "disk", "inputs", "hostile", "pairs", "soak", "devices"]


def campaign(name: str) -> Campaign:
    """The campaign of this name."""
    module: Any = importlib.import_module(f"tests.campaign.{name}")
    found: Campaign = module.CAMPAIGN
    return found


def tried(file: Path) -> list[dict[str, Any]]:
    """All attempts so far: campaign, trial, what was lost, seconds."""
    return [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []


def attempt(name: str, file: Path, trials: int | None, only: str = "") -> None:
    """Make the attempts that the file has not yet."""
    known = {(one["campaign"], one["trial"]) for one in tried(file)}
    for trial in islice(campaign(name).trials(), trials):
        if (name, trial.name) in known or only not in trial.name:
            continue
        begin = time.monotonic()
        with tempfile.TemporaryDirectory(prefix="campaign_") as folder:
            try:
                lost = trial.attempt(Path(folder))
            except LostError as error:
                lost = str(error)
            said = Path(folder, SAID)
            row = {"campaign": name, "trial": trial.name, "lost": lost}
            row |= {"said": said.read_text(encoding="utf-8")} if said.exists() else {}
        row["seconds"] = round(time.monotonic() - begin, 2)
        with file.open("a", encoding="utf-8") as results:
            results.write(json.dumps(row) + "\n")
        if lost:
            print(f"{name}: {trial.name}: {lost}", flush=True)


def table(file: Path, names: list[str]) -> str:
    """The counts, in Markdown."""
    lines = ["| what | tried, at least | lost or silently wrong |", "| --- | --- | --- |"]
    for name in names:
        found, of = [one for one in tried(file) if one["campaign"] == name], campaign(name)
        lost = sum(bool(one["lost"]) for one in found)
        lines.append(f"| {of.what} | {len(found)} of {of.at_least} | {lost} |")
    return "\n".join(lines)


def lines(file: Path) -> str:
    """What each bad input was told, in Markdown."""
    rows = ["| what was given | what was said |", "| --- | --- |"]
    for one in (one for one in tried(file) if one["campaign"] == "inputs"):
        for line in one.get("said", "").splitlines():
            rows.append("| " + " | ".join(_cell(text) for text in (one["trial"], line)) + " |")
    return "\n".join(rows)


def _cell(text: str) -> str:
    shown = "".join(one if one.isprintable() else "\N{REPLACEMENT CHARACTER}" for one in text)
    shown = shown if len(shown) < 600 else f"{shown[:590]} ..."
    return shown.replace("|", "\\|").replace("<", "&lt;")


def main() -> None:
    """Parse the command line."""
    parser = argparse.ArgumentParser(prog="python -m tests.campaign", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(NAMES))
    parser.add_argument("--trials", type=int, help="the first so many of each")
    parser.add_argument("--only", default="", metavar="TEXT", help="those with this in their name")
    parser.add_argument("--out", type=Path, default=Path("output/campaign.jsonl"))
    parser.add_argument("--table", action="store_true", help="print what was found, try nothing")
    parser.add_argument("--lines", action="store_true", help="print what bad inputs were told")
    options = parser.parse_args()
    names = options.names or NAMES
    if unknown := set(names) - set(NAMES):
        parser.error(f"{', '.join(sorted(unknown))}: expected {', '.join(NAMES)}")
    options.out.parent.mkdir(parents=True, exist_ok=True)
    if options.lines:
        print(lines(options.out))
        return
    if not options.table:
        warm(names)
        for name in names:
            attempt(name, options.out, options.trials, options.only)
        if "inputs" in names:
            page = options.out.with_suffix(".inputs.md")
            page.write_text(lines(options.out), encoding="utf-8")
    print(table(options.out, names))


if __name__ == "__main__":
    main()
