"""Groups by fixed thresholds."""

from __future__ import annotations

import numpy as np
import torch

from hcat_nb.methods._groups import HCAT, by_thresholds, named
from hcat_nb.methods.dataiq import DataIQ
from hcat_nb.methods.datamaps import DataMaps


def test_bounds_belong_to_the_groups():
    confidence = np.array([0.8, 0.79, 0.2, 0.21, 0.9, 0.1, np.nan, 0.9])
    uncertainty = np.array([0.15, 0.1, 0.15, 0.1, 0.16, 0.16, 0.1, np.nan])
    found = by_thresholds(confidence, uncertainty, upper=0.8, lower=0.2, limit=0.15)
    assert found.dtype == np.int8
    assert named(found).tolist() == ["easy", "ambiguous", "hard", *["ambiguous"] * 3, "", ""]


def test_hcats_are_those_of_the_specification():
    # H-CAT's published code: ".8 / .2 and uncertainty <= .15"
    assert HCAT == {"upper": 0.8, "lower": 0.2, "limit": 0.15}


def test_hcats_variant_of_both_maps_flags_by_them(run, feed, softmax):
    labels, logits = run
    logits = logits.copy()
    logits[:, :60][:, np.arange(60), labels[:60]] -= 12  # learned as something else
    p = softmax(logits)[:, np.arange(len(labels)), labels]
    for method, uncertainty in (
        (DataIQ(variant="hcat"), (p * (1 - p)).mean(0)),
        (DataMaps(variant="hcat"), p.std(0)),
    ):
        expected = (p.mean(0) <= 0.2) & (uncertainty <= 0.15)
        assert 0 < expected.sum() < len(labels)
        assert feed(method, labels, logits).flagged().tolist() == expected.tolist()


def test_hcat_scores_both_maps_by_the_confidence(run, feed, softmax):
    labels, logits = run
    confidence = softmax(logits)[:, np.arange(len(labels)), labels].mean(0)
    for kind in (DataIQ, DataMaps):
        method = feed(kind(variant="hcat"), labels, logits)
        # p of one epoch is float32: 1e-7 of 1.
        np.testing.assert_allclose(method.raw(), confidence, rtol=0, atol=5e-7)
        assert torch.equal(method.scores().scores, -method.raw().float())
