"""Distance to the prototype of the class.

Sorscher et al. 2022 (arXiv 2206.14486), section 4: how far a sample lies from
its prototype in embedding space.  Here the prototype is the mean embedding of
the observed class and the distance one minus the cosine (the supervised form).
Sums are float64, so that order and size of the batches leave no trace.

``prototypes="kmeans"`` is the paper's unsupervised form: k-means centroids of
all embeddings (scikit-learn's, seeded), and the cosine to the centroid of the
sample's own cluster.  It does not look at labels.

A class with a single sample is its own mean, at distance 0, as if it were the
easiest.  Left out of that mean it leaves none: it gets no score, and the
status ``rare_class``.  An embedding of zeros has cosine 0.

Cost: two passes over the final model; 4 bytes a sample and 8 d bytes a class.
k-means: one pass, the clustering, and 4 d bytes a sample.
Caveat: one prototype a class; a class of several clusters has its mean where
no sample lies.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

import torch
from torch import Tensor

from hcat_nb.errors import SpecError
from hcat_nb.methods.base import Context, Method
from hcat_nb.observation.record import Need, Observation


def cosine(embeddings: Tensor, prototypes: Tensor) -> Tensor:
    """Return the cosine of the angle between rows, 0 where a row is all zeros.

    >>> cosine(torch.tensor([[2.0, 0.0], [0.0, 0.0]]), torch.tensor([[1.0, 0.0], [1.0, 1.0]]))
    tensor([1., 0.], dtype=torch.float64)
    """
    a, b = embeddings.double(), prototypes.double()
    lengths = a.norm(dim=1) * b.norm(dim=1)
    return torch.where(lengths == 0, 0, (a * b).sum(1) / lengths).clamp(-1, 1)


@dataclass(eq=False)
class Prototypicality(Method):
    """One minus the cosine similarity to the mean embedding of the observed class.

    Parameters
    ----------
    prototypes : {"means", "kmeans"}
        Means of the classes, or centroids of clusters.
    k : int, optional
        Clusters of k-means; default: as many as there are classes.

    Raises
    ------
    SpecError
        If an option is out of range, or there are fewer samples than clusters.
    """

    name = "prototypicality"
    title = "Prototypicality"
    paper = "Sorscher et al. 2022, arXiv 2206.14486"
    family = "distance"
    needs = frozenset({Need.EMBEDDINGS})
    hard_when = "high"
    detects = frozenset({"mislabel", "atypical", "ood"})
    detects_in = MappingProxyType({"ood": frozenset({"image"}), "atypical": frozenset({"image"})})
    looks_at_labels = True
    buffers = ("sums", "distance")
    across = MappingProxyType({"sums": "sum"})
    sweeps = 2
    cost = "two passes over the final model; 4 bytes a sample, 8 d a class"
    misleads = "a class of several clusters has its mean where no sample lies"

    prototypes: Literal["means", "kmeans"] = "means"
    k: int | None = None

    def __post_init__(self) -> None:
        self._one_of("prototypes", ("means", "kmeans"))
        if self.k is not None and (type(self.k) is not int or self.k < 1):
            raise SpecError(f"prototypicality.k is {self.k!r}", "at least 1 cluster, or None")
        if self.prototypes == "kmeans":
            self.looks_at_labels, self.sweeps = False, 1
            self.buffers = ("embeddings",)  # type: ignore[assignment]  # narrowed by the class's
        elif self.k is not None:
            raise SpecError(
                f"prototypicality.k is {self.k}, and class means have no k",
                remedy="give prototypes=kmeans too",
            )

    def allocate(self, context: Context) -> None:
        """Nothing is known yet; the first record tells the width of an embedding."""
        if self.prototypes == "kmeans":
            readable = context.n if context.unreadable is None else int((~context.unreadable).sum())
            if self.clusters > readable:
                raise SpecError(
                    f"prototypicality.k is {self.clusters}, and {readable} samples can be read",
                    f"at most {readable} clusters",
                )
            self.embeddings = torch.zeros(context.n, 0, device=context.device)
            return
        self.sums = torch.zeros(context.n_classes, 0, dtype=torch.float64, device=context.device)
        self.distance = torch.full((context.n,), torch.nan, device=context.device)

    def observe(self, record: Observation) -> None:
        """Add to the class sums in the first sweep; measure the distances in the second."""
        if self.prototypes == "kmeans":
            self._keep(record.rows, record.take(Need.EMBEDDINGS).flatten(1).float())
            return
        embeddings = record.take(Need.EMBEDDINGS).double()
        labels = self.context.labels[record.rows]
        if record.sweep == 0:
            if self.sums.shape[1] == 0:
                self.sums = self.sums.new_zeros(len(self.sums), embeddings.shape[1])
            labelled = (labels >= 0) & embeddings.isfinite().all(dim=1)
            self.sums.index_add_(0, labels[labelled], embeddings[labelled])
        else:
            # A sum points where the mean points.  Rows without a label get
            # some class here and no score from the base class.
            prototypes = self.sums[labels.clamp(min=0)]
            self.distance[record.rows] = (1 - cosine(embeddings, prototypes)).float()

    def raw(self) -> Tensor:
        """Return one minus the cosine, (n,), in [0, 2]."""
        return self._clustered() if self.prototypes == "kmeans" else self.distance

    def missing(self) -> Mapping[str, Tensor]:
        """Return the rows that are alone in their class, where class means are the prototypes."""
        return {} if self.prototypes == "kmeans" else {"rare_class": self.context.alone}

    @property
    def clusters(self) -> int:
        """Number of k-means clusters."""
        return self.context.n_classes if self.k is None else self.k

    def _keep(self, rows: Tensor, embeddings: Tensor) -> None:
        if self.embeddings.shape[1] == 0:
            shape = (len(self.embeddings), embeddings.shape[1])
            self.embeddings = self.embeddings.new_full(shape, torch.nan)
        self.embeddings[rows] = embeddings

    def _clustered(self) -> Tensor:
        """Return one minus the cosine to the centroid of each row's cluster, (n,), float64."""
        from sklearn.cluster import KMeans

        distance = torch.full((self.context.n,), torch.nan, dtype=torch.float64)
        known = self.embeddings.isfinite().all(1).cpu() & (self.embeddings.shape[1] > 0)
        embeddings = self.embeddings.cpu()[known].double()
        if len(embeddings) < self.clusters:
            return distance
        # Ten starts: one may end where a cluster is split and two are joined.
        fitted = KMeans(self.clusters, n_init=10, random_state=self.context.seed % 2**32)
        codes = fitted.fit_predict(embeddings.numpy())
        centroids = torch.from_numpy(fitted.cluster_centers_)[torch.from_numpy(codes).long()]
        distance[known] = 1 - cosine(embeddings, centroids)
        return distance
