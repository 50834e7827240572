"""The controls of the setup panel: every option of a run, once.

Controls are made from the fields of RunSpec and from the registries, so that
a new option appears by itself, under "More options" until it is given a place.
"""

from __future__ import annotations

import dataclasses
import math
import shlex
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import ipywidgets  # noqa: TID253 - this module is imported when a panel opens

from hcat_nb.arguments import read_pair
from hcat_nb.errors import SpecError
from hcat_nb.fields import field_choices
from hcat_nb.jupyter.screens import close_tree
from hcat_nb.magics.controls import FormControl, field_control, looks, plugin_controls, split
from hcat_nb.magics.method_list import MethodList
from hcat_nb.magics.parser import looks_like_data, looks_like_model, user_variables
from hcat_nb.magics.text import ALWAYS, option_words
from hcat_nb.registry import PERTURBATIONS
from hcat_nb.spec import RunSpec

_FIELDS = {item.name: item for item in dataclasses.fields(RunSpec)}
_NEAR_DATA = ("target",)
_NEAR_HARDNESS = ("hardness", "p")
_NEAR_TRAINING = ("epochs",)
_ELSEWHERE = ("dataset", "model", "methods", "hardness_options")
_READ_BY_OPTIONS = ("file", "folder")  # a path says which
_PATH = " path"  # no name of a variable or plug-in begins with a blank


class SetupForm:
    """What a run is made of; shows ``spec`` at first.

    ``words`` stand for ``dataset``, ``model`` and ``features`` where they are variables; ``own``
    are ``out`` and ``overwrite``, where given.
    """

    def __init__(
        self,
        spec: RunSpec,
        words: Mapping[str, str],
        own: Mapping[str, Any],
        changed: Callable[[], None],
        estimate: Callable[[], None],
    ) -> None:
        self._changed = changed
        self.controls = {
            name: field_control(item, words.get(name, getattr(spec, name)))
            for name, item in _FIELDS.items()
            if name not in _ELSEWHERE
        }
        self.data = NameOrVariable(
            "dataset",
            [name for name in field_choices(_FIELDS["dataset"]) if name not in _READ_BY_OPTIONS],
            looks_like_data,
            words.get("dataset", spec.dataset),
            "a file or a folder ...",
            looks("dataset", _FIELDS["dataset"].metadata["help"]),
        )
        self.model = NameOrVariable(
            "model",
            field_choices(_FIELDS["model"]),
            looks_like_model,
            words.get("model", spec.model),
            "",
            looks("model", _FIELDS["model"].metadata["help"]),
        )
        self.methods = MethodList(spec.methods, changed, estimate)
        self.out = ipywidgets.Text(
            value=str(own.get("out", "")),
            placeholder="not saved",
            continuous_update=False,
            **looks("save to", _OUT_HELP),
        )
        self.overwrite = ipywidgets.Checkbox(
            value="overwrite" in own,
            indent=True,
            **looks("overwrite", "replace a run that stands there"),
        )
        self.options: list[FormControl] = []
        self._option_box = ipywidgets.VBox()
        self._new_options(dict(spec.hardness_options))
        self.controls["hardness"].on_change(lambda: self._new_options({}))
        for control in self.controls.values():
            control.on_change(changed)
        self._variables: Mapping[str, Any] = {}
        self.data.on_change(self._offer_columns)
        for choice in (self.data, self.model):
            choice.on_change(changed)
        for widget in (self.out, self.overwrite):
            widget.observe(lambda _: changed(), "value")

    def sections(self) -> dict[str, Any]:
        """Return what folds by title, and what does not by ""; every control stands once."""
        near = (*_NEAR_DATA, *_NEAR_HARDNESS, *_NEAR_TRAINING)
        more = [name for name in self.controls if name not in near]
        return {
            "": [
                *(self.data.widget, *self._widgets((*_NEAR_DATA, *_NEAR_HARDNESS))),
                *(self._option_box, self.model.widget, *self._widgets(_NEAR_TRAINING)),
            ],
            "Saving": [self.out, self.overwrite],
            "Methods": [self.methods.widget],
            "More options": self._widgets(more),
        }

    def words(self) -> list[str]:
        """Return the line that the controls stand for, without options at their default."""
        if not self.data.word:
            raise SpecError("no path is given", "the path of a table or of a folder of images")
        words = [self.data.word]
        if self.model.word != _FIELDS["model"].default:
            words += ["--model", self.model.word]
        injects = self.controls["hardness"].widget.value != "none"
        for name, control in self.controls.items():
            if not (name == "p" and self._is_mixture):
                words += control.words(name in ALWAYS and (injects or name != "p"))
        if injects:
            pairs = [pair for control in self.options for pair in control.words()]
            if self._is_mixture:
                pairs = split(self.options[0].widget.value)
                words += ["--p", f"{_total(pairs):.10g}"]
            words += ["--hardness-options", *pairs] if pairs else []
        return words + self.methods.words()

    def own(self) -> dict[str, Any]:
        """Return where the run is saved."""
        folder = self.out.value.strip()
        return {"out": folder, "overwrite": bool(self.overwrite.value)} if folder else {}

    def named(self) -> dict[str, FormControl]:
        """Return the controls by name."""
        return {control.name: control for control in self.options} | self.controls

    def refresh(self, variables: Mapping[str, Any]) -> None:
        """Offer the variables that there are now."""
        self._variables = variables
        self.data.refresh(variables)
        self.model.refresh(variables)
        self._offer_columns()

    @property
    def _is_mixture(self) -> bool:
        return bool(self.controls["hardness"].widget.value == "mixture")

    def _widgets(self, names: Any) -> list[Any]:
        return [self.controls[name].widget for name in names]

    def _offer_columns(self) -> None:
        """Offer the columns of a frame as target."""
        data = self._variables.get(self.data.word)
        frame = type(data).__module__.partition(".")[0] == "pandas"
        columns = getattr(data, "columns", None) if frame else None
        target = self.controls["target"].widget
        target.options = [] if columns is None else [str(column) for column in columns]
        target.placeholder = "default" if columns is None else "column of the labels"

    def _new_options(self, given: Mapping[str, Any]) -> None:
        """Show the options of the kind of hardness that is chosen."""
        kind = self.controls["hardness"].widget.value
        for control in self.options:
            close_tree(control.widget)
        self.options = []
        shown = given
        if kind != "none":
            if kind == "mixture" and "parts" not in given:
                shown = {"parts": given} if given else {}
            self.options = plugin_controls(PERTURBATIONS.get(kind), shown)
        if kind == "mixture":
            parts = self.options[0].widget
            parts.placeholder = "uniform=0.05 far_ood=0.05"
            parts.value = shlex.join(option_words("parts", shown.get("parts", {}))[1:])
        self.controls["p"].widget.disabled = kind == "mixture"
        self._option_box.children = [control.widget for control in self.options]
        for control in self.options:
            control.on_change(self._changed)


_OUT_HELP = "folder; each finished epoch is kept there, so that a restart loses at most one"


def _total(pairs: list[str]) -> float:
    """Return what the parts of a mixture add up to."""
    shares = [value for _, value in map(read_pair, pairs)]
    shares = [one.get("p") if isinstance(one, Mapping) else one for one in shares]
    if not shares or not all(isinstance(share, (int, float)) for share in shares):
        raise SpecError(
            f"the parts are {' '.join(pairs)!r}", "kind=proportion, such as uniform=.05"
        )
    return math.fsum(shares)


class NameOrVariable:
    """A drop-down of names and of variables that fit, with room for a path."""

    def __init__(
        self,
        name: str,
        names: Sequence[str],
        fits: Callable[[Any], bool],
        value: str,
        path: str,
        looks: Mapping[str, Any],
    ) -> None:
        self._names = list(names)
        self._fits = fits
        self._path = path
        self._heard: list[Callable[[], None]] = []
        self._quiet = False
        self.choice = ipywidgets.Dropdown(
            **{**looks, "description": name, "options": [*self._names]}
        )
        self.path = ipywidgets.Text(
            **{
                **looks,
                "description": "path",
                "placeholder": "birds.csv or ./photos",
                "continuous_update": False,
            }
        )
        self._wanted = value
        self.refresh({})
        self.choice.observe(self._on_choice, "value")
        self.path.observe(lambda _: self._tell(), "value")
        self.widget = ipywidgets.VBox([self.choice, self.path])  # shown where a path is chosen

    @property
    def word(self) -> str:
        """The word of a line that stands for what is chosen; empty for a path not yet given."""
        value = self.choice.value
        return self.path.value.strip() if value == _PATH else str(value)

    def refresh(self, variables: Mapping[str, Any]) -> None:
        """Offer the variables that there are now; what is chosen stays."""
        own = user_variables(variables, self._fits)
        options = [(f"{name} (variable)", name) for name in own]
        # A variable goes before a name, as in the magics.
        options += [(name, name) for name in self._names if name not in own]
        known = [value for _, value in options]
        if self._path:
            options.append((self._path, _PATH))
        wanted = self._wanted
        if wanted not in known and wanted != _PATH:
            if self._path and ("/" in wanted or "." in wanted):
                self.path.value, wanted = wanted, _PATH
            else:  # a variable that is gone: the line says so when it is read
                options.append((f"{wanted} (not there)", wanted))
        if tuple(options) != tuple(self.choice.options):
            self._quiet = True
            self.choice.options = options
            self.choice.value = wanted
            self._quiet = False
        self._wanted = wanted
        self._show_path()

    def on_change(self, hear: Callable[[], None]) -> None:
        """Call ``hear`` whenever another word is chosen."""
        self._heard.append(hear)

    def _on_choice(self, _: Any) -> None:
        if self._quiet:
            return
        self._wanted = self.choice.value
        self._show_path()
        self._tell()

    def _show_path(self) -> None:
        self.path.layout.display = None if self.choice.value == _PATH else "none"

    def _tell(self) -> None:
        for hear in self._heard:
            hear()
