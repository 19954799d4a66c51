"""Every event is in the log and with the trackers, also what is told before the training; and a run
that learns nothing does not pass for one."""

import json

import pytest

import zoo
from zoo.errors import TrainingError
from zoo.plugins import loading
from zoo.plugins.catalog import catalog
from zoo.plugins.loading import Loaded, Plugin
from zoo.runs import building
from zoo.runs.folder import find_run
from zoo.training import events

RECIPE = {
    "dataset": {"name": "digits"},
    "architecture": {"name": "linear"},
    "training": {"threads": 1, "device": "cpu"},
}
TOLD = []


@pytest.fixture
def tracker(monkeypatch):
    """A tracker that keeps what it hears in ``TOLD`` is installed."""
    found, problems = loading.load_all()
    spec = zoo.TrackerSpec(name="ear", build=lambda context: TOLD.append, summary="for tests")
    extra = Loaded(Plugin("ears", "zoo-ears", "1"), (spec,))
    monkeypatch.setattr(loading, "load_all", lambda: ([*found, extra], problems))
    catalog.cache_clear()
    TOLD.clear()
    yield
    catalog.cache_clear()


def written(path):
    return [json.loads(line) for line in (path / "events.jsonl").read_text().splitlines()]


def as_written(told):
    return [json.loads(json.dumps(event.as_json())) for event in told]


def test_the_log_and_trackers_have_all_that_is_told(here, tracker):
    heard, again = [], []
    recipe = {**RECIPE, "trackers": [{"name": "ear"}]}
    changes = {"training.epochs": 1, "training.ema": 0.9}
    run = zoo.train(recipe, folder=here / "a", overrides=changes, subscribers=[heard.append])
    assert {events.Notice, events.ClassShares, events.TrainingEnded} <= {type(one) for one in heard}
    assert written(run.path) == as_written(heard)
    assert heard == TOLD
    TOLD.clear()
    zoo.resume(run.path, epochs=2, subscribers=[again.append])
    assert events.ClassShares in {type(one) for one in again}
    assert sorted(map(str, again)) == sorted(map(str, TOLD))
    assert written(run.path) == as_written([*heard[:-1], *again])


@pytest.mark.parametrize(("evaluate", "said"), [("best", 1), ("last", 1), ("ema", 0)])
def test_an_average_that_is_not_measured_is_told(evaluate, said, here):
    heard = []
    changes = {"training.epochs": 1, "training.ema": 0.9, "training.evaluate": evaluate}
    zoo.train(RECIPE, folder=here / "a", overrides=changes, subscribers=[heard.append])
    texts = [one.text for one in heard if isinstance(one, events.Notice)]
    expected = (
        "training.ema = 0.9: the average is kept in checkpoints only; to measure and keep it add "
        "--set training.evaluate=ema"
    )
    assert texts.count(expected) == said


@pytest.mark.parametrize("skip", ["stop", "skip"])
@pytest.mark.parametrize(
    ("epochs", "said"),
    [
        (1, "not one update was made in 21 steps: "),
        (3, "the gradients were not finite in step 37 "),
    ],
)
def test_fp16_that_never_updates_fails(epochs, said, skip, here, monkeypatch):
    """The loss is finite and its gradient is not, whatever the scale."""
    real = building.loss

    def loss(*given):
        good = real(*given)
        return lambda logits, targets: good(logits, targets) + (logits * 0).abs().sqrt().sum()

    monkeypatch.setattr(building, "loss", loss)
    changes = {
        "training.precision": "fp16", "training.on_nonfinite": skip, "training.epochs": epochs,
    }  # fmt: skip
    with pytest.raises(TrainingError, match=said):
        zoo.train(RECIPE, folder=here / "a", overrides=changes)
    info = find_run(here / "a").info
    assert info["status"] == "failed" and said in info["reason"]
