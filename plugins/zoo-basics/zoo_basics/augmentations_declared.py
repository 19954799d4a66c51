"""Every augmentation of zoo-basics, declared: ``build`` is an entry-point string, so that listing
them imports no torch."""

import zoo

_NOT_SEGMENTATION = {"binary", "multiclass", "multilabel"}

AUGMENTATIONS = (
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
)
