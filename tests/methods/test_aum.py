"""Area under the margin against the authors' package and the equation."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from hcat_nb.errors import SpecError
from hcat_nb.methods.aum import AUM, margin
from hcat_nb.methods.base import Context
from hcat_nb.observation.record import Need, Observation

# Five float32 margins are summed in float64, so what is left is float32 rounding.
CLOSE = {"rtol": 1e-6, "atol": 1e-6}


def test_equals_the_authors_package(run, feed, tmp_path):
    from aum import AUMCalculator

    labels, logits = run
    theirs = AUMCalculator(str(tmp_path))
    for epoch in logits:
        last = theirs.update(
            torch.from_numpy(epoch).float(), torch.from_numpy(labels), list(range(len(labels)))
        )
    expected = np.array([last[i].aum for i in range(len(labels))])
    method = feed(AUM(), labels, logits, kind="train")
    np.testing.assert_allclose(method.scores().scores, -expected, **CLOSE)
    np.testing.assert_allclose(method.details()["aum"], expected, **CLOSE)


def test_equals_the_equation_with_skipped_rows(run, feed):
    labels, logits = run
    skipped = {2: [3, 5], 4: [3], **{e: [7] for e in (1, 3, 5)}}
    skipped[2], skipped[4] = [3, 5, 7], [3, 7]
    expected = []
    for i, y in enumerate(labels):
        margins = [
            epoch[i, y] - max(epoch[i, k] for k in range(4) if k != y)
            for e, epoch in enumerate(logits, start=1)
            if i not in skipped.get(e, [])
        ]
        expected.append(np.mean(margins) if margins else np.nan)
    method = feed(AUM(), labels, logits, kind="train", skipped=skipped)
    scored = method.scores()
    np.testing.assert_allclose(scored.scores, -np.array(expected), **CLOSE)
    assert [scored.status[i] for i in (3, 5, 7, 8)] == [
        "3_of_5_epochs",
        "4_of_5_epochs",
        "0_of_5_epochs",
        "",
    ]


def test_largest_other_logit_is_never_the_labels_own():
    logits = torch.tensor([[9.0, 9.0, -1.0]])
    assert margin(logits, torch.tensor([0])).item() == 0
    assert margin(logits, torch.tensor([2])).item() == -10


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_margin_of_half_precision_is_float32(dtype):
    value = margin(torch.tensor([[10.0, 4.0]], dtype=dtype), torch.tensor([1]))
    assert value.dtype == torch.float32
    assert value.item() == -6


def test_unlabelled_rows_have_no_aum(run, feed):
    labels, logits = run
    labels = labels.copy()
    labels[[0, 9]] = -1
    method = feed(AUM(), labels, logits, kind="train")
    assert torch.nonzero(method.details()["aum"].isnan()).ravel().tolist() == [0, 9]
    assert method.scores().status[9] == "no_label"
    assert method.flagged() is None


def test_hcats_threshold_flags_99_in_100(run, feed):
    labels, logits = run
    method = feed(AUM(variant="hcat"), labels, logits, kind="train")
    aum = method.details()["aum"].numpy()
    expected = aum < np.percentile(aum, 99)
    assert expected.sum() == 198
    assert method.flagged().tolist() == expected.tolist()


def extra(aum, relabelled, rows, number):
    measured = torch.tensor([aum, relabelled], dtype=torch.float64).T
    key = (Need.THRESHOLD_SAMPLES, ())
    labels, logits = torch.zeros(len(rows), dtype=torch.int64), torch.zeros(len(rows), 0)
    return Observation("extra", 5, torch.tensor(rows), labels, logits, {key: measured}, number)


def test_a_sample_is_judged_where_it_kept_its_label(run, feed):
    labels, logits = run
    labels, logits = labels[:6], logits[:, :6]
    method = feed(AUM(threshold_samples=True), labels, logits, kind="train")
    plain = feed(AUM(), labels, logits, kind="train")
    assert method.flagged() is None
    assert method.scores().status == ["not_judged"] * 6
    # Rows 0 and 1 are threshold samples: the 99th percentile of -3 and -1 is -1.02.
    method.observe(extra([-3, -1, -1.1, -0.9, -5, 4], [1, 1, 0, 0, 0, 0], [0, 1, 2, 3, 4, 5], 0))
    assert method.scores().status == ["not_judged"] * 2 + [""] * 4
    assert method.flagged().tolist() == [False, False, True, False, True, False]
    # In the second training they are judged; the others have their verdict.
    method.observe(extra([-2, 3, 1, 1, -9, -9], [0, 0, 1, 1, 0, 0], [0, 1, 2, 3, 4, 5], 1))
    assert method.flagged().tolist() == [True, False, True, False, True, False]
    assert method.scores().status == [""] * 6
    assert torch.equal(method.scores().scores, plain.scores().scores)


def test_options_that_do_not_go():
    with pytest.raises(SpecError, match=r"aum\.threshold_samples is 1; expected True or False"):
        AUM(threshold_samples=1)
    with pytest.raises(SpecError, match="one of the two"):
        AUM(threshold_samples=True, variant="hcat")
    with pytest.raises(SpecError, match=r"each of 4 \+ 1 classes, and 4 can be trained on"):
        AUM(threshold_samples=True).begin(Context(torch.arange(4), 4, 1))
