"""Mean, spread, interval and differences of rows, against numbers worked out by hand."""

from __future__ import annotations

import math

import pytest

from zoo.studies.collecting import Wanted
from zoo.studies.over_samples import Compared
from zoo.studies.schema import OF_RUN
from zoo.studies.statistics import add_statistics, difference, spread, t_interval

ACCURACY, LOSS = Wanted("accuracy", "test"), Wanted("log_loss", "test")


def runs(*values, key="test/accuracy"):
    return [
        {"seed": seed, "fold": None, "key": f"{seed}{value}", "folder": None, "predictions": {},
         "figures": {} if value is None else {key: value}, **dict.fromkeys(OF_RUN)}
        for seed, value in enumerate(values)
    ]  # fmt: skip


def test_every_figure_of_a_run_that_a_column_may_show_has_statistics(tmp_path):
    row = {"name": "a", "runs": [{**one, "best_epoch": 3} for one in runs(0.5, 0.7)]}
    add_statistics([row], None, [ACCURACY], tmp_path)
    assert {f"run/{name}" for name in OF_RUN} <= set(row["statistics"])
    assert row["statistics"]["run/best_epoch"]["mean"] == 3


def test_mean_and_interval_over_runs():
    # mean 2, standard deviation 1; t of 2 degrees at 97.5 % is 4.302653
    low, high, deviation = t_interval([1.0, 2.0, 3.0])
    assert deviation == 1.0
    assert (low, high) == pytest.approx((2 - 4.302653 / 3**0.5, 2 + 4.302653 / 3**0.5), abs=1e-5)
    assert spread([])["mean"] is None and spread([])["count"] == 0
    one = spread([0.5])
    assert (one["mean"], one["sd"], one["interval"]) == (0.5, None, None)


def rows(**values):
    found = [{"name": name, "runs": runs(*given)} for name, given in values.items()]
    return found


def test_an_interval_does_not_leave_what_a_figure_can_be(tmp_path):
    found = rows(a=(0.9, 1.0))
    add_statistics(found, None, [ACCURACY], tmp_path)
    said = found[0]["statistics"]["test/accuracy"]
    assert said["high"] == 1.0 and 0 < said["low"] < 0.9 and said["interval"] == "t"


def test_a_run_without_the_figure_is_left_out(tmp_path):
    found = rows(a=(0.9, None, 0.7))
    add_statistics(found, None, [ACCURACY], tmp_path)
    said = found[0]["statistics"]["test/accuracy"]
    assert (said["count"], said["mean"]) == (2, pytest.approx(0.8))


def test_differences_are_paired_by_seed(tmp_path):
    found = rows(a=(0.50, 0.60, 0.70), b=(0.51, 0.6101, 0.7099), c=(0.7, 0.5, 0.6))
    add_statistics(found, "a", [ACCURACY], tmp_path)
    near, apart = (row["statistics"]["test/accuracy"]["difference"] for row in found[1:])
    # Far within the spread over seeds, but the same of each.
    assert near["value"] == pytest.approx(0.01) and near["shown"] == "row"
    assert near["low"] < 0.01 < near["high"] and near["p"] < 0.001
    assert apart["shown"] is None and apart["value"] == pytest.approx(0.0)
    assert found[0]["statistics"]["test/accuracy"]["difference"] is None


def test_many_rows_need_more_for_one_of_them():
    """Holm: the same p-value among more rows."""
    base, other = (0.50, 0.61, 0.70), (0.535, 0.638, 0.737)
    for count, shown in ((1, "row"), (40, None)):
        found = rows(a=base, b=other, **{f"r{i}": (0.7, 0.5, 0.6) for i in range(count - 1)})
        add_statistics(found, "a", [ACCURACY], None)
        assert found[1]["statistics"]["test/accuracy"]["difference"]["shown"] == shown


def test_runs_and_samples_have_to_agree():
    apart, same = Compared(0.01, 0.03, 0.001), Compared(-0.01, 0.03, 0.4)
    paired = [0.02, 0.0201, 0.0199]
    assert difference(paired, True, apart, ACCURACY)["shown"] == "row"
    assert difference(paired, True, same, ACCURACY)["shown"] is None
    assert difference([0.02], False, apart, ACCURACY) == {
        "value": 0.02, "low": 0.01, "high": 0.03, "interval": "samples", "p": 0.001, "shown": "row",
    }  # fmt: skip
    assert difference([0.02], False, apart, LOSS)["shown"] == "reference"  # less is better
    alone = difference([0.02], False, None, ACCURACY)
    assert alone["interval"] is None and alone["shown"] is None and alone["p"] is None
    assert difference([], False, apart, ACCURACY) is None


def test_equal_differences_without_spread_are_no_test():
    assert difference([0.25, 0.25], True, None, ACCURACY)["p"] is None
    none = difference([0.0, 0.0], True, None, ACCURACY)
    assert none["p"] == 1.0 and none["shown"] is None
    assert math.isfinite(none["low"])


def test_an_ensemble_is_compared_with_each_run_whichever_of_them_is_the_reference(tmp_path):
    alone = rows(two=(0.9,), one=(0.6, 0.8))
    alone[0]["runs"][0]["seed"] = None
    add_statistics(other := alone[::-1], "one", [ACCURACY], tmp_path)
    said = other[1]["statistics"]["test/accuracy"]["difference"]
    assert (said["value"], said["interval"], said["shown"]) == (pytest.approx(0.2), None, None)
    add_statistics(alone, "two", [ACCURACY], tmp_path)
    said = alone[1]["statistics"]["test/accuracy"]["difference"]
    assert (said["value"], said["interval"], said["shown"]) == (pytest.approx(-0.2), None, None)


def test_a_figure_whose_predictions_are_gone_has_no_interval(tmp_path):
    (row,) = rows(a=(0.5,))
    row["runs"][0]["folder"] = "runs/gone"
    add_statistics([row], None, [ACCURACY], tmp_path)
    said = row["statistics"]["test/accuracy"]
    assert (said["mean"], said["interval"]) == (0.5, None)
