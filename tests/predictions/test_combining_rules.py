"""What rules make of several answers, against the plain formulas."""

import dataclasses

import numpy as np
import pytest
import torch
from members import FIRST_POSITIVE, FOUR, LABELS, POSITIVE, TASKS, answers, several

from zoo.predictions.combining import questions
from zoo.predictions.combining.rules import Mean, Vote
from zoo.tasks import Task


def logits_of(task, said, like):
    return questions.to_logits(task, said, like.logits.shape)


def probabilities(task, said, like):
    """As a reader of the logits computes them."""
    return task.probabilities(torch.from_numpy(logits_of(task, said, like))).numpy()


@pytest.mark.parametrize("task", TASKS, ids=str)
def test_logits_become_questions_and_come_back(task):
    one = several(task, 1)[0]
    said = questions.of_logits(task, one.logits.astype(np.float64))
    assert np.allclose(np.exp(said).sum(1), 1)
    assert np.allclose(probabilities(task, said, one), one.probabilities, atol=1e-6)
    decided = questions.decided(task, said).reshape(one.decisions.shape)
    assert np.array_equal(decided, one.decisions)


@pytest.mark.parametrize("task", TASKS, ids=str)
def test_the_mean_is_that_of_the_probabilities(task):
    members = several(task)
    found = Mean.of(4).combined(answers(members).said)
    expected = np.mean([one.probabilities for one in members], axis=0)
    assert np.allclose(probabilities(task, found, members[0]), expected, atol=1e-6)


@pytest.mark.parametrize("task", TASKS, ids=str)
def test_weights_weigh(task):
    members = several(task)
    found = Mean((0.5, 0.0, 0.2, 0.3)).combined(answers(members).said)
    given = [one.probabilities for one in members]
    expected = 0.5 * given[0] + 0.2 * given[2] + 0.3 * given[3]
    assert np.allclose(probabilities(task, found, members[0]), expected, atol=1e-6)


@pytest.mark.parametrize("task", TASKS, ids=str)
def test_the_geometric_mean_is_that_of_the_logits(task):
    members = several(task)
    given = answers(members).said
    of_logits = Mean.of(4, "logits").combined(given)
    mean = torch.from_numpy(np.mean([one.logits for one in members], axis=0))
    expected = task.probabilities(mean).numpy()
    assert np.allclose(probabilities(task, of_logits, members[0]), expected, atol=1e-6)
    assert np.array_equal(of_logits, Mean.of(4, "geometric").combined(given))
    products = np.exp(np.mean([np.log(np.exp(one)) for one in given], axis=0))
    assert np.allclose(np.exp(of_logits), products / products.sum(1, keepdims=True))


def test_answers_that_float32_rounds_to_certainty_stay_apart():
    sure = np.array([[0.0, 60.0], [0.0, 90.0]])
    said = questions.of_logits(Task.multiclass(["a", "b"]), sure)
    assert (said[:, 0] == [-60.0, -90.0]).all()
    back = questions.to_logits(POSITIVE, said, (2, 1))
    assert np.allclose(back[:, 0], [60, 90])


class TestVotes:
    def test_most_votes_win_whatever_the_sureness(self):
        said = [
            questions.normalized(np.array([[0.0, 0.1, -9, -9]])),
            questions.normalized(np.array([[0.0, 0.1, -9, -9]])),
            questions.normalized(np.array([[90.0, 0.0, -9, -9]])),
        ]
        assert Vote(FOUR, (FOUR,) * 3).combined(said).argmax(1) == [1]
        assert Mean.of(3).combined(said).argmax(1) == [0]

    def test_the_mean_settles_ties(self):
        weak, strong = np.array([[0.0, 0.2, -9, -9]]), np.array([[3.0, 0.0, -9, -9]])
        said = [questions.normalized(one) for one in (weak, strong)]
        assert Vote(FOUR, (FOUR,) * 2).combined(said).argmax(1) == [0]
        assert Vote(FOUR, (FOUR,) * 2).combined(said[::-1]).argmax(1) == [0]

    @pytest.mark.parametrize("task", [POSITIVE, FIRST_POSITIVE, LABELS], ids=str)
    @pytest.mark.parametrize("members", [1, 2, 3, 4, 5])
    def test_the_majority_is_what_the_threshold_decides(self, task, members):
        given = answers(several(task, members)).said
        votes = np.sum([questions.decided(task, one) for one in given], axis=0)
        found = Vote(task, (task,) * members).combined(given)
        assert np.allclose(np.exp(found).sum(1), 1)
        decided = questions.decided(task, found)
        clear = votes * 2 != members
        assert np.array_equal(decided[clear], (votes * 2 > members)[clear].astype(int))
        if members == 1:
            assert np.array_equal(decided, votes)

    def test_each_votes_by_the_threshold_of_its_own(self):
        """As calibrated members do: one that says 0.4 is for it, if it decides above 0.3."""
        low = dataclasses.replace(POSITIVE, threshold=0.3)
        said = [np.log([[0.6, 0.4]])] * 3
        yes, no = Vote(POSITIVE, (low, low, POSITIVE)), Vote(POSITIVE, (low, POSITIVE, POSITIVE))
        assert questions.decided(POSITIVE, yes.combined(said)) == [1]
        assert questions.decided(POSITIVE, no.combined(said)) == [0]

    def test_no_probability_is_zero(self):
        found = Vote(FOUR, (FOUR,) * 4).combined(answers(several(FOUR)).said)
        assert np.isfinite(found).all()
        assert np.allclose(np.exp(found).sum(1), 1)
