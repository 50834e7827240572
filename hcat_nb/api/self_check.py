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

from hcat_nb.registry import METHODS
from hcat_nb.seeds import child_seed

if TYPE_CHECKING:
    import pandas as pd
    from torch import nn

    from hcat_nb.data.dataset import LabelledDataset

# A useless score has AUROC .5 with the standard deviation .048 on 40 faults
# among 400 samples, so one in a thousand gets here.  The least that a built-in
# method got over eight seeds is .74, by forgetting, which counts to ten.
FLOOR = 0.65
FAULTS = ("mislabel", "boundary", "atypical", "ood")
_N = 400
_CLASSES = 4
_COLUMNS = 12
_DISTANCE = 6.0  # of a class's centre from the origin; noise has the standard deviation 1
_SHARE = 0.1
_RESEMBLES = 0.3  # how much of its class an atypical sample shows


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
        ``auroc`` (NaN if there is none), ``passed`` (bool: AUROC above 0.65) and
        ``problem`` (text, empty if it passed).

    Raises
    ------
    UnknownNameError
        If a method does not exist.

    Examples
    --------
    >>> import hcat_nb as hcat
    >>> bool(hcat.self_check(["aum"], seed=0)["passed"].all())
    True
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


def planted(fault: str, seed: int) -> tuple[LabelledDataset, np.ndarray]:
    """Return four well separated classes, one sample in ten of them with a fault, and which, (n,).

    Each class is a Gaussian cloud on an axis of its own (the axes turned at
    random), and as many axes again belong to no class.

    - mislabel: the label of another class.
    - boundary: half way between its own and another class.
    - atypical: a faint trace of its class, far out on an axis of no class.
    - ood: far out on an axis of no class, with no trace of its own.
    """
    from hcat_nb.data.loading import load

    rng = np.random.default_rng(child_seed(seed, f"planted/{fault}"))
    own = np.arange(_N) % _CLASSES
    other = (own + rng.integers(1, _CLASSES, _N)) % _CLASSES
    is_hard = np.zeros(_N, dtype=bool)
    is_hard[rng.choice(_N, round(_SHARE * _N), replace=False)] = True
    axes = _DISTANCE * np.linalg.qr(rng.normal(size=(_COLUMNS, _COLUMNS)))[0]
    centres, free = axes[:_CLASSES], axes[_CLASSES:]
    away = free[rng.integers(0, len(free), _N)] * rng.choice([-1, 1], (_N, 1))
    places = {
        "mislabel": centres[own],
        "boundary": (centres[own] + centres[other]) / 2,
        "atypical": _RESEMBLES * centres[own] + away,
        "ood": away,
    }[fault]
    means = np.where(is_hard[:, None], places, centres[own])
    labels = np.where(is_hard & (fault == "mislabel"), other, own)
    features = (means + rng.normal(size=means.shape)).astype(np.float32)
    return load(features, labels, name=f"planted {fault}"), is_hard


def small_network() -> nn.Module:
    """Return a network that learns these tables in a few epochs, with dropout for conf_agree."""
    from torch import nn

    return nn.Sequential(
        *(nn.Linear(_COLUMNS, 32), nn.ReLU(), nn.Dropout(0.3)),
        *(nn.Linear(32, 32), nn.ReLU(), nn.Dropout(0.3)),
        nn.Linear(32, _CLASSES),
    )
