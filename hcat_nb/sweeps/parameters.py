"""Parameters of the benchmark notebook: what they may be, checked before anything works.

papermill hands over what its command line made of a text ("false" stays a
true text, 007 becomes 7), and goes on with defaults where a name is misspelt.
One call in the notebook's first cell mends or refuses both.
"""

from __future__ import annotations

import dataclasses
import math
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hcat_nb.casts import cast, plain_values
from hcat_nb.errors import SpecError, UnknownNameError
from hcat_nb.reading import READING
from hcat_nb.registry import nearest
from hcat_nb.spec import OPTION_ALIASES, RunSpec

if TYPE_CHECKING:
    import pandas as pd

    from hcat_nb.runs.store.record import Record

# Parameters of a run that decide none of its numbers.
_BESIDE = ("run_tag", "out")
# Words of a sweep; a single run has one value for each.
_SWEEP_WORDS = ("total_runs", "fix_seed")
_IPYTHON = ("In", "Out")
_PLAIN = (bool, int, float, str, list, tuple, dict, type(None))


@dataclass(frozen=True)
class Settings:
    """What one run of the benchmark notebook is to do; the tag is kept as it is written."""

    spec: RunSpec
    out: Path | None
    run_tag: str

    def __repr__(self) -> str:
        default = RunSpec().to_dict()
        changed = {
            key: value for key, value in self.spec.to_dict().items() if value != default[key]
        }
        lines = [f"{key} = {value!r}" for key, value in changed.items()]
        lines += [f"run_tag = {self.run_tag!r}"] if self.run_tag else []
        return "\n".join([*lines, "all other options as RunSpec has them"])

    def metrics(self, run: Record) -> pd.DataFrame:
        """Return the run's metrics, those saved with it or measured now; none without a truth."""
        import pandas as pd

        from hcat_nb.runs.measuring import measured
        from hcat_nb.runs.store.saving import saved_metrics

        if not run.spec.knows_truth:
            return pd.DataFrame()
        return measured(run) if self.out is None else saved_metrics(self.out)

    def picture(self, run: Record) -> bytes:
        """Return the run's data map as PNG, coloured by the truth where there is one."""
        from hcat_nb.charts.picture import picture
        from hcat_nb.runs.review.drawing import drawn_map

        return picture(drawn_map(run, color="truth" if run.spec.knows_truth else "group"))


def check_parameters(namespace: Mapping[str, Any]) -> Settings:
    """Return what the parameters in ``namespace`` ask for.

    That is the notebook's ``globals()`` before its first import: each plain value in it is a
    parameter. Every field of :class:`RunSpec` is one, under H-CAT's words too; ``out`` and
    ``run_tag`` are besides.

    >>> check_parameters({"methods": "all", "hcms": "[aum,vog]", "epochs": "3"}).spec.methods
    ('aum', 'vog')
    """
    given = {
        name: value
        for name, value in namespace.items()
        if not name.startswith("_") and name not in _IPYTHON and isinstance(value, _PLAIN)
    }
    refuse_unknown(given)
    for word, alone in (("fix_seed", False), ("total_runs", 1)):
        if word in given:
            _refuse_sweep_word(word, given.pop(word), alone)
    tag, out = _text("run_tag", given.pop("run_tag", "")), given.pop("out", None)
    for word in given.keys() & OPTION_ALIASES.keys():  # it was given; the default was not
        given[OPTION_ALIASES[word]] = given.pop(word)
    plain = {name: plain_parameter(name, value) for name, value in given.items()}
    folder = _text("out", out) if out is not None else ""
    return Settings(RunSpec.from_options(**plain), Path(folder) if folder else None, tag)


def refuse_unknown(names: Mapping[str, Any]) -> None:
    """Raise UnknownNameError, with the nearest real name, if one is no parameter of a run."""
    fields = [item.name for item in dataclasses.fields(RunSpec)]
    known = [*fields, *READING, *_BESIDE, *_SWEEP_WORDS, *OPTION_ALIASES]
    for name in names:
        if name not in known:
            raise UnknownNameError(f"there is no parameter {name!r}", nearest(name, known))


def plain_parameter(name: str, value: Any) -> Any:
    """Return ``value`` as strict JSON holds it: NumPy scalars and paths plain, tuples as lists.

    >>> import numpy as np
    >>> plain_parameter("methods", ("aum", "vog")), plain_parameter("seed", np.int64(3))
    (['aum', 'vog'], 3)
    """
    for leaf in _leaves(value):
        if isinstance(leaf, float) and not math.isfinite(leaf):
            raise SpecError(f"{name} is {leaf}", "a finite number")
        if not isinstance(leaf, (bool, int, float, str, os.PathLike, type(None))):
            raise SpecError(
                f"{name} holds an object of type {type(leaf).__name__}, which no notebook can",
                "numbers, text, lists and mappings of them",
            )
    return plain_values(value)


def whole_or_flag(name: str, value: Any, kind: str) -> Any:
    """Return ``value`` as the ``kind`` "int" or "bool"."""
    try:
        return cast(value, kind)
    except (TypeError, ValueError):
        expected = "true or false" if kind == "bool" else "a whole number"
        raise SpecError(f"{name} is {value!r}", expected) from None


def _leaves(value: Any) -> Iterator[Any]:
    if isinstance(value, Mapping):
        for pair in value.items():
            yield from _leaves(pair)
    elif isinstance(value, (list, tuple)):
        for one in value:
            yield from _leaves(one)
    elif hasattr(value, "tolist"):  # NumPy's scalars and arrays
        yield from _leaves(value.tolist())
    else:
        yield value


def _text(name: str, value: Any) -> str:
    if isinstance(value, (str, os.PathLike)):
        return os.fspath(value)
    raise SpecError(
        f"{name} is {value!r}",
        "text",
        f"give it in quotes, or by papermill's -r {name} ..., which makes no number of it",
    )


def _refuse_sweep_word(word: str, value: Any, alone: bool | int) -> None:
    """Refuse what a single run cannot do, and what is no value of the word."""
    if whole_or_flag(word, value, type(alone).__name__) != alone:
        raise SpecError(
            f"{word} is {value!r}, which is a sweep's and not a single run's",
            f"{alone}",
            "give data_seed and model_seed, or start a sweep",
        )
