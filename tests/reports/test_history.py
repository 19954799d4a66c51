"""The log of a training as arrays: torn lines, strangers' lines, runs that went on."""

from __future__ import annotations

import json

import numpy as np
import pytest

from zoo.reports.history import read_history


def log(tmp_path, *events):
    path = tmp_path / "events.jsonl"
    lines = [one if isinstance(one, str) else json.dumps(one) for one in events]
    path.write_text("\n".join(lines), encoding="utf-8")
    return read_history(path)


def epoch(number, **changes):
    return {"event": "epoch_ended", "epoch": number, "train": {"loss": 1.0 / number},
            "val": {"loss": 2.0 / number, "accuracy": None}, "learning_rate": 0.1, "seconds": 10.0,
            "samples_per_second": 50.0, "improved": True, "memory": 1000, **changes}  # fmt: skip


def test_epochs_are_columns_in_their_order_and_what_is_missing_is_nan(tmp_path):
    found = log(tmp_path, epoch(2, memory=None), epoch(1), {"event": "training_ended", "steps": 7})
    assert found.epochs.tolist() == [1, 2]
    assert found.train["loss"].tolist() == [1.0, 0.5]
    assert found.val["loss"].tolist() == [2.0, 1.0]
    assert np.isnan(found.val["accuracy"]).all()
    assert found.memory[0] == 1000 and np.isnan(found.memory[1])
    assert found.ended == {"event": "training_ended", "steps": 7}
    assert len(found) == 2


def test_an_epoch_that_is_told_again_counts_once(tmp_path):
    """Killed between telling and saving, a run tells it again."""
    again = epoch(1, learning_rate=0.2)
    found = log(tmp_path, epoch(1), {"event": "resumed", "epoch": 1, "step": 3}, again)
    assert found.epochs.tolist() == [1]
    assert found.rate.tolist() == [0.2]
    assert found.resumed == 1


@pytest.mark.parametrize(
    "line",
    ['{"event": "epoch_ended", "epoch": 3', "[" * 100_000, "null", "\x00\xff", '{"event": 3}',
     *(json.dumps({**epoch(1), "epoch": one}) for one in (True, "4", -1, 2**70)),
     '{"event": "epoch_ended", "epoch": ' + "9" * 5000 + "}"],
)  # fmt: skip
def test_what_is_no_event_is_passed_over(tmp_path, line):
    found = log(tmp_path, epoch(1), line, epoch(2))
    assert found.epochs.tolist() == [1, 2]


@pytest.mark.parametrize("value", ["x", True, [], {}, None, 10**400])
def test_a_number_that_is_none_is_nan(tmp_path, value):
    found = log(tmp_path, epoch(1, seconds=value, learning_rate=value, train=value,
                                val={"loss": value}, memory=value))  # fmt: skip
    assert np.isnan([found.seconds[0], found.rate[0], found.val["loss"][0], found.memory[0]]).all()
    assert found.train == {}


def test_speed_is_that_between_the_signs_of_life(tmp_path):
    steps = [{"event": "steps_done", "epoch": e, "seconds": s, "samples": n}
             for e, s, n in ((1, 2.0, 20), (1, 4.0, 60), (2, 5.0, 10))]  # fmt: skip
    found = log(tmp_path, *steps, epoch(1), epoch(2))
    # 20 in the first 2 s, 40 in the next 2, and 10 in the first 5 of the second epoch, at 15 s.
    assert found.speeds.tolist() == [10.0, 20.0, 2.0]
    assert (np.diff(found.minutes) > 0).all()
    assert found.minutes[-1] == pytest.approx(15 / 60, rel=0.02)


def test_a_session_that_begins_anew_within_an_epoch_gives_no_negative_speed(tmp_path):
    steps = [{"event": "steps_done", "epoch": 1, "seconds": s, "samples": n}
             for s, n in ((4.0, 40), (1.0, 50), (2.0, 60))]  # fmt: skip
    found = log(tmp_path, *steps, epoch(1))
    assert found.speeds.tolist() == [10.0, 10.0]
