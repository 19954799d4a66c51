"""timm's optimizers under timm's names, with the defaults that timm gives each."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Annotated, Any, Literal

from zoo import OptimizerContext, ZooError
from zoo_timm.receiving import reason

if TYPE_CHECKING:
    from torch import optim

# By a test, all that torch and timm have and that keep zoo's contract; see LEFT_OUT for the others.
NAMES = (
    "adabelief", "adadelta", "adafactor", "adafactorbv", "adafactorbvc", "adagrad", "adam",
    "adamax", "adamc", "adamp", "adamuon", "adamw", "adamwlegacy", "adan", "adanw", "adopt",
    "adoptc", "adoptw", "cadafactor", "cadafactorbv", "cadafactorbvc", "cadamc", "cadamp",
    "cadamw", "cadan", "cadanw", "cadopt", "cadoptc", "cadoptw", "clamb", "clambw", "claprop",
    "clion", "clionc", "cmars", "cnadamc", "cnadamw", "crmsproptf", "csgdc", "csgdp", "csgdw",
    "lamb", "lambc", "lambcd", "lambcw", "lambw", "laprop", "lapropc", "larc", "lars", "lion",
    "lionc", "madgrad", "madgradw", "mars", "momentum", "muon", "nadam", "nadamc",
    "nadamlegacy", "nadamuon", "nadamw", "nesterov", "nesterovw", "nlarc", "nlars", "nmuon",
    "novograd", "novogradc", "novogradw", "radabelief", "radam", "radamlegacy", "radamw",
    "rmsprop", "rmsproptf", "rmsproptfc", "rmsproptfw", "sgd", "sgdc", "sgdp", "sgdw",
)  # fmt: skip
LEFT_OUT = {
    "adahessian": "needs second derivatives, which the loop does not compute",
    "kron": "lists of tensors in its state, which a checkpoint does not keep; kronc, kronw too",
    "bnb...": "needs bitsandbytes and CUDA",
    "fused...": "needs apex and CUDA",
}
# How a step is computed, not what; zoo leaves that to timm.
_INNER = {
    "capturable", "differentiable", "foreach", "fused", "maximize", "verbose", "params",
}  # fmt: skip
_RATE = 1e-3  # where timm wants one to be given
_MOMENTUM = 0.9  # timm's own, where it makes an optimizer by its name and the class has 0
_SLOWER = {"larc": 0.1, "lars": 0.1, "nlarc": 0.1, "nlars": 0.1}  # its 1.0 is for what it adapts


def names() -> tuple[str, ...]:
    return NAMES


def options(name: str) -> inspect.Signature:
    """Those of timm's class whose defaults are numbers, switches or words; ``betas`` one by one."""
    found: dict[str, Any] = {}
    for option, default in _defaults(name).items():
        if option == "betas":
            found |= {f"beta{i}": one for i, one in enumerate(default, 1)}
        else:
            found[option] = default
    return inspect.Signature(
        [
            inspect.Parameter(
                option,
                inspect.Parameter.KEYWORD_ONLY,
                default=default,
                annotation=_annotation(option, default),
            )
            for option, default in found.items()
        ]
    )


def build(ctx: OptimizerContext, name: str, **options: Any) -> optim.Optimizer:
    """Raises :class:`zoo.ZooError` for options that the class refuses."""
    from timm.optim import get_optimizer_class  # type: ignore[attr-defined]

    betas = [key for key in options if key.removeprefix("beta").isdigit()]
    given = {key: value for key, value in options.items() if key not in betas}
    if betas:
        given["betas"] = tuple(options[key] for key in sorted(betas))
    groups = [dict(group) for group in ctx.parameters]
    try:
        made: optim.Optimizer = get_optimizer_class(name)(groups, **given)
    except Exception as error:  # each class has checks of its own
        raise ZooError(f"optimizer 'timm/{name}': {reason(error)}") from error
    return made


def _defaults(name: str) -> dict[str, Any]:
    """The class's own, and what timm's name for it changes of them."""
    from timm.optim import (  # type: ignore[attr-defined]
        get_optimizer_class,
        get_optimizer_info,
    )

    signature = inspect.signature(get_optimizer_class(name, bind_defaults=False))
    info = get_optimizer_info(name)
    changed = dict(info.defaults or {})
    if info.has_momentum and not changed.get("momentum", signature.parameters["momentum"].default):
        changed["momentum"] = _MOMENTUM
    if name in _SLOWER:
        changed["lr"] = _SLOWER[name]
    found: dict[str, Any] = {}
    for parameter in signature.parameters.values():
        default = changed.get(parameter.name, parameter.default)
        if parameter.name == "lr" and not isinstance(default, int | float):
            default = _RATE
        plain = isinstance(default, bool | int | float | str)
        if parameter.name not in _INNER and (plain or (parameter.name == "betas" and default)):
            found[parameter.name] = default
    return found


def _annotation(option: str, default: Any) -> Any:
    from annotated_types import Ge, Gt, Lt

    if option in _WORDS:
        return Literal[_WORDS[option]]
    if isinstance(default, bool | str):
        return type(default)
    if option.startswith("beta") or option == "momentum":
        return Annotated[float, Ge(0), Lt(1)]
    if option == "lr":
        return Annotated[float, Gt(0)]
    if option == "weight_decay":
        return Annotated[float, Ge(0)]
    return int if isinstance(default, int) and option in _WHOLE else float


_WHOLE = {"min_dim_size_to_factor", "ns_steps", "decay_offset", "max_size_triangular",
          "min_ndim_triangular", "flatten_start_dim", "flatten_end_dim"}  # fmt: skip
_WORDS: dict[str, tuple[str, ...]] = {
    "algo": ("muon", "adamuon"),
    "mars_type": ("adamw", "lion", "shampoo"),
}
