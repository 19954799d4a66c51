"""Every figure of masks against a slow, obvious reference that looks at one pixel after another."""

import math

import numpy as np
import pytest

from zoo.predictions.boundary import hd95
from zoo.predictions.own_masks import MaskPair
from zoo.predictions.segmentation import ImageCounts, Segmentation
from zoo.tasks import Task

CASES = 200
NAMES = ("precision", "recall", "specificity", "f1", "iou", "dice")


def random_case(seed):
    """(task, pairs of (truth, decided), weights): classes may be missing, images be empty, of one
    pixel or all ignored, and decided where nothing was shown."""
    rng = np.random.default_rng(seed)
    classes = int(rng.integers(2, 5))
    positive = "c1" if classes == 2 and rng.random() < 0.7 else None
    task = Task.segmentation([f"c{k}" for k in range(classes)], positive=positive)
    pairs = []
    for _ in range(int(rng.choice([1, 2, 6]))):
        shape = tuple(rng.integers(1, 9, 2))
        truth = rng.integers(0, rng.integers(1, classes + 1), shape)
        decided = rng.integers(0, rng.integers(1, classes + 1), shape)
        if rng.random() < 0.5:  # regions rather than noise
            truth, decided = np.sort(truth, axis=1), np.sort(decided, axis=0)
        truth[rng.random(shape) < rng.choice([0, 0.2, 1], p=[0.5, 0.45, 0.05])] = 255
        decided[rng.random(shape) < rng.choice([0, 0.2])] = 255
        pairs.append((truth, decided))
    weights = rng.integers(0, 3, len(pairs))
    weights[rng.integers(len(pairs))] = 2
    return task, pairs, weights


def measured(task, pairs):
    made = [MaskPair(decided.astype(np.uint8), truth.astype(np.uint8)) for truth, decided in pairs]
    return Segmentation(task, [ImageCounts.of(task, pair) for pair in made])


def pixels(pairs):
    """(truth, decided) of every pixel that counts."""
    for truth, decided in pairs:
        for y in range(truth.shape[0]):
            for x in range(truth.shape[1]):
                if truth[y, x] != 255 and decided[y, x] != 255:
                    yield truth[y, x], decided[y, x]


def share(part, whole):
    return part / whole if whole else None


def mean(values):
    known = [value for value in values if value is not None]
    return sum(known) / len(known) if known else None


def of_class(pairs, k):
    """One class against the rest, counted pixel by pixel."""
    hits = misses = wrong = rest = 0
    for truth, decided in pixels(pairs):
        if truth == k and decided == k:
            hits += 1
        elif truth == k:
            misses += 1
        elif decided == k:
            wrong += 1
        else:
            rest += 1
    return sided(hits, misses, wrong, rest)


def sided(hits, misses, wrong, rest):
    precision = share(hits, hits + wrong)
    if hits + wrong == 0 and misses:
        precision = 0.0
    return {
        "support": hits + misses,
        "precision": precision,
        "recall": share(hits, hits + misses),
        "specificity": share(rest, rest + wrong),
        "f1": share(2 * hits, 2 * hits + misses + wrong),
        "iou": share(hits, hits + misses + wrong),
        "dice": share(2 * hits, 2 * hits + misses + wrong),
    }


def figures(task, pairs):
    """(overall, by class, macro, micro, weighted)."""
    rows = [of_class(pairs, k) for k in range(len(task.classes))]
    every = list(pixels(pairs))
    found = {
        "accuracy": share(sum(truth == decided for truth, decided in every), len(every)),
        "balanced_accuracy": mean(row["recall"] for row in rows),
    }
    macro, weighted = {}, {}
    for name in NAMES:
        chosen = rows if name in ("iou", "dice") else [row for row in rows if row["support"]]
        macro[name] = mean(row[name] for row in chosen)
        known = [row for row in rows if row[name] is not None and row["support"]]
        total = sum(row["support"] for row in known)
        weighted[name] = share(sum(row["support"] * row[name] for row in known), total)
    rows_or_one = rows[1] if task.positive else macro
    found |= {name: rows_or_one[name] for name in NAMES}
    right = sum(truth == decided for truth, decided in every)
    off, classes = len(every) - right, len(rows)
    micro = sided(right, off, off, len(every) * classes - right - 2 * off)
    return found, rows, macro, micro, weighted


def is_boundary(mask, y, x, k):
    """A pixel of the class with a neighbour, by an edge, that is none, or with the image's end."""
    if mask[y, x] != k:
        return False
    for up, left in ((y - 1, x), (y + 1, x), (y, x - 1), (y, x + 1)):
        outside = not (0 <= up < mask.shape[0] and 0 <= left < mask.shape[1])
        if outside or mask[up, left] != k:
            return True
    return False


def distance(truth, decided, k):
    """HD95 by trying all pairs of boundary pixels."""
    ignored = (truth == 255) | (decided == 255)
    edges = []
    for mask in (truth, decided):
        plain = np.where(ignored, 255, mask)
        height, width = plain.shape
        edges.append([
            (y, x) for y in range(height) for x in range(width) if is_boundary(plain, y, x, k)
        ])  # fmt: skip
    if not edges[0] and not edges[1]:
        return None
    if not edges[0] or not edges[1]:
        return math.hypot(truth.shape[0] - 1, truth.shape[1] - 1)
    directed = []
    for here, there in (edges, edges[::-1]):
        nearest = sorted(min(math.dist(one, other) for other in there) for one in here)
        place = 0.95 * (len(nearest) - 1)
        low = math.floor(place)
        high = min(low + 1, len(nearest) - 1)
        directed.append(nearest[low] + (place - low) * (nearest[high] - nearest[low]))
    return max(directed)


def per_image(task, pairs):
    """Of each image alone: (figures, by class)."""
    for pair in pairs:
        found, rows, *_ = figures(task, [pair])
        for k, row in enumerate(rows):
            row["hd95"] = distance(*pair, k)
        found["hd95"] = rows[1]["hd95"] if task.positive else mean(row["hd95"] for row in rows)
        yield found, rows


def same(found, wanted, what):
    number = float(found)
    if wanted is None:
        assert np.isnan(number), what
    else:
        assert number == pytest.approx(wanted, abs=1e-9), what


def check(found, task, pairs, what):
    overall, rows, macro, micro, weighted = figures(task, pairs)
    assert set(found.overall) == set(overall)
    for name, value in overall.items():
        same(found.overall[name], value, (what, name))
    for kind, table in (("macro", macro), ("micro", micro), ("weighted", weighted)):
        assert set(found.averages[kind]) == {*NAMES} - {"f1"}
        for name, values in found.averages[kind].items():
            same(values, table[name], (what, kind, name))
    for k, row in enumerate(rows):
        for name, value in row.items():
            same(found.by_class[name][k], value, (what, k, name))
    counted = list(pixels(pairs))
    for (k, j), number in np.ndenumerate(found.counts):
        assert number == counted.count((k, j))
    each = list(per_image(task, pairs))
    for name, value in found.per_image.values.items():
        values = [one[name] for one, _ in each]
        same(value, mean(values), (what, "per image", name))
        assert found.per_image.images[name] == sum(one is not None for one in values)
    for name, table in found.per_image_by_class.values.items():
        for k, value in enumerate(table):
            values = [rows_[k][name] for _, rows_ in each]
            same(value, mean(values), (what, "per image", name, k))
            images = found.per_image_by_class.images[name][k]
            assert images == sum(one is not None for one in values)
    unseen = labelled = 0
    for truth, decided in pairs:
        unseen += int(((truth != 255) & (decided == 255)).sum())
        labelled += int((truth != 255).sum())
    same(found.unseen, share(unseen, labelled), (what, "unseen"))


def test_every_figure_equals_the_slow_reference_on_200_random_cases():
    for seed in range(CASES):
        task, pairs, weights = random_case(seed)
        found = measured(task, pairs)
        check(found.figures(), task, pairs, seed)
        repeated = [pair for pair, often in zip(pairs, weights, strict=True) for _ in range(often)]
        check(found.figures(weights), task, repeated, (seed, "weighted"))


def test_draws_are_columns():
    task, pairs, weights = random_case(4)
    found = measured(task, pairs)
    draws = np.stack([weights, np.ones_like(weights), np.zeros_like(weights)], axis=1)
    together = found.figures(draws)
    for column, alone in enumerate((weights, None, np.zeros_like(weights))):
        one = found.figures(alone)
        for mine, theirs in (
            (together.overall, one.overall),
            (together.by_class, one.by_class),
            (together.per_image.values, one.per_image.values),
            (together.per_image_by_class.values, one.per_image_by_class.values),
        ):
            for name, values in theirs.items():
                np.testing.assert_allclose(mine[name][..., column], values, atol=1e-12)
    assert all(np.isnan(values[2]) for values in together.per_image.values.values())


def test_hd95_of_what_can_be_counted_by_hand():
    empty, dot, far = (np.zeros((10, 10), np.uint8) for _ in range(3))
    dot[2, 3], far[6, 6] = 1, 1
    assert hd95(dot, far, 2)[1] == 5.0
    assert hd95(dot, dot, 2).tolist() == [0.0, 0.0]
    assert np.isnan(hd95(empty, empty, 2)[1])
    diagonal = math.hypot(9, 9)
    assert hd95(empty, dot, 2)[1] == hd95(dot, empty, 2)[1] == diagonal
    square, shifted = empty.copy(), empty.copy()
    square[2:6, 2:6], shifted[2:6, 4:8] = 1, 1
    assert hd95(square, shifted, 2)[1] == 2.0
    ignored = dot.copy()
    ignored[dot == 1] = 255
    assert np.isnan(hd95(ignored, dot, 2)[1])  # what is ignored is in neither


def test_one_pixel_far_off_does_not_decide_hd95():
    """Of more than twenty boundary pixels one may lie anywhere; the greatest distance would say
    so."""
    truth = np.zeros((40, 40), np.uint8)
    truth[5:15, 5:15] = 1
    decided = truth.copy()
    decided[39, 39] = 1
    assert hd95(truth, decided, 2)[1] == 0.0
