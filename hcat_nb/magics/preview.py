"""A few samples as a kind of hardness would leave them, beside the originals."""

from __future__ import annotations

import weakref
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import ipywidgets  # noqa: TID253 - this module is imported when a panel opens
import numpy as np

from hcat_nb.data.dataset import LabelledDataset
from hcat_nb.fields import USERS_OWN
from hcat_nb.jupyter.training_thread import aside, error_words
from hcat_nb.magics.data_view import seen
from hcat_nb.magics.newest import Newest
from hcat_nb.magics.problem import Problem
from hcat_nb.registry import SOURCES
from hcat_nb.spec import RunSpec

if TYPE_CHECKING:
    from hcat_nb.data.dataset import LabelledDataset
    from hcat_nb.perturbations.base import Perturbed

_MAKING = "A preview is being made; what stands here is of earlier choices."
_LATER = "What stands here is of earlier choices; a preview of these follows the training."
_UNCHANGED = "<p>No hardness: the data stay as they are.</p>"
_SAMPLES = 400  # enough for every kind to find what it can change, few enough to be at once there
_PAIRS = 6
_LONGEST = 300  # characters of a text


class PreviewPane:
    """A preview beside controls, ``wait`` seconds after a change; ``problem`` says of what."""

    def __init__(self, wait: float, problem: Problem) -> None:
        self.page = ipywidgets.HTML("")
        self.problem = problem
        self.jobs: Newest[str] = Newest(self._show, self._fail, wait)
        self._previewer = Previewer()
        self._wanted: Any = None
        self._shown: Any = None

    def offer(self, keywords: Mapping[str, Any], training: bool) -> None:
        """Preview a call, soon; while something trains, say that it comes afterwards."""
        kept = ("data", "labels")
        plain = repr(sorted((k, repr(v)) for k, v in keywords.items() if k not in kept))
        wanted = (*(identity(keywords.get(key)) for key in kept), plain)
        if training:
            self._wanted = None
            self.problem.say("" if wanted == self._shown else _LATER)
            return
        if wanted == self._wanted:
            return
        self._wanted = wanted
        self.problem.say(_MAKING)

        def preview() -> str:
            with aside():
                return self._previewer.show(keywords)

        self.jobs.offer(preview)

    def drop(self) -> None:
        """Forget what is not made yet."""
        self.jobs.drop()

    def _show(self, page: str) -> None:
        self.page.value, self._shown = page, self._wanted
        self.problem.say("")

    def _fail(self, error: Exception) -> None:
        self._wanted = self._shown = None  # once a run is over it may be made
        self.page.value = ""
        self.problem.fail(error, f"No preview: {error_words(error)}")


class Previewer:
    """Makes previews, and keeps the small dataset that the last one was made of."""

    def __init__(self) -> None:
        self._made_of: tuple[Any, ...] = ()
        self._dataset: LabelledDataset | None = None

    def show(self, keywords: Mapping[str, Any]) -> str:
        """Return a preview as HTML, in which whatever comes from the data is text."""
        from hcat_nb.runs.execution.inputs import make_spec
        from hcat_nb.runs.review.before_after import before_and_after

        options = {key: value for key, value in keywords.items() if key not in _OBJECTS}
        spec = make_spec(keywords.get("data"), None, None, options)
        own = spec.dataset == USERS_OWN or spec.dataset not in SOURCES.names()
        if spec.hardness is None and not own:
            return _UNCHANGED
        dataset = self._few(keywords, spec)
        note = seen(dataset) if own else ""
        if spec.hardness is None:
            return _UNCHANGED + note
        made, p = _made_hard(dataset, spec)
        if p != spec.p:
            note += f"<p>Here p is {p:.3g}, so that there is something to see.</p>"
        if dataset.text is not None:
            return note + _texts(dataset, made)
        pairs = before_and_after(dataset, made, _PAIRS)
        return note + pairs._repr_html_()

    def _few(self, keywords: Mapping[str, Any], spec: RunSpec) -> LabelledDataset:
        """Return some of the samples, downloading nothing."""
        from hcat_nb.runs.execution.inputs import load_dataset

        data, labels = keywords.get("data"), keywords.get("labels")
        chosen = [repr(getattr(spec, name)) for name in _DATA_OPTIONS]
        made_of = (identity(data), identity(labels), chosen)
        if self._dataset is None or made_of != self._made_of:
            small = spec.replace(download=False, subset=None)
            if not (data is None or isinstance(data, str)):
                data, labels = _some_rows(data, labels, spec.effective_data_seed)
            dataset = load_dataset(data, labels, keywords.get("name"), small, None)
            self._dataset = _some_of(dataset, spec.effective_data_seed)
            self._made_of = made_of
        return self._dataset


def identity(value: Any) -> Any:
    """Return what equals another object's only if it is the same one, without keeping it alive.

    Names stand for themselves.  What cannot be referred to weakly, a list
    say, is never the same again.
    """
    if value is None or isinstance(value, str):
        return value
    try:
        return _Same(weakref.ref(value))
    except TypeError:
        return object()


class _Same:
    """Compares by identity; a weak reference itself compares by value."""

    def __init__(self, reference: weakref.ref[Any]) -> None:
        self.reference = reference

    def __eq__(self, other: object) -> bool:
        value = self.reference()
        return isinstance(other, _Same) and value is not None and other.reference() is value

    __hash__ = None  # type: ignore[assignment] # never a key


_OBJECTS = ("data", "labels", "name", "model", "classes")
_DATA_OPTIONS = (
    *("dataset", "dataset_options", "target", "root", "on_missing_label", "on_bad_row"),
    *("seed", "data_seed"),
)


def _made_hard(dataset: LabelledDataset, spec: RunSpec) -> tuple[Perturbed, float]:
    """Return the samples made hard, and the p that makes enough of them so."""
    from hcat_nb.perturbations._apply import perturb

    p = spec.p
    if spec.hardness != "mixture" and 0 < p < _PAIRS / len(dataset):
        p = min(0.5, _PAIRS / len(dataset))
    seed = spec.effective_data_seed
    return perturb(dataset, spec.hardness, p, seed=seed, **spec.hardness_options), p


def _rows(n: int, seed: int) -> np.ndarray:
    """Return which of n rows are looked at, ascending."""
    rng = np.random.default_rng(seed)
    rows: np.ndarray = np.sort(rng.choice(n, size=min(n, _SAMPLES), replace=False))
    return rows


def _some_of(dataset: LabelledDataset, seed: int) -> LabelledDataset:
    import torch

    if len(dataset) <= _SAMPLES:
        return dataset
    return dataset.take(torch.from_numpy(_rows(len(dataset), seed)))


def _some_rows(data: Any, labels: Any, seed: int) -> tuple[Any, Any]:
    """Return some rows of the user's own data, so that not all have to be read."""
    import torch

    if isinstance(data, LabelledDataset):
        return _some_of(data, seed), labels
    if len(data) <= _SAMPLES:
        return data, labels
    rows = _rows(len(data), seed)
    if labels is None and not hasattr(data, "iloc") and hasattr(data, "__getitem__"):
        if isinstance(data, torch.utils.data.Dataset):
            return torch.utils.data.Subset(data, rows.tolist()), None
        if hasattr(data, "select"):  # of Hugging Face
            return data.select(rows.tolist()), None
        return data, None  # a loader, or a list: read as a whole
    return _taken(data, rows), None if labels is None else _taken(labels, rows)


def _taken(values: Any, rows: np.ndarray) -> Any:
    if hasattr(values, "iloc"):
        return values.iloc[rows]
    if hasattr(values, "shape"):
        return values[rows]
    return [values[row] for row in rows]


def _texts(dataset: LabelledDataset, made: Perturbed) -> str:
    """Return texts with their label before and after; a perturbation leaves texts as they are."""
    assert dataset.original is not None, "a dataset of texts keeps them"
    import pandas as pd

    hard = np.flatnonzero(made.truth["is_hard"].to_numpy())[:_PAIRS]
    truth = made.truth.iloc[hard]
    old, new = (truth[f"{name}_label"].astype(str) for name in ("original", "observed"))
    texts = dataset.original[dataset.text].iloc[hard].astype(str).to_numpy()
    shown = [text if len(text) <= _LONGEST else f"{text[:_LONGEST]} ..." for text in texts]
    frame = pd.DataFrame({"label": old.where(old == new, old + " -> " + new), "text": shown})
    with pd.option_context("display.max_colwidth", None):
        return frame.rename_axis(index=None, columns="sample").to_html(
            border=0, classes="hcat-words"
        )
