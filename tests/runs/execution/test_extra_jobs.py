"""What is planned: folds that part the samples, threshold samples that do not overlap."""

from __future__ import annotations

import pandas as pd
import torch

from hcat_nb.data.dataset import LabelledDataset
from hcat_nb.methods.aum import AUM
from hcat_nb.methods.base import Context
from hcat_nb.methods.cleanlab import Cleanlab
from hcat_nb.methods.el2n import EL2N
from hcat_nb.runs.execution.extra_jobs import plan_jobs


def data(labels: torch.Tensor, n_classes: int) -> LabelledDataset:
    n = len(labels)
    return LabelledDataset(
        "d", torch.arange(2.0 * n).reshape(n, 2), labels, tuple(range(n_classes)), pd.RangeIndex(n)
    )


def planned(methods, dataset, seed=0):
    for method in methods:
        method.begin(Context(dataset.labels, dataset.n_classes, 2))
    return plan_jobs(methods, dataset, seed)


def test_nothing_is_planned_for_methods_that_need_nothing():
    assert planned([EL2N(), AUM(), Cleanlab()], data(torch.arange(60) % 3, 3)) == []


def test_folds_part_the_labelled_samples_class_by_class():
    labels = torch.arange(90) % 3
    labels[[4, 50]] = -1
    jobs = planned([Cleanlab(cv=5)], data(labels, 3))
    known = set(torch.nonzero(labels >= 0).ravel().tolist())
    watched = [job.watched.tolist() for job in jobs]
    assert sorted(row for rows in watched for row in rows) == sorted(known)
    for job in jobs:
        learned, held_out = set(job.rows.tolist()), set(job.watched.tolist())
        assert learned | held_out == known
        assert not learned & held_out
        counts = torch.bincount(labels[job.watched], minlength=3)
        assert counts.max() - counts.min() <= 1
        assert job.n_classes == 3
    assert [job.purpose for job in jobs][:2] == ["fold 1 of 5", "fold 2 of 5"]


def test_folds_are_decided_by_the_seed():
    dataset = data(torch.arange(90) % 3, 3)
    folds = [planned([Cleanlab(cv=3)], dataset, seed)[0].watched.tolist() for seed in (0, 0, 1)]
    assert folds[0] == folds[1] != folds[2]


def test_a_class_with_fewer_samples_than_folds_is_allowed():
    labels = torch.cat([torch.zeros(20), torch.ones(20), torch.full((1,), 2.0)]).long()
    jobs = planned([Cleanlab(cv=4)], data(labels, 3))  # without scikit-learn's warning
    assert [40 in job.watched.tolist() for job in jobs].count(True) == 1


def test_two_disjoint_sets_of_threshold_samples_of_the_papers_size():
    labels = torch.arange(100) % 4
    labels[7] = -1
    jobs = planned([AUM(threshold_samples=True)], data(labels, 4))
    assert len(jobs) == 2
    chosen = [torch.nonzero(job.labels == 4).ravel() for job in jobs]
    assert [len(rows) for rows in chosen] == [99 // 5, 99 // 5]
    assert not set(chosen[0].tolist()) & set(chosen[1].tolist())
    for job, rows in zip(jobs, chosen, strict=True):
        others = torch.ones(100, dtype=torch.bool)
        others[rows] = False
        assert torch.equal(job.labels[others], labels[others])
        assert 7 not in job.rows.tolist()
        assert job.n_classes == 5


def test_methods_with_one_need_share_their_trainings():
    dataset = data(torch.arange(60) % 3, 3)
    first, second, other = (
        Cleanlab(cv=3),
        Cleanlab(cv=3, method="normalized_margin"),
        Cleanlab(cv=2),
    )
    jobs = planned([first, second, other], dataset)
    assert [len(job.methods) for job in jobs] == [2, 2, 2, 1, 1]
    assert len({job.stream for job in jobs}) == 5
