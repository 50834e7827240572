"""The panel that compares two runs, or two methods of one run."""

from __future__ import annotations

import html
import threading
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import ipywidgets  # noqa: TID253 - this module is imported when a panel opens
import numpy as np

from hcat_nb.charts.picture import picture
from hcat_nb.errors import HcatError, UnknownNameError
from hcat_nb.jupyter.chart_view import ChartView
from hcat_nb.jupyter.panels import show_panel
from hcat_nb.jupyter.screens import close_inside
from hcat_nb.jupyter.static_view import StaticView
from hcat_nb.registry import nearest
from hcat_nb.runs.review.comparing import TwoRankings, compare_methods, compare_runs
from hcat_nb.runs.review.pictures import figure, side_by_side, sprite
from hcat_nb.runs.store.record import Record

if TYPE_CHECKING:
    import pandas as pd

    from hcat_nb.data.dataset import LabelledDataset

_PIXELS, _DRAWN = 96, 84  # a larger image is reduced to the first, and drawn as the second
_SHOWN = 20  # samples in the table; comparison.moved has all
_FIGURES = {
    "first": "method",
    "n": "samples",
    "spearman": "Spearman",
    "top_overlap": "hardest tenth in common",
    "top_chance": "by chance",
    "note": "note",
}


class ComparePanel(ipywidgets.VBox):  # type: ignore[misc] # ipywidgets is not annotated
    """Shows rank agreement, both rankings as a chart, and the samples that moved most.

    It takes one or two runs, without any those among ``variables`` (default: the notebook's).
    ``methods`` to begin with are two of one run, or one that two runs share. ``comparison`` is
    None while the choice is a mistake, which a line tells.
    """

    def __init__(
        self,
        *runs: Record,
        methods: Sequence[str] | None = None,
        variables: Mapping[str, Any] | None = None,
    ) -> None:
        self.comparison: TwoRankings | None = None
        self._variables = variables
        self._given = runs
        self._loaded: dict[str, Record] = {}
        self._runs: dict[str, Record] = {}
        self._lock = threading.RLock()  # callbacks may run in the thread of a subshell
        self._filling = False
        self._first, self._second = _dropdown("first run"), _dropdown("second run")
        self._method, self._other = _dropdown("method"), _dropdown("and method")
        self._folder = ipywidgets.Text(
            description="or a folder", placeholder="folder of a saved run", style=_WIDE
        )
        self._add = ipywidgets.Button(description="Add", tooltip="load this folder's run")
        self._find = ipywidgets.Button(
            description="Find runs", tooltip="look for runs among the notebook's variables"
        )
        self._message = ipywidgets.Label("")
        self._headline = ipywidgets.HTML("")
        self._agreement = ipywidgets.HTML("")
        self._moved = ipywidgets.HTML("")
        self._chart = ChartView()
        super().__init__(self._layout())
        self.add_class("hcat-live")  # a live view stands here (static_view.py)
        self.add_class("hcat-frame")
        self._find_runs()
        self._begin_with(list(methods or ()))
        for control in (self._first, self._second, self._method, self._other):
            control.observe(self._chosen, names="value")
        self._add.on_click(lambda _: self.add(self._folder.value))
        self._find.on_click(lambda _: self.refresh())
        self._compare()

    def __repr__(self) -> str:
        shown = "nothing to compare" if self.comparison is None else repr(self.comparison)
        return f"<ComparePanel: {shown}>"

    def refresh(self) -> None:
        """Look for runs again, and compare what is chosen."""
        with self._lock:
            self._find_runs()
            self._compare()

    def add(self, folder: str) -> None:
        """Load a saved run, and choose it as the second; a mistake is told in the panel."""
        from hcat_nb.runs.store.saving import load_record

        with self._lock:
            try:
                self._loaded[folder] = load_record(folder)
            except HcatError as error:
                self._message.value = str(error)
                return
            self._find_runs()
            if self._second.value == folder:
                self._compare()
            else:
                self._second.value = folder  # which compares

    def close(self) -> None:
        """Take the panel off the page, and let go of the runs."""
        with self._lock:
            self.comparison, self._variables, self._given = None, {}, ()
            self._runs, self._loaded = {}, {}
        close_inside(self)
        super().close()

    def _ipython_display_(self, **_: Any) -> None:
        """Show the panel, and behind it a picture for where no kernel stands behind it."""
        show_panel(self, lambda: self, self._static)

    def _static(self) -> StaticView:
        compared = self.comparison
        if compared is None:
            return StaticView(repr(self)[1:-1])
        return StaticView(_words(compared), png=picture(compared.chart()))

    def _layout(self) -> list[Any]:
        wrap = ipywidgets.Layout(flex_flow="row wrap")
        self._chart.layout.flex, self._moved.layout.flex = "0 1 auto", "1 1 340px"
        samples = ipywidgets.HBox([self._chart, self._moved], layout=wrap)
        rows = [
            [self._first, self._second, self._method, self._other],
            [self._folder, self._add, self._find],
        ]
        choices = [ipywidgets.HBox(row, layout=wrap) for row in rows]
        return [self._headline, *choices, self._message, samples, self._agreement]

    def _find_runs(self) -> None:
        """Fill the lists; what was chosen stays chosen where it is still there."""
        variables = _notebook() if self._variables is None else self._variables
        found = runs_among(variables)
        if self._given:
            called = {id(run): name for name, run in found.items()}
            found = {}
            for number, run in enumerate(self._given):
                folder = f"run {number + 1}" if run.folder is None else run.folder.name
                name = called.get(id(run)) or folder
                found[name if name not in found else f"{name} ({number + 1})"] = run
        self._runs = {**found, **self._loaded}
        options = [(_label(name, run), name) for name, run in self._runs.items()]
        names = list(self._runs)
        for control, place in ((self._first, 0), (self._second, 1)):
            self._fill(control, options, names[min(place, len(names) - 1)] if names else None)
        self._fill_methods()

    def _fill_methods(self) -> None:
        first, second = (self._runs.get(one.value) for one in (self._first, self._second))
        both: list[str] = []
        if first is not None and second is not None:
            both = [name for name in first.methods if name in second.methods]
        alone = first is second
        self._other.layout.display = "" if alone else "none"
        self._fill(self._method, both, both[0] if both else None)
        self._fill(self._other, both, both[min(1, len(both) - 1)] if both else None)

    def _fill(self, control: Any, options: Sequence[Any], default: Any) -> None:
        before = control.value
        values = [one[1] if isinstance(one, tuple) else one for one in options]
        self._filling = True
        try:
            control.options = options
            control.value = before if before in values else default
        finally:
            self._filling = False

    def _begin_with(self, methods: list[str]) -> None:
        for control, name in zip((self._method, self._other), methods, strict=False):
            if name not in control.options:
                wrong = f"{name!r} is not a method to compare here"
                raise UnknownNameError(wrong, nearest(name, list(control.options)))
            control.value = name

    def _chosen(self, change: Mapping[str, Any]) -> None:
        with self._lock:
            if self._filling:
                return
            if change["owner"] in (self._first, self._second):
                self._fill_methods()
            self._compare()

    def _compare(self) -> None:
        try:
            compared = self._compared()
        except HcatError as error:
            self.comparison = None
            self._show_nothing(str(error))
            return
        self.comparison = compared
        if compared is None:
            self._show_nothing(
                "no run among the variables of the notebook yet: train one, or add a folder"
            )
            return
        self._message.value = ""
        led = f"<h3>{html.escape(done)}</h3>" if (done := compared.relabelled()) else ""
        words = f"{led}<span>{html.escape(_words(compared))}</span>"
        self._headline.value = f'<div class="hcat-view hcat-head">{words}</div>'
        self._agreement.value = (
            f"<details><summary>How much they agree</summary>{_agreement_html(compared)}</details>"
        )
        pictures = _pictures_html(compared, self._images())
        moved = _moved_html(compared)
        if pictures:  # which tell the same
            moved = f"<details><summary>as a table</summary>{moved}</details>"
        self._moved.value = pictures + moved
        self._chart.layout.display = ""
        self._chart.show(compared.chart().to_dict())

    def _compared(self) -> TwoRankings | None:
        first, second = (self._runs.get(one.value) for one in (self._first, self._second))
        if first is None or second is None:
            return None
        if first is second:
            chosen = self._method.value, self._other.value
            return compare_methods(first, *chosen, kendall=False)
        names = (self._first.value, self._second.value)
        # Kendall's tau takes seconds for a million samples, too long for a click.
        return compare_runs(first, second, by=self._method.value, names=names, kendall=False)

    def _images(self) -> LabelledDataset | None:
        """Return the images that one of the runs has at hand."""
        runs = [self._runs[one.value] for one in (self._first, self._second)]
        there = [run.dataset for run in runs if run.dataset is not None]
        images = [one for one in there if one.modality == "image" and one.sample_ids.is_unique]
        # The larger one: mended data may lack samples.
        return max(images, key=len, default=None)

    def _show_nothing(self, message: str) -> None:
        self._message.value = message
        self._headline.value = self._agreement.value = self._moved.value = ""
        self._chart.layout.display = "none"


_WIDE = {"description_width": "90px"}


def runs_among(variables: Mapping[str, Any]) -> dict[str, Record]:
    """Return the runs among variables by name, each once, without hidden ones (``_``, ``_3``).

    >>> runs_among({"x": 1, "_": None})
    {}
    """
    found: dict[str, Record] = {}
    for name, value in list(variables.items()):
        known = any(value is run for run in found.values())
        if isinstance(value, Record) and not name.startswith("_") and not known:
            found[name] = value
    return found


def _notebook() -> Mapping[str, Any]:
    from IPython.core.getipython import get_ipython

    shell = get_ipython()
    return {} if shell is None else shell.user_ns


def _dropdown(description: str) -> Any:
    return ipywidgets.Dropdown(
        description=description, style=_WIDE, layout=ipywidgets.Layout(width="380px")
    )


def _words(compared: TwoRankings) -> str:
    return repr(compared).removeprefix("<TwoRankings: ").removesuffix(">")


def _label(name: str, run: Record) -> str:
    return f"{name} ({run.info['dataset']['name']}, {run.info['model']}, {len(run.history)} epochs)"


def _agreement_html(compared: TwoRankings) -> str:
    table = compared.agreement
    if compared.by is None:
        table = table.assign(first=table["first"] + " and " + table["second"])
    noted = any(bool(note) and note == note for note in table["note"])
    names = [name for name in _FIGURES if noted or name != "note"]
    return _table(table[names].rename(columns=_FIGURES), index=False)


def _moved_html(compared: TwoRankings) -> str:
    shown = compared.moved.head(_SHOWN).drop(columns=["score_first", "score_second"])
    names = {
        "rank_first": f"rank, {compared.first}",
        "rank_second": f"rank, {compared.second}",
        "label_first": f"label, {compared.first}",
        "label_second": f"label, {compared.second}",
    }
    words = f"the {len(shown)} samples that moved most of {len(compared.moved):,}"
    words += "; below 0: harder in the second"
    shown = shown.rename(columns=names).rename_axis(index=None, columns="sample")
    return f"<p>{words}</p>{_table(shown, index=True)}"


def _pictures_html(compared: TwoRankings, dataset: LabelledDataset | None) -> str:
    """Return the samples of the table as pictures, in its order; "" where there are none."""
    if dataset is None:
        return ""
    figures = []
    shown = compared.moved.head(_SHOWN)
    rows = dataset.sample_ids.get_indexer(shown.index)
    for row, (sample, ranks) in zip(rows.tolist(), shown.iterrows(), strict=True):
        if row < 0:
            continue
        image = sprite(dataset, np.array([row]), largest=_PIXELS).png
        places = f"{ranks['rank_first']:g} → {ranks['rank_second']:g}"
        figures.append(figure({f"sample {html.escape(str(sample))}": image}, places, _DRAWN))
    return f"<p>what moved most: ranks in the first and in the second</p>{side_by_side(figures)}"


def _table(frame: pd.DataFrame, *, index: bool) -> str:
    # Ids and labels are the user's: shown as text.
    return frame.to_html(
        index=index,
        escape=True,
        border=0,
        col_space=64,
        float_format=lambda value: f"{value:.4g}",
        na_rep="n/a",
    )
