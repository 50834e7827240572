"""Confident learning against the cleanlab package, called independently."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
import torch

from hcat_nb.errors import SpecError
from hcat_nb.methods.base import Context
from hcat_nb.methods.cleanlab import Cleanlab, label_issues

METHODS = ["self_confidence", "normalized_margin", "confidence_weighted_entropy"]


@pytest.fixture
def final(run):
    """Labels of which a tenth is wrong, and logits (1, n, C) of the last epoch."""
    labels, logits = run
    wrong = np.arange(0, 200, 10)
    observed = labels.copy()
    observed[wrong] = (labels[wrong] + 1) % 4
    return observed, logits[-1:]


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("adjust", [False, True])
def test_scores_equal_the_package(final, feed, softmax, method, adjust):
    from cleanlab.rank import get_label_quality_scores

    if adjust and method == "confidence_weighted_entropy":
        pytest.skip("cleanlab does not offer it")
    labels, logits = final
    expected = 1 - get_label_quality_scores(
        labels, softmax(logits[0]), method=method, adjust_pred_probs=adjust
    )
    fed = feed(Cleanlab(method, adjust), labels, logits, kind="final")
    # Ours is rounded to float32 at the end.
    np.testing.assert_allclose(fed.scores().scores, expected, rtol=0, atol=1e-7)


def test_flags_equal_the_package(final, feed, softmax):
    from cleanlab.filter import find_label_issues

    labels, logits = final
    expected = find_label_issues(labels, softmax(logits[0]), n_jobs=1)
    assert 10 < expected.sum() < 100
    flags = feed(Cleanlab(), labels, logits, kind="final").flagged()
    assert flags.tolist() == expected.tolist()


@pytest.mark.parametrize("n_classes", [2, 3, 20])
def test_issues_found_some_classes_at_a_time_are_those_found_at_once(n_classes):
    from cleanlab.filter import find_label_issues

    rng = np.random.default_rng(n_classes)
    labels = rng.choice(n_classes, 3000, p=rng.dirichlet(np.full(n_classes, 2.0)))
    logits = rng.normal(0, 1.5, (3000, n_classes)).astype(np.float32)
    logits[np.arange(3000), labels] += 1
    probs = torch.softmax(torch.from_numpy(logits).double(), dim=1).numpy()
    expected = find_label_issues(labels, probs, n_jobs=1)
    assert 300 < expected.sum() < 2900
    found = label_issues(torch.from_numpy(logits), torch.from_numpy(labels))
    assert found.tolist() == expected.tolist()


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("adjust", [False, True])
def test_classes_without_a_row_are_as_if_the_model_had_no_output_for_them(
    final, feed, method, adjust
):
    if adjust and method == "confidence_weighted_entropy":
        pytest.skip("cleanlab does not offer it")
    labels, logits = final
    wide = np.insert(logits, [2, 4], 0.5, axis=2)  # classes 2 and 5 of 6 have no row
    wide_labels = np.array([0, 1, 3, 4])[labels]
    plain = feed(Cleanlab(method, adjust), labels, logits, kind="final")
    mapped = feed(Cleanlab(method, adjust), wide_labels, wide, kind="final")
    assert torch.equal(mapped.scores().scores, plain.scores().scores)
    assert torch.equal(mapped.flagged(), plain.flagged())


def test_rows_that_cannot_be_judged_stay_out_of_the_call(final, feed):
    labels, logits = final
    spoiled, gone = labels.copy(), np.zeros(200, dtype=bool)
    spoiled[150:170], gone[170:] = -1, True
    whole = feed(Cleanlab(), labels[:150], logits[:, :150], kind="final")
    part = feed(Cleanlab(), spoiled, logits, kind="final", unreadable=gone)
    assert torch.equal(part.scores().scores[:150], whole.scores().scores)
    assert torch.equal(part.flagged()[:150], whole.flagged())
    assert not part.flagged()[150:].any()
    assert part.scores().status[169:171] == ["no_label", "unreadable"]


def test_a_lone_row_is_scored_said_to_be_rare_and_not_flagged(feed):
    """Class counts 120 / 79 / 1, as in field report A10."""
    labels = np.repeat([0, 1, 2], [120, 79, 1])
    logits = np.random.default_rng(0).normal(0, 1, (1, 200, 3))
    logits[0, np.arange(200), labels] += 3
    logits[0, 199] = [9, 0, 0]  # the lone row looks wrong
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        method = feed(Cleanlab(), labels, logits, kind="final")
        scored, flags = method.scores(), method.flagged()
    assert scored.scores[199] > 0.99
    assert scored.status == [""] * 199 + ["rare_class"]
    assert not flags[199]


def test_in_sample_ranking_is_that_of_the_last_loss(final, feed, softmax):
    labels, logits = final
    p = softmax(logits[0])[np.arange(200), labels]
    scores = feed(Cleanlab(), labels, logits, kind="final").scores().scores.numpy()
    clear = scores < 1 - 1e-5  # float32 tells no more apart next to 1
    assert (np.argsort(scores[clear]) == np.argsort(-np.log(p[clear]))).all()


@pytest.mark.parametrize(
    "options",
    [
        {"method": "margin"},
        {"adjust_pred_probs": "yes"},
        {"cv": 1},
        {"cv": True},
        {"method": "confidence_weighted_entropy", "adjust_pred_probs": True},
    ],
)
def test_options_that_do_not_go(options):
    with pytest.raises(SpecError, match=r"cleanlab\.(method|adjust_pred_probs|cv)"):
        Cleanlab(**options)


def test_out_of_fold_logits_are_judged_as_the_final_models_are(final, feed):
    labels, logits = final
    plain = feed(Cleanlab(), labels, logits, kind="final")
    folded = feed(Cleanlab(cv=2), labels, logits, kind="extra")
    assert torch.equal(folded.scores().scores, plain.scores().scores)
    assert torch.equal(folded.flagged(), plain.flagged())


def test_a_fold_that_was_not_trained_says_so(final, feed):
    labels, logits = final
    method = feed(Cleanlab(cv=2), labels, logits, kind="extra", skipped={1: list(range(100))})
    scored = method.scores()
    assert scored.status == ["no_fold"] * 100 + [""] * 100
    assert scored.scores[:100].isnan().all()
    assert scored.scores[100:].isfinite().all()
    assert method.flagged() is None
    none = feed(Cleanlab(cv=2), labels, logits, kind="extra", skipped={1: list(range(200))})
    assert none.scores().status == ["no_fold"] * 200


def test_more_folds_than_samples_of_any_class():
    with pytest.raises(SpecError, match=r"cv is 4, and the largest class has 3 .*at most 3 folds"):
        Cleanlab(cv=4).begin(Context(torch.tensor([0, 0, 0, 1, -1]), 2, 1))
