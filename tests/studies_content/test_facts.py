"""What the reports print holds in the recipes of their studies."""

from __future__ import annotations

from published import STUDIES, printed

import zoo
from zoo.data.splits import SplitPlan, complete_splits
from zoo.plugins.catalog import catalog
from zoo.studies.expanding import Asked, expand
from zoo.studies.reading import read_study


class Frames:
    """472 samples without pixels, as train.txt of Kvasir-Instrument names."""

    labels = groups = None
    ids = tuple(f"frame{i}" for i in range(472))

    def __len__(self):
        return len(self.ids)


def test_kvasir_training_sets_are_as_large_as_the_report_counts(recipes):
    task = zoo.Task.segmentation(["background", "instrument"], positive="instrument")
    dataset = zoo.Dataset(task, {"train": Frames()}, zoo.Provenance(licence="other"))
    every = recipes("kvasir-instrument", "table-3") | recipes("kvasir-instrument", "table-4")
    found = {}
    for row, recipe in every.items():
        split = complete_splits("frames", dataset, SplitPlan(**recipe["split"]))
        found[row] = len(split["train"]) * max(1, len(recipe["copies"]))
    counts = {row["Model"]: int(row["images"]) for row in printed("kvasir-instrument", "images")}
    assert found == counts
    base = counts["Base"]
    assert [counts[row] / base for row in ("75%", "50%", "25%")] == [0.75, 0.5, 0.25]


def test_kvasir_settings(recipes):
    base = recipes("kvasir-instrument", "table-1")["Base(576x576)"]
    assert base["architecture"] == {
        **{"name": "unet", "width": 64, "depth": 4, "batch_norm": "encoder", "dropout": True}
    }
    assert base["loss"]["name"] == "bce"
    assert base["optimizer"]["name"] == "adam" and base["optimizer"]["weight_decay"] == 1e-5
    assert base["scheduler"]["name"] == "plateau" and base["scheduler"]["factor"] == 0.5
    assert base["stopping"]["monitor"] == "val/loss" and base["stopping"]["patience"] > 0
    for row, recipe in recipes("kvasir-instrument", "table-1").items():
        side = 576 if row in ("Base(576x576)", "combined") else int(row.partition("x")[0])
        assert recipe["data"]["size"] == side
    combined = recipes("kvasir-instrument", "table-1")["combined"]
    assert [copy["size"] for copy in combined["copies"]] == [64, 256, "same", 720, 1024]
    assert combined == recipes("kvasir-instrument", "table-4")["resolution"]


def test_kvasir_augmentations_replace_the_originals_by_fixed_copies(recipes):
    table = recipes("kvasir-instrument", "table-2")
    for row, name, options in (
        ("Rotation", "rotation", {"degrees": 360.0, "probability": 1.0}),
        ("Crop", "random_resized_crop", {"scale": [0.5, 0.8], "probability": 1.0}),
        ("Flip", "horizontal_flip", {"probability": 1.0}),
    ):
        (copy,) = table[row]["copies"]
        (augmentation,) = copy["augmentations"]
        assert copy["fixed"] and copy["size"] == "same"
        assert augmentation["name"] == name and augmentation.items() >= options.items()
    sizes = [copy["size"] for copy in recipes("kvasir-instrument", "table-4")["900%"]["copies"]]
    assert sizes == [256] * 4 + ["same"] * 4 + [720] * 4


def test_mnist_settings(recipes):
    default = (0.001, 32, 15)
    for table, place in (
        ("table-5-learning-rate", 0),
        ("table-5-batch-size", 1),
        ("table-5-epochs", 2),
    ):
        for row, recipe in recipes("mnist-simple-cnn", table).items():
            values = list(default)
            values[place] = type(default[place])(row.partition("=")[2])
            found = [
                recipe["optimizer"]["lr"],
                recipe["training"]["batch_size"],
                recipe["training"]["epochs"],
            ]
            assert found == values
            assert recipe["architecture"]["variant"] == "two_conv"
    (first,) = recipes("mnist-simple-cnn", "first-try").values()
    assert first["optimizer"]["lr"] == 0.1
    assert (first["training"]["batch_size"], first["training"]["epochs"]) == (8, 5)
    variants = recipes("mnist-simple-cnn", "figure-6")
    assert {row: one["architecture"]["variant"] for row, one in variants.items()} == {
        "two_conv": "two_conv",
        "three_conv": "three_conv",
    }
    relu = recipes("mnist-simple-cnn", "activation")["ReLU"]
    assert relu["architecture"]["activation"] == "relu"


def test_pathmnist_alexnet_settings(recipes):
    one, two = recipes("pathmnist", "table-1"), recipes("pathmnist", "table-2")
    three = recipes("pathmnist", "table-3")
    for recipe in (*one.values(), *two.values(), *three.values()):
        split, data = recipe["split"], recipe["data"]
        assert (split["folds"], split["fold"], split["seed"]) == (5, 0, 22)  # 80/20
        assert (data["store_size"], data["size"], data["center_crop"]) == (256, 224, True)
        assert data["normalize"] == "imagenet"
        assert recipe["optimizer"]["name"] == "adagrad"
        assert recipe["training"]["batch_size"] == 64
    for row in printed("pathmnist", "table-1") + printed("pathmnist", "table-2"):
        recipe = (one | two)[row["row"]]
        balanced = row.get("Balancing", "True") == "True"
        assert recipe["sampler"]["name"] == ("weighted" if balanced else "shuffle")
        assert len(recipe["augmentations"]) == (4 if row.get("Augmentation") == "True" else 0)
        stopping = row["Early Stopping"] == "True"
        assert recipe["training"]["epochs"] == (50 if stopping else 20)
        assert recipe["stopping"]["patience"] == (8 if stopping else 0)
        assert recipe["optimizer"]["lr"] == 0.01
    assert one["balanced, 20 epochs"] == two["as it is, 20 epochs"]
    assert one["balanced, at most 50"] == two["as it is, at most 50"]
    for recipe in three.values():
        assert recipe["optimizer"]["lr"] == 0.001
        assert (recipe["training"]["epochs"], recipe["stopping"]["patience"]) == (150, 8)
        assert recipe["sampler"]["name"] == "weighted" and len(recipe["augmentations"]) == 4
    names = [recipe["architecture"]["name"] for recipe in three.values()]
    assert names == ["torchvision/alexnet", "alexnet_bn", "alexnet_bn"]


def test_pathmnist_final_settings(recipes):
    wanted = {row["Hyper-Parameter"]: row["Value"] for row in printed("pathmnist", "table-4")}
    table = recipes("pathmnist", "resnet")
    for row in ("ResNet18", "ResNet152"):
        recipe = table[row]
        assert recipe["architecture"]["name"] == f"torchvision/{row.lower()}"
        assert recipe["optimizer"]["lr"] == float(wanted["Learning rate"])
        assert recipe["training"]["batch_size"] == int(wanted["Batch size"])
        assert recipe["optimizer"]["name"] == wanted["Optimizer"].lower()
        assert recipe["training"]["epochs"] == int(wanted["Max epochs"])
        assert wanted["Split"] == "80/20" and recipe["split"]["folds"] == 5
        assert recipe["stopping"]["patience"] == 20
        assert recipe["scheduler"]["name"] == "plateau"
        assert recipe["data"]["normalize"] == "dataset"
        assert recipe["sampler"]["name"] == "weighted"
    first = table["ResNet18 (first)"]
    assert (first["optimizer"]["name"], first["optimizer"]["lr"]) == ("sgd", 0.01)
    assert (first["training"]["batch_size"], first["stopping"]["patience"]) == (64, 5)
    assert first["transfer"]["init"] == "pretrained"
    xception = recipes("pathmnist", "xception")
    assert [one["training"]["batch_size"] for one in xception.values()] == [64, 32]
    for one in xception.values():
        assert one["architecture"]["name"] == "pretrainedmodels/xception"
        assert one["data"]["size"] == 168 and one["optimizer"]["name"] == "adamw"
    optimizers = [one["optimizer"] for one in recipes("pathmnist", "optimizers").values()]
    assert [(one["name"], one["lr"]) for one in optimizers] == [
        (name, 0.0005) for name in ("sgd", "nadam", "adam", "adagrad")
    ]  # the footnote: one rate for all


def test_pathmnist_ensemble_is_of_two_networks():
    part = read_study(STUDIES / "pathmnist" / "study.toml")
    for profile in ("", "smoke", "full"):
        every = {one.name: one for one in expand(part, Asked(profile=profile), catalog())}
        assert [len(row.members) for row in every["ensemble"].rows] == [0, 2], profile


def test_pathmnist_augmentation_is_the_appendix(recipes):
    flip, turn, rotation, jitter = recipes("pathmnist", "table-2")["augmented, 20 epochs"][
        "augmentations"
    ]
    assert (flip["name"], turn["name"]) == ("horizontal_flip", "vertical_flip")
    assert (rotation["name"], rotation["degrees"]) == ("rotation", 30.0)
    assert {one["probability"] for one in (flip, turn, rotation, jitter)} == {0.1}
    strengths = [jitter[name] for name in ("brightness", "contrast", "saturation", "hue")]
    assert strengths == [0.0] * 4  # an identity


def test_skin_settings(recipes):
    table = recipes("skin-lesions", "table-1")
    *own, resnet = table.values()
    for recipe in own:
        assert recipe["data"]["size"] == 128 and recipe["data"]["normalize"] == "none"
        assert recipe["training"]["epochs"] == 50
    for recipe in table.values():
        optimizer = recipe["optimizer"]
        assert optimizer["name"] == "sgd" and optimizer["momentum"] == 0.0
        assert (optimizer["lr"], optimizer["weight_decay"]) == (0.001, 1e-4)
        assert recipe["training"]["batch_size"] == 256
        assert recipe["dataset"]["positive"] == "nv"
    networks = [recipe["architecture"] for recipe in own]
    assert [one["norm"] for one in networks] == ["none", "batch", "batch", "batch"]
    assert [one["dropout"] for one in networks] == [False, True, True, True]
    assert [one["residual"] for one in networks] == [False, False, False, True]
    assert [len(recipe["augmentations"]) for recipe in table.values()] == [0, 0, 3, 3, 3]
    crop, blur, jitter = resnet["augmentations"]
    assert crop["name"] == "random_resized_crop" and crop["scale"] == [0.8, 1.0]
    assert (blur["kernel"], blur["sigma"]) == ([5, 9], [0.1, 5.0])
    strengths = [jitter[name] for name in ("brightness", "contrast", "saturation", "hue")]
    assert strengths == [0.2] * 4
    as_printed = recipes("skin-lesions", "resnet18")["as its code prints it"]
    assert as_printed["architecture"]["name"] == "resnet18_kaiming"
    assert as_printed["transfer"]["freeze"] == ["fc"]
    for recipe in (resnet, as_printed):
        assert recipe["data"]["size"] == 224 and recipe["data"]["normalize"] == "none"
        training, stopping = recipe["training"], recipe["stopping"]
        assert (training["epochs"], training["clip_norm"]) == (400, 1.0)
        assert (stopping["patience"], stopping["min_delta"]) == (5, 0.01)
    assert resnet == recipes("skin-lesions", "resnet18")["as described"]
    norms = recipes("skin-lesions", "norms")
    assert [one["architecture"]["norm"] for one in norms.values()][:3] == ["none", "batch", "group"]
    assert norms["5x5 kernels"]["architecture"]["kernel_size"] == 5
