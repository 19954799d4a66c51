"""The catalog: finding, listing, duplicates, families, and failures that name their plugin."""

from __future__ import annotations

import inspect
from typing import Any

import pytest

from zoo.errors import ComponentError, PluginError, ZooError, ZooWarning
from zoo.plugins import checks
from zoo.plugins.catalog import Catalog
from zoo.plugins.families import ArchitectureFamily, DatasetFamily, LossFamily, OptimizerFamily
from zoo.plugins.loading import Loaded, Plugin
from zoo.plugins.specs import ArchitectureSpec, AugmentationSpec, DatasetSpec, LossSpec

ONE = Plugin("one", "zoo-one", "1.0", "zoo_one")
TWO = Plugin("two", "zoo-two", "2.0", "zoo_two")


def no_build(*arguments: object, **options: object) -> Any:
    raise AssertionError("listing must not build")


def loss(name: str, build: Any = no_build, **more: Any) -> LossSpec:
    return LossSpec(name=name, build=build, summary="a loss", **more)


def family(prefix: str = "lib", names: Any = ("alexnet", "resnet18"), **more: Any) -> Any:
    given = {"build": no_build, "summary": "a library", **more}
    return ArchitectureFamily(prefix=prefix, names=names, **given)


def catalog(*pairs: tuple[Plugin, Any]) -> Catalog:
    return Catalog([Loaded(plugin, (component,)) for plugin, component in pairs])


def test_get_and_list() -> None:
    both = catalog((TWO, loss("focal")), (ONE, loss("dice")))
    assert both.names("loss") == ["dice", "focal"]
    assert both.names("dataset") == []
    assert both.get("loss", "focal").plugin is TWO
    assert str(both.get("loss", "dice")) == "loss 'dice' of zoo-one 1.0"


def test_an_unknown_name_is_refused_with_the_nearest() -> None:
    with pytest.raises(ComponentError) as caught:
        catalog((ONE, loss("cross_entropy"))).get("loss", "cross_entopy")
    assert str(caught.value) == (
        "loss 'cross_entopy' is not installed (did you mean 'cross_entropy'?); "
        "see: zoo components list losses"
    )


def test_a_duplicate_is_listed_twice_and_cannot_be_used() -> None:
    both = catalog((TWO, loss("dice")), (ONE, loss("dice")))
    assert both.names("loss") == ["dice"]
    assert [str(one.plugin) for one in both.components("loss")] == ["zoo-one 1.0", "zoo-two 2.0"]
    with pytest.raises(ComponentError) as caught:
        both.get("loss", "dice")
    assert str(caught.value) == (
        "loss 'dice' is provided by zoo-two 2.0 and zoo-one 1.0: uninstall one, or name the "
        "plugins to load in ZOO_PLUGINS"
    )


def test_one_name_in_two_kinds_is_no_duplicate() -> None:
    step = AugmentationSpec(name="dice", build=no_build, summary="another thing")
    both = catalog((ONE, loss("dice")), (TWO, step))
    assert both.get("loss", "dice").plugin is ONE
    assert both.get("augmentation", "dice").plugin is TWO


def test_a_family_lists_its_members_without_building_them() -> None:
    mlp = ArchitectureSpec(name="mlp", build=no_build, summary="layers")
    both = catalog((ONE, family()), (TWO, mlp))
    assert both.names("architecture") == ["lib/alexnet", "lib/resnet18", "mlp"]
    assert both.get("architecture", "lib/alexnet").plugin is ONE
    with pytest.raises(ComponentError, match=r"did you mean 'lib/resnet18'\?"):
        both.get("architecture", "lib/resnet19")
    with pytest.raises(ComponentError, match="'lib' is not installed"):
        both.get("architecture", "lib")


def test_a_familys_names_may_come_from_a_function_or_a_target() -> None:
    both = catalog((ONE, family("a", lambda: ["x"])), (TWO, family("b", "keyword:kwlist.copy")))
    names = both.names("architecture")
    assert "a/x" in names
    assert "b/while" in names


def test_a_family_that_cannot_say_its_names_does_not_hide_the_others() -> None:
    def broken() -> list[str]:
        raise KeyError("version")

    both = catalog((ONE, family("bad", broken)), (TWO, family("good")))
    with pytest.warns(ZooWarning) as caught:
        assert both.names("architecture") == ["good/alexnet", "good/resnet18"]
    assert [str(one.message) for one in caught] == [
        "architecture 'bad' of zoo-one 1.0: its names cannot be read: KeyError: 'version'"
    ]
    with pytest.raises(PluginError, match="its names cannot be read"):
        both.get("architecture", "bad/x")


def test_a_member_is_built_by_name_with_the_options_of_its_signature() -> None:
    def signature(name: str) -> inspect.Signature:
        assert name == "resnet18"
        width = inspect.Parameter(
            "width", inspect.Parameter.KEYWORD_ONLY, default=1.0, annotation=float
        )
        return inspect.Signature([width])

    made = family(
        build=lambda context, name, **options: (context, name, options), options=signature
    )
    member = catalog((ONE, made)).get("architecture", "lib/resnet18")
    assert [(one.name, one.default) for one in member.options] == [("width", 1.0)]
    assert member.build("context", {"width": 2.0}) == ("context", "resnet18", {"width": 2.0})
    with pytest.raises(ComponentError, match="depth: unknown option"):
        member.build("context", {"depth": 2})


def test_a_family_of_datasets_is_one_like_the_other() -> None:
    made = DatasetFamily(
        prefix="lib",
        names=["MNIST", "Flowers102"],
        build=lambda context, name, **options: (context, name, options),
        summary="a library",
        tasks={"multiclass"},
    )
    digits = DatasetSpec(name="digits", build=no_build, summary="digits")
    both = catalog((ONE, made), (ONE, digits), (TWO, family()))
    assert both.names("dataset") == ["digits", "lib/Flowers102", "lib/MNIST"]
    assert both.names("architecture") == ["lib/alexnet", "lib/resnet18"]
    assert [one.spec.tasks for one in both.components("dataset")][1] == {"multiclass"}
    assert both.get("dataset", "lib/MNIST").build("context") == ("context", "MNIST", {})
    with pytest.raises(ComponentError, match=r"did you mean 'lib/MNIST'\?"):
        both.get("dataset", "lib/MNISTT")
    with pytest.raises(ComponentError, match="dataset 'lib/alexnet' is not installed"):
        both.get("dataset", "lib/alexnet")


def test_losses_of_other_tasks_share_a_prefix() -> None:
    given = {"build": lambda _, name, **options: (name, options), "summary": "a library"}
    one = LossFamily(prefix="lib", names=["poly"], tasks={"multiclass"}, **given)
    other = LossFamily(prefix="lib", names=["asymmetric"], tasks={"multilabel"}, **given)
    steps = OptimizerFamily(prefix="lib", names=["lamb"], **given)
    both = catalog((ONE, one), (ONE, other), (ONE, steps))
    assert both.names("loss") == ["lib/asymmetric", "lib/poly"]
    assert both.get("loss", "lib/asymmetric").spec.tasks == {"multilabel"}
    assert both.get("loss", "lib/poly").build(None) == ("poly", {})
    assert both.get("optimizer", "lib/lamb").build(None) == ("lamb", {})
    checked = checks.components_to_check(Loaded(ONE, (one, other, steps)), {})
    assert [c.name for c in checked] == ["lib/asymmetric", "lib/poly", "lib/lamb"]


@pytest.mark.parametrize("fetch", ["no target", 3])
def test_a_fetch_that_cannot_be_called_is_refused(fetch: Any) -> None:
    with pytest.raises(PluginError, match=r"dataset 'x': fetch .*: expected a callable or"):
        DatasetSpec(name="x", build=no_build, summary="a set", fetch=fetch)
    with pytest.raises(PluginError, match=r"dataset 'x': fetch .*: expected a callable or"):
        DatasetFamily(prefix="x", names=[], build=no_build, summary="sets", fetch=fetch)


def test_building_passes_the_context_and_every_option() -> None:
    def build(context: object, *, smoothing: float = 0.1) -> tuple[object, float]:
        return context, smoothing

    made = catalog((ONE, loss("ce", build))).get("loss", "ce")
    assert made.build("context") == ("context", 0.1)
    assert made.build("context", {"smoothing": 0.2}) == ("context", 0.2)


def test_an_augmentation_has_no_context() -> None:
    def build(*, degrees: float = 5.0) -> float:
        return degrees

    step = AugmentationSpec(name="rotation", build=build, summary="turns")
    assert catalog((ONE, step)).get("augmentation", "rotation").build(None, {"degrees": 9.0}) == 9.0


def test_wrong_options_are_all_named() -> None:
    def build(context: object, *, smoothing: float = 0.1, reduction: str = "mean") -> None: ...

    with pytest.raises(ComponentError) as caught:
        catalog((ONE, loss("ce", build))).get("loss", "ce").bind({"smothing": 1, "reduction": 2})
    assert str(caught.value) == (
        "loss 'ce': smothing: unknown option (did you mean 'smoothing'?); expected one of "
        "smoothing, reduction; reduction: 2: expected str"
    )


@pytest.mark.parametrize(
    ("target", "what"),
    [
        (
            "not_there_at_all:build",
            "cannot be imported: ModuleNotFoundError: No module named 'not_there_at_all'",
        ),
        (
            "keyword:bild",
            "cannot be imported: AttributeError: module 'keyword' has no attribute 'bild'",
        ),
        ("keyword:kwlist", "is not callable"),
    ],
)
def test_a_broken_target_names_the_plugin(target: str, what: str) -> None:
    both = catalog((ONE, loss("broken", target)), (TWO, loss("fine")))
    assert both.names("loss") == ["broken", "fine"]
    separator = ": " if what.startswith("cannot") or what.startswith("is") else ""
    with pytest.raises(PluginError) as caught:
        both.get("loss", "broken").build(None)
    assert str(caught.value) == f"loss 'broken' of zoo-one 1.0{separator}{target!r} {what}"


def test_a_module_that_fails_while_imported_names_the_plugin(
    tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "zoo_half_done.py").write_text("1/0")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(PluginError, match="'zoo_half_done:build' cannot be imported: Zero"):
        catalog((ONE, loss("broken", "zoo_half_done:build"))).get("loss", "broken").build(None)


def test_what_fails_inside_build_names_the_plugin_but_zoos_own_errors_pass() -> None:
    def fails(context: object) -> None:
        raise IndexError("no such layer\nand more")

    def refuses(context: object) -> None:
        raise ZooError("weights: expected 10 numbers")

    both = catalog((ONE, loss("fails", fails)), (ONE, loss("refuses", refuses)))
    with pytest.raises(PluginError) as caught:
        both.get("loss", "fails").build(None)
    assert str(caught.value) == (
        "loss 'fails' of zoo-one 1.0 failed to build: IndexError: no such layer"
    )
    with pytest.raises(ZooError, match=r"^weights: expected 10 numbers$"):
        both.get("loss", "refuses").build(None)


def test_a_build_that_cannot_serve_is_refused_by_name() -> None:
    def build(context: object, **options: object) -> None: ...

    with pytest.raises(PluginError) as caught:
        _ = catalog((ONE, loss("open", build))).get("loss", "open").options
    assert str(caught.value) == (
        "loss 'open' of zoo-one 1.0: build takes **options; name each option as a keyword-only "
        "parameter"
    )
