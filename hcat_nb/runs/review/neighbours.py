"""The neighbours of samples: what lies nearest, under which label."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from hcat_nb.errors import SpecError, StoreError
from hcat_nb.fields import USERS_OWN
from hcat_nb.runs.review.samples import positions

if TYPE_CHECKING:
    from hcat_nb.data.dataset import LabelledDataset
    from hcat_nb.methods._judge import Matrix
    from hcat_nb.runs.store.record import Record

_BATCH = 256
# Numbers that are looked through while a person waits: about half a second, once.
_QUICK = {"input": 20_000_000, "embedding": 4_000_000}


def neighbours(run: Record, ids: Iterable[Any] | Any, k: int, space: Any) -> pd.DataFrame:
    """Return the nearest labelled samples of each of ``ids``; see :meth:`Run.neighbours`."""
    from hcat_nb.methods._judge import SPACES, as_space
    from hcat_nb.methods._neighbours import nearest_rows
    from hcat_nb.runs.review.rebuilding import data_given

    if isinstance(k, bool) or not isinstance(k, (int, np.integer)) or k < 1:
        raise SpecError(f"k is {k!r}", "at least 1 neighbour")
    if isinstance(space, str) and space not in SPACES:
        raise SpecError(f"space is {space!r}", "one of " + ", ".join(SPACES) + ", or an array")
    asked = positions(run.scores.index, ids)
    dataset = data_given(run)
    known = dataset.trainable.numpy().copy()
    known[asked] |= dataset.readable.numpy()[asked]
    rows = np.flatnonzero(known)
    place = np.full(len(known), -1)
    place[rows] = np.arange(len(rows))
    asked = asked[known[asked]]  # what cannot be read is near nothing
    if isinstance(space, str):
        features = _features(run, dataset, rows, _space(run) if space == "auto" else space)
    else:
        features = as_space(space, "space")
        if len(features) != len(known):
            raise SpecError(f"space has {len(features)} rows", f"{len(known)}, one a sample")
        features = features[rows]
    labelled = dataset.trainable.numpy()[rows]
    # Room for unlabelled samples among those asked for, which are nobody's neighbour.
    spare = int((~labelled).sum())
    found, distances = nearest_rows(features, k + spare, place[asked])
    listed = []
    for one, near, far in zip(asked, found, distances, strict=True):
        keep = labelled[near]
        for rank, (other, distance) in enumerate(
            zip(rows[near[keep][:k]], far[keep][:k], strict=True)
        ):
            listed.append((one, other, rank, distance))
    table = np.array([(one, other) for one, other, _, _ in listed], dtype=np.int64).reshape(-1, 2)
    names = run.details.index
    label = run.details["label"]
    own, theirs = (label.cat.codes.to_numpy()[column] for column in table.T)
    return pd.DataFrame(
        {
            "sample_id": names[table[:, 0]],
            "neighbour": names[table[:, 1]],
            "rank": np.array([rank for _, _, rank, _ in listed], dtype=np.int64),
            "distance": np.array([distance for _, _, _, distance in listed], dtype=np.float32),
            "label": label.array[table[:, 1]],
            "same_label": own == theirs,
        }
    )


class NearestOfLabel:
    """The nearest samples of one label to a sample, where the run's own judge looks.

    Features are made at the first question, and kept; ``why_not`` says why there are none.
    """

    def __init__(self, run: Record, dataset: LabelledDataset) -> None:
        self._run, self._dataset = run, dataset
        self._labels = dataset.labels.numpy()
        self._rows = np.flatnonzero(dataset.readable.numpy())
        self._unit: Matrix | None = None
        self._near: tuple[int, np.ndarray] = (-1, np.empty(0))
        size = dataset.features.numel()
        self.why_not = ""
        if size > _QUICK[_space(run)]:
            self.why_not = f"{size:,} numbers take long: run.neighbours(id) looks through them"

    def of(self, row: int, k: int, code: int | None = None) -> np.ndarray:
        """Return positions of the nearest samples of a class, or of any, int64, nearest first."""
        from sklearn.preprocessing import normalize
        from sklearn.utils.extmath import safe_sparse_dot

        if self._unit is None and not self.why_not:
            try:
                space = _space(self._run)
                features = _features(self._run, self._dataset, self._rows, space)
            except StoreError as error:
                self.why_not = str(error)
            else:
                self._unit = normalize(features)
        place = int(np.searchsorted(self._rows, row))
        if self._unit is None or self._rows[min(place, self._rows.size - 1)] != row:
            return np.empty(0, np.int64)
        if self._near[0] != row:
            one = self._unit[[place]].T
            self._near = (row, safe_sparse_dot(self._unit, one, dense_output=True).ravel())
        labels = self._labels[self._rows]
        pool = np.flatnonzero(labels >= 0 if code is None else labels == code)
        pool = pool[pool != place]
        order = np.argsort(-self._near[1][pool], kind="stable")[:k]
        found: np.ndarray = self._rows[pool[order]]
        return found


def _space(run: Record) -> str:
    """Return the space in which the run's own judge looked, the input if there was none."""
    for described in (run.info["methods"], run.info.get("judges", {})):
        if "knn_label" in described:
            space = described["knn_label"]["options"]["space"]
            return space if space in ("input", "embedding") else "input"
    return "input"


def _features(run: Record, dataset: LabelledDataset, rows: np.ndarray, space: str) -> Matrix:
    from hcat_nb.methods._judge import compact
    from hcat_nb.runs.execution.judging import judge_features

    if run.spec.features != "raw":
        raise StoreError(
            f"the run looked at features ({run.spec.features}) that it did not keep",
            "space= an array with a row for each sample",
        )
    chosen = torch.from_numpy(rows)
    if space == "embedding":
        return _embedded(run, dataset, chosen)
    return compact(judge_features(dataset, chosen).numpy())


def _embedded(run: Record, dataset: LabelledDataset, rows: Tensor) -> np.ndarray:
    """Return the embeddings that the final model makes of these rows, (m, d), float32.

    StoreError if the model was an object, of which weights are kept and no code.
    """
    from hcat_nb.models._adapter import AdaptedModel, fit_scaling
    from hcat_nb.models._building import build_network
    from hcat_nb.models._embedding import find_embedding
    from hcat_nb.observation.embeddings import EmbeddingTap
    from hcat_nb.training.seed import isolated_rng, undisturbed

    if run.spec.model == USERS_OWN or not run.weights:
        raise StoreError(
            f"the model of this run, {run.info['model']}, cannot be made again",
            'space="input", or an array with a row for each sample',
        )
    with isolated_rng(0):  # the weights that are drawn are not kept
        net = build_network(run.info["model"], dataset, run.spec.model_options)
    model = AdaptedModel(fit_scaling(dataset, run.spec.normalize, run.spec.effective_defaults), net)
    model.load_state_dict(run.weights)
    model.eval()
    found = []
    layer = find_embedding(model, dataset.features[:2], run.spec.embedding)
    with undisturbed(), torch.no_grad(), EmbeddingTap(layer) as tap:
        for some in rows.split(_BATCH):
            model(dataset.features[some])
            found.append(tap.take().numpy())
    return np.concatenate(found)
