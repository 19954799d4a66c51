"""The contract check: what it finds, whom it names, and that it goes on after a failure."""

import pytest
import torch
from broken_plugin import ANYTHING, PLUGIN, problems

import zoo
from zoo.errors import PluginError
from zoo.plugins import checks
from zoo.plugins.catalog import Catalog
from zoo.plugins.checks import check_loaded
from zoo.plugins.loading import Loaded, Problem


def test_an_unknown_plugin_is_named_with_the_nearest():
    with pytest.raises(PluginError) as caught:
        zoo.check_plugin("zoo-basic")
    assert str(caught.value) == (
        "plugin 'zoo-basic' is not installed (did you mean 'zoo-basics'?); see: zoo plugins list"
    )


def test_a_plugin_that_does_not_load_fails_with_the_reason(monkeypatch):
    problem = Problem(PLUGIN, "unknown hook 'register_loses'")
    monkeypatch.setattr(checks, "catalog", lambda: Catalog([], [problem]))
    for name in ("broken", "zoo-broken", "Zoo_Broken"):
        with pytest.raises(PluginError) as caught:
            zoo.check_plugin(name)
        assert str(caught.value) == str(problem)


def test_all_problems_come_at_once_each_naming_its_component():
    specs = [
        zoo.SamplerSpec(
            name="far", build=lambda ctx: lambda g: torch.tensor([ctx.length]), summary="s"
        ),
        zoo.SchedulerSpec(name="odd", build=lambda ctx: None, **ANYTHING),
    ]
    with pytest.raises(PluginError) as caught:
        check_loaded(Loaded(PLUGIN, tuple(specs)), {})
    lines = str(caught.value).splitlines()
    assert [line.partition(" of ")[0] for line in lines[:2]] == ["sampler 'far'"] * 2
    assert lines[0].endswith("no source: name the paper, book or library it comes from")
    assert lines[-1].startswith("scheduler 'odd' of zoo-broken 1.0: it gives None; expected (")


def test_what_a_build_raises_is_reported_and_the_rest_still_checked():
    def fails(ctx):
        raise KeyError("nope")

    def picky(ctx, *, needed: int):
        return None

    found = problems(
        zoo.LossSpec(name="fails", build=fails, **ANYTHING),
        zoo.LossSpec(name="missing", build="no_such_package:loss", **ANYTHING),
        zoo.LossSpec(name="picky", build=picky, **ANYTHING),
    )
    assert found == [
        "failed to build: KeyError: 'nope'",
        "'no_such_package:loss' cannot be imported: ModuleNotFoundError: No module named "
        "'no_such_package'",
        "needed: missing; expected int",
    ]


def test_trackers_must_be_callable():
    good = zoo.TrackerSpec(name="good", build=lambda ctx: print, **ANYTHING)
    bad = zoo.TrackerSpec(name="bad", build=lambda ctx: ctx.folder, **ANYTHING)
    assert problems(good) == []
    assert "expected a callable (event) -> None" in problems(bad)[0]
