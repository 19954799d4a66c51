"""A component's options: the keyword-only parameters of its ``build``.

No second place declares them: name, type and default are read from the signature, and values are
checked against it by pydantic, strictly (``"1e-3"`` is no number, ``3.0`` no integer, ``1`` no
boolean; an integer may stand for a float). Bounds are ``Annotated`` with annotated_types.
"""

from __future__ import annotations

import functools
import inspect
import types
import typing
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any

from zoo.errors import PluginError, nearest

REQUIRED = inspect.Parameter.empty
_TOML_TYPES = (bool, int, float, str, list, dict)


@dataclass(frozen=True)
class Option:
    name: str
    annotation: Any
    default: Any = REQUIRED

    @property
    def required(self) -> bool:
        return self.default is REQUIRED

    @property
    def type_text(self) -> str:
        """The type as people write it: ``float``, ``'relu' | 'leaky_relu'``, ``list[float]``."""
        return type_text(self.annotation)


def type_text(annotation: Any) -> str:
    origin, arguments = typing.get_origin(annotation), typing.get_args(annotation)
    if origin is Annotated:
        bounds = ", ".join(_bound_text(bound) for bound in arguments[1:])
        return f"{type_text(arguments[0])} {bounds}"
    if origin is typing.Literal:
        return " | ".join(repr(value) for value in arguments)
    if origin in (typing.Union, type(int | str)):
        return " | ".join(type_text(part) for part in arguments)
    if origin is not None:
        return f"{origin.__name__}[{', '.join(type_text(part) for part in arguments)}]"
    return getattr(annotation, "__name__", str(annotation))


def _bound_text(bound: Any) -> str:
    signs = {"Gt": ">", "Ge": ">=", "Lt": "<", "Le": "<="}
    name = type(bound).__name__
    value = getattr(bound, name.lower(), None)
    return f"{signs[name]} {value}" if name in signs else str(bound)


def read_options(owner: str, build: Callable[..., Any], *, takes_context: bool) -> list[Option]:
    """The options of ``build``. Raises :class:`PluginError`, naming ``owner``, when the signature
    cannot serve: ``**kwargs``, no annotation, a default that TOML cannot write, wrong positionals.
    """
    positional = 0
    options = []
    try:
        signature = inspect.signature(build)
        hints = _option_hints(build, signature)
    except (AttributeError, NameError, SyntaxError, TypeError, ValueError) as error:
        raise PluginError(f"{owner}: the signature of build cannot be read: {error}") from error
    for parameter in signature.parameters.values():
        if parameter.kind is parameter.VAR_KEYWORD:
            raise PluginError(
                f"{owner}: build takes **{parameter.name}; name each option as a keyword-only "
                f"parameter"
            )
        if parameter.kind is not parameter.KEYWORD_ONLY:
            positional += parameter.default is REQUIRED
            continue
        if parameter.name not in hints:
            raise PluginError(f"{owner}: option {parameter.name!r} of build has no annotation")
        if parameter.default is not REQUIRED and not isinstance(parameter.default, _TOML_TYPES):
            raise PluginError(
                f"{owner}: option {parameter.name!r} has the default {parameter.default!r}, which "
                f"TOML cannot write; use a number, a string, a boolean or a list"
            )
        options.append(Option(parameter.name, hints[parameter.name], parameter.default))
    if positional != takes_context:
        expected = "one positional parameter, its context" if takes_context else "no positional one"
        raise PluginError(f"{owner}: build takes {positional} positional; expected {expected}")
    return options


def _option_hints(build: Callable[..., Any], signature: inspect.Signature) -> dict[str, Any]:
    """The options' annotations as objects. Those of the context and of what is returned are left
    alone: they may well name a type, such as ``nn.Module``, that is imported for checkers only."""
    written = {
        parameter.name: parameter.annotation
        for parameter in signature.parameters.values()
        if parameter.kind is parameter.KEYWORD_ONLY and parameter.annotation is not parameter.empty
    }
    function: Any = inspect.unwrap(build.__init__ if inspect.isclass(build) else build)
    while isinstance(function, functools.partial):
        function = function.func
    holder = types.SimpleNamespace(__annotations__=written)
    names = getattr(function, "__globals__", {})
    return typing.get_type_hints(holder, globalns=names, include_extras=True)


def bind(
    options: Sequence[Option], given: Mapping[str, Any]
) -> tuple[dict[str, Any], dict[str, str]]:
    """``given`` checked and completed with the defaults: (values by option, problems by key)."""
    import pydantic

    known = {option.name: option for option in options}
    problems = {
        key: f"unknown option{nearest(key, known)}; expected {_any_of(known)}"
        for key in given
        if key not in known
    }
    # Fields are named by position, so that an option may bear a name pydantic keeps for itself.
    fields: dict[str, Any] = {
        f"option_{i}": (
            option.annotation,
            pydantic.Field(... if option.required else option.default, alias=option.name),
        )
        for i, option in enumerate(options)
    }
    config = pydantic.ConfigDict(strict=True, allow_inf_nan=False, arbitrary_types_allowed=True)
    model = pydantic.create_model("Options", __config__=config, **fields)
    values: dict[str, Any] = {}
    try:
        bound = model.model_validate({key: given[key] for key in given if key in known})
        values = {option.name: getattr(bound, f"option_{i}") for i, option in enumerate(options)}
    except pydantic.ValidationError as error:
        for detail in error.errors(include_url=False):
            name = str(detail["loc"][0])
            if detail["type"] == "missing":
                problems[name] = f"missing; expected {known[name].type_text}"
            else:
                finite = ", finite" if detail["type"] == "finite_number" else ""
                problems[name] = f"{given[name]!r}: expected {known[name].type_text}{finite}"
    return values, problems


def _any_of(known: Mapping[str, Option]) -> str:
    return f"one of {', '.join(known)}" if known else "none: it has no options"
