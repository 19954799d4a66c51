"""The confusion matrix as a picture: what is drawn, and that it is always the same bytes."""

import io
import subprocess
import sys
import warnings

import numpy as np
import pytest
from PIL import Image

from zoo.predictions.confusion import DRAWN, _shares, draw_confusion
from zoo.predictions.lettering import percent, readable, short_count
from zoo.tasks import Task

BINARY = Task.binary(["normal", "pneumonia"], positive="pneumonia")
THREE = Task.multiclass(["a", "b", "c"])


def drawn(task, counts, title="test, 10 samples"):
    data = draw_confusion(task, counts, title)
    with Image.open(io.BytesIO(data)) as image:
        assert image.format == "PNG"
        return np.asarray(image.convert("RGB")).astype(int)


def test_equal_counts_are_equal_bytes_whatever_the_settings_are():
    data = draw_confusion(THREE, [[5, 1, 0], [0, 4, 0], [1, 0, 9]], "test")
    code = (
        "import matplotlib, sys\n"
        "matplotlib.rcParams.update({'font.size': 30, 'axes.facecolor': 'red'})\n"
        "from zoo.predictions.confusion import draw_confusion\n"
        "from zoo.tasks import Task\n"
        "three = Task.multiclass(['a', 'b', 'c'])\n"
        "before = dict(matplotlib.rcParams)\n"
        "data = draw_confusion(three, [[5, 1, 0], [0, 4, 0], [1, 0, 9]], 'test')\n"
        "assert dict(matplotlib.rcParams) == before\n"
        "sys.stdout.buffer.write(data)"
    )
    again = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True)
    assert again.stdout == data
    assert draw_confusion(THREE, [[5, 1, 0], [0, 4, 0], [1, 1, 9]], "test") != data
    with Image.open(io.BytesIO(data)) as image:
        assert "Software" not in image.info and image.width == 990


def test_darker_is_more_of_the_class():
    """The four cells of a binary one, each by its darkest large area."""
    image = drawn(BINARY, [[90, 10], [40, 60]])
    blues = image[:, :, 2] - image[:, :, 0]  # of the cells; paper and ink are gray
    rows, columns = np.nonzero(blues > 4)
    inside = columns < 700  # left of the scale
    top, bottom = rows[inside].min(), rows[inside].max()
    left, right = columns[inside].min(), columns[inside].max()
    ys = [top + (bottom - top) // 8, bottom - (bottom - top) // 8]
    xs = [left + (right - left) // 8, right - (right - left) // 8]
    light = [[image[y, x].sum() for x in xs] for y in ys]
    assert light[0][1] > light[1][0] > light[1][1] > light[0][0]


@pytest.mark.parametrize("classes", [2, 12, 13, 20, 21, DRAWN])
def test_any_number_of_classes_has_the_same_width(classes):
    task = Task.multiclass([f"class {i}" for i in range(classes)])
    image = drawn(task, np.eye(classes, dtype=int) * 7)
    assert image.shape == (891, 990, 3)


def test_multilabel_has_a_row_a_class():
    task = Task.multilabel(["a", "b"])
    image = drawn(task, [[[5, 1], [0, 4]], [[9, 0], [0, 0]]])
    assert image.shape[1] == 990 and image.shape[0] < 600
    shares = _shares(np.array([[5.0, 1, 0, 4], [9, 0, 0, 0]]), 2)
    assert np.allclose(shares[0], [5 / 6, 1 / 6, 0, 1])
    assert np.isnan(shares[1, 2:]).all() and shares[1, 0] == 1


def test_foreign_names_are_drawn_as_text_and_without_a_warning():
    names = ["$a^2$ \\alpha", "\u732b", "x\u202ey\n", "long " * 100]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        drawn(Task.multiclass(names), np.ones((4, 4), int), "$\\frac{1}{0}$ \u732b")
    shown = readable(names)
    assert shown[:3] == ["$a^2$ \\alpha", "class 1", "x\\u202ey\\n"]
    assert len(shown[3]) <= 16


def test_numbers_are_short_and_honest():
    given = (0, 7, 9999, 10_000, 12_345, 999_999, 1_234_567, 23_456_789, 1.5e9)
    assert [short_count(one) for one in given] == [
        "0", "7", "9999", "10k", "12k", "1000k", "1.2M", "23M", "1.5G",
    ]  # fmt: skip
    assert [percent(one) for one in (0, 0.001, 0.25, 0.994, 0.996, 1)] == [
        "0%", "<1%", "25%", "99%", ">99%", "100%",
    ]  # fmt: skip
