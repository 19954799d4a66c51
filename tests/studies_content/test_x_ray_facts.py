"""What the report on chest X-rays prints holds in the recipes of its study."""

from __future__ import annotations

import pytest
from published import STUDIES, printed

from zoo.studies.reading import read_study


@pytest.mark.parametrize(("table", "batch"), [("table-1", 32), ("table-2", 64)])
def test_x_ray_models_are_what_the_report_lists(recipes, table, batch):
    models = recipes("chest-xray", table)
    assert len(models) == {"table-1": 26, "table-2": 6}[table]
    for row in printed("chest-xray", table):
        model = models[row["Model"]]
        network, loss = model["architecture"], model["loss"]
        units = int(row["Hidden units"])
        if row["Class"] == "CNN":
            kernel = int(row["Kernel size in Cov2D"][0])
            assert network == {"name": "tiny_cnn", "filters": units, "kernel_size": kernel}
        else:
            relu = "relu" if row["Class"] == "Linear+ReLU" else "none"
            assert network["name"] == "mlp"
            assert (network["layers"], network["hidden_units"]) == (
                int(row["Linear layers"]),
                units,
            )
            assert (network["activation"], network["output_activation"]) == (relu, relu)
        assert loss["pos_weight"] == {"no": "none", "yes": 0.37}[row["Class weight"]]
        assert model["optimizer"]["name"] == row["Optimizer"].lower()
        base, power = row["Learning rate"].split("^")
        assert model["optimizer"]["lr"] == float(base) ** int(power)
        assert model["training"]["epochs"] == int(row["Epochs"])
        assert model["training"]["batch_size"] == batch
        data = model["data"]
        assert (data["size"], data["channels"], data["normalize"]) == (640, 1, "none")


@pytest.mark.parametrize("table", ["figure-20", "figure-23"])
def test_x_ray_results_are_of_the_models_that_the_report_names(recipes, table):
    models = recipes("chest-xray", "table-1") | recipes("chest-xray", "table-2")
    listed = {
        row["Model"]: row for name in ("table-1", "table-2") for row in printed("chest-xray", name)
    }
    for row in printed("chest-xray", table):
        model = row["Model"].removeprefix("model_")
        assert recipes("chest-xray", table)[row["Model"]] == models[model]
        assert listed[model]["Class"] == row["Class"]
        assert listed[model]["Class weight"] == row["Weighed?"]


def test_linear_relu_as_meant_has_no_relu_behind_the_logit(recipes):
    models = recipes("chest-xray", "table-1") | recipes("chest-xray", "table-2")
    meant = recipes("chest-xray", "as-meant")
    layered = [one for one in models if models[one]["architecture"].get("activation") == "relu"]
    assert [f"{one} (as meant)" for one in layered] == list(meant)
    for one in layered:
        model = meant[f"{one} (as meant)"]
        assert model["architecture"]["output_activation"] == "none"
        model["architecture"]["output_activation"] = "relu"
        assert model == models[one]


def test_x_ray_curves_are_of_the_models_that_the_captions_mean():
    """By hidden units, layers, weights and optimizer, where the captions' numbers are wrong."""
    figures = {
        one.head.name: one.head for one in read_study(STUDIES / "chest-xray/study.toml").figures
    }
    listed = {row["Model"]: row for row in printed("chest-xray", "table-1")}
    for number, key, values in (
        (9, "Linear layers", ["2", "3", "4"]),
        (10, "Hidden units", ["5", "10", "20"]),
        (11, "Hidden units", ["5", "10", "20"]),
        (12, "Hidden units", ["5", "10", "20"]),
        (13, "Kernel size in Cov2D", ["3x3", "5x5"]),
        (14, "Class weight", ["no", "yes"]),
        (15, "Class weight", ["no", "yes"]),
        (16, "Class weight", ["no", "yes"]),
        (17, "Optimizer", ["SGD", "Adam"]),
    ):
        models = [listed[row] for row in figures[f"figure-{number}"].rows]
        assert [model[key] for model in models] == values, number
        assert len({model["Class"] for model in models}) == 1
        assert {model["Epochs"] for model in models} == {"10"}
