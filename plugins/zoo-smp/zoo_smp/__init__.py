"""segmentation-models-pytorch's components. Only the hook stands here: listing them imports neither
torch nor the library."""

import zoo

_SEGMENTATION = {"segmentation"}


@zoo.hookimpl
def register_architectures() -> list[zoo.ArchitectureFamily]:
    return [
        zoo.ArchitectureFamily(
            prefix="smp",
            names="zoo_smp.decoders:names",
            build="zoo_smp.networks:build",
            options="zoo_smp.options:options",
            pretrained="zoo_smp.weights:pretrained",
            facts="zoo_smp.decoders:facts",
            summary="a decoder of segmentation-models-pytorch, with any of its encoders or timm's",
            source="segmentation-models-pytorch 0.6",
            tasks=_SEGMENTATION,
        )
    ]


@zoo.hookimpl
def register_losses() -> list[zoo.LossSpec]:
    return [
        zoo.LossSpec(
            name="dice",
            build="zoo_smp.losses:dice",
            summary="1 - Dice coefficient of the probabilities, over the batch",
            source="Milletari et al. 2016, arXiv:1606.04797; segmentation-models-pytorch",
            tasks=_SEGMENTATION,
        ),
        zoo.LossSpec(
            name="bce_dice",
            build="zoo_smp.losses:bce_dice",
            summary="the weighted mean of cross-entropy and Dice loss",
            source="Isensee et al. 2021, doi:10.1038/s41592-020-01008-z; "
            "segmentation-models-pytorch",
            tasks=_SEGMENTATION,
        ),
        zoo.LossSpec(
            name="jaccard",
            build="zoo_smp.losses:jaccard",
            summary="1 - intersection over union of the probabilities, over the batch",
            source="Rahman and Wang 2016, doi:10.1007/978-3-319-50835-1_22; "
            "segmentation-models-pytorch",
            tasks=_SEGMENTATION,
        ),
        zoo.LossSpec(
            name="tversky",
            build="zoo_smp.losses:tversky",
            summary="the Dice loss with weights for false positives and false negatives",
            source="Salehi et al. 2017, arXiv:1706.05721; segmentation-models-pytorch",
            tasks=_SEGMENTATION,
        ),
        zoo.LossSpec(
            name="lovasz",
            build="zoo_smp.losses:lovasz",
            summary="the Lovász extension of intersection over union: hinge or softmax errors",
            source="Berman et al. 2018, arXiv:1705.08790; segmentation-models-pytorch",
            tasks=_SEGMENTATION,
        ),
    ]
