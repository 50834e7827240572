"""Judges: methods that look at samples and labels, and at no training of a network.

A judge gets the features of all readable rows at once (``Need.FEATURES``:
columns scaled and categories as indicators, TF-IDF weights of texts, pixels),
or reads another space: with ``space="embedding"`` the final model's
embeddings, or an array of the user's own.  It judges the rows that have a
label, in the order of the dataset, and draws from a stream of the data seed:
whatever network a run trains, the judgement is the same (but for the space
``embedding``).

Cost: see each judge.  Memory: 4 bytes a sample; in the space ``embedding``
4 d more.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
import torch
from torch import Tensor

from hcat_nb.errors import SpecError
from hcat_nb.methods.base import Context, Method
from hcat_nb.observation.record import Need, Observation

if TYPE_CHECKING:
    from numpy.typing import ArrayLike
    from scipy.sparse import csr_matrix

Matrix: TypeAlias = "np.ndarray | csr_matrix"

SPACES = ("auto", "input", "embedding")
# Of the entries that are not 0; above it a dense product is the faster one.
_SPARSE = 0.1
_BLOCK = 2**22  # values looked at at a time
_DECLINED = float("-inf")  # in place of a score that the judge did not give


class Judge(Method):
    """A method whose score comes from features and labels alone.

    Attributes
    ----------
    space : str or array of shape (n, d)
        ``"input"``, ``"embedding"``, an array with a row for each sample of
        the run, or ``"auto"``: what whoever wires the run hands over.
    """

    needs = frozenset({Need.FEATURES})
    hard_when = "high"
    looks_at_labels = True
    family = "judge"
    buffers: tuple[str, ...] = ("judged", "asked")
    across = MappingProxyType({"asked": "any"})

    space: str | ArrayLike = "auto"
    groups = None  # of the rows that are judged, (m,), if any belong together

    def __post_init__(self) -> None:
        super().__post_init__()
        if not isinstance(self.space, str):
            self.space = as_space(self.space, f"{self.name}.space")
            return
        self._one_of("space", SPACES)
        if self.space == "embedding":
            self.needs = frozenset({Need.EMBEDDINGS})
            self.buffers = ("embeddings",)
            self.across = MappingProxyType({})

    @property
    def in_embedding(self) -> bool:
        """Whether it judges the embeddings of the final model."""
        return isinstance(self.space, str) and self.space == "embedding"

    @property
    def table(self) -> np.ndarray | None:
        """Class probabilities that a row's own label has no part in, (n, C), float32.

        NaN where a row was not judged; None in the space ``embedding``, whose
        network has seen all labels.
        """
        return self._table

    @abstractmethod
    def judge(self, features: Matrix, labels: np.ndarray) -> np.ndarray:
        """Return a score for each of m rows, higher = harder, NaN where it cannot be judged.

        ``features`` (m, d) are of the rows with a label, in the order of the dataset. What the
        judge says of all classes it hands to :meth:`say`.
        """

    def allocate(self, context: Context) -> None:
        """Nothing is judged yet."""
        self._found: Tensor | None = None
        self._table: np.ndarray | None = None
        self._said: tuple[np.ndarray, np.ndarray] | None = None
        if not isinstance(self.space, str) and len(np.asarray(self.space)) != context.n:
            raise SpecError(
                f"{self.name}.space has {len(np.asarray(self.space))} rows",
                f"{context.n}, one for each sample of the run",
            )
        if self.in_embedding:
            self.embeddings = torch.zeros(context.n, 0, device=context.device)
            return
        self.judged = torch.full((context.n,), torch.nan, device=context.device)
        self.asked = torch.zeros(1, dtype=torch.bool, device=context.device)

    def load_state(self, state: Mapping[str, Tensor]) -> None:
        """Take over a state; what was judged of another is forgotten."""
        super().load_state(state)
        self._found = None

    def observe(self, record: Observation) -> None:
        """Judge the features of a ``data`` record; of a ``final`` one, keep the embeddings."""
        if self.in_embedding:
            values = record.take(Need.EMBEDDINGS).flatten(1).float()
            if self.embeddings.shape[1] == 0:
                shape = (len(self.embeddings), values.shape[1])
                self.embeddings = self.embeddings.new_full(shape, torch.nan)
            self.embeddings[record.rows] = values
            self._found = None
            return
        rows = record.rows.cpu().numpy()
        if isinstance(self.space, str):
            features = record.take(Need.FEATURES).flatten(1).cpu().float().numpy()
        else:
            features = np.asarray(self.space)[rows]
        order = np.argsort(rows)
        self.judged = self._of(rows[order], features[order])
        self.asked[:] = True

    def raw(self) -> Tensor:
        """Return the judgement, (n,), float32; NaN where there is none."""
        found = self._judgement()
        return torch.where(found == _DECLINED, torch.nan, found)

    def missing(self) -> Mapping[str, Tensor]:
        """Return the labelled rows that were not judged, and why; not those without a finite place.

        These are an error: the features of a dataset are finite, and an embedding that is not
        tells of a model that diverged.
        """
        found = self._judgement()
        shown = self.embeddings.shape[1] > 0 if self.in_embedding else bool(self.asked)
        if not shown:
            return {"not_judged": self._wanted & found.isnan()}
        return {self.unjudged: found == _DECLINED}

    @property
    def unjudged(self) -> str:
        """Why a row with a label has no score."""
        return "rare_class"

    def details(self) -> Mapping[str, Tensor]:
        """Return the judgement under the judge's name."""
        raw = self.raw().clone()
        raw[~self.context.trainable] = torch.nan
        return {self.name: raw}

    def say(self, classes: np.ndarray, probabilities: np.ndarray) -> None:
        """Take what the judge says of all classes: their codes (K,), and (m, K)."""
        self._said = classes, probabilities

    def release(self) -> None:
        """Forget everything."""
        super().release()
        self._found = self._table = self._said = None

    def later_bytes(self, sample_shape: tuple[int, ...]) -> int:
        """Return the bytes of the features, at most, as they are judged."""
        return 8 * self.context.n * int(np.prod(sample_shape)) if not self.in_embedding else 0

    @property
    def _wanted(self) -> Tensor:
        """Which rows have a score: those that can be read, and have a label if that matters."""
        if self.looks_at_labels:
            return self.context.trainable
        unreadable = self.context.unreadable
        return torch.ones_like(self.context.trainable) if unreadable is None else ~unreadable

    def _judgement(self) -> Tensor:
        """Return what was judged, (n,), ``_DECLINED`` where the judge gave no score."""
        if not self.in_embedding:
            return self.judged
        if self._found is None:
            shown = self.context.n if self.embeddings.shape[1] else 0
            self._found = self._of(np.arange(shown), self.embeddings[:shown].cpu().numpy())
        return self._found

    def _of(self, rows: np.ndarray, features: np.ndarray) -> Tensor:
        """Return the judgement of those of ``rows`` (ascending) that have a place, and a label."""
        labels = self.context.labels.cpu().numpy()
        judged = np.isfinite(features).all(axis=1)
        if self.looks_at_labels:
            judged &= labels[rows] >= 0
        found = np.full(self.context.n, np.nan, dtype=np.float32)
        if judged.any():
            chosen = rows[judged]
            groups = self.context.groups
            self.groups = None if groups is None else groups.cpu().numpy()[chosen]
            scores = self.judge(compact(features[judged]), labels[chosen])
            found[chosen] = np.where(np.isnan(scores), _DECLINED, scores)
            if self._said is not None and not self.in_embedding:
                classes, said = self._said
                shape = (self.context.n, self.context.n_classes)
                self._table = np.full(shape, np.nan, dtype=np.float32)
                self._table[chosen] = 0.0
                self._table[np.ix_(chosen, classes)] = said
            self._said = None
        return torch.from_numpy(found).to(self.context.device)


def as_space(values: Any, name: str) -> np.ndarray:
    """Return an array of the user's own as the space to judge in, float32 of shape (n, d)."""
    expected = "finite numbers, a row for each sample, or one of " + ", ".join(SPACES)
    try:
        array = np.asarray(values, dtype=np.float32)
    except (TypeError, ValueError):
        raise SpecError(f"{name} is a {type(values).__name__} of no numbers", expected) from None
    if array.ndim < 2 or not np.isfinite(array).all():
        raise SpecError(
            f"{name} has the shape {array.shape}, or values that are not finite", expected
        )
    return array.reshape(len(array), -1)


def compact(features: np.ndarray) -> Matrix:
    """Return the features as a CSR matrix where nearly all of them are 0, else as they are."""
    from scipy.sparse import csr_matrix

    n, width = features.shape
    step = max(1, _BLOCK // max(1, width))
    filled = sum(np.count_nonzero(features[at : at + step]) for at in range(0, n, step))
    return csr_matrix(features) if filled < _SPARSE * features.size else features
