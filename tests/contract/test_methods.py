"""What holds for every hardness characterization method, by registry name."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import torch

from hcat_nb.errors import ScoreError, SpecError
from hcat_nb.methods.base import Method
from hcat_nb.registry import APART, JUDGES, METHODS

NAMES = METHODS.known()
PLANTED = [(name, fault) for name in NAMES for fault in sorted(METHODS.get(name).detects)]
READS_EPOCHS = [
    name
    for name in NAMES
    if any(need.kind not in ("final", "data") for need in METHODS.get(name)().needs)
]
LABEL_BLIND = [name for name in NAMES if not METHODS.get(name).looks_at_labels]

# The softmax of a row may differ in its last bits with the row's place in a
# batch; ten epochs of that stay below 1e-5 of the largest losses.
CLOSE = {"rtol": 1e-5, "atol": 1e-6, "equal_nan": True}


def make(name: str, **options: object) -> Method:
    return METHODS.get(name)(**options)


def epochs_due(name: str, n_epochs: int, world) -> list[int]:
    """Return the epochs that the method reads in a run of ``n_epochs``."""
    method = make(name)
    method.begin(dataclasses.replace(world.context, n_epochs=n_epochs))
    return [epoch for epoch in range(1, n_epochs + 1) if method.due(epoch)]


def auroc(scores, hard) -> float:
    """Return the share of (hard, easy) pairs in which the hard one scores higher; ties half."""
    s = np.asarray(scores)
    wins = s[hard][:, None] - s[~hard][None]
    return float(((wins > 0) + 0.5 * (wins == 0)).mean())


def test_the_methods_are_there():
    known = {"aum", "cleanlab", "conf_agree", "dataiq", "datamaps", "grand", "el2n"}
    assert known | {"forgetting", "loss", "prototypicality", "vog", "allsh", "detector"} == set(
        METHODS.names()
    )
    assert [*METHODS.names(), *APART] == NAMES


# What a score means


@pytest.mark.parametrize("seed", [0, 1, 2])
@pytest.mark.parametrize(("name", "fault"), PLANTED)
def test_the_fault_that_the_card_names_ranks_high(name, fault, seed, make_world, score):
    world = make_world(fault, seed=seed)
    # The simulation is easy, but a count of at most five events has many ties,
    # and who reads a single early epoch has its noise to live with.
    # One neighbour is under a wrong label itself as often as labels are wrong.
    ties, single = METHODS.get(name).ties, len(epochs_due(name, 10, world)) == 1
    single |= name == "nearest_twin"
    floor = 0.8 if ties or single else 0.95
    assert auroc(score(make(name), world).scores, world.hard) > floor


@pytest.mark.parametrize("seed", [0, 1])
@pytest.mark.parametrize("name", NAMES)
def test_a_run_without_faults_finds_nothing_in_rows_drawn_at_random(name, seed, make_world, score):
    world = make_world("none", seed=seed)
    # 30 of 300 rows: the standard error of such an AUROC is .056.
    assert abs(auroc(score(make(name), world).scores, world.hard) - 0.5) < 0.2


@pytest.mark.parametrize("name", LABEL_BLIND)
def test_methods_blind_to_labels_do_not_change_when_labels_are_permuted(name, make_world, score):
    world = make_world("ood")
    order = torch.randperm(len(world.labels), generator=torch.Generator().manual_seed(1))
    permuted = world.replace(labels=world.labels[order])
    assert torch.equal(score(make(name), world).scores, score(make(name), permuted).scores)


@pytest.mark.parametrize("name", [name for name in NAMES if name not in LABEL_BLIND])
def test_methods_that_look_at_labels_do_change(name, make_world, score):
    world = make_world("ood")
    order = torch.randperm(len(world.labels), generator=torch.Generator().manual_seed(1))
    permuted = world.replace(labels=world.labels[order])
    assert not torch.equal(score(make(name), world).scores, score(make(name), permuted).scores)


# Independence


@pytest.mark.parametrize("batch", [1, 7, 300])
@pytest.mark.parametrize("name", NAMES)
def test_batch_size_and_order_are_irrelevant(name, batch, make_world, score):
    world = make_world()
    expected = score(make(name), world)
    for order in (None, 1):
        scored = score(make(name), world, batch=batch, order=order)
        torch.testing.assert_close(scored.scores, expected.scores, **CLOSE)
        assert scored.status == expected.status


@pytest.mark.parametrize("name", NAMES)
def test_nothing_is_written_into_the_record_that_others_share(name, make_world):
    world = make_world(n=60)
    method = make(name)
    method.begin(world.context)
    for record in world.records(method):
        tensors = [record.rows, record.labels, record.logits, *record.measured.values()]
        lazy = [record.log_probs, record.probs, record.label_prob, record.error_prob]
        before = [value.clone() for value in (*tensors, *lazy)]
        method.observe(record)
        after = [record.log_probs, record.probs, record.label_prob, record.error_prob]
        assert all(map(torch.equal, before, (*tensors, *after)))
    method.scores(), method.details(), method.flagged(), method.state()
    assert torch.equal(world.labels, make_world(n=60).labels)


@pytest.mark.parametrize("name", NAMES)
def test_reading_the_scores_early_changes_nothing(name, make_world, score):
    world = make_world(n=60)
    expected = score(make(name), world).scores
    method = make(name)
    method.begin(world.context)
    for record in world.records(method):
        method.observe(record)
        method.raw(), method.notes(), method.missing(), method.details()
    assert torch.equal(method.scores().scores, expected)
    assert torch.equal(method.scores().scores, expected)


@pytest.mark.parametrize("name", NAMES)
def test_a_second_run_starts_afresh(name, make_world, score):
    method = make(name)
    score(method, make_world(seed=1))
    again = score(method, make_world(seed=2)).scores
    assert torch.equal(again, score(make(name), make_world(seed=2)).scores)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
@pytest.mark.parametrize("name", NAMES)
def test_any_device(name, make_world, score):
    world = make_world()
    moved = world.replace(
        **{
            field.name: getattr(world, field.name).cuda()
            for field in dataclasses.fields(world)
            if isinstance(getattr(world, field.name), torch.Tensor)
        }
    )
    method = make(name)
    scored = score(method, moved)
    torch.testing.assert_close(scored.scores, score(make(name), world).scores, **CLOSE)
    method.details(), method.flagged()


# Checkpoints


@pytest.mark.parametrize("share", [0.0, 0.2, 0.5, 0.7, 1.0])
@pytest.mark.parametrize("name", NAMES)
def test_state_round_trips_in_the_middle_bit_for_bit(name, share, make_world, score):
    world = make_world(n=100)
    expected = score(make(name), world)
    first, second = make(name), make(name)
    first.begin(world.context)
    records = list(world.records(first, batch=17))
    cut = round(share * len(records))
    for record in records[:cut]:
        first.observe(record)
    state = first.state()
    assert set(state) == set(first.buffers)
    assert all(isinstance(value, torch.Tensor) for value in state.values())
    second.begin(world.context)
    second.load_state(state)
    for record in records[cut:]:
        second.observe(record)
        first.observe(record)
    assert torch.equal(second.scores().scores, first.scores().scores)
    torch.testing.assert_close(second.scores().scores, expected.scores, **CLOSE)
    for column, values in second.details().items():
        assert torch.equal(values, first.details()[column])


@pytest.mark.parametrize("name", NAMES)
def test_state_of_another_size_is_refused(name, make_world, score):
    method, other = make(name), make(name)
    score(method, make_world(n=60))
    score(other, make_world(n=61))
    with pytest.raises(SpecError, match=rf"{name}\."):
        method.load_state(other.state())
    with pytest.raises(SpecError, match=f"the state of {name} has"):
        method.load_state({})


# Data as people have it


@pytest.mark.parametrize("name", NAMES)
def test_a_class_without_a_row(name, make_world, score):
    """Labels from {0, 1, 3}, a model with 4 outputs: field report A01."""
    world = make_world()
    labels = world.labels.clone()
    labels[labels == 2] = 3
    method = make(name)
    scored = score(method, world.replace(labels=labels))
    assert scored.scores.isfinite().all()
    assert not any(scored.status)
    method.flagged()


@pytest.mark.parametrize("name", NAMES)
def test_a_class_with_one_row(name, make_world, score):
    """Class counts 120 / 79 / 1: field report A10."""
    world = make_world(n=200, n_classes=3)
    labels = torch.tensor([0, 1, 2]).repeat_interleave(torch.tensor([120, 79, 1]))
    method = make(name)
    scored = score(method, world.replace(labels=labels))
    assert scored.scores[:199].isfinite().all()
    assert scored.scores[199].isfinite() or scored.status[199] == "rare_class"
    assert not any(scored.status[:199])


@pytest.mark.parametrize("name", NAMES)
def test_rows_without_label_and_rows_that_cannot_be_read(name, make_world, score):
    world = make_world()
    labels, unreadable = world.labels.clone(), torch.zeros(300, dtype=torch.bool)
    labels[[0, 1, 2]] = -1
    unreadable[[2, 3]] = True
    method = make(name)
    scored = score(method, world.replace(labels=labels, unreadable=unreadable))
    blind = name in LABEL_BLIND
    label = "" if blind else "no_label"
    assert scored.status[:5] == [label, label, "unreadable", "unreadable", ""]
    assert scored.scores.isnan()[:5].tolist() == [not blind, not blind, True, True, False]
    assert scored.scores[4:].isfinite().all()
    if (flags := method.flagged()) is not None:
        assert not flags[:4].any()
    for column in method.details().values():
        assert column[:4].isnan().all()


@pytest.mark.parametrize("name", NAMES)
def test_rows_unseen_in_some_epochs(name, make_world, score):
    """Three rows that a sampler skipped in epoch 2 of 3, one in all: field report A22."""
    skipped = {1: [9], 2: [0, 1, 2, 9], 3: [9]}
    world = make_world(n_epochs=3).replace(skipped=skipped)
    scored = score(make(name), world)
    if name in READS_EPOCHS:
        due = epochs_due(name, 3, world)
        seen = f"{len(due) - 1}_of_{len(due)}_epochs" if 2 in due else ""
        assert scored.status[:3] == [seen] * 3
        assert scored.status[9] == f"0_of_{len(due)}_epochs"
        assert scored.scores[9].isnan()
        scored.status[:3], scored.status[9] = [""] * 3, ""
    assert not any(scored.status)
    assert scored.scores[:9].isfinite().all()
    assert scored.scores[10:].isfinite().all()


@pytest.mark.parametrize("name", NAMES)
def test_a_run_stopped_early_is_a_shorter_run(name, make_world, score):
    world = make_world(n_epochs=6)
    short = world.replace(logits=world.logits[:4], train_logits=world.train_logits[:4])
    method = make(name)
    method.begin(world.context)
    for record in short.records(method):
        method.observe(record)
    # Which epochs some methods read is decided by the epochs that were planned.
    due = [epoch for epoch in epochs_due(name, 6, world) if epoch <= 4]
    planned = {"grand": {"at": due[-1]}, "vog": {"checkpoints": due}}.get(name, {})
    scored, expected = method.scores(), score(make(name, **planned), short)
    assert torch.equal(scored.scores, expected.scores)
    assert scored.status == expected.status


@pytest.mark.parametrize("name", NAMES)
def test_a_run_stopped_before_the_first_measurement_says_so(name, make_world):
    world = make_world(n=20, n_epochs=1)
    method = make(name)
    method.begin(dataclasses.replace(world.context, n_epochs=50))
    for record in world.records(method):
        method.observe(record)
    scored = method.scores()
    if name in ("grand", "vog"):
        of = len(epochs_due(name, 50, world))
        assert scored.status == [f"0_of_{of}_epochs"] * 20
        assert scored.scores.isnan().all()
    else:
        rare = torch.tensor([one == "rare_class" for one in scored.status])  # 5 rows a class
        assert (scored.scores.isfinite() | rare).all()
    method.details(), method.flagged()


# Numbers


@pytest.mark.parametrize("name", NAMES)
def test_saturated_logits_give_finite_scores(name, make_world, score):
    world = make_world()
    extreme = world.replace(
        logits=world.logits.sign() * 1e4,
        train_logits=world.train_logits.sign() * 1e4,
        members=torch.eye(4)[world.members.argmax(2)],
        embeddings=world.embeddings * 1e10,
        copies=world.copies.sign() * 1e4,
        input_gradients=world.input_gradients * 1e10,
    )
    assert score(make(name), extreme).scores.isfinite().all()


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
@pytest.mark.parametrize("name", NAMES)
def test_half_precision_is_accepted_and_not_computed_in(name, dtype, make_world, score):
    world = make_world()
    tensors = ("logits", "train_logits", "members", "embeddings", "copies", "input_gradients")
    half = world.replace(**{key: getattr(world, key).to(dtype) for key in tensors})
    exact = half.replace(**{key: getattr(half, key).float() for key in tensors})
    scores = score(make(name), half).scores
    assert scores.dtype == torch.float32
    torch.testing.assert_close(scores, score(make(name), exact).scores, **CLOSE)


@pytest.mark.parametrize("name", NAMES)
def test_two_classes_and_one_epoch(name, make_world, score):
    fewest = {"vog": 2}.get(name, 1)
    for shape in ({"n_classes": 2}, {"n_epochs": fewest}):
        scored = score(make(name), make_world(**shape))
        assert scored.scores.isfinite().all()
        assert not any(scored.status)
    if fewest > 1:
        with pytest.raises(SpecError, match=f"epochs={fewest} or more; .*without {name}"):
            make(name).begin(make_world(n_epochs=fewest - 1).context)


@pytest.mark.parametrize("name", NAMES)
def test_nan_without_a_reason_is_an_error_that_says_when(name, make_world, score):
    world = make_world(n_epochs=10)  # of which every method reads the second
    by_epoch, final = ("logits", "train_logits", "input_gradients"), ("embeddings", "members")
    broken = {key: getattr(world, key).clone() for key in (*by_epoch, *final, "copies")}
    for key, values in broken.items():
        values[(slice(1, None), 7) if key in by_epoch else 7] = torch.nan
    nan = world.replace(
        **broken,
        skipped={1: [7]},  # a status must not excuse it
    )
    when = "from epoch 2 on" if name in READS_EPOCHS else "on the final model"
    when = "" if name in JUDGES else when  # they look at no epoch
    with pytest.raises(ScoreError, match=rf"{name} is nan .*{when}"):
        score(make(name), nan)


@pytest.mark.parametrize("name", NAMES)
def test_form_of_what_is_returned(name, make_world, score):
    method = make(name)
    scored = score(method, make_world())
    assert scored.scores.shape == (300,)
    assert scored.scores.dtype == torch.float32
    assert len(scored.status) == 300
    for column in method.details().values():
        assert column.shape == (300,)
        assert column.dtype == torch.float32
    if (flags := method.flagged()) is not None:
        assert flags.shape == (300,)
        assert flags.dtype == torch.bool
        if flags.any():  # what a paper's own threshold takes is harder than what it leaves
            assert scored.scores[flags].mean() > scored.scores[~flags].mean()
