"""segmentation-models-pytorch's decoders, as lists need them: without importing the library."""

from __future__ import annotations

from dataclasses import dataclass

import zoo


@dataclass(frozen=True)
class Decoder:
    """``parameters``: with its ``encoder`` and one output; ``pretrained``: the tags of published
    weights of that encoder."""

    parameters: int
    source: str
    encoder: str = "resnet34"
    pretrained: tuple[str, ...] = ("imagenet",)


DECODERS: dict[str, Decoder] = {
    "deeplabv3": Decoder(26_007_105, "Chen et al. 2017, arXiv:1706.05587"),
    "deeplabv3plus": Decoder(22_437_457, "Chen et al. 2018, arXiv:1802.02611"),
    "dpt": Decoder(
        137_806_420, "Ranftl et al. 2021, arXiv:2103.13413",
        "tu-vit_base_patch16_224.augreg_in21k", ("augreg_in21k",),
    ),
    "fpn": Decoder(23_155_393, "Kirillov et al. 2019, arXiv:1901.02446"),
    "linknet": Decoder(21_771_937, "Chaurasia and Culurciello 2017, arXiv:1707.03718"),
    "manet": Decoder(31_783_633, "Fan et al. 2020, doi:10.1109/ACCESS.2020.3025372"),
    "pan": Decoder(21_475_816, "Li et al. 2018, arXiv:1805.10180"),
    "pspnet": Decoder(21_437_985, "Zhao et al. 2017, arXiv:1612.01105"),
    "segformer": Decoder(21_876_545, "Xie et al. 2021, arXiv:2105.15203"),
    "unet": Decoder(24_436_369, "Ronneberger et al. 2015, arXiv:1505.04597"),
    "unetplusplus": Decoder(26_078_609, "Zhou et al. 2018, arXiv:1807.10165"),
    "upernet": Decoder(29_599_681, "Xiao et al. 2018, arXiv:1807.10221"),
}  # fmt: skip


def names() -> tuple[str, ...]:
    return tuple(DECODERS)


def facts(name: str) -> zoo.Facts:
    decoder = DECODERS[name]
    return zoo.Facts(
        parameters=decoder.parameters, pretrained=decoder.pretrained, source=decoder.source
    )
