"""timm's components. Only the hooks stand here: listing them imports neither timm nor torch."""

import zoo

_SOURCE = "timm (Wightman, 2019), https://github.com/huggingface/pytorch-image-models"
_SINGLE = (
    "asymmetric_single_label",
    "label_smoothing_cross_entropy",
    "poly_cross_entropy",
    "soft_target_cross_entropy",
)
_INDEPENDENT = (
    "asymmetric_multi_label",
    "distribution_balanced",
    "poly_binary_cross_entropy",
    "zlpr",
)


@zoo.hookimpl
def register_architectures() -> list[zoo.ArchitectureFamily]:
    return [
        zoo.ArchitectureFamily(
            prefix="timm",
            names="zoo_timm.facts:names",
            build="zoo_timm.architectures:build",
            options="zoo_timm.facts:options",
            pretrained="zoo_timm.weights:pretrained",
            facts="zoo_timm.facts:facts",
            summary="an architecture of timm's",
            source=_SOURCE,
            tasks={"binary", "multiclass", "multilabel"},
        )
    ]


@zoo.hookimpl
def register_optimizers() -> list[zoo.OptimizerFamily]:
    return [
        zoo.OptimizerFamily(
            prefix="timm",
            names="zoo_timm.optimizers:names",
            build="zoo_timm.optimizers:build",
            options="zoo_timm.optimizers:options",
            summary="an optimizer of timm's, or torch's as timm names it",
            source=_SOURCE,
        )
    ]


@zoo.hookimpl
def register_losses() -> list[zoo.LossFamily]:
    return [
        _losses(_SINGLE, {"multiclass"}),
        _losses(_INDEPENDENT, {"binary", "multilabel"}),
        _losses(("binary_cross_entropy",), {"binary", "multiclass", "multilabel"}),
    ]


def _losses(names: tuple[str, ...], tasks: set[str]) -> zoo.LossFamily:
    return zoo.LossFamily(
        prefix="timm",
        names=names,
        build="zoo_timm.losses:build",
        options="zoo_timm.losses:options",
        summary="a loss of timm's",
        source=_SOURCE,
        tasks=tasks,
    )
