"""The data of a run again, from its specification: loaded, and made hard, as they were."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hcat_nb.data.class_order import fit_classes, in_recorded_order
from hcat_nb.errors import DataError, HcatError, StoreError
from hcat_nb.fields import USERS_OWN
from hcat_nb.runs.execution.inputs import load_dataset, make_spec
from hcat_nb.runs.review.samples import quoted
from hcat_nb.runs.store.fingerprint import data_fingerprint, differences

if TYPE_CHECKING:
    from hcat_nb.data.dataset import LabelledDataset
    from hcat_nb.runs.store.record import Record


def data_given(run: Record, data: Any = None) -> LabelledDataset:
    """Return the data of a run: the given ones, those that it holds, or what is made again.

    ``data`` is the LabelledDataset that it was trained on, or what that was made of.
    """
    from hcat_nb.data.dataset import LabelledDataset

    then = run.info["dataset"].get("fingerprint")
    if isinstance(data, LabelledDataset):
        given = in_recorded_order(data, run.details["label"].cat.categories.tolist())
        if run.spec.hardness and then is not None and then != data_fingerprint(given):
            return rebuilt(run, given)  # as they were before the run made some of them hard
        check_same_samples(given, run)
        return given
    if run.dataset is None or data is not None:
        run.dataset = rebuilt(run, data)
    return run.dataset


def data_or_why(run: Record, data: Any = None) -> tuple[LabelledDataset | None, str]:
    """Return what :func:`data_given` does; without ``data``, None and the reason if it cannot."""
    if data is not None:
        return data_given(run, data), ""
    try:
        return data_given(run), ""
    except HcatError as error:
        return None, str(error)


def rebuilt(run: Record, data: Any = None) -> LabelledDataset:
    """Return the data that a run was trained on, made again as its specification says.

    With the injected hardness; the fingerprint is that of the run.  ``data`` are what
    was handed over, if it was an object.  A truth that was handed over is not known any more.
    """
    then = run.info["dataset"]
    if "fingerprint" not in then:
        raise StoreError(
            "the run does not tell what its data were like: it was made of dynamics, or saved "
            "by an earlier version",
            remedy="hand over dataset=, the LabelledDataset that it was trained on",
        )
    if data is None and run.spec.dataset == USERS_OWN:
        raise StoreError(
            f"the run was trained on {then['name']!r}, an object of which no file is kept",
            remedy="hand it over again: dataset=, the table or array, or the LabelledDataset",
        )
    from hcat_nb.perturbations._apply import perturb

    # Models and methods do not matter here, and may be the user's own.
    plain: dict[str, Any] = {"methods": "all", "method_options": {}, "features": "raw"}
    if run.spec.truth == USERS_OWN:
        plain["truth"] = None
    spec = make_spec(data, "auto", run.spec, plain)
    clean = load_dataset(data, None, then["name"], spec, None)
    if len(then["class_values"]) > clean.n_classes:
        clean = fit_classes(clean, len(then["class_values"]))
    made = perturb(
        in_recorded_order(clean, then["class_values"]),
        spec.hardness,
        spec.p,
        seed=spec.effective_data_seed,
        **spec.hardness_options,
    ).dataset
    if words := differences(then["fingerprint"], data_fingerprint(made)):
        raise DataError(
            f"{then['name']!r} is not what the run was trained on; different are: "
            + "; ".join(words),
            "the same data, options and versions",
        )
    return made


def check_same_samples(dataset: LabelledDataset, run: Record) -> None:
    """Raise DataError unless ``dataset`` holds the run's samples, in order, and its classes."""
    ids = run.details.index
    if not dataset.sample_ids.equals(ids):
        only = ids.difference(dataset.sample_ids, sort=False)
        named = f", and lack {quoted(only[0])}" if len(only) else ", whose ids or order differ"
        raise DataError(
            f"the data are not the run's: they hold {len(dataset):,} samples{named}",
            f"the {len(ids):,} samples of the run",
        )
    classes = run.details["label"].cat.categories.tolist()
    if list(dataset.class_values) != classes:
        raise DataError(
            f"the data have the classes {list(dataset.class_values)}",
            f"those of the run, {classes}",
        )
