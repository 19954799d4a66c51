"""Members that cannot be combined, and rules that a stranger wrote: one line each."""

import dataclasses
import re

import numpy as np
import pytest
from members import FOUR, POSITIVE, TASKS, answers, names_of, several, validation

from zoo.errors import PredictionsError
from zoo.predictions.combining import methods, stacking
from zoo.predictions.combining.answers import Answers
from zoo.predictions.combining.methods import METHODS, Method
from zoo.predictions.combining.scoring import Score


class TestMembersThatDoNotFit:
    def both(self, **changes):
        first, second = several(FOUR, 2)
        return [first, dataclasses.replace(second, **changes)]

    def test_other_samples(self):
        members = self.both(ids=np.array([f"t{i}" for i in range(400)]))
        with pytest.raises(PredictionsError) as caught:
            answers(members)
        assert str(caught.value) == (
            "'m0' and 'm1' are of different samples: 400 and 400, of which 0 have the same id"
        )

    def test_other_classes_or_another_positive_one(self):
        with pytest.raises(PredictionsError, match="'m0' and 'm1' have different classes"):
            answers([several(FOUR, 1)[0], several(POSITIVE, 1)[0]])
        first, second = several(POSITIVE, 2)
        turned = dataclasses.replace(second, task=dataclasses.replace(second.task, positive="no"))
        with pytest.raises(PredictionsError) as caught:
            answers([first, turned])
        assert str(caught.value) == (
            "'m0' and 'm1' have different positive classes: 'yes' and 'no'"
        )

    def test_another_split(self):
        with pytest.raises(PredictionsError) as caught:
            answers(self.both(fingerprint="another"))
        assert str(caught.value) == (
            "'m0' and 'm1' are of different splits, of which samples were left out: their "
            "fingerprints are 'f' and 'another'"
        )

    def test_an_empty_split(self):
        empty = answers(several(FOUR, 2)).part(np.arange(0))
        assert empty.samples == 0
        members = several(FOUR, 2, size=1)
        nothing = [dataclasses.replace(one, ids=one.ids[:0]) for one in members]
        with pytest.raises(PredictionsError, match=r"^'m0': split 'val' of 'd' is empty$"):
            answers(nothing)

    def test_another_order_is_put_right(self):
        first, second = several(FOUR, 2)
        order = np.random.default_rng(0).permutation(400)
        shuffled = dataclasses.replace(
            second,
            **{name: getattr(second, name)[order]
               for name in ("ids", "logits", "probabilities", "targets", "decisions")},
        )  # fmt: skip
        straight = Answers.of(names_of([1, 2]), [first, second])
        found = Answers.of(names_of([1, 2]), [first, shuffled])
        assert np.array_equal(found.said[1], straight.said[1])

    def test_thresholds_that_differ_give_way_to_a_half(self):
        first, second = several(POSITIVE, 2)
        other = dataclasses.replace(second.task, threshold=0.2)
        both = answers([first, dataclasses.replace(second, task=other)])
        assert both.heading.task.threshold == 0.5
        same = [dataclasses.replace(one, task=other) for one in (first, second)]
        assert answers(same).heading.task.threshold == 0.2


class TestWrittenRules:
    @pytest.mark.parametrize("task", TASKS, ids=str)
    @pytest.mark.parametrize("name", METHODS)
    def test_a_rule_is_read_as_it_was_written(self, task, name):
        rule = Method(name, Score(task, "accuracy")).choose(validation(several(task, 3)))
        options, arrays = methods.written(name, rule)
        again = methods.read(name, options, arrays, task, [task] * 3)
        said = answers(several(task, 3, split="test")).said
        assert np.array_equal(again.combined(said), rule.combined(said))

    @pytest.mark.parametrize(
        "weights",
        [None, [0.5], [0.5, 0.6, 0.2], [0.5, 0.7, -0.2], ["a", 0.5, 0.5], [True, 0.0, 0.0]],
    )
    def test_weights_of_a_stranger_are_checked(self, weights):
        with pytest.raises(PredictionsError) as caught:
            methods.read("weighted", {"weights": weights}, {}, FOUR, [FOUR] * 3)
        assert str(caught.value) == (
            f"weights {weights}: expected 3 numbers from 0 to 1 that sum to 1"
        )

    def test_the_regression_of_a_stranger_is_checked(self):
        good = methods.written("stack", stacking.stacked(validation(several(FOUR, 3))))[1]
        for name in good:
            for bad in (
                {k: v for k, v in good.items() if k != name},
                {**good, name: good[name][:-1]},
                {**good, name: good[name].astype(np.float32)},
            ):
                with pytest.raises(PredictionsError, match=f"{name} of the regression: expected"):
                    methods.read("stack", {}, bad, FOUR, [FOUR] * 3)
            with pytest.raises(PredictionsError, match=f"{name} of the regression are not finite"):
                methods.read("stack", {}, {**good, name: good[name] * np.nan}, FOUR, [FOUR] * 3)

    @pytest.mark.parametrize(
        ("given", "message"),
        [
            (("meen",), "method 'meen' (did you mean 'mean'?): expected one of mean, weighted, "
             "vote, greedy, stack"),
            (("mean", "logit"), "average 'logit' (did you mean 'logits'?): expected one of "
             "probabilities, logits, geometric"),
            (("vote", "logits"), "average 'logits': method 'vote' averages nothing; only mean, "
             "weighted, greedy do"),
        ],
    )  # fmt: skip
    def test_names_that_are_none(self, given, message):
        with pytest.raises(PredictionsError, match=f"^{re.escape(message)}$"):
            methods.check_method(*given)

    def test_a_metric_that_is_none(self):
        with pytest.raises(PredictionsError, match=r"^metric 'acuracy' \(did you mean 'accuracy'"):
            Score(FOUR, "acuracy")
