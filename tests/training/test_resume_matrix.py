"""Killed at every step and resumed, a run is the very run it would have been.

The quick suite kills one run a cell after each of its 12 updates; the sweep takes every cell and
kills a run of its own at each of 22 places.
"""

import itertools
import json
import subprocess
import sys
from pathlib import Path

import pytest
from resume_matrix import CONTROLS, FP16, OTHERS, PAIRWISE, POINTS, cells
from tiny_recipes import FACTORS, STEPS, cell_of

HERE = Path(__file__).parent


def tried(folder, *arguments, limit=600):
    command = [sys.executable, str(HERE / "resume_matrix.py"), str(folder), *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=limit)
    assert done.returncode == 0, done.stderr[-2000:]
    return json.loads(done.stdout)["results"]


def pairs(cell):
    return {(*two,) for two in itertools.combinations([(n, cell[n]) for n in FACTORS], 2)}


def test_every_pair_of_values_is_in_some_row():
    wanted = set().union(*map(pairs, cells()))
    assert set().union(*(pairs(cell_of(row)) for row in PAIRWISE)) == wanted
    assert FP16["precision"] == "fp16"


@pytest.mark.timeout(600)
def test_killed_after_every_update(tmp_path):
    results = tried(tmp_path, "pairwise")
    assert len(results) == len(PAIRWISE) + 2
    assert {name: one["problems"] for name, one in results.items() if one["problems"]} == {}
    assert {one["kills"] for one in results.values()} == {STEPS}


@pytest.mark.timeout(600)
def test_whatever_is_left_out_is_missed(tmp_path):
    results = tried(tmp_path, "controls")
    assert results.keys() == {"nothing", "seed", *CONTROLS}
    assert results.pop("nothing") == [[], None]
    for name, (differ, must) in results.items():
        assert must in differ, name


@pytest.mark.slow
@pytest.mark.timeout(7200)
def test_every_cell_killed_at_every_place(tmp_path):
    results = tried(tmp_path, "full", limit=7200)
    assert len(results) == len([*cells(), *OTHERS])
    assert {name: one["problems"] for name, one in results.items() if one["problems"]} == {}
    assert {one["kills"] for one in results.values()} == {len(POINTS)}
