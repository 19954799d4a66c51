"""Cadene's published weights, by the names of the networks that are built here.

The library would fetch them over http and run what is in the file. zoo's own download compares the
digest, and nothing in the file is run.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping

import torch
from torch import Tensor

import zoo
import zoo_pretrainedmodels.models as known
from zoo_pretrainedmodels.models import MODELS, Model

# How torchvision named what the library names otherwise, by the beginning of a model's name.
_LINEAR = {"classifier.1": "linear0", "classifier.4": "linear1", "classifier.6": "last_linear"}
_RENAMES: dict[str, Mapping[str, str]] = {
    "alexnet": {"features": "_features", **_LINEAR},
    "vgg": {
        "features": "_features", "classifier.0": "linear0", "classifier.3": "linear1",
        "classifier.6": "last_linear",
    },
    "densenet": {"classifier": "last_linear"},
    "squeezenet": {"classifier.1": "last_conv"},
    "resnet": {"fc": "last_linear"},
    "inceptionv3": {"fc": "last_linear"},
    "xception": {"fc": "last_linear"},
}  # fmt: skip
# Files of before 2018 have a dot where torch no longer allows one.
_DENSE = re.compile(r"^(.*denselayer\d+\.(?:norm|relu|conv))\.([12]\..*)$")
_STEMS = {"bninception": "conv1_7x7_s2.weight", "cafferesnet101": "conv1.weight"}


def pretrained(context: zoo.ArchitectureContext, name: str) -> zoo.Pretrained:
    """The weights of ``context.pretrained``, or of the model's first tag: 1000 outputs (1001 with
    the background) and the channels red, green, blue. Raises :class:`zoo.ZooError` for a tag that
    there is not, or when the file cannot be had."""
    model = MODELS[name]
    tag = _known_tag(name, model, context.pretrained)
    path = zoo.fetch_weights(
        url=model.host + model.file, sha256_prefix=model.digits, largest=model.largest
    )
    mean, std = model.normalization
    return zoo.Pretrained(
        weights=converted(name, zoo.read_torch_weights(path), tag),
        mean=mean,
        std=std,
        image_size=(model.side, model.side),
        interpolation="bilinear",
        tag=tag,
    )


def converted(name: str, published: Mapping[str, Tensor], tag: str) -> dict[str, Tensor]:
    """``published``, the tensors of a model's file, as the network here has them."""
    renames = next((those for start, those in _RENAMES.items() if name.startswith(start)), {})
    weights = {_renamed(key, renames): value for key, value in published.items()}
    weights = {key: value for key, value in weights.items() if not key.startswith("AuxLogits.")}
    if known.BACKGROUND in MODELS[name].tags and tag != known.BACKGROUND:
        for key in ("last_linear.weight", "last_linear.bias"):
            weights[key] = weights[key][1:]  # the first class is the background
    if stem := _STEMS.get(name):
        # Of blue, green, red from 0 to 255, which nothing divides.
        divisor = torch.tensor(MODELS[name].normalization[1]).view(1, 3, 1, 1)
        weights[stem] = weights[stem].flip(1) * (255 * divisor)
    return weights


def _renamed(key: str, renames: Mapping[str, str]) -> str:
    if found := _DENSE.match(key):
        key = found[1] + found[2]
    for old, new in renames.items():
        if key.startswith(f"{old}."):
            return new + key.removeprefix(old)
    return key


def _known_tag(name: str, model: Model, asked: str) -> str:
    if not asked:
        return model.tags[0]
    if asked in model.tags:
        return asked
    close = difflib.get_close_matches(asked, model.tags, n=1)
    meant = f" (did you mean {close[0]!r}?)" if close else ""
    raise zoo.ZooError(
        f"architecture 'pretrainedmodels/{name}' has no pretrained weights {asked!r}{meant}; "
        f"expected {' or '.join(map(repr, model.tags))}"
    )
