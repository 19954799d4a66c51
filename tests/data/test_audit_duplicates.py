"""The same image twice: exactly, by file or by pixels, and nearly; and what is no duplicate."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator

import numpy as np
import pytest
from PIL import Image, ImageDraw
from sklearn.datasets import load_digits

import zoo
from zoo.data.audit import near
from zoo.data.audit.auditing import audit
from zoo.data.audit.duplicates import around_each
from zoo.data.audit.findings import Finding
from zoo.data.audit.looking import thumbnail

TWO = zoo.Task.multiclass(["a", "b"])
SIDE = 96


def picture(seed: int, side: int = SIDE) -> np.ndarray:
    """Detail at several scales, as photographs have: uint8 (side, side, 3)."""
    rng = np.random.default_rng(seed)
    total = np.zeros((side, side, 3))
    for cells, strength in ((3, 90), (7, 55), (16, 30), (40, 14)):
        grid = rng.integers(0, 256, (cells, cells, 3), dtype=np.uint8)
        layer = Image.fromarray(grid).resize((side, side), Image.Resampling.BICUBIC)
        total += strength * (np.asarray(layer) / 255.0 - 0.5)
    return (128 + total).clip(0, 255).astype(np.uint8)


def jpeg(array: np.ndarray, quality: int) -> np.ndarray:
    stream = io.BytesIO()
    Image.fromarray(array).save(stream, "JPEG", quality=quality)
    return np.asarray(Image.open(stream))


def resized(array: np.ndarray, scale: float, filter_: Image.Resampling) -> np.ndarray:
    size = round(array.shape[1] * scale), round(array.shape[0] * scale)
    return np.asarray(Image.fromarray(array).resize(size, filter_))


def shifted(array: np.ndarray, down: int, right: int) -> np.ndarray:
    """What comes in at the edge repeats it."""
    pad = max(abs(down), abs(right))
    wide = np.pad(array, [(pad, pad), (pad, pad), (0, 0)], mode="edge")
    height, width = array.shape[:2]
    return wide[pad + down : pad + down + height, pad + right : pad + right + width]


def brighter(array: np.ndarray, factor: float, plus: float) -> np.ndarray:
    return (array * factor + plus).clip(0, 255).astype(np.uint8)


COPIES: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "re-encoded": lambda a: jpeg(a, 85),
    "re-encoded badly": lambda a: jpeg(a, 30),
    "twice re-encoded": lambda a: jpeg(jpeg(a, 60), 80),
    "half the size": lambda a: resized(a, 0.5, Image.Resampling.BILINEAR),
    "three quarters": lambda a: resized(a, 0.75, Image.Resampling.LANCZOS),
    "larger": lambda a: resized(a, 1.6, Image.Resampling.BICUBIC),
    "shifted down": lambda a: shifted(a, 3, 0),
    "shifted left": lambda a: shifted(a, 0, -5),
    "shifted both ways": lambda a: shifted(a, -2, 4),
    "brighter": lambda a: brighter(a, 1.08, 6),
    "darker": lambda a: brighter(a, 0.9, -8),
    "shifted, brighter, re-encoded": lambda a: jpeg(brighter(shifted(a, 2, -2), 1.05, 0), 70),
    "gray": lambda a: np.asarray(Image.fromarray(a).convert("L")),
}


class Pictures(zoo.ArraySplit):
    """Images of different sizes in memory."""

    def __init__(self, pictures: list[np.ndarray], labels: list[int], name: str) -> None:
        ids = [f"{name}/{number}" for number in range(len(pictures))]
        super().__init__(np.zeros((len(pictures), 1, 1), np.uint8), np.array(labels), ids)
        object.__setattr__(self, "pictures", pictures)

    def image(self, index: int) -> np.ndarray:
        return self.pictures[index]


def findings(**splits: zoo.Split) -> list[Finding]:
    made = zoo.Dataset(TWO, splits, zoo.Provenance(licence="cc0-1.0"))
    kinds = {"leak", "conflict", "duplicate", "near_leak", "near_duplicate"}
    return [one for one in audit("made", made, splits, threads=1).findings if one.kind in kinds]


def two(first: list[tuple[int, int]], second: list[tuple[int, int]]) -> Iterator[zoo.Split]:
    """Splits of (seed of a picture, label)."""
    for name, samples in (("train", first), ("val", second)):
        pictures = [picture(seed) for seed, _ in samples]
        yield Pictures(pictures, [label for _, label in samples], name)


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        ([(1, 0), (2, 1)], [(3, 0), (4, 1)], []),
        ([(1, 0), (2, 1)], [(3, 1), (1, 0)], [("leak", ("train/0", "val/1"))]),
        ([(1, 0), (2, 1), (2, 1)], [(3, 1), (4, 0)], [("duplicate", ("train/1", "train/2"))]),
        ([(1, 0), (1, 1)], [(3, 1), (4, 0)], [("conflict", ("train/0", "train/1"))]),
        (
            [(1, 0), (2, 1)],
            [(1, 1), (4, 0)],
            [("conflict", ("train/0", "val/0")), ("leak", ("train/0", "val/0"))],
        ),
        ([(1, 0), (1, 0)], [(1, 0), (4, 1)], [("leak", ("train/0", "train/1", "val/0"))]),
    ],
)
def test_identical_images(first, second, expected):
    train, val = two(first, second)
    found = findings(train=train, val=val)
    assert [(one.kind, one.ids) for one in found] == expected
    assert all(one.severity == ("notice" if one.kind == "duplicate" else "error") for one in found)


@pytest.mark.parametrize(
    ("name", "same", "how"),
    [
        ("copy.png", True, "identical files"),
        ("copy.bmp", True, "identical pixels"),
        ("gray.png", True, "identical pixels"),
        ("copy.jpg", False, ""),
    ],
)
def test_identical_files_and_the_same_pixels_in_another_file(name, same, how, tmp_path):
    gray = np.asarray(Image.fromarray(picture(5)).convert("L"))
    colour = Image.fromarray(np.repeat(gray[:, :, None], 3, axis=2))
    colour.save(tmp_path / "one.png")
    (Image.fromarray(gray) if name == "gray.png" else colour).save(tmp_path / name)
    paths = [tmp_path / "one.png", tmp_path / name]
    split = zoo.FileSplit(paths, np.array([0, 0]), [path.name for path in paths])
    found = [one for one in findings(train=split) if one.kind == "duplicate"]
    assert [one.message for one in found] == (
        [f"{how}: 'one.png' (train), '{name}' (train)"] if same else []
    )


def test_a_mask_that_contradicts_another_is_a_notice():
    task = zoo.Task.segmentation(["no", "yes"], positive="yes")
    images = np.stack([picture(1, 32), picture(1, 32), picture(2, 32), picture(2, 32)])
    masks = np.zeros((4, 32, 32), np.uint8)
    masks[:, 4:9], masks[1, 20:22] = 1, 1
    split = zoo.ArraySplit(images, None, list("abcd"), masks=masks)
    dataset = zoo.Dataset(task, {"train": split}, zoo.Provenance(licence="cc0-1.0"))
    found = audit("made", dataset, dataset.splits, threads=1).findings
    assert {(one.kind, one.ids) for one in found} == {
        ("mask_conflict", ("a", "b")),
        ("duplicate", ("c", "d")),
    }


def pairs_found(pictures: list[np.ndarray]) -> set[tuple[int, int]]:
    thumbs = [thumbnail(one if one.ndim == 3 else one[:, :, None]) for one in pictures]
    return {(i, j) for i, j, _ in near.near_pairs(np.stack(thumbs))}


def test_near_duplicates_are_found():
    """13 kinds of copies, 8 of each, among 300 others: recall at least 0.95, no false one."""
    originals = [picture(seed) for seed in range(300)]
    planted, truth = list(originals), set()
    sources = iter(np.random.default_rng(0).permutation(300).tolist())
    for make in COPIES.values():
        for _ in range(8):
            source = next(sources)
            truth.add((source, len(planted)))
            planted.append(make(originals[source]))
    found = pairs_found(planted)
    assert len(truth) == 104
    assert len(found & truth) / len(truth) >= 0.95
    assert found - truth == set()
    assert pairs_found(originals) == set()


@pytest.mark.parametrize("case", COPIES)
def test_each_kind_of_copy_across_splits_is_a_notice(case):
    train = Pictures([picture(seed) for seed in range(10)], [0, 1] * 5, "train")
    copy = COPIES[case](picture(3))
    val = Pictures([picture(50), copy, picture(51)], [0, 1, 0], "val")
    assert [(one.kind, one.severity, one.ids) for one in findings(train=train, val=val)] == [
        ("near_leak", "notice", ("train/3", "val/1"))
    ]


def test_several_copies_of_one_image_are_one_finding():
    pictures = [picture(seed) for seed in range(20)]
    pictures += [jpeg(pictures[4], 80), shifted(pictures[4], 2, 2), brighter(pictures[4], 1.1, 0)]
    split = Pictures(pictures, [0, 1] * 11 + [0], "train")
    assert [one.ids for one in findings(train=split)] == [
        ("train/4", "train/20", "train/21", "train/22")
    ]


def test_copies_that_crowd_out_all_other_neighbours():
    """Thirty frames of a scene that does not move: beside each there is nothing else."""
    pictures = [picture(seed) for seed in range(30)]
    pictures += [jpeg(pictures[0], quality) for quality in range(60, 90)]
    found = findings(train=Pictures(pictures, [0, 1] * 30, "train"))
    assert [(one.kind, len(one.ids)) for one in found] == [("near_duplicate", 31)]


def drawn(seed: int, side: int = 64) -> np.ndarray:
    """A circle or a square, somewhere, of some size, on plain ground."""
    rng = np.random.default_rng(seed)
    size = int(rng.integers(side // 8, side // 3))
    left, top = rng.integers(1, side - size - 1, 2).tolist()
    image = Image.new("RGB", (side, side), (25, 25, 40))
    draw = ImageDraw.Draw(image)
    shape = draw.ellipse if seed % 2 else draw.rectangle
    shape((left, top, left + size, top + size), fill=(220, 180, 60))
    return np.asarray(image)


@pytest.mark.parametrize("count", [20, 60, 300])
def test_drawn_shapes_are_no_copies_of_each_other(count):
    assert len(pairs_found([drawn(seed) for seed in range(count)])) <= 0.02 * count


def test_if_they_might_be_shifted_drawn_shapes_would_be_copies(monkeypatch):
    monkeypatch.setattr(near, "STILL", np.inf)
    assert len(pairs_found([drawn(seed) for seed in range(60)])) > 20


def test_copies_of_drawn_shapes_that_lie_as_they_are_are_found():
    still = [make for name, make in COPIES.items() if "shifted" not in name]
    originals = [drawn(seed) for seed in range(60)]
    copies = [still[number % len(still)](one) for number, one in enumerate(originals)]
    found = pairs_found(originals + copies)
    assert len(found & {(number, 60 + number) for number in range(60)}) >= 57
    assert len(found) <= 61


def test_a_chain_of_copies_is_not_one_group():
    assert around_each([(0, 1), (1, 2), (2, 3), (3, 4)]) == [[1, 0, 2], [2, 3], [3, 4]]
    assert around_each([(0, 1), (1, 2), (0, 2)]) == [[0, 1, 2]]
    assert around_each([]) == []


DIGITS = (load_digits().images[:700] * 255.0 / 16.0).round().astype(np.uint8)


def test_digits_that_merely_look_alike_are_few():
    """Of 700 scans; beside them, each digit's own shifted copy is still told apart."""
    thumbs = np.stack([thumbnail(one[:, :, None]) for one in DIGITS])
    assert len(near.near_pairs(thumbs)) <= 5
    copies = np.stack(
        [thumbnail(brighter(DIGITS[n], 0.9, 5)[:, :, None]) for n in range(0, 600, 10)]
    )
    found = {(i, j) for i, j, _ in near.near_pairs(np.concatenate([thumbs, copies]))}
    truth = {(10 * number, len(thumbs) + number) for number in range(60)}
    assert len(found & truth) / 60 >= 0.95


def test_without_the_ratio_alike_digits_would_be_many(monkeypatch):
    monkeypatch.setattr(near, "RATIO", np.inf)
    thumbs = np.stack([thumbnail(one[:, :, None]) for one in DIGITS])
    assert len(near.near_pairs(thumbs)) > 15


def test_flat_pictures_and_few_pictures_are_left_alone():
    rng = np.random.default_rng(0)
    flat = (100 + rng.integers(0, 2, (20, 32, 32))).astype(np.uint8)
    assert near.near_pairs(flat) == []
    assert near.near_pairs(np.empty((0, 32, 32), np.uint8)) == []
    assert near.near_pairs(flat[:1] * 0) == []
    one = thumbnail(picture(1))
    assert near.near_pairs(np.stack([one, thumbnail(jpeg(picture(1), 80))])) != []
    assert near.near_pairs(np.stack([one, thumbnail(picture(2))])) == []


def test_the_answer_does_not_depend_on_threads():
    thumbs = np.stack([thumbnail(one[:, :, None]) for one in DIGITS[:300]])
    assert near.near_pairs(thumbs, threads=1) == near.near_pairs(thumbs, threads=4)


def test_many_images_in_one_cell_are_compared_in_parts(monkeypatch):
    from zoo.data.audit import neighbours

    thumbs = np.stack([thumbnail(picture(seed, 40)) for seed in range(120)])
    whole = neighbours.candidates(neighbours.hashes(thumbs), 5)
    monkeypatch.setattr(neighbours, "_ROWS", 17)
    codes = neighbours.hashes(thumbs)
    np.testing.assert_array_equal(neighbours.candidates(codes, 5), whole)
    exact = np.argsort(-(codes @ codes.T) + 2 * np.eye(120), axis=1)[:, :5]
    pairs = {tuple(sorted((i, int(j)))) for i in range(120) for j in exact[i]}
    assert {tuple(pair) for pair in whole.tolist()} == pairs
