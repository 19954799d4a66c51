"""segmentation-models-pytorch's components. Only the hook stands here: listing them imports neither
torch nor the library."""

import zoo

_SEGMENTATION = {"segmentation"}


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
    ]
