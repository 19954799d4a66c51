"""What the reports print, held against itself: what the footnotes of their studies say."""

from __future__ import annotations

from published import printed


def test_x_ray_confusion_matrix_and_what_the_report_says_of_it():
    normal, ill = printed("chest-xray", "figure-19")
    right = int(normal["NORMAL"]) + int(ill["PNEUMONIA"])
    images = right + int(normal["PNEUMONIA"]) + int(ill["NORMAL"])
    assert images == 582  # the test set
    assert round(100 * right / images, 1) == 93.1
    assert printed("chest-xray", "figure-20")[0]["Accuracy"] == "93.4"


def possible(row, negatives, positives, accuracy, digits):
    """Confusion matrices (true positives, false positives) that give all four printed numbers."""
    half = 0.5 * 10**-digits + 1e-9
    precision, recall, f1 = (float(row[name]) for name in ("Precision", "Recall", "F1 Score"))
    found = []
    for hits in range(1, positives + 1):
        if abs(hits / positives - recall) > half:
            continue
        for alarms in range(negatives + 1):
            right = (hits + negatives - alarms) / (negatives + positives)
            if (
                abs(hits / (hits + alarms) - precision) <= half
                and abs(2 * hits / (hits + alarms + positives) - f1) <= half
                and abs(right - accuracy[0]) <= accuracy[1]
            ):
                found.append((hits, alarms))
    return found


def test_x_ray_rows_that_can_be():
    """The footnotes: of the twelve rows three."""
    can = []
    for row in printed("chest-xray", "figure-20") + printed("chest-xray", "figure-23"):
        accuracy = float(row["Accuracy"]) / 100
        if possible(row, 171, 411, (accuracy, 0.0005 + 1e-9), 2):
            can.append(row["Model"])
    assert can == ["model_24", "model_25", "model_24b"]
    for never in (0.934, 0.913):
        assert all(abs(right / 582 - never) > 0.0005 for right in range(583))


def test_skin_rows_that_can_be():
    """The footnote: all but the second, each by one confusion matrix of 683 images of a class."""
    found = {
        row["Model Name"]: possible(row, 683, 683, (float(row["Test accuracy"]), 5e-5 + 1e-9), 4)
        for row in printed("skin-lesions", "table-1")
    }
    assert found.pop("+ Batch normalisation, dropout") == []
    assert [len(matrices) for matrices in found.values()] == [1, 1, 1, 1]


def test_kvasir_times_in_seconds_are_those_printed():
    for table in ("table-1", "table-2", "table-3", "table-4"):
        for row in printed("kvasir-instrument", table):
            minutes, seconds = row["Training Time"].removesuffix("s").split("m ")
            assert int(row["seconds"]) == 60 * int(minutes) + int(seconds)


def test_kvasir_rows_that_stand_in_several_tables_are_equal():
    base = {
        tuple(row.values())[1:]
        for i in range(1, 5)
        for row in printed("kvasir-instrument", f"table-{i}")[:1]
    }
    assert base == {(".698", ".796", "10", "6m 50s", "410")}


def test_pathmnist_numbers_agree_with_the_text():
    first = {
        row["row"]: float(row["Validation Accuracy (in%)"])
        for row in printed("pathmnist", "table-1")
    }
    second = {
        row["row"]: float(row["Validation Accuracy (in%)"])
        for row in printed("pathmnist", "table-2")
    }
    third = [float(row["Validation Accuracy (in%)"]) for row in printed("pathmnist", "table-3")]
    gains = (
        first["balanced, 20 epochs"] - first["unbalanced, 20 epochs"],
        first["balanced, at most 50"] - first["unbalanced, at most 50"],
        second["augmented, 20 epochs"] - second["as it is, 20 epochs"],
        second["augmented, at most 50"] - second["as it is, at most 50"],
        third[1] - third[0],
        third[2] - third[0],
    )
    assert [round(gain, 2) for gain in gains] == [5.47, 2.24, -3.63, 1.70, 0.21, -0.87]
