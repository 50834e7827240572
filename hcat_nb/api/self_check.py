"""The check that each method finds, here and now, the faults that its card names.

When a score that used to find errors finds none, this tells whether the code
changed or the data: it trains on small tables with planted faults, so that
nothing of the user's own takes part, but for the methods they registered.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np

from hcat_nb.api._planted import FAULTS, planted, small_network
from hcat_nb.registry import METHODS

if TYPE_CHECKING:
    import pandas as pd

    from hcat_nb.data.dataset import LabelledDataset

__all__ = ["FLOOR", "self_check"]

# A useless score has AUROC .5 with the standard deviation .048 on 40 faults
# among 400 samples, so one in a thousand gets here.  The least that a built-in
# method got over eight seeds is .74, by forgetting, which counts to ten.
FLOOR = 0.65


def self_check(methods: Sequence[str] | None = None, *, seed: int = 0) -> pd.DataFrame:
    """Plant faults in small tables and see which methods find those that their cards name.

    Takes a few seconds: one training of ten epochs on 400 samples for each
    kind of fault, on the CPU.

    Parameters
    ----------
    methods : sequence of str, optional
        Names; default: all that are registered, the user's own included.
    seed : int
        Of data, weights and order.

    Returns
    -------
    pandas.DataFrame
        One row for each method and fault that its card names (for a card that
        names none, one row with the fault ``""``): ``method``, ``fault``,
        ``auroc`` (NaN if there is none), ``passed`` (bool: above ``FLOOR``) and
        ``problem`` (text, empty if it passed).

    Raises
    ------
    UnknownNameError
        If a method does not exist.
    """
    import pandas as pd

    names = [name for asked in methods or METHODS.names() for name in METHODS.resolve(asked)]
    claims: dict[str, frozenset[str]] = {}
    rows: list[dict[str, Any]] = []
    for name in names:
        try:
            claims[name] = METHODS.get(name).claims("table")
        except Exception as error:  # of any kind, in a package not ours: a finding
            rows.append(_row(name, "", f"cannot be loaded: {_line(error)}"))
            continue
        if not claims[name]:
            rows.append(_row(name, "", "", passed=True))
    with _one_thread():
        for fault in FAULTS:
            dataset, is_hard = planted(fault, seed)
            claiming = [name for name in names if fault in claims.get(name, ())]
            for name, found in _scores(dataset, claiming, seed).items():
                rows.append(_judged(name, fault, found, is_hard))
    table = pd.DataFrame(rows)
    place = table["method"].map({name: i for i, name in enumerate(names)})
    return table.loc[place.sort_values(kind="stable").index].reset_index(drop=True)


@contextmanager
def _one_thread() -> Iterator[None]:
    """Keep torch to one thread: on tensors this small, several cost more than they do."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def _scores(
    dataset: LabelledDataset, names: list[str], seed: int
) -> dict[str, np.ndarray | Exception]:
    """Return each method's scores, or the error that it raised."""
    from hcat_nb.api.characterize import characterize

    if not names:
        return {}
    try:
        run = characterize(
            dataset,
            model=small_network,
            methods=",".join(names),
            epochs=10,
            batch_size=16,
            lr=3e-3,
            device="cpu",
            seed=seed,
        )
    except Exception as error:  # any error of a method's is what is looked for
        if len(names) == 1:
            return {names[0]: error}
        alone = [_scores(dataset, [name], seed) for name in names]
        return {name: found for one in alone for name, found in one.items()}
    return {name: run.scores[name].to_numpy() for name in names}


def _judged(
    name: str, fault: str, found: np.ndarray | Exception, is_hard: np.ndarray
) -> dict[str, Any]:
    from hcat_nb.evaluation.ranking import auroc

    if isinstance(found, Exception):
        return _row(name, fault, _line(found))
    scored = ~np.isnan(found)
    area = auroc(found[scored], is_hard[scored])
    if area > FLOOR:
        return _row(name, fault, "", area, passed=True)
    return _row(name, fault, f"does not find it: AUROC {area:.2f}, at most {FLOOR}", area)


def _row(
    name: str, fault: str, problem: str, area: float = np.nan, *, passed: bool = False
) -> dict[str, Any]:
    return {"method": name, "fault": fault, "auroc": area, "passed": passed, "problem": problem}


def _line(error: Exception) -> str:
    return " ".join(f"{type(error).__name__}: {error}".split())
