"""What a hardness characterization method is, and what holds for all of them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any, ClassVar, Literal, final

import torch
from torch import Tensor

from hcat_nb.errors import ScoreError, SpecError
from hcat_nb.methods._card import KINDS, DataKind, Fault, check_card, is_abstract
from hcat_nb.observation.buffered import Buffered
from hcat_nb.observation.finite import FiniteOutputs
from hcat_nb.observation.record import Need, Observation, Options

Moment = Literal["epoch", "final", "end"]
NO_LABEL = "no_label"
UNREADABLE = "unreadable"
NO_OUTPUT = "no_finite_output"


@dataclass(frozen=True, eq=False)
class Context:
    """What a method may know before training starts.

    Parameters
    ----------
    labels : Tensor of shape (n,), int64
        Observed class codes, -1 where missing; on ``device``.
    n_classes : int
        Classes of the dataset, those without a sample included.
    n_epochs : int
        Epochs that will be trained.
    seed : int
        Parent of every random draw of the method.
    unreadable : Tensor of shape (n,), bool, optional
        Rows that are never observed.
    outputs : FiniteOutputs, optional
        Knows, as training goes on, rows for which the model gives no numbers.
    groups : Tensor of shape (n,), int64, optional
        Equal for rows that no fold may part; -1 for a row that stands alone.
    """

    labels: Tensor
    n_classes: int
    n_epochs: int
    seed: int = 0
    unreadable: Tensor | None = None
    outputs: FiniteOutputs | None = None
    groups: Tensor | None = None

    @property
    def n(self) -> int:
        """Number of samples."""
        return len(self.labels)

    @property
    def device(self) -> torch.device:
        """Where accumulators live."""
        return self.labels.device

    def of(self, rows: Tensor) -> Context:
        """Return what is known of the samples at ``rows``, numbered anew."""
        unreadable = None if self.unreadable is None else self.unreadable[rows]
        groups = None if self.groups is None else self.groups[rows.to(self.groups.device)]
        return replace(self, labels=self.labels[rows], unreadable=unreadable, groups=groups)

    @property
    def trainable(self) -> Tensor:
        """Tensor of shape (n,), bool: rows with a label that are observed, and gave numbers."""
        labelled = self.labels >= 0
        if self.outputs is not None:
            labelled &= ~self.outputs.none
        return labelled if self.unreadable is None else labelled & ~self.unreadable

    @property
    def alone(self) -> Tensor:
        """Tensor of shape (n,), bool: trainable rows that are the only one of their class."""
        trainable = self.trainable
        sizes = torch.bincount(self.labels[trainable], minlength=self.n_classes)
        return trainable & (sizes[self.labels.clamp(min=0)] == 1)


@dataclass(frozen=True, eq=False)
class Scored:
    """Scores of one method.

    Parameters
    ----------
    scores : Tensor of shape (n,), float32
        Higher = harder; NaN only where ``status`` gives a reason.
    status : list of str, length n
        Empty where there is nothing to say.
    """

    scores: Tensor
    status: list[str]


class Method(Buffered, ABC):
    """A hardness characterization method (HCM): a streaming accumulator.

    A subclass is a ``@dataclass(eq=False)`` whose fields are its options, each
    with a default.  Its card stands in class variables and is checked when the
    class is made.  An option out of range is a SpecError when an instance is.
    :meth:`scores` is final: it applies the sign once and refuses unexplained
    NaN, so that for every method *higher means harder*.

    Attributes
    ----------
    name, title, paper : str
        Key (the module's stem), printed name, and source.
    needs : frozenset of Need
        Quantities that :meth:`observe` reads; an option may change them on
        the instance.
    hard_when : {"high", "low"}
        Whether a high or a low :meth:`raw` value is hard, by definition; an
        option may change it on the instance.
    detects : frozenset of str
        Faults that rank high, of {mislabel, ood, atypical, boundary}.
    detects_in : mapping of fault to frozenset
        Of those that do so in some kinds of data only, these kinds, of
        {image, table, text}.
    looks_at_labels : bool
        Whether the score depends on the observed label; an option may change
        it on the instance, as it may the next two.
    buffers : tuple of str
        Attributes that make up the state, all tensors.  An axis whose length
        only the first record tells is allocated with length 0.
    across : mapping of str to {"any", "sum"}
        The buffers that have no row for each sample, and how those of several
        processes become one; see :class:`Buffered`.
    sweeps : int
        Passes over the final model.
    variants : tuple of str
        Values of the option ``variant``, its default first; empty if it has
        none.  ``"hcat"`` is what H-CAT's benchmark computed, quantity and
        direction; where it is not among them, the benchmark's equals ours as
        far as its published code tells.
    cost : str
        Passes and memory, in words.
    misleads : str
        When not to trust it.
    ties : str or None
        Column by which equal scores are ranked.
    averages_networks : bool
        Whether the paper's score is a mean over initialisations, which a run
        with ``seeds=k`` follows.
    family : str
        Group by which charts colour it: those of the built-in methods, or any other.
    """

    name: ClassVar[str]
    title: ClassVar[str]
    paper: ClassVar[str]
    needs: frozenset[Need]
    hard_when: Literal["high", "low"]
    detects: ClassVar[frozenset[Fault]]
    detects_in: ClassVar[Mapping[Fault, frozenset[DataKind]]] = MappingProxyType({})
    looks_at_labels: bool
    buffers: tuple[str, ...]
    cost: ClassVar[str]
    misleads: ClassVar[str]
    sweeps: int = 1
    variants: ClassVar[tuple[str, ...]] = ()
    ties: ClassVar[str | None] = None
    averages_networks: ClassVar[bool] = False
    family: ClassVar[str] = "own"

    context: Context

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        if not is_abstract(cls):
            check_card(cls)

    def __post_init__(self) -> None:
        """Check the option ``variant`` if there is one; a subclass checks what else it has."""
        if self.variants:
            self._one_of("variant", self.variants)

    @classmethod
    def claims(cls, kind: DataKind) -> frozenset[Fault]:
        """Return the faults that rank high in data of this kind, as the card says."""
        return frozenset(fault for fault in cls.detects if kind in cls.detects_in.get(fault, KINDS))

    @property
    def scored_from(self) -> Moment:
        """When :meth:`scores` first tells something of this run.

        ``"epoch"``: after every epoch, of those so far; ``"final"``: once the
        final model was observed; ``"end"``: after the extra trainings, and what needs none.
        """
        kinds = {need.kind for need in self.needs}
        return "end" if kinds & {"extra", "data"} else "final" if "final" in kinds else "epoch"

    # -- before training -------------------------------------------------

    def begin(self, context: Context) -> None:
        """Allocate the accumulators.

        Raises
        ------
        SpecError
            If the run cannot serve this method (too few epochs, say).
        """
        self.context = context
        self.allocate(context)

    @abstractmethod
    def allocate(self, context: Context) -> None:
        """Set every tensor named in ``buffers`` to its start."""

    def narrow(self, rows: Tensor) -> None:
        """Keep the samples at ``rows`` only; they are numbered anew, in that order."""
        super().narrow(rows)
        self.context = self.context.of(rows)

    def options(self, need: Need) -> Options:
        """Return what the observer has to know to measure ``need``, as (key, value) pairs."""
        return ()

    def due(self, epoch: int) -> bool:
        """Whether ``epoch`` records of this epoch are wanted; others are not handed over."""
        return True

    # -- during training -------------------------------------------------

    @abstractmethod
    def observe(self, record: Observation) -> None:
        """Take in the measurements of some rows, without writing into the record.

        Only records of a kind that ``needs`` asks for arrive, each row at most
        once an epoch (a ``final`` record: once a sweep).
        """

    # -- after training --------------------------------------------------

    @abstractmethod
    def raw(self) -> Tensor:
        """Return the paper's own quantity in its own sign, Tensor of shape (n,)."""

    def missing(self) -> Mapping[str, Tensor]:
        """Return rows without a score, which becomes NaN: reason -> (n,) bool.

        The base adds rows without a label (if labels matter), unreadable ones, and
        those for which the model gave no numbers.
        """
        return {}

    def notes(self) -> Mapping[str, Tensor]:
        """Return rows with something to say about their score: reason -> (n,) bool."""
        return {}

    @classmethod
    def averaged(cls, n: int, options: Mapping[str, Any]) -> str:
        """Return what the mean over ``n`` networks is to the paper, given the method's options.

        Empty where the paper knows no such mean, and for H-CAT's variant.
        """
        if not cls.averages_networks or options.get("variant") == "hcat":
            return ""
        return f"over {n} networks, as the paper does"

    def broken_since(self) -> int | None:
        """Return the first epoch whose measurements were not finite, if that is known."""
        return None

    def details(self) -> Mapping[str, Tensor]:
        """Return further columns of ``run.details``: name -> (n,) float32, NaN where n/a."""
        return {}

    def flagged(self) -> Tensor | None:
        """Return the rows beyond the paper's own threshold, (n,) bool, if it has one.

        A row without a score is never flagged.
        """
        return None

    @final
    def scores(self) -> Scored:
        """Return one score a sample, higher = harder.

        Raises
        ------
        ScoreError
            If a score is NaN or infinite without a stated reason.
        """
        context = self.context
        raw = self.raw().detach().to("cpu", torch.float32, copy=True)
        if raw.shape != (context.n,):
            raise ScoreError(f"{self.name}.raw() has shape {tuple(raw.shape)}", f"({context.n},)")
        scores = raw if self.hard_when == "high" else -raw
        missing = dict(self.missing())
        if self.looks_at_labels:
            missing[NO_LABEL] = context.labels < 0
        if context.unreadable is not None:
            missing[UNREADABLE] = context.unreadable
        if (outputs := context.outputs) is not None:
            undefined = ~torch.isfinite(scores) & outputs.partly.cpu()
            missing[NO_OUTPUT] = outputs.none.cpu() | undefined
        status = [""] * context.n
        for reason, rows in (*self.notes().items(), *missing.items()):
            for row in torch.nonzero(rows).ravel().tolist():
                status[row] = reason
        explained = torch.zeros(context.n, dtype=torch.bool)
        for rows in missing.values():
            explained |= rows.cpu()
        scores[explained] = torch.nan
        self._refuse(scores, torch.nonzero(~torch.isfinite(scores) & ~explained).ravel())
        return Scored(scores, status)

    def _refuse(self, scores: Tensor, bad: Tensor) -> None:
        """Raise if there are ``bad`` rows, whose score is not finite."""
        if len(bad) == 0:
            return
        epoch = self.broken_since()
        when = ""
        if epoch is not None:
            when = f", measured from epoch {epoch} on"
        elif {need.kind for need in self.needs} == {"final"}:
            when = ", measured on the final model"
        first = int(bad[0])
        raise ScoreError(
            f"{self.name} is {scores[first]:g} for {len(bad)} samples, "
            f"the first at position {first}{when}",
            "finite scores",
            "lower the learning rate if the loss diverged; else report a defect",
        )

    def _one_of(self, option: str, choices: tuple[str, ...]) -> None:
        """Raise SpecError if the option's value is not among the choices."""
        if (value := getattr(self, option)) not in choices:
            raise SpecError(f"{self.name}.{option} is {value!r}", "one of " + ", ".join(choices))
