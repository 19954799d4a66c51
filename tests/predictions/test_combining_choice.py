"""What is chosen on val, that it can be chosen nowhere else, and what it gains where errors are
independent."""

import dataclasses

import numpy as np
import pytest
from members import (
    FOUR,
    LABELS,
    POSITIVE,
    TASKS,
    answers,
    labels,
    member,
    several,
    validation,
)
from planted import right_with

from zoo.errors import PredictionsError
from zoo.predictions.combining import folds, methods, results, selection, stacking, weighting
from zoo.predictions.combining.answers import Validation
from zoo.predictions.combining.methods import METHODS, Method
from zoo.predictions.combining.rules import Mean
from zoo.predictions.combining.scoring import Score, known, log_loss
from zoo.predictions.intervals import Plan
from zoo.predictions.same_samples import Named

PLAN = Plan(draws=500)


def method(name, task, metric="accuracy", average="probabilities"):
    return Method(name, Score(task, metric), average)


def ensemble_of(chosen, val, test):
    """(the ensemble's predictions on test, the best member's), both as they are named."""
    rule = chosen.choose(validation(val))
    given = answers(test)
    said = results.of_classes(given, test[0], rule.combined(given.said), {"source": "all"})
    on_val = answers(val)
    best = chosen.score.best(on_val.tasks, on_val.said, on_val.truth)
    return Named("all", said), Named(f"m{best}", test[best])


class TestNothingIsChosenOnTest:
    def test_answers_on_test_are_no_validation(self):
        on_test = answers(several(FOUR, split="test"))
        with pytest.raises(PredictionsError) as caught:
            Validation(on_test)
        assert str(caught.value) == (
            "split 'test' of 'd': an ensemble is chosen on 'val' and on nothing else"
        )

    @pytest.mark.parametrize("split", ["test", "train", "Val", ""])
    def test_nor_are_those_on_any_other_split(self, split):
        with pytest.raises(PredictionsError, match="is chosen on 'val' and on nothing else"):
            validation(several(FOUR, split=split))

    @pytest.mark.parametrize("name", METHODS)
    def test_what_chooses_takes_nothing_else(self, name):
        on_test = answers(several(FOUR, split="test"))
        with pytest.raises((AttributeError, TypeError)):
            method(name, FOUR).choose(on_test)

    @pytest.mark.parametrize(
        "fit",
        [
            weighting.fitted,
            stacking.stacked,
            lambda given: selection.greedy(given, Score(FOUR, "accuracy")),
            lambda given: folds.out_of_fold(given, stacking.stacked),
        ],
    )
    def test_nor_do_the_functions_behind_it(self, fit):
        with pytest.raises((AttributeError, TypeError)):
            fit(answers(several(FOUR, split="test")))

    def test_a_part_of_val_is_val(self):
        part = validation(several(FOUR)).part(np.arange(10))
        assert part.answers.samples == 10
        with pytest.raises(PredictionsError, match="chosen on 'val'"):
            dataclasses.replace(part, answers=answers(several(FOUR, split="test")))


class TestIndependentErrors:
    """Five members, each right on 80 % of the samples by itself: most of them are right more
    often."""

    @pytest.fixture
    def given(self):
        found = []
        for split, size, first in (("val", 600, 10), ("test", 2000, 50)):
            targets = np.random.default_rng(size).integers(0, 2, size)
            found.append([right_with(0.8, size, first + i, targets, split=split, fingerprint=split)
                          for i in range(5)])  # fmt: skip
        return found

    @pytest.mark.parametrize("name", METHODS)
    def test_every_method_beats_the_best_member(self, given, name):
        ensemble, best = ensemble_of(method(name, POSITIVE), *given)
        accuracy = results.gain(best, ensemble, PLAN)["figures"]["accuracy"]
        assert accuracy["shown"] == "better"
        assert accuracy["low"] > 0
        assert accuracy["value"] > 0.06  # by votes 0.942 less 0.8

    def test_the_gain_is_the_difference_of_the_figures(self, given):
        ensemble, best = ensemble_of(method("mean", POSITIVE), *given)
        gain = results.gain(best, ensemble, PLAN)
        mine, theirs = (results.headline(one.predictions, "accuracy") for one in (ensemble, best))
        assert gain["figures"]["accuracy"]["value"] == pytest.approx(mine - theirs)
        assert gain["over"] == best.name
        assert [row["class"] for row in gain["per_class"]] == ["no", "yes"]

    def test_the_best_member_is_the_best_on_val(self, given):
        val, test = given
        shares = [(one.decisions == one.targets).mean() for one in val]
        _, best = ensemble_of(method("mean", POSITIVE), val, test)
        assert best.name == f"m{np.argmax(shares)}"

    def test_some_member_is_right_nearly_always(self, given):
        found = results.diversity(answers(given[1]))
        assert found["oracle"] == pytest.approx(1 - 0.2**5, abs=0.005)
        assert found["mean_disagreement"] == pytest.approx(2 * 0.8 * 0.2, abs=0.03)
        assert abs(found["mean_q"]) < 0.15


class TestCopies:
    @pytest.mark.parametrize("name", METHODS)
    @pytest.mark.parametrize("task", [FOUR, POSITIVE], ids=str)
    def test_copies_gain_nothing(self, name, task):
        val, test = (
            [dataclasses.replace(one[0], source=f"m{i}") for i in range(3)]
            for one in (several(task, 1), several(task, 1, split="test"))
        )
        ensemble, best = ensemble_of(method(name, task), val, test)
        gain = results.gain(best, ensemble, PLAN)["figures"]
        assert gain["accuracy"]["low"] <= 0 <= gain["accuracy"]["high"]
        if name != "stack":  # which may calibrate, and so move a decision
            assert gain["accuracy"]["value"] == 0
            assert gain["accuracy"]["shown"] == "no difference"
        if name not in ("stack", "vote"):
            assert gain["auroc"]["value"] == pytest.approx(0, abs=1e-6)

    def test_copies_never_differ(self):
        found = results.diversity(answers([several(FOUR, 1)[0]] * 3))
        assert np.array_equal(found["disagreement"], np.zeros((3, 3)))
        assert found["mean_q"] == 1.0


class TestWeights:
    @pytest.mark.parametrize("task", TASKS, ids=str)
    @pytest.mark.parametrize("average", ["probabilities", "geometric"])
    def test_no_other_weights_fit_val_better(self, task, average):
        given = validation(several(task, 4, noise=1.5))
        said, truth = given.known()
        found = weighting.fitted(given, average)
        least = log_loss(found.combined(said), truth)
        rng = np.random.default_rng(0)
        for _ in range(200):
            other = Mean(tuple(rng.dirichlet(np.full(4, 0.5))), average)
            assert log_loss(other.combined(said), truth) >= least - 1e-5

    def test_a_member_that_knows_nothing_weighs_nothing(self):
        targets = labels(FOUR, 500, 1)
        good = [member(FOUR, targets, i, split="val") for i in range(2)]
        noise = member(FOUR, np.random.default_rng(0).permutation(targets), 9, split="val")
        noise = dataclasses.replace(noise, targets=targets)
        weights = weighting.fitted(validation([*good, noise])).weights
        assert weights[2] < 0.02
        assert weights.sum() == pytest.approx(1)

    def test_weights_that_do_not_count_are_left_out(self):
        kept, rule = methods.trimmed(Mean((0.4, 0.0, 0.6), "geometric"))
        assert (kept, rule) == ([0, 2], Mean((0.4, 0.6), "geometric"))


class TestGreedy:
    def test_it_is_never_worse_on_val_than_the_best_member(self):
        for metric in known(FOUR):
            given = validation(several(FOUR, 5, seed=3))
            score = Score(FOUR, metric)
            said, truth = given.known()
            found = selection.greedy(given, score)
            alone = max(score.goodness(one, truth) for one in said)
            assert score.goodness(found.combined(said), truth) >= alone - 1e-12, metric

    def test_it_follows_the_steps_of_the_paper(self):
        given = validation(several(FOUR, 3, size=60, seed=5))
        said, truth = given.known()
        chances = [np.exp(one) for one in said]
        score, joined, reached = Score(FOUR, "accuracy"), [], []
        for _ in range(selection.ROUNDS):  # spelt out, with no sum kept
            ranks = [score.rank(np.log(np.mean([chances[j] for j in [*joined, i]], axis=0)), truth)
                     for i in range(3)]  # fmt: skip
            joined.append(ranks.index(max(ranks)))
            reached.append(max(ranks))
        often = np.bincount(joined[: reached.index(max(reached)) + 1], minlength=3)
        found = selection.greedy(given, score)
        assert np.allclose(found.weights, often / often.sum())

    def test_a_useless_member_does_not_join(self):
        targets = labels(FOUR, 500, 1)
        good = member(FOUR, targets, 1, noise=0.3, split="val")
        bad = member(FOUR, targets, 2, noise=30, split="val")
        assert selection.greedy(validation([bad, good]), Score(FOUR, "accuracy")).shares == (0, 1)


class TestStack:
    @pytest.mark.parametrize("task", TASKS, ids=str)
    def test_it_learns_whom_to_believe(self, task):
        """A member that is always wrong is as good as one that is always right."""
        val, test = several(task, 2, noise=0.7), several(task, 2, split="test", noise=0.7)
        turned = [dataclasses.replace(one, logits=-one.logits) for one in (val[0], test[0])]
        val, test = [turned[0], val[1]], [turned[1], test[1]]
        given = answers(test)
        score = Score(task, "accuracy")
        stack = stacking.stacked(validation(val)).combined(given.said)
        mean = Mean.of(2).combined(given.said)
        assert score.value(stack, given.truth) > score.value(mean, given.truth) + 0.05

    def test_a_class_that_val_lacks_cannot_be_learnt(self):
        targets = labels(FOUR, 200, 1) % 3
        members = [member(FOUR, targets, i, split="val") for i in range(2)]
        with pytest.raises(PredictionsError) as caught:
            stacking.stacked(validation(members))
        assert str(caught.value) == (
            "val has no sample of 'd', so method 'stack' cannot learn it; choose another method"
        )

    def test_of_several_labels_each_has_a_regression(self):
        stack = stacking.stacked(validation(several(LABELS, 3)))
        assert stack.coefficients.shape == (3, 3)


class TestOutOfFold:
    def test_each_sample_is_answered_by_a_rule_that_did_not_see_it(self):
        given, seen = validation(several(FOUR, 2, size=50)), []

        def choose(part):
            seen.append(part.answers.said[0][:, 0])
            return Mean.of(2)

        folds.out_of_fold(given, choose)
        all_of_it = given.answers.said[0][:, 0]
        assert len(seen) == folds.FOLDS
        assert sorted(len(one) for one in seen) == [40] * 5
        left_out = [set(all_of_it) - set(one) for one in seen]
        assert set.union(*left_out) == set(all_of_it)

    @pytest.mark.parametrize("task", TASKS, ids=str)
    def test_groups_stay_whole_and_classes_are_shared_out(self, task):
        groups = np.repeat([f"p{i}" for i in range(80)], 5)
        given = validation(several(task, 2, groups=groups))
        fold = folds.folds_of(given, 5, seed=0)
        for group in np.unique(groups):
            assert len(set(fold[groups == group])) == 1
        assert set(np.bincount(fold)) == {80}
        alone = folds.folds_of(validation(several(FOUR, 2)), 5, seed=0)
        truth = several(FOUR, 2)[0].targets
        for label in range(4):
            shares = np.bincount(alone[truth == label], minlength=5)
            assert shares.max() - shares.min() <= 2

    def test_what_was_learnt_from_noise_is_worth_nothing_there(self):
        noise = [member(FOUR, labels(FOUR, 80, 1), i, noise=50, split="val") for i in range(12)]
        given, score = validation(noise), Score(FOUR, "accuracy")
        choose = method("greedy", FOUR).choose
        inside = choose(given).combined(given.answers.said)
        outside = folds.out_of_fold(given, choose)
        assert score.value(inside, given.truth) > score.value(outside, given.truth) + 0.05

    def test_one_group_is_too_few(self):
        given = validation(several(FOUR, 2, groups=np.full(400, "p")))
        with pytest.raises(PredictionsError, match="val has one sample, or one group"):
            folds.folds_of(given, 5, seed=0)
