"""Detector: the recurrence against torch's own LSTM, the weights, the file that is handed over.

That the scores of a run equal an LSTM written in NumPy is shown by the
conformance suite.
"""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from hcat_nb.assets import asset
from hcat_nb.errors import SpecError
from hcat_nb.methods.detector import Detector, load_weights, read_sequences, weight_shapes
from hcat_nb.observation.record import Observation


def random_weights(hidden: int) -> dict[str, torch.Tensor]:
    generator = torch.Generator().manual_seed(hidden)
    return {
        name: torch.randn(shape, generator=generator)
        for name, shape in weight_shapes(hidden).items()
    }


def by_torch(sequences: torch.Tensor, weights: dict[str, torch.Tensor]) -> torch.Tensor:
    """Log odds after each epoch, by torch.nn.LSTM and torch.nn.Linear."""
    size = weights["head_weight"].shape[1]
    lstm, head = torch.nn.LSTM(1, size, batch_first=True), torch.nn.Linear(size, 1)
    names = ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
    lstm.load_state_dict({f"{name}_l0": weights[name] for name in names})
    head.load_state_dict({"weight": weights["head_weight"], "bias": weights["head_bias"]})
    with torch.no_grad():
        return head(lstm(2 * sequences[:, :, None] - 1)[0]).squeeze(2)


@pytest.mark.parametrize("hidden", [1, 5, 16])
def test_sequences_of_any_length_as_torch_reads_them(hidden):
    weights = random_weights(hidden)
    for length in (1, 2, 9, 70):
        sequences = torch.rand(11, length, generator=torch.Generator().manual_seed(length))
        found = read_sequences(sequences, weights)
        # One cell a step or all steps at once: the same float32 sums, in another order.
        torch.testing.assert_close(found, by_torch(sequences, weights), rtol=1e-5, atol=1e-5)


def test_a_run_is_read_epoch_by_epoch(run, feed, softmax):
    labels, logits = run
    p = softmax(logits)[:, np.arange(len(labels)), labels].T.astype(np.float32)
    method = feed(Detector(), labels, logits)
    odds = by_torch(torch.from_numpy(p), load_file(asset("detector.safetensors")))[:, -1]
    torch.testing.assert_close(method.scores().scores, odds.sigmoid(), rtol=0, atol=1e-5)
    assert method.flagged().tolist() == (odds > 0).tolist()


def test_an_epoch_without_the_sample_is_passed_over(run, feed):
    labels, logits = run
    skipping = feed(Detector(), labels, logits, skipped={2: [4], 3: [4]}).scores()
    shorter = feed(Detector(), labels, logits[[0, 3, 4]]).scores()
    assert skipping.scores[4] == shorter.scores[4]
    assert skipping.status[4] == "3_of_5_epochs"


def test_what_resists_is_mislabelled_and_what_is_learned_is_not():
    weights = load_weights(asset("detector.safetensors"))
    for length in (3, 5, 10, 20, 50):
        learned = torch.linspace(0.3, 0.99, length)
        resisted = torch.full((length,), 0.03)
        last = read_sequences(torch.stack([learned, resisted]), weights)[:, -1]
        assert last[0] < 0 < last[1], length


def test_ones_own_weights_are_used(run, feed, tmp_path):
    labels, logits = run
    path = tmp_path / "own.safetensors"
    save_file(random_weights(7), path)
    own = feed(Detector(weights=path), labels, logits).scores().scores
    assert not torch.equal(own, feed(Detector(), labels, logits).scores().scores)
    assert torch.equal(own, feed(Detector(weights=str(path)), labels, logits).scores().scores)


def test_making_one_leaves_the_global_generator_alone():
    torch.manual_seed(0)
    before = torch.get_rng_state()
    Detector()
    assert torch.equal(torch.get_rng_state(), before)


def test_a_file_that_is_no_detector_is_refused_when_the_method_is_made(tmp_path):
    with pytest.raises(SpecError, match=r"no file; to mend it: make one with .*train_detector"):
        Detector(weights=tmp_path / "absent.safetensors")
    (tmp_path / "text.safetensors").write_text("no weights")
    with pytest.raises(SpecError, match=r"cannot be read .*expected a safetensors file"):
        Detector(weights=tmp_path / "text.safetensors")
    save_file({"weight": torch.zeros(2)}, tmp_path / "other.safetensors")
    with pytest.raises(SpecError, match=r"holds .*'weight': \(2,\).*expected .*weight_ih"):
        Detector(weights=tmp_path / "other.safetensors")
    wrong = random_weights(4) | {"bias_hh": torch.zeros(3)}
    save_file(wrong, tmp_path / "shape.safetensors")
    with pytest.raises(SpecError, match=r"'bias_hh': \(3,\).*'bias_hh': \(16,\)"):
        Detector(weights=tmp_path / "shape.safetensors")
    with pytest.raises(SpecError, match=r"weights is 3; expected the path"):
        Detector(weights=3)


def test_the_file_that_ships_is_small():
    assert asset("detector.safetensors").stat().st_size < 200_000


def test_hcat_scores_the_verdict(run, feed):
    plain = feed(Detector(), *run).scores().scores
    scored = feed(Detector(variant="hcat"), *run)
    assert scored.scores().scores.tolist() == (plain > 0.5).float().tolist()
    assert set(scored.scores().scores.tolist()) == {0.0, 1.0}
    assert scored.flagged().tolist() == feed(Detector(), *run).flagged().tolist()


def test_a_state_that_kept_no_sequences_is_gone_on_from(run, feed):
    """As a long run makes it, and as earlier versions did with any."""
    labels, logits = run
    whole, long = feed(Detector(), labels, logits), Detector()
    context = whole.context
    long.begin(dataclasses.replace(context, n_epochs=40))
    assert "hidden" in long.state()
    resumed = Detector()
    resumed.begin(context)
    state = {**long.state(), "count": long.count.int()}  # counts were wider, too
    resumed.load_state(state | {name: resumed.state()[name] for name in ("heard", "broken")})
    for epoch, one in enumerate(logits, start=1):
        rows = torch.arange(len(labels))
        one = torch.as_tensor(one, dtype=torch.float32)
        resumed.observe(Observation("epoch", epoch, rows, context.labels, one))
    # The same float32 sums in a batch of another size.
    torch.testing.assert_close(resumed.raw(), whole.raw(), rtol=0, atol=1e-6)
