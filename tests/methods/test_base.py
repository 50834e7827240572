"""What the base class does for every method: sign, NaN, status, state."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
import torch

from hcat_nb.errors import ScoreError, SpecError
from hcat_nb.methods.base import Context, Method
from hcat_nb.observation.record import Need

NAN = float("nan")


@dataclass(eq=False)
class Stub(Method):
    """Returns what it is told to."""

    name = "stub"
    title = "Stub"
    paper = "none"
    needs = frozenset({Need.LOGITS})
    hard_when = "low"
    detects = frozenset()
    looks_at_labels = True
    buffers = ("values", "wide")
    cost = "none"
    misleads = "always"

    def allocate(self, context):
        self.values = torch.zeros(context.n, dtype=torch.float64)
        self.wide = torch.zeros(context.n, 0)
        self.gone, self.said, self.since = {}, {}, None

    def observe(self, record): ...

    def raw(self):
        return self.values

    def missing(self):
        return self.gone

    def notes(self):
        return self.said

    def broken_since(self):
        return self.since


class HighStub(Stub):
    name = "high_stub"
    hard_when = "high"


class BlindStub(Stub):
    name = "blind_stub"
    looks_at_labels = False


def begin(cls, values, *, labels=None, unreadable=None):
    stub = cls()
    labels = torch.zeros(len(values), dtype=torch.int64) if labels is None else labels
    stub.begin(Context(labels, 2, 3, unreadable=unreadable))
    stub.values = torch.tensor(values, dtype=torch.float64)
    return stub


def where(*rows, n=4):
    mask = torch.zeros(n, dtype=torch.bool)
    mask[list(rows)] = True
    return mask


def test_the_sign_is_applied_once_and_the_papers_quantity_stays():
    stub = begin(Stub, [1.0, -2.0])
    scored = stub.scores()
    assert scored.scores.tolist() == [-1, 2]
    assert scored.scores.dtype == torch.float32
    assert scored.status == ["", ""]
    assert stub.raw().tolist() == [1, -2]
    assert begin(HighStub, [1.0, -2.0]).scores().scores.tolist() == [1, -2]


def test_scores_are_a_copy():
    stub = begin(HighStub, [1.0, 2.0])
    stub.values = stub.values.float()
    stub.scores().scores.zero_()
    assert stub.values.tolist() == [1, 2]


@pytest.mark.parametrize("value", [NAN, float("inf"), -float("inf")])
def test_a_score_that_is_not_finite_is_refused(value):
    with pytest.raises(ScoreError, match=r"stub is .* for 1 samples, the first at position 2;"):
        begin(Stub, [0.0, 0.0, value, 0.0]).scores()


def test_the_error_names_the_epoch_where_it_is_known():
    stub = begin(Stub, [NAN, NAN])
    stub.since = 2
    with pytest.raises(ScoreError, match=r"2 samples.*position 0, measured from epoch 2 on"):
        stub.scores()


def test_a_stated_reason_makes_nan_and_is_told():
    stub = begin(Stub, [0.0, NAN, 1.0, float("inf")])
    stub.gone = {"rare_class": where(1), "0_of_3_epochs": where(2, 3)}
    scored = stub.scores()
    assert scored.scores.isnan().tolist() == [False, True, True, True]
    assert scored.status == ["", "rare_class", "0_of_3_epochs", "0_of_3_epochs"]


def test_a_note_excuses_nothing():
    stub = begin(Stub, [0.0, 1.0, 2.0, 3.0])
    stub.said = {"2_of_3_epochs": where(1)}
    assert stub.scores().scores.tolist() == [0, -1, -2, -3]
    assert stub.scores().status[1] == "2_of_3_epochs"
    stub.values[1] = NAN
    with pytest.raises(ScoreError, match="position 1"):
        stub.scores()


def test_unlabelled_and_unreadable_rows_override_what_the_method_says():
    labels = torch.tensor([-1, 0, -1, 0])
    for cls, status in ((Stub, ["no_label", "x", "unreadable", "x"]), (BlindStub, None)):
        stub = begin(cls, [0.0, 1.0, NAN, 3.0], labels=labels, unreadable=where(2))
        stub.said = {"x": where(0, 1, 2, 3)}
        scored = stub.scores()
        assert scored.status == (status or ["x", "x", "unreadable", "x"])
        assert scored.scores.isnan().tolist() == [cls is Stub, False, True, False]


def test_a_wrong_shape_is_refused():
    stub = begin(Stub, [0.0, 1.0])
    stub.values = stub.values[:, None]
    with pytest.raises(ScoreError, match=r"stub.raw\(\) has shape \(2, 1\); expected \(2,\)"):
        stub.scores()


def test_state_is_copied_in_and_may_widen_an_axis_without_length():
    stub, other = begin(Stub, [0.0, 1.0]), begin(Stub, [5.0, 6.0])
    other.wide = torch.ones(2, 7)
    state = other.state()
    stub.load_state(state)
    state["values"].zero_()
    assert stub.scores().scores.tolist() == [-5, -6]
    assert stub.wide.shape == (2, 7)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"values": torch.zeros(3, dtype=torch.float64)}, r"stub.values is \(3,\)"),
        ({"values": torch.zeros(2)}, r"stub.values is \(2,\) torch.float32; .*float64"),
        ({"wide": torch.zeros(3, 0)}, r"stub.wide is \(3, 0\)"),
        ({"wide": torch.zeros(2)}, r"stub.wide is \(2,\)"),
        ({"more": torch.zeros(2)}, "the state of stub has"),
    ],
)
def test_a_state_that_does_not_fit_is_refused(change, message):
    stub = begin(Stub, [0.0, 1.0])
    with pytest.raises(SpecError, match=message):
        stub.load_state({**stub.state(), **change})


def test_context_knows_who_is_trained_on_and_who_is_alone():
    labels = torch.tensor([0, 0, 1, 1, 2, -1])
    context = Context(labels, 4, 1, unreadable=where(3, n=6))
    assert context.trainable.tolist() == [True, True, True, False, True, False]
    assert context.alone.tolist() == [False, False, True, False, True, False]
    assert context.n == 6
    assert Context(labels, 4, 1).alone.tolist() == [False] * 4 + [True, False]


def test_narrowed_a_method_and_its_context_know_these_rows_only():
    context = Context(torch.tensor([0, 1, 2]), 3, 1, unreadable=where(2, n=3))
    some = context.of(torch.tensor([2, 0]))
    assert some.labels.tolist() == [2, 0]
    assert some.trainable.tolist() == [False, True]
    stub = begin(Stub, [0.0, 1.0])
    before = {name: value.clone() for name, value in stub.state().items()}
    stub.narrow(torch.tensor([1]))
    assert stub.context.n == 1
    for name, value in stub.state().items():
        assert torch.equal(value, before[name] if name in stub.across else before[name][1:])
