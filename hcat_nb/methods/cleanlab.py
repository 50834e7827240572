"""Confident learning, by the cleanlab package.

Northcutt et al. 2021 (arXiv 1911.00068): one minus the label quality that
``cleanlab.rank.get_label_quality_scores`` gives, by default the probability of
the observed label (its self-confidence).  Flagged is what
``cleanlab.filter.find_label_issues`` prunes by noise rate (section 3.3).

The package counts classes from the labels.  So classes that no row is
labelled with are taken out first, and the softmax is over the others, in
float64: without such classes that is the model's p.  Rows without a label
stay out of the call.  A class with a single sample is too rare to judge: its
sample has a score, the status ``rare_class``, and no flag.

Cost: nothing beside the shared pass over the final model; 4 C bytes a sample;
``cv=K``: K trainings.
Caveat: the paper wants out-of-fold probabilities, which ``cv=K`` gives: each
sample is judged by a model that was trained on the other folds.  By default
they are *in-sample*, of a model that may have memorised the wrong labels, and
by self-confidence the ranking is that of the last epoch's loss.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import torch
from torch import Tensor

from hcat_nb.errors import SpecError
from hcat_nb.methods.base import Context, Method
from hcat_nb.observation.record import Need, Observation, Options

if TYPE_CHECKING:
    import numpy as np

_CHUNK = 1 << 12  # rows of which float64 probabilities are made at a time
_PARTS = 16  # in which issues are looked for: the package holds each twice


def label_quality(
    logits: Tensor, labels: Tensor, method: str = "self_confidence", adjust: bool = False
) -> Tensor:
    """Return cleanlab's label quality of logits (n, C); labels need not name every class.

    >>> label_quality(torch.tensor([[0.0, 0.0], [0.0, 0.0]]), torch.tensor([0, 1]))
    tensor([0.5000, 0.5000], dtype=torch.float64)
    """
    from cleanlab.rank import get_label_quality_scores

    present, codes = labels.unique(return_inverse=True)
    # Adjusting subtracts thresholds, which are means over all samples.
    size = max(1, len(logits)) if adjust else _CHUNK
    found = [
        get_label_quality_scores(
            own.numpy(), _probabilities(some, present), method=method, adjust_pred_probs=adjust
        )
        for some, own in zip(logits.split(size), codes.split(size), strict=True)
    ]
    return torch.cat([torch.from_numpy(scores) for scores in found])


def label_issues(logits: Tensor, labels: Tensor) -> Tensor:
    """Return the rows that confident learning prunes, (n,) bool; of at least two classes.

    The package is handed the rows of some classes at a time: it prunes within a class, by counts
    that are summed over all of them.
    """
    import numpy as np
    from cleanlab.count import calibrate_confident_joint, compute_confident_joint
    from cleanlab.filter import find_label_issues

    present, codes = labels.unique(return_inverse=True)
    # The package's thresholds: the mean probability of each class over its own samples.
    own = torch.cat(
        [
            torch.from_numpy(_probabilities(some, present)).gather(1, own[:, None]).squeeze(1)
            for some, own in zip(logits.split(_CHUNK), codes.split(_CHUNK), strict=True)
        ]
    )
    thresholds = np.array([own[codes == code].numpy().mean() for code in range(len(present))])
    parts = _by_classes(codes, len(present))
    joint = np.zeros((len(present), len(present)), dtype=np.int64)
    for rows in parts:
        given = codes[rows].numpy()
        counts = compute_confident_joint(
            given, _probabilities(logits[rows], present), thresholds=thresholds, calibrate=False
        )
        joint[np.unique(given)] = counts[np.unique(given)]
    joint = calibrate_confident_joint(joint, codes.numpy())
    flags = torch.zeros(len(logits), dtype=torch.bool)
    with warnings.catch_warnings():
        # Said by the status `rare_class`, with the class's own name.
        warnings.filterwarnings("ignore", message="May not flag all label issues in class")
        for rows in parts:
            asked = rows
            if bool((codes[rows] == codes[rows[0]]).all()):  # it takes no single class
                other = torch.nonzero(codes != codes[rows[0]]).ravel()[:1]
                asked = torch.cat([rows, other])
            found = find_label_issues(
                codes[asked].numpy(),
                _probabilities(logits[asked], present),
                confident_joint=joint,
                n_jobs=1,
            )
            flags[rows] = torch.from_numpy(found[: len(rows)])
    return flags


def _by_classes(codes: Tensor, n_classes: int) -> list[Tensor]:
    """Return rows in some parts, all those of a class in one, ascending in each class."""
    order = codes.argsort(stable=True)
    sizes = torch.bincount(codes, minlength=n_classes)
    least = -(-len(codes) // _PARTS)
    ends, size = [], 0
    for code, count in enumerate(sizes.tolist()):
        size += count
        if size >= least or code == n_classes - 1:
            ends.append(size)
            size = 0
    return list(order.split(ends))


def _probabilities(logits: Tensor, classes: Tensor) -> np.ndarray:
    """Return the softmax over some classes, (b, K), float64."""
    return torch.softmax(logits[:, classes].double(), dim=1).numpy()


@dataclass(eq=False)
class Cleanlab(Method):
    """One minus cleanlab's label quality of the final model's probabilities.

    Parameters
    ----------
    method : str
        ``self_confidence`` (cleanlab's default), ``normalized_margin`` or
        ``confidence_weighted_entropy``.
    adjust_pred_probs : bool
        Whether class thresholds are subtracted from the probabilities, for
        classes of unequal size; off, as in cleanlab.
    cv : int, optional
        Number of stratified folds whose extra trainings give out-of-fold
        probabilities; default: in-sample ones.

    Raises
    ------
    SpecError
        If an option is unknown, the first two do not go together, or there
        are more folds than samples of any class.
    """

    name = "cleanlab"
    title = "Confident learning"
    paper = "Northcutt et al. 2021, arXiv 1911.00068"
    family = "statistical"
    needs = frozenset({Need.FINAL_LOGITS})
    hard_when = "high"
    detects = frozenset({"mislabel"})
    looks_at_labels = True
    buffers = ("logits", "measured")
    cost = "one pass over the final model, shared; cv=K: K trainings more; 4 C bytes a sample"
    misleads = "in-sample: what the model has memorised looks right"

    method: Literal["self_confidence", "normalized_margin", "confidence_weighted_entropy"] = (
        "self_confidence"
    )
    adjust_pred_probs: bool = False
    cv: int | None = None

    def __post_init__(self) -> None:
        entropy = "confidence_weighted_entropy"
        self._one_of("method", ("self_confidence", "normalized_margin", entropy))
        if not isinstance(self.adjust_pred_probs, bool):
            raise SpecError(
                f"cleanlab.adjust_pred_probs is {self.adjust_pred_probs!r}", "True or False"
            )
        if self.adjust_pred_probs and self.method == entropy:
            raise SpecError(f"cleanlab.adjust_pred_probs goes with {entropy}", "another method")
        if self.cv is not None:
            if type(self.cv) is not int or self.cv < 2:
                raise SpecError(f"cleanlab.cv is {self.cv!r}", "at least 2 folds, or None")
            self.needs = frozenset({Need.OUT_OF_FOLD})

    def options(self, need: Need) -> Options:
        """Return the number of folds."""
        return () if self.cv is None else (("folds", self.cv),)

    def allocate(self, context: Context) -> None:
        """Nothing is known yet."""
        if self.cv is not None:
            largest = int(torch.bincount(context.labels[context.trainable]).max())
            if self.cv > largest:
                raise SpecError(
                    f"cleanlab.cv is {self.cv}, and the largest class has {largest} samples",
                    f"at most {largest} folds",
                )
        shape = (context.n, context.n_classes)
        # Zeros take no memory until they are written to, and `measured` tells what was.
        self.logits = torch.zeros(shape, device=context.device)
        self.measured = torch.zeros(context.n, dtype=torch.bool, device=context.device)

    def observe(self, record: Observation) -> None:
        """Keep the logits of the final model, or of that which did not train on these rows."""
        self.logits[record.rows] = record.logits.float()
        self.measured[record.rows] = record.logits.amax(dim=1).isfinite()

    def raw(self) -> Tensor:
        """Return one minus the label quality, (n,), in [0, 1]; NaN where not judged."""
        rows, logits, labels = self._judged()
        scores = torch.full((self.context.n,), torch.nan, dtype=torch.float64)
        if len(rows) == 0:
            return scores
        scores[rows] = 1 - label_quality(logits, labels, self.method, self.adjust_pred_probs)
        return scores

    def missing(self) -> Mapping[str, Tensor]:
        """Return the rows whose fold was not trained, if the run was stopped."""
        if self.cv is None:
            return {}
        return {"no_fold": self.context.trainable & ~self.measured}

    def notes(self) -> Mapping[str, Tensor]:
        """Return the rows that are alone in their class."""
        return {"rare_class": self.context.alone}

    def flagged(self) -> Tensor | None:
        """Return the label issues that confident learning finds; None if a fold lacks."""
        rows, logits, labels = self._judged()
        if len(rows) < int(self.context.trainable.sum()):
            return None  # thresholds of a class are means over all of its samples
        flags = torch.zeros(self.context.n, dtype=torch.bool)
        flags[rows] = label_issues(logits, labels)
        return flags & ~self.context.alone.cpu()

    def _judged(self) -> tuple[Tensor, Tensor, Tensor]:
        """Return positions, logits and labels of the rows that have both, on the CPU."""
        rows = torch.nonzero(self.context.trainable & self.measured).ravel().cpu()
        logits, labels = self.logits.cpu(), self.context.labels.cpu()
        if len(rows) < len(labels):
            logits, labels = logits[rows], labels[rows]
        return rows, logits, labels
