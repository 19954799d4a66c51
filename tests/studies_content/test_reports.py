"""The studies of the five reports: the rows and columns of their tables, and all their profiles."""

from __future__ import annotations

import pytest
from published import STUDIES, printed

from zoo.plugins.catalog import catalog
from zoo.studies.expanding import Asked, expand
from zoo.studies.reading import read_study

NAMES = ("kvasir-instrument", "chest-xray", "mnist-simple-cnn", "pathmnist", "skin-lesions")
_OF_MASKS = ["Model", "IoU", "Dice Coefficient", "Epoch", "Training Time"]
_OF_MODELS = [
    *("Model", "Class", "Linear layers", "Hidden units", "Kernel size in Cov2D", "Class weight"),
    *("Optimizer", "Learning rate", "Epochs"),
]
_OF_RESULTS = ["Model", "Class", "Weighed?", "Accuracy", "Precision", "Recall", "F1 Score"]
_AVERAGES = ["Average Train Accuracy (%)", "Average Validation Accuracy (%)"]
_ACCURACY = "Validation Accuracy (in%)"
# As the reports print their heads. What stands in a report's text only has no columns there.
COLUMNS = {
    "kvasir-instrument": {f"table-{i}": _OF_MASKS for i in (1, 2, 3, 4)},
    "chest-xray": {
        **{"table-1": _OF_MODELS, "table-2": _OF_MODELS},
        **{"figure-20": _OF_RESULTS, "figure-23": _OF_RESULTS},
    },
    "mnist-simple-cnn": {
        "table-5-learning-rate": ["Learning Rate", *_AVERAGES],
        "table-5-batch-size": ["Batch Size", *_AVERAGES],
        "table-5-epochs": ["Epochs", *_AVERAGES],
    },
    "pathmnist": {
        "table-1": [_ACCURACY, "Balancing", "Epochs", "Early Stopping"],
        "table-2": [_ACCURACY, "Augmentation", "Epochs", "Early Stopping"],
        "table-3": [_ACCURACY, "Batch Normalisation", "Model #"],
        **{"optimizers": [], "resnet": [], "ensemble": [], "xception": []},
    },
    "skin-lesions": {"table-1": ["Model Name", "Test accuracy", "Precision", "Recall", "F1 Score"]},
}
TABLES = [(name, table) for name in COLUMNS for table in COLUMNS[name]]


def study(name):
    return read_study(STUDIES / name / "study.toml")


@pytest.mark.parametrize(("name", "table"), TABLES)
def test_a_table_has_the_rows_and_columns_of_the_report(name, table):
    part = next(one for one in study(name).tables if one.head.name == table)
    published, columns = printed(name, table), COLUMNS[name][table]
    first = next(iter(published[0]))
    assert [row.name for row in part.rows] == [row[first] for row in published]
    assert set(columns) <= set(published[0])
    assert [one.title for one in part.columns][: len(columns)] == columns
    for column in part.columns[: len(columns)]:
        shown = column.text or column.published
        assert shown is not None or column.row in ("name", "value"), column.title
        if column.title != "Training Time":  # as text in the file, in seconds beside ours
            assert shown in (None, column.title)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("kvasir-instrument", ["table-1", "table-2", "table-3", "table-4"]),
        ("chest-xray", ["table-1", "table-2", "figure-20", "figure-23", "as-meant"]),
        (
            "mnist-simple-cnn",
            [
                *("table-5-learning-rate", "table-5-batch-size", "table-5-epochs"),
                *("first-try", "figure-6", "activation"),
            ],
        ),
        (
            "pathmnist",
            [
                *("figure-7", "table-1", "table-2", "table-3"),
                *("optimizers", "resnet", "ensemble", "xception"),
            ],
        ),
        ("skin-lesions", ["table-1", "resnet18", "norms"]),
    ],
)
def test_every_table_is_there(name, expected):
    assert [one.head.name for one in study(name).tables] == expected


@pytest.mark.parametrize(
    ("name", "numbers"),
    [
        ("kvasir-instrument", range(1, 16)),
        ("chest-xray", [*range(9, 20), 21, 22, 24, 25]),  # 20 and 23 are tables
        ("mnist-simple-cnn", [6]),
        ("pathmnist", range(7, 16)),
        ("skin-lesions", [1, 2]),
    ],
)
def test_every_figure_is_there(name, numbers):
    figures = [one.head.name for one in study(name).figures]
    assert {f"figure-{i}" for i in numbers} <= set(figures)


@pytest.mark.parametrize("name", NAMES)
def test_every_row_of_every_profile_is_a_recipe(name):
    part = study(name)
    assert {"smoke", "full"} <= set(part.profiles)
    for profile in ("", *part.profiles):
        for table in expand(part, Asked(profile=profile), catalog()):
            assert all(row.recipe or row.ensemble for row in table.rows), (profile, table.name)


@pytest.mark.parametrize("name", NAMES)
def test_smoke_is_small_on_made_up_images_with_two_seeds(name):
    for table in expand(study(name), Asked(profile="smoke"), catalog()):
        assert table.seeds == (0, 1)
        for row in table.rows:
            if row.recipe:
                assert row.recipe["dataset"]["root"].startswith("runs/smoke-data/")
                assert row.recipe["training"]["epochs"] <= 6
                assert row.recipe["transfer"]["init"] == ""
