"""Options: read from a signature, checked as strictly as TOML is written."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated, Any, Literal

import pytest
from annotated_types import Ge, Gt, Lt

from zoo.errors import PluginError
from zoo.plugins.options import bind, read_options, type_text

if TYPE_CHECKING:
    from nowhere import OnlyForCheckers

Activation = Literal["relu", "leaky_relu"]


def build(
    context: OnlyForCheckers,
    *,
    layers: int,
    rate: Annotated[float, Ge(0), Lt(1)] = 0.5,
    activation: Activation = "relu",
    norm: bool = True,
    weights: Literal["none"] | list[Annotated[float, Gt(0)]] = "none",
    name: str = "net",
) -> OnlyForCheckers: ...


def read(function: Callable[..., Any], *, takes_context: bool = True) -> Any:
    return read_options("loss 'x' of zoo-one 1.0", function, takes_context=takes_context)


OPTIONS = read(build)
GIVEN = {"layers": 3}


def test_names_types_and_defaults_are_those_of_the_signature() -> None:
    assert [(one.name, one.type_text, one.required) for one in OPTIONS] == [
        ("layers", "int", True),
        ("rate", "float >= 0, < 1", False),
        ("activation", "'relu' | 'leaky_relu'", False),
        ("norm", "bool", False),
        ("weights", "'none' | list[float > 0]", False),
        ("name", "str", False),
    ]


def test_defaults_complete_what_is_given() -> None:
    values, problems = bind(OPTIONS, GIVEN)
    assert problems == {}
    assert values == {
        "layers": 3,
        "rate": 0.5,
        "activation": "relu",
        "norm": True,
        "weights": "none",
        "name": "net",
    }


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("layers", 0),
        ("rate", 0),  # an integer may stand for a float
        ("rate", 0.25),
        ("norm", False),
        ("weights", [1, 2.5]),
        ("activation", "leaky_relu"),
        ("name", ""),
    ],
)
def test_accepted(key: str, value: object) -> None:
    values, problems = bind(OPTIONS, {**GIVEN, key: value})
    assert problems == {}
    assert values[key] == value


@pytest.mark.parametrize(
    ("key", "value", "expected"),
    [
        ("layers", 3.0, "int"),
        ("layers", "3", "int"),
        ("layers", True, "int"),
        ("rate", "1e-3", "float >= 0, < 1"),
        ("rate", True, "float >= 0, < 1"),
        ("rate", 1.0, "float >= 0, < 1"),
        ("rate", -0.1, "float >= 0, < 1"),
        ("rate", float("nan"), "float >= 0, < 1, finite"),
        ("norm", 1, "bool"),
        ("norm", "true", "bool"),
        ("name", 3, "str"),
        ("activation", "gelu", "'relu' | 'leaky_relu'"),
        ("weights", "balanced", "'none' | list[float > 0]"),
        ("weights", [1.0, 0.0], "'none' | list[float > 0]"),
        ("weights", float("inf"), "'none' | list[float > 0]"),
    ],
)
def test_refused(key: str, value: object, expected: str) -> None:
    values, problems = bind(OPTIONS, {**GIVEN, key: value})
    assert problems == {key: f"{value!r}: expected {expected}"}
    assert values == {}


def test_every_problem_is_told_at_once() -> None:
    _, problems = bind(OPTIONS, {"rat": 0.1, "norm": 2})
    assert problems == {
        "rat": "unknown option (did you mean 'rate'?); expected one of layers, rate, activation, "
        "norm, weights, name",
        "layers": "missing; expected int",
        "norm": "2: expected bool",
    }


def test_a_component_without_options_says_so() -> None:
    def plain(context: object) -> None: ...

    assert bind(read(plain), {"rate": 1}) == (
        {},
        {"rate": "unknown option; expected none: it has no options"},
    )


def test_a_default_list_is_not_shared() -> None:
    def listed(context: object, *, hidden: list[int] = [64]) -> None: ...  # noqa: B006

    first, _ = bind(read(listed), {})
    first["hidden"].append(1)
    assert bind(read(listed), {})[0] == {"hidden": [64]}


def test_options_may_bear_names_that_pydantic_keeps() -> None:
    def odd(context: object, *, model_config: int = 1, copy: bool = False, _x: int = 2) -> None: ...

    assert bind(read(odd), {"model_config": 5})[0] == {"model_config": 5, "copy": False, "_x": 2}


class Loss:
    def __init__(self, context: OnlyForCheckers, *, gamma: float = 2.0) -> None: ...


def test_classes_and_partials_serve_too() -> None:
    assert [one.name for one in read(Loss)] == ["gamma"]
    assert [one.name for one in read(functools.partial(build, layers=2))] == [
        one.name for one in OPTIONS
    ]


def two_contexts(one: object, two: object) -> None: ...
def no_context(*, rate: float = 0.1) -> None: ...
def open_ended(context: object, **rest: object) -> None: ...
def unannotated(context: object, *, rate=0.1) -> None: ...  # type: ignore[no-untyped-def]
def no_default(context: object, *, rate: float | None = None) -> None: ...
def no_toml(context: object, *, kinds: tuple[int, ...] = (1, 2)) -> None: ...
def undefined(context: object, *, kind: OnlyForCheckers = 1) -> None: ...


@pytest.mark.parametrize(
    ("function", "what"),
    [
        (two_contexts, "build takes 2 positional; expected one positional parameter, its context"),
        (no_context, "build takes 0 positional; expected one positional parameter, its context"),
        (open_ended, "build takes **rest; name each option as a keyword-only parameter"),
        (unannotated, "option 'rate' of build has no annotation"),
        (
            no_default,
            "option 'rate' has the default None, which TOML cannot write; use a number, a string, "
            "a boolean or a list",
        ),
        (
            no_toml,
            "option 'kinds' has the default (1, 2), which TOML cannot write; use a number, a "
            "string, a boolean or a list",
        ),
        (
            undefined,
            "the signature of build cannot be read: name 'OnlyForCheckers' is not defined",
        ),
    ],
)
def test_a_signature_that_cannot_serve(function: Callable[..., Any], what: str) -> None:
    with pytest.raises(PluginError) as caught:
        read(function)
    assert str(caught.value) == f"loss 'x' of zoo-one 1.0: {what}"


def test_an_augmentations_build_takes_nothing_positional() -> None:
    assert [one.name for one in read(no_context, takes_context=False)] == ["rate"]
    with pytest.raises(PluginError, match="build takes 1 positional; expected no positional one"):
        read(Loss, takes_context=False)


@pytest.mark.parametrize(
    ("annotation", "text"),
    [
        (int | str, "int | str"),
        (dict[str, int], "dict[str, int]"),
        (Annotated[int, Gt(0)], "int > 0"),
        (Any, "Any"),
    ],
)
def test_type_text(annotation: Any, text: str) -> None:
    assert type_text(annotation) == text
