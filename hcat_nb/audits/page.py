"""An audit as one page for somebody without a kernel: no script, no network."""

from __future__ import annotations

import html
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from hcat_nb.audits.review import next_ones
from hcat_nb.errors import StoreError
from hcat_nb.runs.review.pictures import data_url, png
from hcat_nb.runs.review.rebuilding import data_or_why
from hcat_nb.runs.store.atomic import delivered, make_room

if TYPE_CHECKING:
    from hcat_nb.audits.outcome import Audit
    from hcat_nb.data.dataset import LabelledDataset

_MARK = '<meta name="generator" content="hcat_nb audit">'
_SHOWN = ("rank", "label", "suggested", "verdict", "evidence", "worst_in", "neighbours_disagree")
_WIDEST = 160  # characters of a cell
_STYLE = """
:root { color-scheme: light dark; --line: color-mix(in srgb, currentColor 18%, transparent); }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 1100px; margin: 24px auto;
  padding: 0 16px; }
h1 { font-size: 20px; } h2 { font-size: 16px; margin-top: 32px; }
p { margin: 8px 0; max-width: 75ch; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; font-size: 13px; font-variant-numeric: tabular-nums; }
th, td { padding: 4px 12px 4px 0; text-align: left; border-bottom: 1px solid var(--line);
  vertical-align: top; }
td:first-child { overflow-wrap: anywhere; min-width: 9ch; }
img { width: 72px; image-rendering: pixelated; display: block; }
"""


def write_page(audit: Audit, path: str | Path, *, k: int = 100, overwrite: bool = False) -> Path:
    """Write the page of an audit, of the ``k`` samples to look at first; ``path`` ends in .html.

    What stands there is replaced if it is a page of an audit, or with ``overwrite``.
    """
    place = page_place(path, overwrite=overwrite)
    make_room(place)
    text = page(audit, k)
    delivered(place, lambda draft: draft.write_text(text, encoding="utf-8"))
    return place


def page_place(path: str | Path, *, overwrite: bool = False) -> Path:
    """Return where a page goes; raise StoreError where none can, as :func:`write_page` says."""
    place = Path(path).expanduser()
    if place.is_dir():
        raise StoreError(f"{place} is a folder", "the name of a page in it")
    if place.suffix.lower() not in (".html", ".htm"):
        raise StoreError(f"{place} is no name of a page", "a name that ends in .html")
    if place.exists() and not overwrite and _MARK not in place.read_text(errors="replace")[:2000]:
        raise StoreError(f"{place} exists, and is no page of an audit", remedy="overwrite=True")
    return place


def page(audit: Audit, k: int) -> str:
    """Return the page as HTML; whatever comes from the data is text in it."""
    name = html.escape(str(audit.run.info["dataset"]["name"]))
    dataset, why = data_or_why(audit.run)
    first = next_ones(audit.samples, k)
    told = "".join(f"<p>{html.escape(line)}</p>" for line in audit.summary().splitlines())
    parts = [
        f'<!doctype html><html lang="en"><head><meta charset="utf-8">{_MARK}',
        '<meta name="viewport" content="width=device-width">',
        f"<title>Audit of {name}</title><style>{_STYLE}</style></head><body>",
        f"<h1>Audit of {name}</h1>{told}",
        f"<h2>The first {len(first)} samples to look at</h2>",
        f"<p>{html.escape(why)}</p>" if why else "",
        _table(_shown(first, dataset, audit)),
        "<h2>What finds planted wrong labels in these data</h2>",
        "<p>Figures with their 95 % intervals; recall is within the first 5 %.</p>",
        _table(_figures(audit.methods)),
        "<h2>What tells causes in these data</h2>",
        _table(_figures(audit.causes)),
        f"<p>Trained: {audit.plan.seeds} on the data as they are, {audit.plan.copies} on copies "
        f"with planted faults; {len(audit.plan.methods)} methods.</p></body></html>",
    ]
    return "\n".join(parts)


def _shown(first: pd.DataFrame, dataset: LabelledDataset | None, audit: Audit) -> list[list[str]]:
    """Return the head and the rows of the samples, as cells of HTML."""
    columns = [name for name in _SHOWN if name in first]
    places = audit.run.details.index.get_indexer_for(first.index)
    original = None if dataset is None else dataset.original
    pictures = dataset is not None and dataset.modality == "image"
    extra = [] if original is None else [str(name) for name in original.columns[:6]]
    rows = [["sample_id", *(["picture"] if pictures else []), *columns, *extra]]
    for place, (sample, row) in zip(places, first.iterrows(), strict=True):
        cells = [_cell(sample)]
        if pictures:
            assert dataset is not None
            cells.append(f'<img alt="sample" src="{data_url(png(dataset, int(place)))}">')
        cells += [_cell(row[name]) for name in columns]
        if original is not None:
            cells += [_cell(value) for value in original.iloc[int(place)].tolist()[:6]]
        rows.append(cells)
    return rows


def _figures(table: pd.DataFrame) -> list[list[str]]:
    names = [name for name in table.columns if not name.endswith(("_low", "_high"))]
    rows = [[str(table.index.name), *names]]
    for label, row in table.iterrows():
        cells = [_cell(label)]
        for name in names:
            text = _cell(row[name])
            if f"{name}_low" in table:
                text += f" ({row[f'{name}_low']:.3f} to {row[f'{name}_high']:.3f})"
            cells.append(text)
        rows.append(cells)
    return rows


def _cell(value: object) -> str:
    if isinstance(value, float):
        return "" if value != value else f"{value:.3g}"
    text = "" if value is None else str(value)
    return html.escape(text if len(text) <= _WIDEST else text[: _WIDEST - 1] + "…")


def _table(rows: list[list[str]]) -> str:
    # A long name breaks where its words do, and so a narrow page holds more columns.
    head = "".join(f"<th>{html.escape(cell).replace('_', '_<wbr>')}</th>" for cell in rows[0])
    body = "".join(f"<tr>{''.join(f'<td>{cell}</td>' for cell in row)}</tr>" for row in rows[1:])
    return f'<div class="wide" tabindex="0"><table><tr>{head}</tr>{body}</table></div>'
