"""RunSpec: the one vocabulary of a run.

Python keywords, options of ``%hcat_train`` and of ``hcat run``, notebook
parameters, panel controls and keys of ``run.json`` are all derived from the
fields below.  A new option is one field.
"""

from __future__ import annotations

import dataclasses
import math
import numbers
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from hcat_nb.casts import is_path, plain_values
from hcat_nb.errors import SpecError, UnknownNameError
from hcat_nb.fields import USERS_OWN, check_value, coerce, option, resolve
from hcat_nb.reading import READING, with_reading
from hcat_nb.registry import JUDGES, METHODS, MODELS, PERTURBATIONS, SOURCES, nearest

# H-CAT's words for our options.
OPTION_ALIASES = {
    "model_name": "model",
    "characterization_methods": "methods",
    "hcms": "methods",
    "hardness_type": "hardness",
    "perturbation": "hardness",
    "learning_rate": "lr",
    "total_epochs": "epochs",
    "prop": "p",
}

DEFAULTS = 2  # the newest generation: what a run takes where nobody chose

DATA_ON = ("auto", "device", "host", "disk")


def _positive(value: int) -> bool:
    return 1 <= value < 2**31


def _seed(default: int | None, text: str) -> Any:
    expected = "an integer in [0, 2**31)"
    return option(default, text, check=lambda value: 0 <= value < 2**31, expected=expected)


def _names_features(value: str) -> bool:
    package, _, name = value.partition(":")
    named = package in ("torchvision", "timm") and name != ""
    return named or value in ("raw", "patches", USERS_OWN)


@dataclass(frozen=True)
class RunSpec:
    """Everything that decides a run's numbers, checked when it is made.

    Raises
    ------
    SpecError
        If a value has the wrong type or lies outside its range.
    UnknownNameError
        If a dataset, hardness, model or method does not exist.
    """

    dataset: str = option(
        "digits",
        "name of a dataset, or path of a table, array (.npy) or folder",
        registry=SOURCES,
        extra=(USERS_OWN,),
    )
    dataset_options: Mapping[str, Any] = option(
        {}, "options of the dataset, or of how a table is read, as key=value"
    )
    target: str | None = option(
        None, "column with the labels; for data in a .npy file, the .npy file with the labels"
    )
    truth: str | None = option(
        None,
        "column with the true labels, or one that says which labels are wrong; never a feature",
    )
    groups: str | None = option(
        None,
        "column that says which rows belong together (of one patient, of one author); they stay "
        "in one fold; never a feature",
        expected="the name of a column; in Python also hcat.load(X, y, groups=values)",
    )
    weights: str | None = option(
        None,
        "column with the weight of each row's loss in training, above 0; never a feature",
        expected="the name of a column; values go in as hcat.load(X, y, weights=values)",
    )
    root: str | None = option(
        None,
        "folder of downloaded datasets (default: $HCAT_DATA, else the user's cache)",
        check=is_path,
        expected="the path of a folder",
    )
    download: bool = option(True, "download a dataset that is absent")
    subset: int | None = option(
        None,
        "use this many samples, drawn at random by the data seed",
        check=lambda value: value >= 2,
        expected="at least 2",
    )
    on_missing_label: str = option(
        "error", "what to do with rows without a label", choices=("error", "drop", "keep")
    )
    on_bad_row: str = option(
        "error", "what to do with rows that hold NaN or infinity", choices=("error", "drop", "keep")
    )
    join_spellings: bool = option(
        False, "join classes whose names differ in case, spaces or a closing stop only"
    )
    exclude: tuple[str, ...] = option(
        (),
        "columns to leave out of the features; the word found: those that hcat check calls "
        "leaks, identifiers or constants",
    )
    strict: bool = option(
        False, "stop before training where a check of the data finds a severe fault"
    )
    hardness: str | None = option(
        None, "kind of hardness to inject", registry=PERTURBATIONS, extra=("none",)
    )
    p: float = option(
        0.1,
        "proportion of samples to make hard; of a mixture, the sum of its parts",
        check=lambda value: 0 <= value < 1,
        expected="a proportion in [0, 1)",
    )
    hardness_options: Mapping[str, Any] = option({}, "options of the hardness, as key=value")
    model: str = option(
        "auto",
        "model to train (auto: cnn for images, dense for tables and texts)",
        registry=MODELS,
        extra=("auto", USERS_OWN),
    )
    model_options: Mapping[str, Any] = option({}, "options of the model, as key=value")
    embedding: str | None = option(
        None, "module whose input is the embedding (default: the last linear layer)"
    )
    features: str = option(
        "raw",
        "what the model sees of a sample: raw (pixels or columns); patches (of images: features "
        "made of their own patches by k-means); torchvision:NAME or timm:NAME (a frozen network; "
        "NAME:FILE if the weights are in a file); in Python and magics also an array or a function",
        check=_names_features,
        expected="raw, patches, torchvision:NAME or timm:NAME",
    )
    normalize: str = option(
        "auto",
        "scale images to [-1, 1] and standardise tables inside the model",
        choices=("auto", "none"),
    )
    methods: tuple[str, ...] = option(
        ("all",), "hardness characterization methods", registry=METHODS, extra=("all",)
    )
    method_options: Mapping[str, Mapping[str, Any]] = option(
        {}, "options of methods, as method.key=value"
    )
    judges: bool = option(
        True,
        "also judge the samples by their neighbours and by a linear model, if the data are not "
        "too large: these are baselines, and part of first_look",
    )
    variant: str = option(
        "paper",
        "paper: methods as their papers define them; hcat: as H-CAT's benchmark computed them",
        choices=("paper", "hcat"),
    )
    epoch_mean: str = option(
        "all",
        "epochs that aum, dataiq, datamaps, el2n and loss average: all, or the second half",
        choices=("all", "second_half"),
    )
    observe: str = option(
        "pass",
        "what loss, el2n, data maps and others see of an epoch: pass, all samples once more at "
        "its end; training, the logits that the optimizer saw, which costs nothing",
        choices=("pass", "training"),
    )
    epochs: int | None = option(
        None,
        "epochs of training (default: 10; more, up to 100, if there are few rows)",
        check=_positive,
        expected="at least 1, and less than 2**31",
    )
    defaults: int = option(
        DEFAULTS,
        "which default models and epochs: 1, those of H-CAT (lenet, mlp, 10 epochs); 2, those "
        "that also learn from few rows (cnn, dense, more epochs)",
        check=lambda value: value in (1, DEFAULTS),
        expected=f"1 or {DEFAULTS}",
    )
    batch_size: int = option(
        64, "samples in a training batch", check=lambda n: 2 <= n < 2**31, expected="at least 2"
    )
    lr: float = option(
        1e-3, "learning rate of Adam", check=lambda value: value > 0, expected="a positive number"
    )
    observe_batch_size: int | None = option(
        None,
        "samples in an observation batch (scores do not depend on it)",
        check=_positive,
        expected="at least 1, and less than 2**31",
    )
    device: str = option(
        "auto",
        "where to train: auto, cpu, cuda or cuda:N",
        check=lambda value: (
            value in ("auto", "cpu", "cuda") or (value.startswith("cuda:") and value[5:].isdigit())
        ),
        expected="auto, cpu, cuda or cuda:N",
    )
    data_on: str = option(
        "auto",
        "where features lie: device, host (batches are copied to the device) or disk (a "
        "memory-mapped file); auto: the first that they fit on",
        choices=DATA_ON,
    )
    seed: int = _seed(0, "seed of data and model")
    seeds: int = option(
        1,
        "number of trainings, each with its own model seed: scores are their means, with spread",
        check=lambda value: 1 <= value <= 10_000,
        expected="from 1 to 10,000",
    )
    data_seed: int | None = _seed(None, "seed of subset and injected hardness (default: seed)")
    model_seed: int | None = _seed(
        None, "seed of initial weights, batch order, dropout and masks (default: seed)"
    )
    folds: str = option(
        "auto",
        "number of further networks, each trained without one fold, so that each row is judged "
        "by a network that did not see it; auto: 5 if the learning check says memorised and they "
        "take less than 5 minutes, else 0",
        check=lambda value: value == "auto" or (value.isdecimal() and value != "1"),
        expected="auto, 0, or a whole number from 2",
    )
    learning_check: bool = option(
        True,
        "hold rows out to tell whether the network learned (a fifth more training at most, or "
        "some seconds)",
    )
    keep_dynamics: str = option(
        "none",
        "what to keep of every epoch, so that hcat rescore can add methods without training: "
        "probs (the probability of each sample's label) or logits (all of them, on disk)",
        choices=("none", "probs", "logits"),
        words={False: "none", True: "probs"},
    )

    def __post_init__(self) -> None:
        for item in dataclasses.fields(self):
            value = coerce(item, getattr(self, item.name))
            if item.metadata["registry"] is not None and value is not None:
                value = resolve(item, value)
            check_value(item, value)
            object.__setattr__(self, item.name, value)
        for name, options in self.method_options.items():
            if not isinstance(options, Mapping):
                raise SpecError(f"method_options[{name!r}] is {options!r}", "a mapping of options")
        if self.truth is not None and self.hardness is not None:
            raise SpecError(
                f"truth is given, and {self.hardness!r} is to be injected", "one of the two"
            )
        if self.epoch_mean != "all" and self.variant == "hcat":
            raise SpecError(
                f"epoch_mean is {self.epoch_mean!r} with variant=hcat, which averages all epochs",
                "one of the two",
            )
        of_a_pass = {"variant": "hcat", "keep_dynamics": "logits"}
        for name, value in of_a_pass.items() if self.observe == "training" else ():
            if getattr(self, name) == value:
                raise SpecError(f"observe=training, and {name}={value}", "one of the two")
        known = (*self.methods, *(JUDGES if self.judges else ()))
        unknown = [name for name in self.method_options if name not in known]
        if unknown and "all" not in self.methods:
            raise SpecError(
                f"method_options name {unknown[0]!r}, which is not among the methods",
                "one of " + ", ".join(self.methods),
            )

    @property
    def effective_data_seed(self) -> int:
        """The seed of the subset and of the injected hardness."""
        return self.seed if self.data_seed is None else self.data_seed

    @property
    def effective_model_seed(self) -> int:
        """The seed of initial weights, batch order, dropout and masks."""
        return self.seed if self.model_seed is None else self.model_seed

    @property
    def effective_defaults(self) -> int:
        """The generation of defaults: H-CAT's own are the first."""
        return 1 if self.variant == "hcat" else self.defaults

    @property
    def knows_truth(self) -> bool:
        """Whether it is known which samples are hard: injected, or as the user says."""
        return self.hardness is not None or self.truth is not None

    def method_names(self) -> list[str]:
        """Return the methods of this run, in the order of :func:`hcat_nb.list_methods`."""
        everyone = METHODS.names() if "all" in self.methods else []
        return [name for name in METHODS.known() if name in (*everyone, *self.methods)]

    def judge_names(self) -> list[str]:
        """Return the judges that the run has beside its methods, where they are small enough."""
        named = self.method_names()
        return [name for name in JUDGES if name not in named] if self.judges else []

    def replace(self, **changes: Any) -> RunSpec:
        """Return a copy with some options changed.

        Raises
        ------
        UnknownNameError
            If an option does not exist.
        """
        return dataclasses.replace(self, **_known(changes, self.dataset_options))

    @classmethod
    def from_options(cls, **options: Any) -> RunSpec:
        """Make a spec from keywords, H-CAT's words and options of reading data included.

        ``hardness`` may be a mixture, ``{kind: proportion}``, as in
        :func:`hcat_nb.perturb`; ``p`` is then what its parts add up to.

        Raises
        ------
        UnknownNameError
            If an option does not exist.
        SpecError
            If a value is out of range, or ``p`` comes without ``hardness``.
        """
        known = _known(options)
        made = cls(**known)
        if "p" in known and "hardness" not in known:
            both = 'both, such as hardness="uniform", or neither'
            raise SpecError(f"p is {made.p:g}, and no kind of hardness is given", both)
        return made

    @classmethod
    def recorded(cls, plain: Mapping[str, Any]) -> RunSpec:
        """Return the spec that :meth:`to_dict` gave, names unchecked.

        A saved run stays readable where a method or dataset of the user's
        own is not registered.
        """
        spec = object.__new__(cls)
        for item in dataclasses.fields(cls):
            if item.name in plain:
                object.__setattr__(spec, item.name, coerce(item, plain[item.name]))
            else:  # a field that came later; what came before it was of the first defaults
                value = 1 if item.name == "defaults" else getattr(cls(), item.name)
                object.__setattr__(spec, item.name, value)
        return spec

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON values, one per field.

        An object among the options (a dataset as ``source`` of far_ood, say)
        is recorded by its repr, from which it cannot be made again.  A mapping
        whose keys are not text (rules by class code) is recorded as its pairs.
        """
        return {
            item.name: plain_values(getattr(self, item.name)) for item in dataclasses.fields(self)
        }


def _known(options: Mapping[str, Any], before: Mapping[str, Any] | None = None) -> dict[str, Any]:
    names = [item.name for item in dataclasses.fields(RunSpec)]
    known: dict[str, Any] = {}
    for given, value in with_reading(options, before).items():
        name = OPTION_ALIASES.get(given, given)
        if name not in names:
            raise UnknownNameError(f"unknown option {given!r}", nearest(given, [*names, *READING]))
        if name in known:
            raise SpecError(f"the option {name!r} is given twice (as {given!r} too)")
        known[name] = value
    return _with_mixture(known)


def _with_mixture(options: dict[str, Any]) -> dict[str, Any]:
    """Return options in which ``hardness={kind: proportion}`` is a mixture, as perturb reads it."""
    parts = options.get("hardness")
    if not isinstance(parts, Mapping):
        return options
    more = options.get("hardness_options", {})
    if isinstance(more, Mapping):  # else the check of the fields names it
        more = {**more, "parts": parts}
    own = parts.values()
    shares: list[Any] = [one.get("p") if isinstance(one, Mapping) else one for one in own]
    added: dict[str, Any] = {"hardness": "mixture", "hardness_options": more}
    known = all(isinstance(share, numbers.Real) for share in shares)
    return options | added | ({"p": math.fsum(shares)} if known and "p" not in options else {})
