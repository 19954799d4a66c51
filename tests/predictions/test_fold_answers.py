"""What the folds of a cross-validation say, as one member."""

from dataclasses import replace

import numpy as np
import pytest
from members import FIRST_POSITIVE, FOUR, LABELS, POSITIVE, labels, member

from zoo.errors import PredictionsError
from zoo.predictions.archive import Heading
from zoo.predictions.combining.fold_answers import as_one
from zoo.predictions.masks import MaskChunk, MaskPredictions
from zoo.predictions.same_samples import Named
from zoo.tasks import Task


def folds(task, sizes=(5, 7, 4), split="val", shared=False, grouped=False):
    """Each of samples of its own, or (``shared``) all of the same."""
    found, start = [], 0
    for number, size in enumerate(sizes):
        said = member(task, labels(task, size, number * (not shared)), number, split=split)
        ids = np.array([f"s{start + place}" for place in range(size)])
        groups = np.array([f"g{start + place}" for place in range(size)]) if grouped else None
        found.append(Named(f"m{number}", replace(said, ids=ids, groups=groups)))
        start += 0 if shared else size
    return found


@pytest.mark.parametrize("task", [FOUR, POSITIVE, FIRST_POSITIVE, LABELS], ids=lambda t: t.kind)
def test_each_sample_is_answered_once_by_its_own_fold(task):
    given = folds(task, grouped=True)
    found = as_one("whole", given).predictions
    assert found.ids.tolist() == [f"s{number}" for number in range(16)]
    for name in ("logits", "probabilities", "decisions", "targets", "groups"):
        each = [getattr(one.predictions, name) for one in given]
        assert np.array_equal(getattr(found, name), np.concatenate(each))
    assert (found.source, found.split, found.trained_on) == ("whole", "val", None)


def test_the_fingerprint_is_of_the_samples_whatever_the_order_of_the_folds():
    one, other = folds(FOUR), folds(FOUR)[::-1]
    prints = {as_one("whole", given).predictions.fingerprint for given in (one, other)}
    assert len(prints) == 1
    fewer = as_one("whole", folds(FOUR, (5, 7, 3))).predictions
    assert fewer.fingerprint not in prints


@pytest.mark.parametrize("task", [FOUR, FIRST_POSITIVE, LABELS], ids=lambda t: t.kind)
def test_of_another_split_they_say_their_mean(task):
    given = folds(task, (6, 6, 6), split="test", shared=True)
    found = as_one("whole", given).predictions
    each = [one.predictions.probabilities for one in given]
    assert np.allclose(found.probabilities, np.mean(each, axis=0), atol=1e-6)
    assert np.array_equal(found.targets, given[0].predictions.targets)


def test_a_sample_in_two_folds():
    first, second, *rest = folds(FOUR)
    ids = second.predictions.ids.copy()
    ids[0] = "s3"
    with pytest.raises(PredictionsError) as caught:
        as_one("whole", [first, Named("m1", replace(second.predictions, ids=ids)), *rest])
    assert str(caught.value) == (
        "member 'whole': 1 sample is in the val split of several folds, such as 's3'; each may be "
        "in one"
    )


@pytest.mark.parametrize("changes", [
    {"dataset": "others"},
    {"split": "test"},
    {"targets": None},
    {"task": Task.multiclass(list("abce"))},
])  # fmt: skip
def test_what_is_no_fold_of_the_same_samples(changes):
    first, second, *rest = folds(FOUR)
    with pytest.raises(PredictionsError) as caught:
        as_one("whole", [first, Named("m1", replace(second.predictions, **changes)), *rest])
    assert str(caught.value) == "'m0' and 'm1' are no folds of the same labelled samples"


def test_masks_are_refused(tmp_path):
    task = Task.segmentation(["ground", "thing"], positive="thing")
    masks = np.zeros((1, 4, 4), np.uint8)
    said = MaskPredictions.write(
        tmp_path / "val.npz", Heading(task, "d", "val", "f", "c", "m"), ["i"],
        [MaskChunk(masks[:, None], masks, masks)],
    )  # fmt: skip
    with pytest.raises(PredictionsError) as caught:
        as_one("whole", [Named("a", said), Named("b", said)])
    assert str(caught.value) == (
        "member 'whole': folds are taken together of classes, not of masks; give the run of one "
        "fold"
    )
