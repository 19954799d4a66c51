"""Cadene's pretrainedmodels as one family of architectures. Only the hook stands here: listing them
imports neither torch nor the library."""

import zoo


@zoo.hookimpl
def register_architectures() -> list[zoo.ArchitectureFamily]:
    return [
        zoo.ArchitectureFamily(
            prefix="pretrainedmodels",
            names="zoo_pretrainedmodels.models:names",
            build="zoo_pretrainedmodels.networks:build",
            pretrained="zoo_pretrainedmodels.weights:pretrained",
            facts="zoo_pretrainedmodels.models:facts",
            summary="an image classifier of Cadene's pretrainedmodels",
            source="pretrainedmodels 0.7.4",
            tasks={"binary", "multiclass", "multilabel"},
        )
    ]
