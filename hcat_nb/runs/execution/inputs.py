"""From what a user hands over to checked inputs of a run, before any long work."""

from __future__ import annotations

import dataclasses
import inspect
import os
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from hcat_nb.casts import plain_values
from hcat_nb.errors import SpecError
from hcat_nb.fields import USERS_OWN
from hcat_nb.registry import METHODS, name_of_path, refuse_unknown
from hcat_nb.spec import RunSpec

if TYPE_CHECKING:
    from hcat_nb.data.dataset import LabelledDataset
    from hcat_nb.methods.base import Method
    from hcat_nb.models._building import ModelLike
    from hcat_nb.perturbations.base import Perturbed
    from hcat_nb.training.events import Listener


class Inputs(NamedTuple):
    """What a user hands over beside a specification; see :func:`hcat_nb.characterize`."""

    data: Any
    labels: Any
    name: str | None
    model: ModelLike | None
    classes: Sequence[Any] | None
    truth: Any = None
    features: Any = None


def run_head(spec: RunSpec, inputs: Inputs) -> dict[str, Any]:
    """Return, as plain values, what a checkpoint has to know of a run.

    ``objects`` names the fields of the specification that plain values do not
    hold: they have to be handed over again.
    """
    objects = [
        item.name
        for item in dataclasses.fields(spec)
        if getattr(spec, item.name) == USERS_OWN or not _plain(getattr(spec, item.name))
    ]
    return {
        "spec": spec.to_dict(),
        "objects": objects,
        "name": inputs.name,
        "classes": None if inputs.classes is None else plain_values(list(inputs.classes)),
    }


def _plain(value: Any) -> bool:
    """Whether JSON holds the value as it is; a number of NumPy's or an array is as good as one."""
    if isinstance(value, Mapping):
        return all(_plain(one) for one in value.values())
    if isinstance(value, (list, tuple)):
        return all(_plain(one) for one in value)
    known = (bool, int, float, str, os.PathLike)
    return value is None or isinstance(value, known) or hasattr(value, "tolist")


def make_spec(
    data: Any,
    model: ModelLike | None,
    spec: RunSpec | None,
    options: Mapping[str, Any],
    truth: Any = None,
    features: Any = None,
) -> RunSpec:
    """Return the run's specification, made of what the user handed over."""
    if spec is not None and not isinstance(spec, RunSpec):
        raise SpecError(
            f"spec is a {type(spec).__name__}", "a RunSpec", "RunSpec.from_options(**options)"
        )
    from hcat_nb.data.truth import names_column

    named = dict(options)
    if data is not None:
        data = name_of_path(data) if isinstance(data, os.PathLike) else data
        named["dataset"] = data if isinstance(data, str) else USERS_OWN
    if model is not None:
        named["model"] = model if isinstance(model, str) else USERS_OWN
    if truth is not None:
        named["truth"] = str(truth) if names_column(truth) else USERS_OWN
    if features is not None:
        named["features"] = features if isinstance(features, str) else USERS_OWN
    made = RunSpec.from_options(**named) if spec is None else spec.replace(**named)
    objects = {"dataset": data, "model": model, "truth": truth, "features": features}
    for field, given in objects.items():
        named_only = names_column(given) if field == "truth" else isinstance(given, str)
        if getattr(made, field) == USERS_OWN and (given is None or named_only):
            wrong = f"the {field} of this specification came as an object"
            raise SpecError(wrong, remedy="hand it over")
    return made


def check_audience(listeners: Any, control: Any, **flags: Any) -> tuple[Listener, ...]:
    """Return the listeners of a run; refuse what is no Listener, Control, or True or False."""
    from hcat_nb.training.events import Control, Listener

    if not isinstance(listeners, Iterable) or isinstance(listeners, str):
        raise SpecError(f"listeners is a {type(listeners).__name__}", "a list of Listener objects")
    told = tuple(listeners)
    for one in told:
        if not isinstance(one, Listener):
            what = repr(one) if isinstance(one, type) else f"a {type(one).__name__}"
            raise SpecError(f"a listener is {what}", "an object of a class derived from Listener")
    if control is not None and not isinstance(control, Control):
        raise SpecError(f"control is a {type(control).__name__}", "a Control, or None")
    for flag, value in flags.items():
        if not isinstance(value, bool):
            raise SpecError(f"{flag} is {value!r}", "True or False")
    return told


def make_methods(spec: RunSpec, names: Sequence[str] | None = None) -> list[Method]:
    """Return fresh methods, those of the run or named ones, in the order of all tables."""
    from hcat_nb.methods._epochs import MeanOverEpochs

    methods = []
    named = [*spec.method_names(), *spec.judge_names()]
    refuse_unknown(
        spec.method_options, named, "method_options name {!r}, which is not a method of this run"
    )
    for name in spec.method_names() if names is None else names:
        plugin = METHODS.get(name)
        options = dict(spec.method_options.get(name, {}))
        if spec.variant in plugin.variants:
            options = {"variant": spec.variant, **options}
        if name == "cleanlab" and spec.folds not in ("auto", "0"):
            options = {"cv": int(spec.folds), **options}
        known = [item.name for item in dataclasses.fields(plugin) if item.init]
        alone = options.get("at") is not None  # one epoch, and no mean
        if spec.epoch_mean != "all" and issubclass(plugin, MeanOverEpochs) and not alone:
            options = {"epochs": spec.epoch_mean, **options}
        refuse_unknown(options, known, f"the method {name!r} has no option {{!r}}")
        methods.append(plugin(**options))
    return methods


def load_dataset(
    data: Any,
    labels: Any,
    name: str | None,
    spec: RunSpec,
    classes: Sequence[Any] | None,
    truth: Any = None,
) -> LabelledDataset:
    """Return the dataset that ``spec`` names, or that the user handed over."""
    from hcat_nb.data.loading import load
    from hcat_nb.data.reading.coerce import are_texts

    for option in spec.dataset_options:
        if option in inspect.signature(load).parameters:
            raise SpecError(f"{option} is an option of the run, not of the dataset", f"{option}=")
    options = dict(spec.dataset_options)
    names: tuple[str, ...] = ()
    raw = None
    if spec.exclude:
        from hcat_nb.checks.before_training import excluded
        from hcat_nb.checks.raw import feature_frame, raw_table

        raw = raw_table(data, labels, spec, truth)
        if raw is not None:
            names = excluded(raw.frame, raw.labels, raw.text, spec)
            listed = options.get("drop", ())
            options["drop"] = [*([listed] if isinstance(listed, str) else listed), *names]
    features = data[0] if labels is None and isinstance(data, tuple) and data else data
    if spec.effective_defaults == 1 and ("text" in options or are_texts(features)):
        options.setdefault("analyzer", "word")  # of its day
    dataset = load(
        spec.dataset if data is None or isinstance(data, (str, os.PathLike)) else data,
        labels,
        target=spec.target,
        name=name,
        root=spec.root,
        download=spec.download,
        subset=spec.subset,
        on_missing_label=spec.on_missing_label,
        on_bad_row=spec.on_bad_row,
        seed=spec.effective_data_seed,
        data_on=spec.data_on,
        classes=classes,
        groups=spec.groups,
        weights=spec.weights,
        truth=spec.truth if truth is None and spec.truth != USERS_OWN else truth,
        join_spellings=spec.join_spellings,
        **options,
    )
    if not spec.exclude:
        return dataset
    if raw is None:
        if dataset.modality == "image":
            raise SpecError(f"exclude is {spec.exclude} with images", "columns of a table")
        frame, values = feature_frame(dataset), dataset.label_values()
        names = excluded(frame, values, dataset.text, spec)
        dataset = dataset.without(names)
    note = f"excluded, as told: {', '.join(names) or 'nothing was found to exclude'}"
    return dataset.replace(notes=(*dataset.notes, note))


def perturbed(
    data: Any = None,
    labels: Any = None,
    *,
    name: str | None = None,
    classes: Sequence[Any] | None = None,
    spec: RunSpec | None = None,
    **options: Any,
) -> Perturbed:
    """Return the data that a run with these options would train on, and the truth about them.

    >>> perturbed("wine", hardness="uniform", p=0.1)
    <Perturbed: wine, 178 samples, 18 made hard (uniform)>
    """
    from hcat_nb.perturbations._apply import perturb

    chosen = make_spec(data, None, spec, options)
    return perturb(
        load_dataset(data, labels, name, chosen, classes),
        chosen.hardness,
        chosen.p,
        seed=chosen.effective_data_seed,
        **chosen.hardness_options,
    )
