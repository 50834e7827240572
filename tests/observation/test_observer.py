"""One pass serves every need."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest
import torch
from torch import nn

from hcat_nb.errors import HcatError, ModelError
from hcat_nb.observation.finite import FiniteOutputs
from hcat_nb.observation.observer import Observer
from hcat_nb.observation.record import Need
from hcat_nb.observation.traits import InputTraits

N = 20


@dataclass
class Subscriber:
    needs: frozenset
    sweeps: int = 1
    epochs: tuple = (1, 2, 3)
    records: list = field(default_factory=list)

    def options(self, need):
        return (("k", 2),) if need is Need.DROPOUT else ()

    def due(self, epoch):
        return epoch in self.epochs

    def observe(self, record):
        self.records.append(record)


class Counting(nn.Module):
    def __init__(self):
        super().__init__()
        self.drop = nn.Dropout(0.5)
        self.head = nn.Linear(4, 3)
        self.passes = 0

    def forward(self, x):
        self.passes += 1
        return self.head(self.drop(x))


@pytest.fixture
def features() -> torch.Tensor:
    return torch.randn(N, 4, generator=torch.Generator().manual_seed(0))


def observer(
    net,
    features,
    *subscribers,
    rows=None,
    batch_size=N,
    traits=None,
    from_training=False,
    weights=None,
) -> Observer:
    labels = torch.arange(N) % 3
    labels[0] = -1
    return Observer(
        net,
        features,
        labels,
        torch.arange(N) if rows is None else rows,
        subscribers,
        n_classes=3,
        batch_size=batch_size,
        seed=0,
        embedding=net.head,
        traits=traits,
        from_training=from_training,
        weights=weights,
    )


def test_epoch_and_final_needs_share_one_pass(features):
    net = Counting()
    epoch, final = Subscriber(frozenset({Need.LOGITS})), Subscriber(frozenset({Need.EMBEDDINGS}))
    observer(net, features, epoch, final).end_epoch(3, last=True)
    assert net.passes == 1
    assert [record.kind for record in epoch.records + final.records] == ["epoch", "final"]
    assert torch.equal(final.records[0].take(Need.EMBEDDINGS), features)
    assert torch.equal(epoch.records[0].logits, net.eval().head(features).detach())


def test_training_logits_stand_for_the_end_of_an_epoch_without_a_pass(features):
    net = Counting()
    epoch, train = Subscriber(frozenset({Need.LOGITS})), Subscriber(frozenset({Need.TRAIN_LOGITS}))
    later = Subscriber(frozenset({Need.LABEL_PROB}), epochs=(2,))
    made = observer(net, features, epoch, train, later, from_training=True)
    logits = torch.randn(3, 3)
    made.record_step(torch.tensor([4, 1, 7]), logits)
    made.end_epoch(1, last=False)
    assert net.passes == 0
    assert later.records == []
    (record,) = epoch.records
    assert (record.kind, record.epoch, record.rows.tolist()) == ("epoch", 1, [1, 4, 7])
    assert torch.equal(record.logits, logits[[1, 0, 2]])
    assert torch.equal(train.records[0].logits, record.logits)
    made.end_epoch(2, last=False)  # nothing was presented in it
    assert len(epoch.records) == 1
    assert "forward" not in made.askers()


def test_who_wants_more_than_logits_gets_a_pass_that_others_do_not_hear(features):
    net = Counting()
    plain = Subscriber(frozenset({Need.LOGITS}))
    norms = Subscriber(frozenset({Need.GRADIENT_NORM}), epochs=(2,))
    finite = FiniteOutputs(N, torch.device("cpu"))
    made = observer(net, features, plain, norms, finite, from_training=True)
    with torch.no_grad():
        net.head.weight[0, 0] = torch.inf  # what is measured is not finite, and somebody tells it
    made.record_step(torch.arange(N), torch.zeros(N, 3))
    made.end_epoch(1, last=False)
    assert not finite.none.any()
    made.record_step(torch.arange(N), torch.zeros(N, 3))
    made.end_epoch(2, last=False)
    assert len(norms.records) == 1
    assert len(plain.records) == 2
    assert finite.partly.all()


def test_dropout_is_measured_once_for_all_who_ask_alike(features):
    passes = []
    for askers in (1, 3):
        net = Counting()
        ones = [Subscriber(frozenset({Need.DROPOUT})) for _ in range(askers)]
        observer(net, features, *ones).end_epoch(1, last=True)
        passes.append(net.passes)
    assert passes[0] == passes[1] > 2
    assert ones[0].records[0].take(Need.DROPOUT, (("k", 2),)).shape == (N, 2, 3)


def test_who_is_not_due_costs_nothing(features):
    net = Counting()
    one = Subscriber(frozenset({Need.LOGITS}), epochs=(2,))
    watcher = observer(net, features, one)
    watcher.end_epoch(1, last=False)
    assert (net.passes, one.records) == (0, [])
    watcher.end_epoch(2, last=False)
    assert net.passes == 1


@pytest.mark.parametrize(("budget", "passes"), [(2**25, 5), (3 * 4 * 7 * 4, 7), (0, 10)])
def test_what_a_sweep_wants_again_is_kept_while_it_fits(features, monkeypatch, budget, passes):
    """Five chunks of 4 rows, each with 3 logits and 4 embeddings of 4 bytes; three fit."""
    monkeypatch.setattr("hcat_nb.observation.observer._CHUNK", 4)
    monkeypatch.setattr("hcat_nb.observation.observer._KEPT", budget)
    net, one = Counting(), Subscriber(frozenset({Need.EMBEDDINGS}), sweeps=2)
    watching = observer(net, features, one, batch_size=4)
    watching.end_epoch(3, last=True)
    assert net.passes == passes
    first, second = (
        torch.cat([record.take(Need.EMBEDDINGS) for record in one.records if record.sweep == sweep])
        for sweep in (0, 1)
    )
    assert torch.equal(first, features)
    assert torch.equal(second, features)
    with torch.no_grad():
        net.head.weight.zero_()
    watching.observe_final(3)  # nothing of an earlier model is handed over
    assert torch.equal(one.records[-1].logits, net.head.bias.expand(4, 3))


def test_two_sweeps_see_every_row_twice(features):
    one = Subscriber(frozenset({Need.EMBEDDINGS}), sweeps=2)
    other = Subscriber(frozenset({Need.FINAL_LOGITS}))
    observer(Counting(), features, one, other).end_epoch(1, last=True)
    assert [record.sweep for record in one.records] == [0, 1]
    assert [record.sweep for record in other.records] == [0]


def test_training_logits_come_at_the_end_of_the_epoch_and_once_a_row(features):
    one = Subscriber(frozenset({Need.TRAIN_LOGITS}))
    watcher = observer(Counting(), features, one)
    watcher.record_step(torch.tensor([5, 2]), torch.ones(2, 3))
    watcher.record_step(torch.tensor([2, 7]), torch.full((2, 3), 2.0))
    assert one.records == []
    watcher.end_epoch(1, last=False)
    (record,) = one.records
    assert record.rows.tolist() == [2, 5, 7]
    assert record.logits[:, 0].tolist() == [2, 1, 2]
    watcher.end_epoch(2, last=False)
    assert len(one.records) == 1


def test_discarded_steps_leave_no_trace(features):
    one = Subscriber(frozenset({Need.TRAIN_LOGITS}))
    watcher = observer(Counting(), features, one)
    watcher.record_step(torch.tensor([5]), torch.ones(1, 3))
    watcher.discard_steps()
    watcher.end_epoch(1, last=False)
    assert one.records == []


def test_only_the_given_rows_are_observed_and_missing_labels_are_hidden(features):
    one = Subscriber(frozenset({Need.LOGITS}))
    rows = torch.tensor([0, 3, 9])
    observer(Counting(), features, one, rows=rows).end_epoch(1, last=False)
    assert one.records[0].rows.tolist() == [0, 3, 9]
    assert one.records[0].labels.tolist() == [0, 0, 0]


def test_the_batch_size_changes_nothing(features):
    net = Counting()
    needs = frozenset({Need.FINAL_LOGITS, Need.EMBEDDINGS, Need.DROPOUT})
    whole, parts = Subscriber(needs), Subscriber(needs)
    observer(net, features, whole).end_epoch(1, last=True)
    observer(net, features, parts, batch_size=3).end_epoch(1, last=True)
    key = (("k", 2),)
    # another batch size may take another matrix kernel
    assert torch.allclose(whole.records[0].logits, parts.records[0].logits, atol=1e-6)
    assert torch.allclose(
        whole.records[0].take(Need.DROPOUT, key),
        parts.records[0].take(Need.DROPOUT, key),
        atol=1e-6,
    )


def test_an_early_end_gives_final_records_only(features):
    one = Subscriber(frozenset({Need.LOGITS, Need.FINAL_LOGITS}))
    observer(Counting(), features, one).observe_final(2)
    assert [(record.kind, record.epoch) for record in one.records] == [("final", 2)]


def test_a_need_that_nobody_measures_is_refused_before_training(features):
    with pytest.raises(HcatError, match="AUGMENTED cannot be measured without traits"):
        observer(Counting(), features, Subscriber(frozenset({Need.AUGMENTED})))


GRADIENTS = frozenset({Need.GRADIENT_NORM, Need.INPUT_GRADIENTS})


def test_gradients_take_forwards_of_their_own_only_in_the_epochs_in_which_they_are_due(features):
    net = Counting()
    plain = Subscriber(frozenset({Need.LOGITS}))
    late = Subscriber(GRADIENTS, epochs=(2,))
    watcher = observer(net, features, plain, late)
    watcher.end_epoch(1, last=False)
    assert (net.passes, late.records) == (1, [])
    watcher.end_epoch(2, last=False)
    assert net.passes > 3  # the shared one, and those that record gradients
    (record,) = late.records
    assert torch.equal(record.logits, plain.records[1].logits)
    before = net.passes
    watcher.end_epoch(3, last=False)
    assert net.passes == before + 1


def test_gradients_are_those_of_the_observed_labels(features):
    net = Counting()
    one = Subscriber(GRADIENTS)
    observer(net, features, one).end_epoch(1, last=False)
    (record,) = one.records
    labels = record.labels.clone()  # a tensor that autograd may keep
    assert torch.equal(record.take(Need.INPUT_GRADIENTS), net.head.weight[labels])
    # a single linear layer: |p - onehot(y)| sqrt(|x|^2 + 1)
    error = (record.probs - torch.eye(3)[labels]).norm(dim=1)
    expected = error * (features.square().sum(1) + 1).sqrt()
    torch.testing.assert_close(record.take(Need.GRADIENT_NORM), expected)
    again, weights = Subscriber(GRADIENTS), torch.linspace(0.5, 2, N)
    observer(net, features, again, weights=weights).end_epoch(1, last=False)
    (weighted,) = again.records
    norms = weighted.take(Need.GRADIENT_NORM)
    torch.testing.assert_close(norms, expected * weights[weighted.rows])
    assert torch.equal(weighted.take(Need.INPUT_GRADIENTS), net.head.weight[labels])


def test_the_batch_size_changes_no_gradient_and_no_copy(features):
    needs = GRADIENTS | {Need.AUGMENTED}
    net = Counting()
    made = []
    for size in (N, 3):
        one = Subscriber(needs)
        traits = InputTraits(column_stds=torch.ones(4))
        observer(net, features, one, batch_size=size, traits=traits).end_epoch(1, last=True)
        made.append(one.records[1])  # the final record shares what the epoch's has
    for need in needs:
        whole, parts = (record.take(need) for record in made)
        torch.testing.assert_close(whole, parts, rtol=1e-5, atol=1e-6)


def test_a_rehearsal_measures_gradients_and_tells_nobody(features):
    one = Subscriber(GRADIENTS)
    net = Counting()
    watcher = observer(net, features, one)
    watcher.rehearse()
    assert not watcher.clock.seconds  # no part of any epoch
    assert net.passes > 0
    assert one.records == []
    plain = Counting()
    observer(plain, features, Subscriber(frozenset({Need.DROPOUT}))).rehearse()
    assert plain.passes == 0


def test_a_rehearsal_finds_a_model_without_input_gradients(features):
    class Blind(Counting):
        def forward(self, x):
            return super().forward(x.round().detach())

    with pytest.raises(ModelError, match="no gradient reaches the model's input"):
        observer(Blind(), features, Subscriber(GRADIENTS)).rehearse()


def test_the_clock_tells_the_parts_and_who_asked_for_them(features):
    ones = [Subscriber(frozenset({Need.LOGITS})), Subscriber(frozenset({Need.DROPOUT}))]
    ones[0].name, ones[1].name = "plain", "asks"  # type: ignore[attr-defined]
    watcher = observer(Counting(), features, *ones, Subscriber(frozenset({Need.TRAIN_LOGITS})))
    watcher.end_epoch(1, last=False)
    assert set(watcher.clock.seconds) == {"forward", "plain"}
    watcher.end_epoch(2, last=True)
    assert set(watcher.clock.seconds) == {"forward", "plain", "dropout", "asks"}
    assert all(seconds > 0 for seconds in watcher.clock.seconds.values())
    assert watcher.askers() == {"forward": ["plain", "asks"], "dropout": ["asks"]}


def test_gradients_of_both_kinds_go_back_through_one_forward(features):
    net = Counting()
    norms, inputs = (
        Subscriber(frozenset({need})) for need in (Need.GRADIENT_NORM, Need.INPUT_GRADIENTS)
    )
    watching = observer(net, features, norms, inputs)
    watching.rehearse()  # weighs small forwards
    net.passes = 0
    watching.end_epoch(3, last=True)
    assert net.passes == 1
    labels = watching.labels
    probs = net.eval()(features).softmax(1).detach()
    wrong = probs - nn.functional.one_hot(labels, 3)
    # of cross-entropy in weights and bias of one linear layer, by hand
    expected = wrong.norm(dim=1) * (features.square().sum(1) + 1).sqrt()
    found = norms.records[-1].take(Need.GRADIENT_NORM)
    torch.testing.assert_close(found, expected)  # float32 rounding
    assert torch.equal(inputs.records[-1].take(Need.INPUT_GRADIENTS), net.head.weight[labels])
