"""The components every zoo starts with. Only the hooks stand here: every ``build`` is an
entry-point string, so that listing these components imports no torch, numpy or scikit-learn."""

import zoo
from zoo_basics.datasets.declared import DATASETS

_NOT_SEGMENTATION = {"binary", "multiclass", "multilabel"}


@zoo.hookimpl
def register_datasets() -> list[zoo.DatasetSpec]:
    return list(DATASETS)


@zoo.hookimpl
def register_architectures() -> list[zoo.ArchitectureSpec]:
    return [
        zoo.ArchitectureSpec(
            name="linear",
            build="zoo_basics.networks:linear",
            summary="one linear layer on the pixels: the baseline to beat",
            source="McCullagh and Nelder 1989, Generalized Linear Models",
            tasks=_NOT_SEGMENTATION,
        ),
        zoo.ArchitectureSpec(
            name="mlp",
            build="zoo_basics.networks:mlp",
            summary="linear layers with an activation between them",
            source="Rumelhart, Hinton, Williams 1986, doi:10.1038/323533a0",
            tasks=_NOT_SEGMENTATION,
        ),
        zoo.ArchitectureSpec(
            name="simple_cnn",
            build="zoo_basics.networks:simple_cnn",
            summary="two or three 3x3 convolutions, for small images",
            source="SimpleCNN of a Bamberg student report on MNIST and PathMNIST, 2024, appendix A",
            tasks=_NOT_SEGMENTATION,
        ),
    ]


@zoo.hookimpl
def register_losses() -> list[zoo.LossSpec]:
    return [
        zoo.LossSpec(
            name="cross_entropy",
            build="zoo_basics.losses:cross_entropy",
            summary="softmax cross-entropy, with label smoothing and class weights",
            source="torch.nn.CrossEntropyLoss; smoothing: Szegedy et al. 2016, arXiv:1512.00567",
            tasks={"multiclass"},
        ),
        zoo.LossSpec(
            name="bce",
            build="zoo_basics.losses:bce",
            summary="sigmoid cross-entropy of each output, with a weight for the positives",
            source="torch.nn.BCEWithLogitsLoss",
            tasks={"binary", "multilabel"},
        ),
    ]


@zoo.hookimpl
def register_samplers() -> list[zoo.SamplerSpec]:
    return [
        zoo.SamplerSpec(
            name="shuffle",
            build="zoo_basics.samplers:shuffle",
            summary="every sample once, in a new order each epoch",
            source="torch.randperm",
        ),
        zoo.SamplerSpec(
            name="weighted",
            build="zoo_basics.samplers:weighted",
            summary="with replacement, every class equally often on average",
            source="torch.utils.data.WeightedRandomSampler",
            tasks={"binary", "multiclass"},
        ),
        zoo.SamplerSpec(
            name="sequential",
            build="zoo_basics.samplers:sequential",
            summary="every sample once, always in the same order",
            source="torch.utils.data.SequentialSampler",
        ),
    ]


@zoo.hookimpl
def register_augmentations() -> list[zoo.AugmentationSpec]:
    return [
        zoo.AugmentationSpec(
            name="horizontal_flip",
            build="zoo_basics.augmentations:horizontal_flip",
            summary="mirror left and right",
            source="after torchvision's RandomHorizontalFlip",
        ),
        zoo.AugmentationSpec(
            name="vertical_flip",
            build="zoo_basics.augmentations:vertical_flip",
            summary="mirror top and bottom",
            source="after torchvision's RandomVerticalFlip",
        ),
        zoo.AugmentationSpec(
            name="crop",
            build="zoo_basics.augmentations:crop",
            summary="pad, then cut out a window at a random place",
            source="after torchvision's RandomCrop; Krizhevsky et al. 2012",
        ),
        zoo.AugmentationSpec(
            name="rotation",
            build="zoo_basics.augmentations_warps:rotation",
            summary="turn about the centre by up to so many degrees either way",
            source="after torchvision's RandomRotation",
        ),
        zoo.AugmentationSpec(
            name="affine",
            build="zoo_basics.augmentations_warps:affine",
            summary="turn, shift, scale and shear in one sampling",
            source="after torchvision's RandomAffine",
        ),
        zoo.AugmentationSpec(
            name="random_resized_crop",
            build="zoo_basics.augmentations_warps:random_resized_crop",
            summary="cut out a box of a drawn area and shape, and enlarge it",
            source="Szegedy et al. 2015, arXiv:1409.4842; after torchvision's RandomResizedCrop",
        ),
        zoo.AugmentationSpec(
            name="color_jitter",
            build="zoo_basics.color:color_jitter",
            summary="change brightness, contrast, saturation and hue",
            source="after torchvision's ColorJitter",
        ),
        zoo.AugmentationSpec(
            name="gaussian_blur",
            build="zoo_basics.augmentations_filters:gaussian_blur",
            summary="smooth by a Gaussian of a drawn width",
            source="Chen et al. 2020, arXiv:2002.05709; after torchvision's GaussianBlur",
        ),
        zoo.AugmentationSpec(
            name="gaussian_noise",
            build="zoo_basics.augmentations_filters:gaussian_noise",
            summary="add normal noise to every value",
            source="Bishop 1995, doi:10.1162/neco.1995.7.1.108; torchvision's GaussianNoise",
        ),
        zoo.AugmentationSpec(
            name="random_erasing",
            build="zoo_basics.augmentations_filters:random_erasing",
            summary="cover a box with a gray or with noise",
            source="Zhong et al. 2020, arXiv:1708.04896",
        ),
        zoo.AugmentationSpec(
            name="random_apply",
            build="zoo_basics.augmentations_apply:random_apply",
            summary="send images through several augmentations, or one of them, by chance",
            source="after torchvision's RandomApply and RandomChoice",
        ),
        zoo.AugmentationSpec(
            name="rand_augment",
            build="zoo_basics.augmentations_policies:rand_augment",
            summary="several drawn operations of one magnitude",
            source="Cubuk et al. 2020, arXiv:1909.13719; operations as in torchvision",
        ),
        zoo.AugmentationSpec(
            name="trivial_augment",
            build="zoo_basics.augmentations_policies:trivial_augment",
            summary="one drawn operation of a drawn magnitude",
            source="Müller and Hutter 2021, arXiv:2103.10158; operations as in torchvision",
        ),
        zoo.AugmentationSpec(
            name="mixup",
            build="zoo_basics.augmentations_mixing:mixup",
            summary="the weighted mean of two images and their targets",
            source="Zhang et al. 2018, arXiv:1710.09412",
            tasks=_NOT_SEGMENTATION,
        ),
        zoo.AugmentationSpec(
            name="cutmix",
            build="zoo_basics.augmentations_mixing:cutmix",
            summary="a box of another image, targets by area",
            source="Yun et al. 2019, arXiv:1905.04899",
            tasks=_NOT_SEGMENTATION,
        ),
    ]


@zoo.hookimpl
def register_optimizers() -> list[zoo.OptimizerSpec]:
    return [
        zoo.OptimizerSpec(
            name="sgd",
            build="zoo_basics.optimizers:sgd",
            summary="stochastic gradient descent, with momentum",
            source="Sutskever et al. 2013; torch.optim.SGD",
        ),
        zoo.OptimizerSpec(
            name="adam",
            build="zoo_basics.optimizers:adam",
            summary="adaptive moments",
            source="Kingma and Ba 2015, arXiv:1412.6980; torch.optim.Adam",
        ),
        zoo.OptimizerSpec(
            name="adamw",
            build="zoo_basics.optimizers:adamw",
            summary="Adam with decoupled weight decay",
            source="Loshchilov and Hutter 2019, arXiv:1711.05101; torch.optim.AdamW",
        ),
        zoo.OptimizerSpec(
            name="nadam",
            build="zoo_basics.optimizers:nadam",
            summary="Adam with Nesterov momentum",
            source="Dozat 2016, ICLR workshop; torch.optim.NAdam",
        ),
        zoo.OptimizerSpec(
            name="adagrad",
            build="zoo_basics.optimizers:adagrad",
            summary="steps that shrink with the gradients seen so far",
            source="Duchi, Hazan, Singer 2011, JMLR 12; torch.optim.Adagrad",
        ),
    ]


@zoo.hookimpl
def register_schedulers() -> list[zoo.SchedulerSpec]:
    return [
        zoo.SchedulerSpec(
            name="none",
            build="zoo_basics.schedulers:none",
            summary="the learning rate stays as it is",
            source="zoo-basics",
        ),
        zoo.SchedulerSpec(
            name="plateau",
            build="zoo_basics.schedulers:plateau",
            summary="lower when the monitored value has stopped to improve",
            source="torch.optim.lr_scheduler.ReduceLROnPlateau",
        ),
        zoo.SchedulerSpec(
            name="cosine",
            build="zoo_basics.schedulers:cosine",
            summary="fall along half a cosine over the whole budget, step by step",
            source="Loshchilov and Hutter 2017, arXiv:1608.03983, without restarts",
        ),
        zoo.SchedulerSpec(
            name="step",
            build="zoo_basics.schedulers:step",
            summary="multiply by a factor every so many epochs",
            source="torch.optim.lr_scheduler.StepLR",
        ),
    ]
