"""The components every zoo starts with. Only the hooks stand here: every ``build`` is an
entry-point string, so that listing these components imports no torch, numpy or scikit-learn."""

import zoo
from zoo_basics.augmentations_declared import AUGMENTATIONS
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
        zoo.ArchitectureSpec(
            name="tiny_cnn",
            build="zoo_basics.networks_reports:tiny_cnn",
            summary="two blocks of two convolutions with few filters, for large images",
            source="a student report on chest X-rays, 2024, figure 8",
            tasks=_NOT_SEGMENTATION,
        ),
        zoo.ArchitectureSpec(
            name="skin_cnn",
            build="zoo_basics.networks_reports:skin_cnn",
            summary="two convolutions and 100 hidden units; norms, dropout, a residual block",
            source="a student report on melanoma and nevus, 2024, appendix",
            tasks=_NOT_SEGMENTATION,
        ),
        zoo.ArchitectureSpec(
            name="alexnet_bn",
            build="zoo_basics.networks_reports:alexnet_bn",
            summary="AlexNet with batch norm after every convolution, from 63 pixels a side",
            source="Krizhevsky 2014, arXiv:1404.5997, as torchvision's; batch norm as a Bamberg "
            "student report on MNIST and PathMNIST, 2024, section 3.4",
            tasks=_NOT_SEGMENTATION,
            pretrained="zoo_basics.networks_reports:alexnet_bn_weights",
        ),
        zoo.ArchitectureSpec(
            name="resnet18_kaiming",
            build="zoo_basics.networks_reports:resnet18_kaiming",
            summary="ResNet18 with weights drawn by Kaiming's rule, as a report's code does",
            source="He et al. 2016, arXiv:1512.03385, as torchvision's; weights as a student "
            "report on melanoma and nevus, 2024, appendix II",
            tasks=_NOT_SEGMENTATION,
        ),
        zoo.ArchitectureSpec(
            name="unet",
            build="zoo_basics.unet:unet",
            summary="an encoder and a decoder with skip connections, for images of any size",
            source="Ronneberger et al. 2015, arXiv:1505.04597; as in a student report on "
            "Kvasir-Instrument, 2024",
            tasks={"segmentation"},
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
            tasks={"multiclass", "segmentation"},
        ),
        zoo.LossSpec(
            name="bce",
            build="zoo_basics.losses:bce",
            summary="sigmoid cross-entropy of each output, with a weight for the positives",
            source="torch.nn.BCEWithLogitsLoss",
            tasks={"binary", "multilabel", "segmentation"},
        ),
        zoo.LossSpec(
            name="focal",
            build="zoo_basics.losses_focal:focal",
            summary="cross-entropy that counts what is right already for little, for imbalance",
            source="Lin et al. 2017, arXiv:1708.02002",
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
    return list(AUGMENTATIONS)


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
            bound_to_budget=True,
        ),
        zoo.SchedulerSpec(
            name="cosine_restarts",
            build="zoo_basics.schedulers:cosine_restarts",
            summary="fall along half a cosine again and again, each time more slowly",
            source="Loshchilov and Hutter 2017, arXiv:1608.03983",
        ),
        zoo.SchedulerSpec(
            name="one_cycle",
            build="zoo_basics.schedulers:one_cycle",
            summary="up to the optimizer's rate and down again over the whole budget",
            source="Smith and Topin 2018, arXiv:1708.07120; as torch's OneCycleLR",
            bound_to_budget=True,
        ),
        zoo.SchedulerSpec(
            name="step",
            build="zoo_basics.schedulers:step",
            summary="multiply by a factor every so many epochs",
            source="after torch's StepLR",
        ),
        zoo.SchedulerSpec(
            name="multi_step",
            build="zoo_basics.schedulers:multi_step",
            summary="multiply by a factor after the epochs named",
            source="after torch's MultiStepLR; Goyal et al. 2017, arXiv:1706.02677",
        ),
        zoo.SchedulerSpec(
            name="exponential",
            build="zoo_basics.schedulers:exponential",
            summary="multiply by a factor after every epoch",
            source="after torch's ExponentialLR",
        ),
    ]
