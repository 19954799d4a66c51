"""What is known of the library's 45 models without importing it: lists come from here."""

from __future__ import annotations

from dataclasses import dataclass

import zoo

IMAGENET, BACKGROUND, FIVE_K = "imagenet", "imagenet+background", "imagenet+5k"
_TIMM = "https://github.com/rwightman/pytorch-image-models/releases/download/v0.1-cadene/"
_TORCH = "https://download.pytorch.org/models/"
# Published over http; an address that begins with https is all that is asked.
_LIP6 = "https://data.lip6.fr/cadene/pretrainedmodels/"
_PLAIN = ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))
_HALF = ((0.5, 0.5, 0.5), (0.5, 0.5, 0.5))
_DPN = ((124 / 255, 117 / 255, 104 / 255), (1 / (0.0167 * 255),) * 3)
# In blue, green, red of 0 to 255 and not divided by anything; ``weights`` makes it red, green, blue
# of [0, 1] divided by ImageNet's standard deviations.
_BN_INCEPTION = ((128 / 255, 117 / 255, 104 / 255), _PLAIN[1])
_CAFFE = ((122.7717 / 255, 115.9465 / 255, 102.9801 / 255), _PLAIN[1])

_SENET = "Hu et al. 2018, arXiv:1709.01507"
_RESNET = "He et al. 2016, arXiv:1512.03385"
_VGG = "Simonyan and Zisserman 2015, arXiv:1409.1556"
_DENSENET = "Huang et al. 2017, arXiv:1608.06993"
_SQUEEZENET = "Iandola et al. 2016, arXiv:1602.07360"
_INCEPTION4 = "Szegedy et al. 2017, arXiv:1602.07261"
_DPN_PAPER = "Chen et al. 2017, arXiv:1707.01629"
_NASNET = "Zoph et al. 2018, arXiv:1707.07012"


@dataclass(frozen=True)
class Model:
    """``parameters``: with 1000 outputs and 3 channels; ``file``: of the published weights, whose
    name ends in the first digits of its sha256; ``smallest``: the least height and width it takes;
    ``side``: of the images that it was made for, in pixels; ``host``: where the file is; ``tags``:
    the default one first; ``fits`` and ``period``: so many sides fit, from the smallest on, out of
    so many. Where branches halve their features in different ways, they meet in some sizes only."""

    parameters: int
    file: str
    smallest: int
    source: str
    side: int = 224
    host: str = _LIP6
    normalization: tuple[tuple[float, ...], tuple[float, ...]] = _PLAIN
    tags: tuple[str, ...] = (IMAGENET,)
    fits: int = 1
    period: int = 1

    @property
    def digits(self) -> str:
        return self.file.removesuffix(".pth").rpartition("-")[2]

    @property
    def largest(self) -> int:
        """Bytes: float32 of the parameters, auxiliary ones included, and room for the rest."""
        return 5 * self.parameters + (4 << 20)


def _torch(parameters: int, file: str, smallest: int, source: str, side: int = 224) -> Model:
    return Model(parameters, file, smallest, source, side, _TORCH)


MODELS: dict[str, Model] = {
    "xception": Model(
        22_855_952, "xception-43020ad28.pth", 7, "Chollet 2017, arXiv:1610.02357", 299, _TIMM, _HALF
    ),
    "alexnet": _torch(
        61_100_840, "alexnet-owt-4df8aa71.pth", 63, "Krizhevsky 2014, arXiv:1404.5997"
    ),
    "bninception": Model(
        11_295_240, "bn_inception-52deb4733.pth", 31,
        "Ioffe and Szegedy 2015, arXiv:1502.03167", normalization=_BN_INCEPTION, fits=8, period=32,
    ),
    "cafferesnet101": Model(
        44_549_160, "cafferesnet101-9d633cc0.pth", 3, _RESNET, normalization=_CAFFE
    ),
    "densenet121": Model(7_978_856, "densenet121-fbdb23505.pth", 29, _DENSENET),
    "densenet161": Model(28_681_000, "densenet161-347e6b360.pth", 29, _DENSENET),
    "densenet169": Model(14_149_480, "densenet169-f470b90a4.pth", 29, _DENSENET),
    "densenet201": Model(20_013_928, "densenet201-5750cbb1e.pth", 29, _DENSENET),
    "dpn68": Model(12_611_602, "dpn68-4af7d88d2.pth", 1, _DPN_PAPER, normalization=_DPN),
    "dpn68b": Model(
        12_611_602, "dpn68b_extra-363ab9c19.pth", 1, _DPN_PAPER, normalization=_DPN, tags=(FIVE_K,)
    ),
    "dpn92": Model(
        37_668_392, "dpn92_extra-fda993c95.pth", 1, _DPN_PAPER, normalization=_DPN, tags=(FIVE_K,)
    ),
    "dpn98": Model(61_570_728, "dpn98-722954780.pth", 1, _DPN_PAPER, normalization=_DPN),
    "dpn107": Model(
        86_917_800, "dpn107_extra-b7f9f4cc9.pth", 1, _DPN_PAPER, normalization=_DPN, tags=(FIVE_K,)
    ),
    "dpn131": Model(79_254_504, "dpn131-7af84be88.pth", 1, _DPN_PAPER, normalization=_DPN),
    "fbresnet152": Model(60_268_520, "fbresnet152-2e20f6b4.pth", 1, _RESNET),
    "inceptionresnetv2": Model(
        55_843_464, "inceptionresnetv2-520b38e4.pth", 75, _INCEPTION4, 299,
        normalization=_HALF, tags=(IMAGENET, BACKGROUND),
    ),
    "inceptionv3": Model(
        23_834_568, "inception_v3_google-1a9a5a14.pth", 75, "Szegedy et al. 2016, arXiv:1512.00567",
        299, _TORCH, _HALF,
    ),
    "inceptionv4": Model(
        42_679_816, "inceptionv4-8e4777a0.pth", 75, _INCEPTION4, 299, _TIMM, _HALF,
        (IMAGENET, BACKGROUND),
    ),
    "nasnetalarge": Model(
        88_753_150, "nasnetalarge-a1897284.pth", 11, _NASNET, 331,
        normalization=_HALF, tags=(IMAGENET, BACKGROUND), fits=8, period=16,
    ),
    "nasnetamobile": Model(
        5_289_978, "nasnetamobile-7e03cead.pth", 31, _NASNET, normalization=_HALF, fits=4,
        period=32,
    ),
    "pnasnet5large": Model(
        86_057_668, "pnasnet5large-bf079911.pth", 11, "Liu et al. 2018, arXiv:1712.00559",
        331, _TIMM, _HALF, (IMAGENET, BACKGROUND), fits=8, period=16,
    ),
    "polynet": Model(
        95_366_600, "polynet-f71d82a5.pth", 75, "Zhang et al. 2017, arXiv:1611.05725", 331
    ),
    "resnet18": _torch(11_689_512, "resnet18-5c106cde.pth", 1, _RESNET),
    "resnet34": _torch(21_797_672, "resnet34-333f7ec4.pth", 1, _RESNET),
    "resnet50": _torch(25_557_032, "resnet50-19c8e357.pth", 1, _RESNET),
    "resnet101": _torch(44_549_160, "resnet101-5d3b4d8f.pth", 1, _RESNET),
    "resnet152": _torch(60_192_808, "resnet152-b121ed2d.pth", 1, _RESNET),
    "resnext101_32x4d": Model(
        44_177_704, "resnext101_32x4d-29e315fa.pth", 1, "Xie et al. 2017, arXiv:1611.05431"
    ),
    "resnext101_64x4d": Model(
        83_455_272, "resnext101_64x4d-e77a0586.pth", 1, "Xie et al. 2017, arXiv:1611.05431"
    ),
    "se_resnet50": Model(28_088_024, "se_resnet50-ce0d4300.pth", 3, _SENET, host=_TIMM),
    "se_resnet101": Model(49_326_872, "se_resnet101-7e38fcc6.pth", 3, _SENET, host=_TIMM),
    "se_resnet152": Model(66_821_848, "se_resnet152-d17c99b7.pth", 3, _SENET, host=_TIMM),
    "se_resnext50_32x4d": Model(27_559_896, "se_resnext50_32x4d-a260b3a4.pth", 3, _SENET),
    "se_resnext101_32x4d": Model(48_955_416, "se_resnext101_32x4d-3b2fe3d8.pth", 3, _SENET),
    "senet154": Model(115_088_984, "senet154-c7b49a05.pth", 3, _SENET),
    "squeezenet1_0": _torch(1_248_424, "squeezenet1_0-a815701f.pth", 21, _SQUEEZENET),
    "squeezenet1_1": _torch(1_235_496, "squeezenet1_1-f364aa15.pth", 17, _SQUEEZENET),
    "vgg11": _torch(132_863_336, "vgg11-bbd30ac9.pth", 32, _VGG),
    "vgg11_bn": _torch(132_868_840, "vgg11_bn-6002323d.pth", 32, _VGG),
    "vgg13": _torch(133_047_848, "vgg13-c768596a.pth", 32, _VGG),
    "vgg13_bn": _torch(133_053_736, "vgg13_bn-abd245e5.pth", 32, _VGG),
    "vgg16": _torch(138_357_544, "vgg16-397923af.pth", 32, _VGG),
    "vgg16_bn": _torch(138_365_992, "vgg16_bn-6c64b313.pth", 32, _VGG),
    "vgg19": _torch(143_667_240, "vgg19-dcbb9e9d.pth", 32, _VGG),
    "vgg19_bn": _torch(143_678_248, "vgg19_bn-c79401a0.pth", 32, _VGG),
}  # fmt: skip


def names() -> tuple[str, ...]:
    return tuple(MODELS)


def facts(name: str) -> zoo.Facts:
    model = MODELS[name]
    return zoo.Facts(
        parameters=model.parameters,
        pretrained=model.tags,
        source=model.source,
        image_size=(model.side, model.side),
        smallest=model.smallest,
    )
