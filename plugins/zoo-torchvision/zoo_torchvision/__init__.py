"""torchvision's components. Only the hooks stand here: listing them imports no torchvision."""

import zoo

_DATASETS = (
    "CIFAR10",
    "CIFAR100",
    "EMNIST",
    "EuroSAT",
    "FashionMNIST",
    "Flowers102",
    "ImageFolder",
    "KMNIST",
    "MNIST",
    "OxfordIIITPet",
    "PCAM",
    "SVHN",
)


@zoo.hookimpl
def register_datasets() -> list[zoo.DatasetFamily]:
    return [
        zoo.DatasetFamily(
            prefix="torchvision",
            names=_DATASETS,
            build="zoo_torchvision.datasets:build",
            options="zoo_torchvision.datasets:options",
            fetch="zoo_torchvision.fetching:fetch",
            summary="a dataset of torchvision, from the files that torchvision keeps",
            source="torchvision.datasets",
            tasks={"binary", "multiclass", "segmentation"},
            needs_root=True,
            files="what torchvision keeps in its root for that dataset",
        )
    ]


@zoo.hookimpl
def register_architectures() -> list[zoo.ArchitectureFamily]:
    classification = {"binary", "multiclass", "multilabel"}
    return [
        _models("classification", "an image classification model of torchvision's", classification),
        _models("segmentation", "a semantic segmentation model of torchvision's", {"segmentation"}),
    ]


def _models(names: str, summary: str, tasks: set[str]) -> zoo.ArchitectureFamily:
    return zoo.ArchitectureFamily(
        prefix="torchvision",
        names=f"zoo_torchvision.facts:{names}",
        build="zoo_torchvision.models:build",
        options="zoo_torchvision.facts:options",
        pretrained="zoo_torchvision.models:pretrained",
        facts="zoo_torchvision.facts:facts",
        summary=summary,
        source="torchvision.models",
        tasks=tasks,
    )
