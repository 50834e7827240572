"""What an audit found, in words and tables, and how it goes on."""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from hcat_nb.api.run import Run, load_run
from hcat_nb.audits import store
from hcat_nb.audits.causes import FINE, NAMED, UNCLEAR
from hcat_nb.audits.plan import Plan
from hcat_nb.audits.review import Review
from hcat_nb.audits.samples import WORDS
from hcat_nb.errors import DataError, SpecError
from hcat_nb.evaluation._truth import UNKNOWN
from hcat_nb.runs.store.saving import folder_path

if TYPE_CHECKING:
    from hcat_nb.audits.remedy import Remedy
    from hcat_nb.jupyter.review.explore_panel import ExplorePanel

_LOOKS = 100
_HARD = 0.8  # AUROC on planted labels below which finding most of them is not worth the looks


@dataclass(kw_only=True, eq=False, repr=False)
class Audit:
    """The outcome of :func:`hcat_nb.audit`.

    Attributes
    ----------
    run : Run
        On the data as they are.
    samples : pandas.DataFrame
        Index ``sample_id``, what to look at first on top, without samples that have no label or
        cannot be read: ``rank`` (from 1),
        ``label``, ``suggested`` and ``suggested_probability``; ``verdict`` in
        words and ``cause``, "" where nothing is doubted and "unclear" where
        the ``evidence`` (a share in [0, 1], not a probability) is 0.7 or less;
        ``worst_in``, how many of the ``of_seeds`` networks rank it among the
        worst 5 %; ``neighbours_disagree``, the score of ``knn_label``;
        ``rank_<cause>`` and ``rank_<method>``.
    methods : pandas.DataFrame
        How well each ranking finds planted wrong labels in these data: index
        ``ranking``; ``auroc``, ``auprc`` and ``recall`` in the first 5 % of the
        ranking, each with ``_low`` and ``_high`` (95 %).  ``auprc`` holds for the
        share of wrong labels that was planted, not for that of the user's data.
    causes : pandas.DataFrame
        How well planted causes are told apart; see ``hcat_nb.audits.causes``.
    recommended : str
        The ranking that ``samples`` are in.
    probes : numpy.ndarray of shape (k,)
        For each planted wrong label, the share of unplanted rows ranked above it, in [0, 1].
    plan : Plan
        What was trained: networks, copies, forecast seconds.
    notes : list of str
        What else the reader has to know, in sentences.

    Examples
    --------
    >>> import tempfile, hcat_nb as hcat
    >>> audit = hcat.audit("wine", epochs=2, methods="el2n", seed=0)
    >>> audit.summary().splitlines()[1].partition(";")[0]
    'The network doubts 3 of 178 samples'
    >>> first = audit.review().queue(1).index
    >>> audit.answer(first, is_wrong=False).reviewed
    1
    >>> audit.remedy(share=0.1, seeds=2).held_out
    44
    >>> folder = tempfile.mkdtemp()
    >>> audit.report(folder + "/audit.html").name
    'audit.html'
    >>> hcat.load_audit(audit.save(folder + "/audit")).recommended == audit.recommended
    True
    """

    run: Run
    samples: pd.DataFrame
    methods: pd.DataFrame
    causes: pd.DataFrame
    recommended: str
    probes: np.ndarray
    plan: Plan
    notes: list[str]
    folder: Path | None = None

    def __repr__(self) -> str:
        return f"<Audit: {self.run.info['dataset']['name']}, {len(self.samples):,} samples>\n" + (
            self.summary()
        )

    def summary(self) -> str:
        """Return the findings, one sentence a line, with figures and their limits."""
        n, doubted = len(self.samples), self.samples[self.samples["cause"] != FINE]
        best = self.methods.loc[self.recommended]
        looks = max(1, min(_LOOKS, n // 10))
        above = self.probes * n < looks
        lines = [
            f"The network doubts {len(doubted):,} of {n:,} samples; {self._found()}",
            f"Of {len(self.probes):,} planted wrong labels, drawn as they are plausible here, "
            f"{above.mean():.0%} would each stand among the first {looks}: ranked by "
            f"{self.recommended}, AUROC {best['auroc']:.3f} ({best['auroc_low']:.3f} to "
            f"{best['auroc_high']:.3f}).",
            self._causes(doubted),
        ]
        if check := self.run.learning_check:
            lines.insert(0, check)
        if self.run.spec.truth:
            lines.append(self._trusted())
        if best["auroc"] < _HARD:
            lines.append(
                f"Below an AUROC of {_HARD} most wrong labels take more looks than they are "
                "worth: look at the first, and stop when the next 50 hold too few."
            )
        else:
            lines.append(
                f"Look at the first {min(50, n)} (audit.review().queue()): after that it is known "
                "how many remain, if they are about as hard to find as the planted ones."
            )
        return "\n".join([*lines, *self.notes])

    def review(self) -> Review:
        """Return the queue in the order of ``samples``, and what the decisions so far tell."""
        return Review(self.run, self.samples, self.probes)

    def explore(self, k: int = 50, **options: Any) -> ExplorePanel:
        """Open the explorer on the next ``k`` samples of the review, with their verdicts.

        Decisions are those of :meth:`review`; DataError if all samples are decided.  Further
        options as of :meth:`Run.explore`.  No example here: it needs a kernel, too.
        """
        names = {"suggested": "proposal", "suggested_probability": "probability"}
        names["verdict"] = "evidence"
        queue = self.review().queue(k)[[*names]].rename(columns=names)
        if queue.empty:
            raise DataError("all samples are decided on", remedy="audit.run.explore() shows them")
        options.setdefault("remains", self.review().so_far)
        return self.run.explore(queue=queue.reset_index(names="sample_id"), **options)

    def answer(self, ids: Iterable[Hashable] | Hashable, is_wrong: bool) -> Review:
        """Record that the labels of some samples are wrong, or right; return the review.

        The answers are kept in :meth:`Run.decisions`, as those of the explorer.  SpecError if
        ``is_wrong`` is not True or False; UnknownNameError if there is no such sample.
        """
        if not isinstance(is_wrong, (bool, np.bool_)):  # a list would count as "yes" for all
            raise SpecError(
                f"is_wrong is {is_wrong!r}",
                "True or False, for all of the ids",
                "call it once for each",
            )
        decisions = self.run.decisions()
        (decisions.mislabeled if is_wrong else decisions.keep)(ids)
        return self.review()

    def remedy(self, **options: Any) -> Remedy:
        """Measure how much mending improves accuracy; see :func:`hcat_nb.audits.remedy.remedy`."""
        from hcat_nb.audits.remedy import remedy

        return remedy(self, **options)

    def report(self, path: str | Path, *, k: int = 100, overwrite: bool = False) -> Path:
        """Write an HTML page of the first ``k`` samples, readable without network or kernel.

        StoreError if ``path`` does not end in .html, or something else stands there.
        """
        from hcat_nb.audits.page import write_page

        return write_page(self, path, k=k, overwrite=overwrite)

    def save(self, folder: str | Path) -> Path:
        """Write the audit into a folder; :func:`hcat_nb.load_audit` reads it.

        Raises
        ------
        StoreError
            If something stands there, or it cannot be written.
        """
        with ExitStack() as held:
            place = store.check_place(folder, self.run.spec, held)
            store.begin(place, self.plan, self.run.spec)
            self.run.save(place / "run")
            return self.write(place)

    def write(self, folder: Path) -> Path:
        """Write the tables and findings into a folder in which the plan stands.

        No example here: it needs such a folder, which :meth:`save` makes.
        """
        tables = {"samples": self.samples, "methods": self.methods, "causes": self.causes}
        findings = {
            "recommended": self.recommended,
            "probes": self.probes.tolist(),
            "notes": self.notes,
        }
        store.write(folder, findings, tables)
        self.folder = folder
        return folder

    def _found(self) -> str:
        review = self.review()
        if not review.reviewed:
            return "how many are wrong is not known before you look."
        return f"{review.reviewed:,} reviewed: {review.remaining()}."

    def _trusted(self) -> str:
        """Return what the rows tell whose right label is known."""
        from scipy.stats import binomtest
        from sklearn.metrics import roc_auc_score

        truth = self.run.truth.loc[self.samples.index]
        truth = truth[truth["hardness"] != UNKNOWN]
        wrong, n = truth["is_hard"].to_numpy(bool), len(truth)
        low, high = binomtest(int(wrong.sum()), n).proportion_ci(0.95, "wilson")
        text = (
            f"Of {n:,} trusted labels {wrong.mean():.0%} are wrong (95 %: {low:.0%} to {high:.0%})"
        )
        if "neighbours_disagree" in self.samples and not wrong.all():
            near = self.samples["neighbours_disagree"].loc[truth.index[~wrong]]
            text += f"; the nearest samples side with {(near < 0.5).mean():.0%} of the right ones"
        if wrong.any() and not wrong.all():
            rank = -self.samples["rank"].loc[truth.index]
            text += (
                f"; the ranking finds the wrong ones with AUROC {roc_auc_score(wrong, rank):.2f}"
            )
        return text + "."

    def _causes(self, doubted: pd.DataFrame) -> str:
        counts = doubted["cause"].value_counts()
        named = [f"{WORDS[cause]}: {counts[cause]:,}" for cause in counts.index if cause != UNCLEAR]
        unclear = f"unclear: {counts.get(UNCLEAR, 0):,}"
        table = self.causes
        share = table["named"] * table["probes"]
        right = float((table["right"].fillna(0) * share).sum() / max(share.sum(), 1e-12))
        told = (
            f" Where evidence is above {NAMED}, {right:.0%} of the planted faults were named right."
            if share.sum() and len(table) > 1
            else ""
        )
        return "; ".join([*named, unclear]).capitalize() + "." + told


def load_audit(folder: str | Path) -> Audit:
    """Read an audit that ``out=`` or :meth:`Audit.save` wrote; its run's ``dataset`` is None.

    The example of :class:`Audit` shows it.

    Raises
    ------
    StoreError
        If there is none, it is not finished, or a file is missing or damaged.
    """
    place = folder_path(folder)
    found, tables = store.read(place)
    plan = store.read_plan(place)
    assert plan is not None
    run, samples = load_run(place / "run"), tables["samples"]
    for name in ("label", "suggested"):  # a file of classes that are numbers holds the numbers
        samples[name] = samples[name].astype(run.details["label"].dtype)
    return Audit(
        run=run,
        **tables,
        recommended=found["recommended"],
        probes=np.array(found["probes"]),
        plan=plan,
        notes=found["notes"],
        folder=place,
    )
