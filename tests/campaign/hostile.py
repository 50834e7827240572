"""Names, texts, plans, folders and images of somebody who means harm: data stay data."""

from __future__ import annotations

import functools
import html.parser
import io
import struct
import warnings
import zipfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import ipywidgets
import numpy as np
import pandas as pd

import hcat_nb as hcat
from hcat_nb.charts.picture import chart_html
from hcat_nb.errors import HcatError
from hcat_nb.jupyter.review.compare_panel import ComparePanel
from hcat_nb.jupyter.review.explore_screen import ExploreScreen
from hcat_nb.sweeps.dry_run import dry_run
from hcat_nb.sweeps.grid import read_plan
from tests.campaign.trials import Campaign, LostError, Trial, told

MARK = "hcatx"
TEXTS = [
    f"<{MARK}>", f'"><{MARK}>', f"'><img src=x onerror={MARK}>", f"</script><{MARK}>",
    f"</title></style><{MARK}>", f"[x](javascript:{MARK})", f"javascript:{MARK}",
    f"{{{{{MARK}}}}} ${{{MARK}}} {{%{MARK}%}}", f"datum.{MARK} + 1", f"--><{MARK}>",
    f"a.b[0]['{MARK}'].c", f"'); {MARK}(); ('",
]  # fmt: skip
PLACES = ("classes", "ids", "columns", "texts", "name")
# Where Vega evaluates, links or loads.
EVALUATED = {"expr", "calculate", "filter", "href", "url", "test", "signal", "update", "format"}


class _Page(html.parser.HTMLParser):
    """Finds elements and attributes that came from a text."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        """Note an element that is none of ours, and an attribute that acts."""
        acting = [
            name for name, value in attributes
            if name.startswith("on") or (name in ("href", "src") and MARK in (value or ""))
        ]  # fmt: skip
        if tag == MARK or acting:
            self.found.append(f"<{tag} {acting}>")


def _safe_html(where: str, page: str) -> None:
    parser = _Page()
    parser.feed(page)
    if parser.found:
        raise LostError(f"{where}: {parser.found[:3]}")


def _safe_chart(where: str, part: Any, key: str = "") -> None:
    if isinstance(part, dict):
        for name, one in part.items():
            if name != "datasets":
                _safe_chart(where, one, name)
    elif isinstance(part, list):
        for one in part:
            _safe_chart(where, one, key)
    elif key in EVALUATED and MARK in str(part):
        raise LostError(f"{where}: {key} = {part!r}")


def _safe_widget(where: str, widget: Any) -> None:
    for one in (widget, *getattr(widget, "children", ())):
        if one is not widget:
            _safe_widget(where, one)
    if isinstance(widget, ipywidgets.HTML):
        _safe_html(f"{where}: a widget", widget.value)


def _dataset(text: str, place: str) -> Any:
    rng = np.random.default_rng(0)
    names = ["a", "b", "c"]
    frame = pd.DataFrame(rng.normal(size=(60, 3)), columns=names)
    labels = np.array(["one", "two"])[(frame["a"] > 0).astype(int)]
    if place == "classes":
        labels = np.where(labels == "one", text, labels)
    if place == "columns":
        frame = frame.rename(columns={"a": text})
    if place == "texts":
        frame["b"] = np.where(np.arange(60) % 2, text, "other")
    if place == "ids":
        frame.index = pd.Index([f"{text}{number}" for number in range(60)])
    return hcat.load(
        frame.assign(y=labels), target="y", **({"name": text} if place == "name" else {})
    )


def _shown(text: str, place: str, folder: Path) -> None:
    warnings.simplefilter("ignore")
    data = _dataset(text, place)
    _safe_html("check", hcat.check(data)._repr_html_())
    run = hcat.characterize(
        data, epochs=2, methods="el2n aum datamaps", seed=0, hardness="uniform", p=0.1,
        keep_dynamics="probs",
        out=folder / "run",
    )  # fmt: skip
    _safe_html("hardest", run.hardest()._repr_html_())
    for name in ("data_map", "histograms", "trajectories", "by_class", "curves", "scatter"):
        chart = getattr(run, name)
        spec = (chart("el2n", "aum") if name == "scatter" else chart()).to_dict()
        _safe_chart(name, spec)
        _safe_html(name, chart_html(spec, b"png"))
    run.decisions().drop(run.scores.index[:2])
    _safe_widget("explorer", ExploreScreen(run.explore()).box)
    _safe_widget("comparison", ComparePanel(run, run))
    audit = hcat.audit(data, epochs=2, methods="el2n aum", seed=0)
    _safe_html("audit", audit.report(folder / "audit.html").read_text(encoding="utf-8"))


def _name(text: str, place: str, folder: Path) -> str:
    told(_shown, text, place, folder)
    return ""


def _refused(act: Callable[[], object]) -> str:
    try:
        act()
    except HcatError as error:
        return "several lines" if "\n" in str(error) or len(str(error)) > 2000 else ""
    return "accepted"


def _bomb(levels: int = 12) -> str:
    lines = ['a0: &a0 ["x","x","x","x","x","x","x","x","x"]']
    for level in range(1, levels):
        before = ",".join([f"*a{level - 1}"] * 9)
        lines.append(f"a{level}: &a{level} [{before}]")
    return "\n".join(lines)


def _png(width: int, height: int) -> bytes:
    def chunk(kind: bytes, data: bytes) -> bytes:
        body = kind + data
        return struct.pack(">I", len(data)) + body + struct.pack(">I", zlib.crc32(body))

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head)
        + chunk(b"IDAT", zlib.compress(b"\0" * 1000)) + chunk(b"IEND", b"")
    )  # fmt: skip


PLANS: dict[str, Any] = {
    "aliases that multiply": _bomb(),
    "199^6 combinations": {
        "base": {"dataset": "wine"},
        "grid": {key: [one / 1000 for one in range(1, 200)] for key in ("p", "lr")}
        | {key: list(range(199)) for key in ("data_seed", "model_seed")}
        | {"epochs": list(range(1, 200)), "batch_size": list(range(2, 201))},
    },
    "10^12 runs": {"base": {"dataset": "wine"}, "total_runs": 10**12},
    "deep": "[" * 100_000,
    "python object": "!!python/object/apply:os.system ['touch hcatx']",
    "a key twice": "base: {dataset: wine}\nbase: {dataset: digits}\n",
    "merge of itself": "a: &a {<<: *a}",
    "tag": "!hcatx {}",
}


def _plan(name: str, folder: Path) -> str:
    plan: Any = PLANS[name]
    if isinstance(plan, str):
        (folder / "plan.yaml").write_text(plan)
        plan = str(folder / "plan.yaml")
    return str(told(_refuses_plan, plan))


def _refuses_plan(plan: Any) -> str:
    return _refused(lambda: dry_run(read_plan(plan)))


def _zip(names: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in names.items():
            archive.writestr(name, data)
    return buffer.getvalue()


ROWS = b"a,y\n" + b"1,0\n2,1\n" * 20
FILES: dict[str, tuple[str, bytes]] = {
    "an image of 4 billion pixels": ("photos/a/x.png", _png(65_000, 65_000)),
    "an image of 2^31 columns": ("photos/a/x.png", _png(2**31 - 1, 2)),
    "a zip that leaves": ("rows.csv.zip", _zip({"../../hcatx.csv": ROWS, "x.csv": ROWS})),
    "a zip of zeros": ("rows.csv.zip", _zip({"x.csv": b"0" * 3_000_000_000})),
    "a grid of 10^9 columns": ("rows.csv", b"a," * 2_000_000 + b"y\n1\n"),
    "json of absurd depth": ("rows.json", b'{"a":' * 200_000),
}


def _file(name: str, folder: Path) -> str:
    place, content = FILES[name]
    path = folder / "in" / place
    path.parent.mkdir(parents=True)
    path.write_bytes(content)
    if place.startswith("photos"):
        for other in ("a", "b"):
            (folder / "in/photos" / other).mkdir(exist_ok=True)
            (folder / f"in/photos/{other}/good.png").write_bytes(_small_png())
    lost = str(told(_refuses_file, folder / "in" / place.split("/")[0]))
    stray = [one for one in folder.rglob(f"*{MARK}*") if one.is_file()]
    return lost or (f"wrote {stray}" if stray else "")


def _small_png() -> bytes:
    from PIL import Image

    buffer = io.BytesIO()
    Image.new("RGB", (8, 8)).save(buffer, "PNG")
    return buffer.getvalue()


def _refuses_file(path: Path) -> str:
    import resource

    limit = 12 * 2**30  # bytes of address space: what unpacks without end ends there
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
    more = {} if path.is_dir() else {"target": "y"}
    return _refused(lambda: hcat.load(str(path), **more))


NAMES = ["../../hcatx", "/tmp/hcatx", "a/../../hcatx", "..", "\\\\host\\hcatx", "a\0b"]


def _index(name: str, place: str, folder: Path) -> str:
    return str(told(_stranger, name, place, folder))


def _stranger(name: str, place: str, folder: Path) -> str:
    """A folder whose index names a file elsewhere, sealed as we seal it."""
    from hcat_nb.runs.store.digests import sealed, unsealed
    from tests.campaign import bits, work

    if place == "run":
        work.train("logits", out=folder / "run")
        path = folder / "run" / "run.json"
    else:
        stop = bits._StopAt()
        work.train("logits", out=folder / "run", control=stop.control, listeners=[stop])
        path = folder / "run" / "checkpoint" / "checkpoint.json"
        (folder / "run/checkpoint/checkpoint.previous.json").unlink()
    index = unsealed(path.read_bytes())
    files = index["files"]
    first = next(iter(files))
    if isinstance(files, dict):
        files[name] = files.pop(first)
    else:
        files[files.index(first)] = name
    path.write_text(sealed(index))
    before = {one for one in Path("/tmp").iterdir() if MARK in one.name}
    if place == "run":
        said = _refused(lambda: hcat.load_run(folder / "run"))
    else:
        said = _refused(lambda: hcat.resume(folder / "run", work.TABLE, work.LABELS))
    made = list(folder.rglob(f"*{MARK}*"))
    new = {one for one in Path("/tmp").iterdir() if MARK in one.name} - before
    return f"wrote {made} {new}" if made or new else said


def trials() -> Iterator[Trial]:
    """Texts in every place, then plans, files and indices."""
    for number, text in enumerate(TEXTS):
        for place in PLACES:
            yield Trial(f"{place}, text {number}", functools.partial(_name, text, place))
    for name in PLANS:
        yield Trial(f"plan: {name}", functools.partial(_plan, name))
    for name in FILES:
        yield Trial(f"file: {name}", functools.partial(_file, name))
    for name in NAMES:
        for place in ("run", "checkpoint"):
            yield Trial(f"{place} names {name!r}", functools.partial(_index, name, place))


CAMPAIGN = Campaign("hostile folders, plans, names, images", 60, trials)
