"""A decoder's options: those of the library's signature that TOML can write."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import Annotated, Any, Literal, get_origin

from annotated_types import Ge, Le

from zoo_smp.decoders import DECODERS

_INTERPOLATION = Literal["nearest", "bilinear", "bicubic", "area", "nearest-exact"]
# What the library says in words only. Its layer norm fits no image, "inplace" needs a library that
# is compiled.
_CHOICES: dict[str, Any] = {
    "encoder_depth": Annotated[int, Ge(1), Le(5)],
    "decoder_use_norm": Literal["batchnorm", "instancenorm", "identity"],
    "decoder_attention_type": Literal["none", "scse"],
    "decoder_interpolation": _INTERPOLATION,
    "decoder_merge_policy": Literal["add", "cat"],
}
_DEFAULTS: dict[str, Any] = {"decoder_attention_type": "none", "encoder_output_indices": []}
# Given by zoo, or of no use: logits are asked for, one set of them, as large as the image.
_LEFT_OUT = {
    "self", "encoder_name", "encoder_weights", "in_channels", "classes", "activation", "upsampling",
    "aux_params",
}  # fmt: skip


def options(name: str) -> inspect.Signature:
    """``encoder`` and what the library's class takes besides, by its names."""
    found = {"encoder": _option("encoder", str, DECODERS[name].encoder)}
    signature = inspect.signature(maker(name).__init__)
    for key, parameter in signature.parameters.items():
        if key in _LEFT_OUT or parameter.kind is parameter.VAR_KEYWORD:
            continue
        default = _DEFAULTS.get(key, parameter.default)
        annotation = _annotation(key, parameter.annotation, default)
        if annotation is not None:
            default = list(default) if isinstance(default, tuple) else default
            found[key] = _option(key, annotation, default)
    return inspect.Signature(list(found.values()))


def given(options: Mapping[str, Any]) -> dict[str, Any]:
    """``options`` as the library takes them."""
    none = {key: None for key, empty in _DEFAULTS.items() if options.get(key) == empty}
    return {**options, **none}


def maker(name: str) -> Callable[..., Any]:
    from segmentation_models_pytorch import MODEL_ARCHITECTURES_MAPPING

    made: Callable[..., Any] = MODEL_ARCHITECTURES_MAPPING[name]
    return made


def _annotation(key: str, written: Any, default: Any) -> Any:
    """None for what TOML cannot write."""
    if get_origin(written) is Literal:
        return written
    if key in _CHOICES:
        return _CHOICES[key]
    if isinstance(default, bool | int | float | str):
        return type(default)
    whole = isinstance(default, list | tuple) and all(isinstance(one, int) for one in default)
    return list[int] if whole else None


def _option(key: str, annotation: Any, default: Any) -> inspect.Parameter:
    return inspect.Parameter(
        key, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=annotation
    )
