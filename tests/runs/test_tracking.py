"""The recipe's trackers around a run: missing libraries first, failures never the run's end."""

import pytest

import zoo
from zoo.errors import PluginError
from zoo.plugins.catalog import Catalog
from zoo.plugins.loading import Loaded, Plugin
from zoo.recipes.schema import DEFAULT_NAMES, Choice, Recipe
from zoo.runs import tracking
from zoo.training import events

PLUGIN = Plugin("test", "zoo-test", "1.0")
FINE = events.Notice("all is well")


class Track:
    def __init__(self, context, how):
        self.context, self.how = context, how
        self.heard, self.closed = [], 0

    def __call__(self, event):
        self.heard.append(event)
        if self.how == "send":
            raise ConnectionError("gone")

    def close(self):
        self.closed += 1
        if self.how == "close":
            raise OSError("no space")


@pytest.fixture
def world(tmp_path):
    """A catalog of one tracker, the trackers it built, what was told, and how to open them."""

    class World:
        made, told = [], []

    def build(context, *, how: str = "fine"):
        if how == "build":
            raise ConnectionError("no server")
        if how == "nothing":
            return None
        World.made.append(Track(context, how))
        return World.made[-1]

    specs = (
        zoo.TrackerSpec(name="one", build=build, summary="x"),
        zoo.TrackerSpec(name="needy", build=build, summary="x", requires="no_such_module"),
    )
    World.catalog = Catalog([Loaded(PLUGIN, specs)])
    World.made, World.told = [], []

    def start(*hows, **more):
        chosen = [{"name": "one", "how": how} for how in hows]
        return tracking.trackers(recipe(chosen), tmp_path, World.catalog, World.told.append, **more)

    World.start = staticmethod(start)
    return World


def recipe(trackers):
    named = {"dataset": "digits", "architecture": "linear", **DEFAULT_NAMES}
    choices = tuple(
        Choice(name=one["name"], options={k: v for k, v in one.items() if k != "name"})
        for one in trackers
    )
    return Recipe(**{kind: {"name": name} for kind, name in named.items()}, trackers=choices)


def test_trackers_hear_and_are_closed(world, tmp_path):
    with world.start("fine", "fine") as made:
        for track in made:
            track(FINE)
    assert [one.heard for one in world.made] == [[FINE], [FINE]]
    assert [one.closed for one in world.made] == [1, 1]
    assert world.told == []
    context = world.made[0].context
    assert context.folder == tmp_path and not context.resumed
    assert context.recipe["dataset"]["name"] == "digits"


def test_a_resumed_run_says_so(world):
    with world.start("fine", resumed=True):
        assert world.made[0].context.resumed


def test_they_are_closed_too_when_the_run_fails(world):
    with pytest.raises(KeyboardInterrupt), world.start("fine"):
        raise KeyboardInterrupt
    assert world.made[0].closed == 1


def test_one_that_fails_is_named_once_and_left_out(world):
    with world.start("send", "fine") as made:
        for _ in range(3):
            for track in made:
                track(FINE)
    broken, fine = world.made
    assert len(broken.heard) == 1 and broken.closed == 1
    assert len(fine.heard) == 3
    assert [one.text for one in world.told] == [
        "tracker 'one' of zoo-test 1.0 failed: ConnectionError: gone; the run goes on without it"
    ]


def test_one_that_cannot_be_closed_is_named(world):
    with world.start("close", "fine"):
        pass
    assert [one.text for one in world.told] == [
        "tracker 'one' of zoo-test 1.0 failed: OSError: no space; the run goes on without it"
    ]
    assert world.made[1].closed == 1


def test_ctrl_c_within_a_tracker_ends_the_run(world):
    def interrupted(self, event):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt), world.start("fine") as made:
        world.made[0].__class__ = type("Interrupted", (Track,), {"__call__": interrupted})
        made[0](FINE)
    assert world.told == []


@pytest.mark.parametrize(
    ("how", "message"),
    [
        ("build", "failed to build: ConnectionError: no server"),
        ("nothing", "returned NoneType; expected a callable (event) -> None"),
    ],
)
def test_one_that_cannot_be_built_ends_it_before_training(how, message, world):
    with pytest.raises(PluginError) as caught, world.start("fine", how):
        raise AssertionError("training began")
    assert str(caught.value) == f"tracker 'one' of zoo-test 1.0 {message}"
    assert world.made[0].closed == 1


def test_a_missing_library_is_named_with_what_installs_it(world):
    tracking.require(recipe([{"name": "one"}]), world.catalog)
    with pytest.raises(PluginError) as caught:
        tracking.require(recipe([{"name": "needy"}]), world.catalog)
    assert str(caught.value) == (
        "tracker 'needy' of zoo-test 1.0: it needs no_such_module; install it with: "
        "pip install 'zoo-test[needy]'"
    )


def test_a_folder_of_that_name_is_no_library(world, tmp_path, monkeypatch):
    (tmp_path / "no_such_module").mkdir()
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(PluginError, match="it needs no_such_module"):
        tracking.require(recipe([{"name": "needy"}]), world.catalog)
    (tmp_path / "no_such_module/__init__.py").touch()
    tracking.require(recipe([{"name": "needy"}]), world.catalog)
