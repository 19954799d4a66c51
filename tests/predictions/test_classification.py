"""Every figure of a classification against scikit-learn, with weights as repeated samples."""

import numpy as np
import pytest
from sklearn import metrics as reference

from zoo.errors import PredictionsError
from zoo.predictions.classification import Classification
from zoo.tasks import Task

CASES = 200
DECIDED = ("precision", "recall", "specificity", "f1")


def random_case(kind, seed):
    """(task, targets, decisions, probabilities, weights). Classes may be missing, scores tie,
    samples be only one, and some be drawn never."""
    rng = np.random.default_rng([seed, len(kind)])
    classes = 2 if kind == "binary" else int(rng.integers(1 if kind == "multilabel" else 2, 6))
    size, names = int(rng.choice([1, 2, 5, 30, 80])), [f"c{i}" for i in range(classes)]
    step = rng.choice([0.0, 1.0])  # scores that tie, or not
    logits = rng.normal(size=(size, classes)) * 2
    logits = np.round(logits) if step else logits
    if kind == "multilabel":
        task = Task.multilabel(names)
        probabilities = 1 / (1 + np.exp(-logits))
        targets = (rng.random((size, classes)) < rng.choice([0.05, 0.5])).astype(np.uint8)
        decisions = (probabilities > 0.5).astype(np.int64)
    else:
        odds = np.exp(logits)
        probabilities = odds / odds.sum(1, keepdims=True)
        targets = rng.integers(0, rng.integers(1, classes + 1), size)
        decisions = probabilities.argmax(1)
        task = Task.multiclass(names)
        if kind == "binary":
            task = Task.binary(names, positive=names[int(rng.integers(2))])
    weights = rng.integers(0, 4, size)
    weights[rng.integers(size)] = 1
    return task, targets, decisions, probabilities, weights


def sides(task, targets, decisions):
    """0/1 (N, K) of the truth and of the decisions."""
    if task.kind == "multilabel":
        return targets.astype(int), decisions
    columns = np.arange(len(task.classes))
    return (targets[:, None] == columns).astype(int), (decisions[:, None] == columns).astype(int)


def of_one_class(truth, decided, scores):
    """scikit-learn's figures of one class against the rest; None where undefined."""
    found = dict.fromkeys((*DECIDED, "auroc", "average_precision", "mcc", "kappa"))
    precision, recall, f1, _ = reference.precision_recall_fscore_support(
        truth, decided, labels=[0, 1], zero_division=0
    )
    if truth.min() == 0:
        found["specificity"] = recall[0]
    if truth.max() == 0:
        return found
    found |= {"precision": precision[1], "recall": recall[1], "f1": f1[1]}
    found["average_precision"] = reference.average_precision_score(truth, scores)
    if truth.min() == 0:
        found["auroc"] = reference.roc_auc_score(truth, scores)
        found["kappa"] = reference.cohen_kappa_score(truth, decided)
        if len(set(decided)) == 2:
            found["mcc"] = reference.matthews_corrcoef(truth, decided)
    elif decided.min() == 0:
        found["kappa"] = reference.cohen_kappa_score(truth, decided)
    return found


def calibration_error(truth, scores):
    """Slow and obvious: fifteen bins of equal width, open below."""
    total = 0.0
    for number in range(15):
        inside = (scores > number / 15) & (scores <= (number + 1) / 15)
        if number == 0:
            inside |= scores == 0
        if inside.any():
            total += inside.sum() * abs(truth[inside].mean() - scores[inside].mean())
    return total / len(truth)


def expected(task, targets, decisions, probabilities):
    """(overall, averages, by class), by name."""
    truth, decided = sides(task, targets, decisions)
    classes = range(len(task.classes))
    rows = [of_one_class(truth[:, k], decided[:, k], probabilities[:, k]) for k in classes]
    for k, row in enumerate(rows):
        row["brier"] = ((truth[:, k] - probabilities[:, k]) ** 2).mean()
        row["ece"] = calibration_error(truth[:, k], probabilities[:, k])
    occurs = [k for k in classes if truth[:, k].max() == 1]
    averages = {"macro": {}, "weighted": {}, "micro": {}}
    for name in (*DECIDED, "auroc", "average_precision"):
        known = [k for k in occurs if rows[k][name] is not None]
        support = truth.sum(0)[known]
        values = [rows[k][name] for k in known]
        averages["macro"][name] = np.mean(values) if known else None
        averages["weighted"][name] = np.average(values, weights=support) if known else None
    pooled = of_one_class(truth.reshape(-1), decided.reshape(-1), probabilities.reshape(-1))
    averages["micro"] = {name: pooled[name] for name in averages["macro"]}
    return overall(task, targets, decisions, probabilities, rows, averages), averages, rows


def overall(task, targets, decisions, probabilities, rows, averages):
    truth, decided = sides(task, targets, decisions)
    if task.kind == "multilabel":
        known = [row[name] for row in rows for name in ("recall", "specificity")]
        losses = [
            reference.log_loss(truth[:, k], probabilities[:, k], labels=[0, 1])
            for k in range(truth.shape[1])
        ]
        return averages["macro"] | {
            "accuracy": (truth == decided).mean(),
            "exact_match": reference.accuracy_score(truth, decided),
            "balanced_accuracy": np.mean([one for one in known if one is not None]),
            "mcc": mean_of(rows, "mcc"),
            "kappa": mean_of(rows, "kappa"),
            "log_loss": np.mean(losses),
            "brier": np.mean([row["brier"] for row in rows]),
            "ece": np.mean([row["ece"] for row in rows]),
        }
    labels = range(len(task.classes))
    found = {
        "accuracy": reference.accuracy_score(targets, decisions),
        "balanced_accuracy": mean_of(rows, "recall"),
        "mcc": None,
        "kappa": None,
        "log_loss": reference.log_loss(targets, probabilities, labels=labels),
    }
    if len({*targets, *decisions}) > 1:
        found["kappa"] = reference.cohen_kappa_score(targets, decisions)
    if len(set(targets)) > 1 and len(set(decisions)) > 1:
        found["mcc"] = reference.matthews_corrcoef(targets, decisions)
    if len(set(targets)) == len(labels):
        assert found["balanced_accuracy"] == pytest.approx(
            reference.balanced_accuracy_score(targets, decisions), abs=1e-9
        )
    if task.kind == "binary":
        row = rows[task.positive_index]
        names = (*averages["macro"], "brier", "ece")
        assert row["brier"] == pytest.approx(
            reference.brier_score_loss(truth[:, 1], probabilities[:, 1]), abs=1e-9
        )
        return found | {name: row[name] for name in names}
    right = targets == probabilities.argmax(1)
    return found | averages["macro"] | {
        "brier": sum(row["brier"] for row in rows),
        "ece": calibration_error(right, probabilities.max(1)),
    }  # fmt: skip


def mean_of(rows, name):
    known = [row[name] for row in rows if row[name] is not None]
    return np.mean(known) if known else None


def same(found, wanted, what):
    assert set(found) - {"support"} == set(wanted), what
    for name, value in wanted.items():
        number = float(found[name])
        if value is None:
            assert np.isnan(number), (what, name, number)
        else:
            assert number == pytest.approx(value, abs=1e-9), (what, name)


def check(figures, case, what):
    task, targets, decisions, _ = case
    whole, averages, rows = expected(*case)
    same(figures.overall, whole, what)
    for kind, wanted in averages.items():
        same(figures.averages[kind], wanted, (what, kind))
    for k, row in enumerate(rows):
        same({name: values[k] for name, values in figures.by_class.items()}, row, (what, k))
    truth, decided = sides(task, targets, decisions)
    assert np.array_equal(figures.by_class["support"], truth.sum(0))
    if task.kind == "multilabel":
        table = (
            reference.multilabel_confusion_matrix(truth, decided, labels=range(len(task.classes)))
            if len(task.classes) > 1
            else [reference.confusion_matrix(truth, decided, labels=[0, 1])]
        )
    else:
        table = reference.confusion_matrix(targets, decisions, labels=range(len(task.classes)))
    assert np.array_equal(figures.counts, table)


@pytest.mark.filterwarnings("ignore")  # scikit-learn's, of classes that are missing
@pytest.mark.parametrize("kind", ["binary", "multiclass", "multilabel"])
def test_every_figure_equals_scikit_learn_on_200_random_cases(kind):
    seen = {"undefined": 0, "single": 0}
    for seed in range(CASES):
        task, *arrays, _ = random_case(kind, seed)
        figures = Classification(task, *arrays).figures()
        check(figures, (task, *arrays), seed)
        seen["undefined"] += int(np.isnan(figures.by_class["auroc"]).any())
        seen["single"] += len(arrays[0]) == 1
    assert min(seen.values()) > 20


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("kind", ["binary", "multiclass", "multilabel"])
def test_weights_are_repeated_samples_and_draws_are_columns(kind):
    for seed in range(CASES):
        task, *arrays, weights = random_case(kind, 1000 + seed)
        repeated = [np.repeat(array, weights, axis=0) for array in arrays]
        measured = Classification(task, *arrays)
        weighted = measured.figures(weights)
        if seed % 5 == 0:
            check(weighted, (task, *repeated), seed)
        alone = Classification(task, *repeated).figures()
        same(
            weighted.overall,
            {name: None if np.isnan(value) else value for name, value in alone.overall.items()},
            seed,
        )
        if seed % 20:
            continue
        ones = np.ones_like(weights)
        draws = np.stack([weights, ones, *[weights] * 100], axis=1)  # more than go together
        together = measured.figures(draws)
        for column in (0, 1, 101):
            alone = measured.figures(draws[:, column])
            for name, values in alone.overall.items():
                np.testing.assert_allclose(together.overall[name][column], values, atol=1e-12)
            for name, values in alone.by_class.items():
                found = together.by_class[name][:, column]
                np.testing.assert_allclose(found, values, atol=1e-12)
            for name, table in alone.averages.items():
                for figure, value in table.items():
                    found = together.averages[name][figure][column]
                    np.testing.assert_allclose(found, value, atol=1e-12)
            assert np.array_equal(together.counts[..., column], alone.counts)


def test_a_draw_without_a_class_has_it_undefined_and_one_of_nothing_has_nothing():
    task = Task.multiclass(["a", "b"])
    probabilities = np.array([[0.9, 0.1], [0.2, 0.8], [0.6, 0.4]])
    measured = Classification(task, np.array([0, 1, 1]), probabilities.argmax(1), probabilities)
    figures = measured.figures(np.array([[1, 0], [0, 0], [0, 0]]))
    assert figures.by_class["recall"][:, 0].tolist() == [1.0, pytest.approx(np.nan, nan_ok=True)]
    for name in ("precision", "recall", "f1", "auroc", "average_precision", "mcc"):
        assert np.isnan(figures.by_class[name][1, 0]), name
    assert all(np.isnan(values[1]) for values in figures.overall.values())


@pytest.mark.parametrize(
    "weights", [np.ones(2, int), np.ones(3), np.array([1, -1, 1]), np.ones((3, 0), int)]
)
def test_other_weights_are_refused(weights):
    task = Task.multiclass(["a", "b"])
    labels, probabilities = np.array([0, 1, 1]), np.full((3, 2), 0.5)
    with pytest.raises(PredictionsError) as caught:
        Classification(task, labels, labels, probabilities).figures(weights)
    assert str(caught.value) == (
        f"weights of shape {weights.shape} and type {weights.dtype}: expected integers from 0, "
        f"(3,) or (3, draws)"
    )


def test_certain_and_wrong_has_a_finite_log_loss():
    certain = np.array([[0.0, 1.0]], np.float32)
    for task, targets, most in (
        (Task.multiclass(["a", "b"]), np.array([0]), 88.0),
        (Task.multilabel(["a", "b"]), np.array([[1, 0]]), 53.0),  # of 0: 87.3, of 1: 17.3
    ):
        labels = np.ones_like(targets)
        loss = Classification(task, targets, labels, certain).figures().overall["log_loss"]
        assert most - 1 < loss < most
