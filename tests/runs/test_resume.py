"""Going on with a run: to the same end, longer, after a pause, after a kill at any moment."""

import os
import signal

import pytest
from resumable import QUICK, STEPS, Killed, kill, require_same, told

import zoo
from zoo.errors import RunError
from zoo.runs.folder import RunFolder
from zoo.training import loop
from zoo.training.position import Pause


@pytest.fixture
def killed(here):
    return lambda step, **changes: kill(here / "runs/killed", step, **changes)


@pytest.fixture
def whole(here):
    return lambda **changes: zoo.train(QUICK, folder=here / "runs/whole", overrides=changes)


@pytest.mark.parametrize(("every", "gone_on_from"), [(0, 4), (5, 5), (1, 6)])
def test_it_goes_on_from_the_last_checkpoint(every, gone_on_from, killed, whole):
    changes = {"checkpoints.steps": every}
    run = killed(7, **changes)
    assert told(run, "epoch_ended")[0]["epoch"] == 1
    zoo.resume(run.path)
    assert [line["step"] for line in told(run, "resumed")] == [gone_on_from]
    require_same(whole(**changes), run)


def test_killed_in_the_first_epoch_it_goes_on_from_the_beginning(killed, whole):
    run = killed(3, **{"checkpoints.steps": 0})
    with (run.path / "events.jsonl").open("a") as stream:
        stream.write('{"event": "steps_done", "epoch": 1, "ste')  # torn by the kill
    zoo.resume(run.path)
    assert [line["step"] for line in told(run, "resumed")] == [0]
    require_same(whole(**{"checkpoints.steps": 0}), run)


def test_killed_before_it_could_say_that_it_ended(here, whole, monkeypatch):
    real = loop.ended

    def ended(run):
        if real(run):
            raise Killed

    with monkeypatch.context() as patched:
        patched.setattr(loop, "ended", ended)
        with pytest.raises(Killed):
            zoo.train(QUICK, folder=here / "runs/killed")
    run = RunFolder.open(here / "runs/killed")
    assert run.info["epochs_done"] == 3 and run.info["status"] != "finished"
    zoo.resume(run.path)
    require_same(whole(), run)


@pytest.mark.parametrize("name", ["none", "plateau", "step"])
def test_a_longer_run_is_the_one_that_was_long_from_the_start(name, here, whole):
    changes = {"scheduler.name": name, "checkpoints.steps": 0}
    short = zoo.train(QUICK, folder=here / "runs/short", overrides=changes)
    zoo.resume(short.path, epochs=5)
    require_same(whole(**changes, **{"training.epochs": 5}), short)


@pytest.mark.parametrize("name", ["cosine", "one_cycle"])
def test_a_schedule_that_spans_the_budget_cannot_be_made_longer(name, here):
    run = zoo.train(QUICK, folder=here / "runs/x", overrides={"scheduler.name": name})
    with pytest.raises(RunError) as caught:
        zoo.resume("x", epochs=5)
    message = (
        f"run 'runs/x' cannot be made longer: its schedule {name!r} spans the whole budget of 3 "
        f"epochs; train anew with --epochs 5"
    )
    assert str(caught.value) == message
    path = run.path / "recipe.toml"
    path.write_text(path.read_text().replace("epochs = 3", "epochs = 5"))
    with pytest.raises(RunError) as caught:  # nor by the back door
        zoo.resume("x")
    assert str(caught.value) == message
    path.write_text(path.read_text().replace("epochs = 5", "epochs = 3"))
    with pytest.raises(RunError, match="cannot be made shorter: its schedule"):
        zoo.resume("x", epochs=2)
    for more in (
        {},
        {"epochs": 3},
        {"max_time": "2h"},
    ):  # no advice that the next call would refuse
        with pytest.raises(RunError) as caught:
            zoo.resume("x", **more)
        assert str(caught.value) == (
            f"run 'runs/x' has 3 epochs behind it; its schedule {name!r} has come to its end; for "
            f"a longer one train anew with --epochs N, N above 3"
        )


def test_early_stopping_goes_on_to_count(killed, whole):
    changes = {"training.epochs": 9, "stopping.patience": 2, "stopping.min_delta": 10.0}
    run = killed(10, **changes)
    zoo.resume(run.path)
    assert run.info["reason"] == "early stopping" and run.info["steps"] == STEPS
    require_same(whole(**changes), run)
    with pytest.raises(RunError, match="stopped early after epoch 3: 2 epochs without a better"):
        zoo.resume(run.path, epochs=20)


def test_what_is_finished_is_left_alone(here, whole):
    run = whole()
    before = {path: path.stat().st_mtime_ns for path in run.path.rglob("*")}
    for asked, then in (
        (
            None,
            ", which is all; to make it longer type: zoo resume runs/whole --epochs N, N above 3",
        ),
        (3, "; --epochs 3 counts them too: expected more than 3"),
        (2, "; --epochs 2 counts them too: expected more than 3"),
    ):
        with pytest.raises(RunError) as caught:
            zoo.resume("whole", epochs=asked)
        assert str(caught.value) == f"run 'runs/whole' has 3 epochs behind it{then}"
    assert before == {path: path.stat().st_mtime_ns for path in run.path.rglob("*")}


def test_a_paused_run_goes_on_with_more_time(here, whole, monkeypatch):
    with monkeypatch.context() as patched:
        asked = iter(range(100))
        patched.setattr(Pause, "asked", property(lambda self: int(next(asked) >= 5)))
        run = zoo.train(QUICK, folder=here / "runs/x", overrides={"training.max_time": "2h"})
    assert (run.info["status"], run.info["reason"]) == ("finished", "time")
    assert 0 < run.info["steps"] < STEPS
    zoo.resume("x", max_time="3h")
    require_same(whole(**{"training.max_time": "3h"}), run)


def test_time_that_is_used_up_is_named(killed):
    run = killed(7, **{"training.max_time": "2h"})
    message = r"has used \d+ s of its max_time 0\.001s; for more type: zoo resume "
    with pytest.raises(RunError, match=message):
        zoo.resume(run.path, max_time="0.001s")


def test_a_signal_that_comes_too_late_is_not_heard(here):
    def late(event):
        if event.as_json()["event"] == "training_ended":
            os.kill(os.getpid(), signal.SIGTERM)

    run = zoo.train(QUICK, folder=here / "runs/x", subscribers=[late])
    assert run.info["status"] == "finished"
