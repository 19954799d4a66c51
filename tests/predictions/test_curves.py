"""ROC and precision-recall curves against scikit-learn, and what is left of them when kept."""

import itertools

import numpy as np
import pytest
from sklearn import metrics as reference

from zoo.predictions.curves import OFF, Points, thinned


def random_case(seed):
    rng = np.random.default_rng(seed)
    size = int(rng.choice([1, 2, 10, 300]))
    truth = (rng.random(size) < rng.choice([0.1, 0.5, 1.0])).astype(int)
    scores = rng.normal(size=size) + truth
    return truth, np.round(scores, int(rng.choice([0, 1, 8]))), rng.integers(0, 3, size)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("weighted", [False, True])
def test_points_are_those_of_scikit_learn(weighted):
    seen = 0
    for seed in range(200):
        truth, scores, weights = random_case(seed)
        points = Points.of(truth, scores, weights if weighted else None)
        if weighted:
            truth, scores = np.repeat(truth, weights), np.repeat(scores, weights)
        if len(set(truth)) < 2:
            assert points.roc() is None
            assert (points.precision_recall() is None) == (truth.sum() == 0)
            continue
        seen += 1
        fpr, tpr, thresholds = reference.roc_curve(truth, scores, drop_intermediate=False)
        at = np.flatnonzero(np.isin(thresholds, points.thresholds))
        assert np.array_equal(points.thresholds, thresholds[at])
        assert {*scores[truth == 1], scores.min()} <= {*points.thresholds}
        np.testing.assert_allclose(points.false / points.negatives, fpr[at], atol=1e-12)
        np.testing.assert_allclose(points.hits / points.support, tpr[at], atol=1e-12)
        assert reference.auc(
            [0, *(points.false / points.negatives)], [0, *(points.hits / points.support)]
        ) == pytest.approx(reference.roc_auc_score(truth, scores), abs=1e-12)  # no corner is lost
        precision, recall, _ = reference.precision_recall_curve(truth, scores)
        found = points.hits / (points.hits + points.false)
        np.testing.assert_allclose(found, precision[-2::-1][at - 1], atol=1e-12)
        np.testing.assert_allclose(points.hits / points.support, recall[-2::-1][at - 1], atol=1e-12)
    assert seen > 50


def test_thinned_curves_are_short_and_the_same():
    rng = np.random.default_rng(0)
    truth = rng.integers(0, 2, 20_000)
    scores = rng.normal(size=20_000) + 1.5 * truth
    points = Points.of(truth, scores)
    roc, kept = points.roc(), points.precision_recall()
    assert len(roc["fpr"]) < 150 and len(kept["recall"]) < 500
    area = reference.auc(roc["fpr"], roc["tpr"])
    assert area == pytest.approx(reference.roc_auc_score(truth, scores), abs=OFF)
    assert (roc["fpr"][0], roc["tpr"][0], roc["fpr"][-1], roc["tpr"][-1]) == (0, 0, 1, 1)
    assert len(roc["fpr"]) == len(roc["tpr"]) == len(roc["threshold"]) + 1
    assert len(kept["recall"]) == len(kept["precision"]) == len(kept["threshold"])
    assert kept["recall"][-1] == 1.0


def test_a_threshold_gives_its_point():
    truth, scores = np.array([0, 1, 0, 1, 1]), np.array([0.1, 0.4, 0.4, 0.8, 0.9])
    roc = Points.of(truth, scores).roc()
    for number, threshold in enumerate(roc["threshold"], 1):
        decided = scores >= threshold
        assert roc["tpr"][number] == pytest.approx(decided[truth == 1].mean(), abs=1e-6)
        assert roc["fpr"][number] == pytest.approx(decided[truth == 0].mean(), abs=1e-6)


def test_no_point_that_was_left_out_lies_off_the_line():
    rng = np.random.default_rng(1)
    across = np.sort(rng.random(400))
    up = np.cumsum(rng.normal(size=400)) / 20
    for off in (0.0, 0.01, 0.1):
        kept = thinned(across, up, off)
        worst = 0.0
        for first, last in itertools.pairwise(kept):
            here = np.array([across[first], up[first]])
            along = np.array([across[last], up[last]]) - here
            for between in range(first + 1, last):
                point = np.array([across[between], up[between]]) - here
                part = np.clip(point @ along / (along @ along), 0, 1)
                worst = max(worst, float(np.linalg.norm(point - part * along)))
        assert worst <= off
    assert thinned(np.array([0.0]), np.array([1.0])).tolist() == [0]
    line = np.linspace(0, 1, 100)
    assert thinned(line, line).tolist() == [0, 99]
