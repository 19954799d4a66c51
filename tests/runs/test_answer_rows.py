"""Tables that are read again as they were meant."""

from __future__ import annotations

import csv
import io
import json

import numpy as np
import pytest

from zoo.errors import DataError
from zoo.runs.answer_rows import Submission, format_for, rows_for
from zoo.tasks import Task

CATS = Task.multiclass(["cat", "big, dog", 'a"b\r'])
SIDE = Task.binary(["ill", "well"], positive="ill")
TAGS = Task.multilabel(["sun", "rain", "snow"])
MASK = Task.segmentation(["a", "b"])
ODD = np.array([0.1, 1 / 3, 1e-12], np.float32)


def table(task, format_, *rows, **submission):
    written = rows_for(task, format_, Submission(**submission))
    text = written.head + "".join(written.line(*row) for row in rows)
    return list(csv.reader(io.StringIO(text, newline="")))


def test_csv_holds_names_and_numbers_exactly():
    head, first, second = table(CATS, "csv", ("x\n1", "big, dog", ODD), ("", 'a"b\r', ODD))
    assert head == ["id", "class", "p_cat", "p_big, dog", 'p_a"b\r']
    assert first[:2] == ["x\n1", "big, dog"]
    assert second[:2] == ["", 'a"b\r']
    np.testing.assert_array_equal(np.array(first[2:], np.float32), ODD)


def test_csv_of_several_classes():
    _, first, none = table(TAGS, "csv", ("x", ["sun", "snow"], ODD), ("y", [], ODD))
    assert (first[1], none[1]) == ("sun|snow", "")
    with pytest.raises(DataError) as error:
        rows_for(Task.multilabel(["a|b"]), "csv", Submission())
    assert str(error.value) == (
        "class 'a|b' holds the '|' that would stand between classes in a cell; choose the format "
        "'json'"
    )


def test_json_is_an_object_a_line():
    line = rows_for(TAGS, "json", Submission()).line("é\u2028\n", ["sun"], ODD)
    assert line.count("\n") == 1 and line.endswith("\n")
    row = json.loads(line)
    assert (row["id"], row["classes"]) == ("é\u2028\n", ["sun"])
    np.testing.assert_array_equal(np.array([*row["probabilities"].values()], np.float32), ODD)
    assert list(row["probabilities"]) == ["sun", "rain", "snow"]
    assert "class" in json.loads(rows_for(CATS, "json", Submission()).line("x", "cat", ODD))


PAIR = np.array([0.75, 0.25], np.float32)


@pytest.mark.parametrize(
    ("task", "submission", "decided", "said", "expected"),
    [
        (CATS, {}, "cat", ODD, [["id", "label"], ["x", "cat"]]),
        (
            CATS,
            {"id_column": "ImageId", "label_column": "Label", "values": "index"},
            "big, dog", ODD, [["ImageId", "Label"], ["x", "1"]],
        ),
        (SIDE, {"values": "probability"}, "ill", PAIR, [["id", "label"], ["x", "0.75"]]),
        (TAGS, {"label_column": "tags"}, ["sun", "snow"], ODD,
         [["id", "tags"], ["x", "sun snow"]]),
        (TAGS, {"values": "index"}, [], ODD, [["id", "label"], ["x", ""]]),
        (TAGS, {"values": "probability"}, [], np.array([0.5, 0.25, 1], np.float32),
         [["id", "sun", "rain", "snow"], ["x", "0.5", "0.25", "1.0"]]),
    ],
)  # fmt: skip
def test_a_submission(task, submission, decided, said, expected):
    assert table(task, "kaggle", ("x", decided, said), **submission) == expected


@pytest.mark.parametrize(
    ("task", "format_", "submission", "message"),
    [
        (CATS, "kaggle", {"values": "clas"},
         "values 'clas' (did you mean 'class'?); expected one of class, index, probability"),
        (CATS, "kaggle", {"values": "probability", "label_column": "y"},
         "label column 'y': a multiclass model's probabilities have a column for each class, by "
         "its name; leave it out"),
        (CATS, "kaggle", {"values": "probability", "id_column": "cat"},
         "column 'cat': expected names that differ and are not empty; choose another id column"),
        (CATS, "kaggle", {"id_column": ""},
         "column '': expected names that differ and are not empty; choose another id column"),
        (Task.multilabel(["a b"]), "kaggle", {},
         "class 'a b' holds the ' ' that would stand between classes in a cell; choose --values "
         "index"),
        (CATS, "csv", {"values": "index"}, "values 'index': only for the format 'kaggle'"),
        (CATS, "json", {"id_column": "x"}, "id column 'x': only for the format 'kaggle'"),
    ],
)  # fmt: skip
def test_what_cannot_be_written_is_said(task, format_, submission, message):
    with pytest.raises(DataError) as error:
        rows_for(task, format_, Submission(**submission))
    assert str(error.value) == message


@pytest.mark.parametrize(
    ("task", "named", "suffix", "expected"),
    [
        (CATS, None, ".csv", "csv"), (CATS, None, "", "csv"), (CATS, None, ".JSONL", "json"),
        (CATS, "csv", ".json", "csv"), (MASK, None, "", "masks"), (MASK, "masks", "", "masks"),
        (CATS, "csv", ".txt", "csv"), (MASK, None, ".d", "masks"),
    ],
)  # fmt: skip
def test_the_format_follows_from_task_and_suffix(task, named, suffix, expected):
    assert format_for(task, named, suffix) == expected


@pytest.mark.parametrize(
    ("task", "named", "message"),
    [
        (CATS, "cvs", "format 'cvs' (did you mean 'csv'?); expected one of csv, json, kaggle, "
                      "masks"),
        (CATS, "masks", "format 'masks': the model's task is multiclass; expected csv, json, "
                        "kaggle"),
        (MASK, "csv", "format 'csv': the model's task is segmentation; expected masks"),
    ],
)  # fmt: skip
def test_a_format_that_does_not_fit_is_refused(task, named, message):
    with pytest.raises(DataError) as error:
        format_for(task, named, "")
    assert str(error.value) == message


@pytest.mark.parametrize(
    ("task", "suffix", "message"),
    [
        (CATS, ".parquet", "output that ends in '.parquet': expected one of .csv, .json, .jsonl, "
                           ".ndjson, or its --format"),
        (MASK, ".csv", "output that ends in '.csv': masks are written to a folder; give its name"),
    ],
)  # fmt: skip
def test_a_suffix_of_another_format_is_refused(task, suffix, message):
    with pytest.raises(DataError) as error:
        format_for(task, None, suffix)
    assert str(error.value) == message
