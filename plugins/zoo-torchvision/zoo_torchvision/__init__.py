"""torchvision's components. Only the hook stands here: listing them imports no torchvision."""

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
