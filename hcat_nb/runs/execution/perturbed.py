"""The data of a run, made hard as the run would make them, before anything is trained."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from hcat_nb.runs.execution.inputs import load_dataset, make_spec

if TYPE_CHECKING:
    from hcat_nb.perturbations.base import Perturbed
    from hcat_nb.spec import RunSpec


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
