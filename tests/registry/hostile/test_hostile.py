"""Hostile content through ``show``, ``load``, ``pull`` and ``verify``: refused in one line, or
provably harmless; in time, in memory, and without a trace anywhere else."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hostile_controls import GUARDS, MISBEHAVING
from hostile_named import named

RUNNER = Path(__file__).with_name("hostile_runner.py")
SEED, QUICK, ALL = 20261128, 400, 20_000
NAMES = [case.name for case in named() if case.quick]
EVERY = [case.name for case in named()]
pytestmark = pytest.mark.timeout(900)  # processors may be busy


def run(*arguments: object) -> Any:
    """What the runner tells, which does its work in processes of its own."""
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    command = [sys.executable, str(RUNNER), *map(str, arguments)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    return json.loads(done.stdout)


def gathered(batches: list[dict[str, Any]]) -> dict[str, Any]:
    """The results by name, and what is said of their processes."""
    assert [batch["wrong"] for batch in batches if batch["wrong"]] == []
    return {one["name"]: one for batch in batches for one in batch["results"]}


@pytest.fixture(autouse=True)
def cache() -> None:
    """None of a test's own: the work is done elsewhere, and there are thousands of tests."""


@pytest.fixture(autouse=True)
def gate_in_process() -> None:
    """As :func:`cache`."""


@pytest.fixture(scope="module")
def told() -> Any:
    return run("quick", SEED, 0, QUICK)


@pytest.fixture(scope="module")
def of_named(told: Any) -> dict[str, Any]:
    return gathered(told["named"])


def test_there_are_as_many_as_are_promised() -> None:
    assert len(EVERY) == len(set(EVERY)) > len(NAMES) >= 300


@pytest.mark.parametrize("name", NAMES)
def test_named(of_named: dict[str, Any], name: str) -> None:
    assert of_named[name]["wrong"] == []


@pytest.mark.slow
def test_every_named_one() -> None:
    batches = run("named")["named"]
    results = gathered(batches)
    assert set(results) == set(EVERY)
    assert [one["wrong"] for one in results.values() if one["wrong"]] == []
    tell(f"{len(results)} named cases", batches)


def test_most_named_ones_are_refused_by_all(of_named: dict[str, Any]) -> None:
    """A harness that changes nothing would find all commands content."""
    refused = sum(len(one["refused"]) for one in of_named.values())
    taken = sum(len(one["taken"]) for one in of_named.values())
    assert refused > 2 * taken > 1000


def test_mutations(told: Any) -> None:
    check(told["mutations"], QUICK)


@pytest.mark.slow
@pytest.mark.timeout(7200)
def test_all_mutations() -> None:
    check(run("mutations", SEED, 0, ALL)["mutations"], ALL)


def check(batches: list[dict[str, Any]], count: int) -> None:
    results = gathered(batches)
    assert len(results) == count
    assert [one["wrong"] for one in results.values() if one["wrong"]] == []
    refused = sum(len(one["refused"]) for one in results.values())
    taken = sum(len(one["taken"]) for one in results.values())
    assert refused > taken > count / 4
    tell(f"{count} mutations of seed {SEED}", batches)


def tell(what: str, batches: list[dict[str, Any]]) -> None:
    """The figures of docs/reliability.md, for ``pytest -s``."""
    results = [one for batch in batches for one in batch["results"]]
    above = [batch["memory"] - max(one["largest"] for one in batch["results"]) for batch in batches]
    print(
        f"{what}: {sum(len(one['refused']) for one in results)} commands refused, "
        f"{sum(len(one['taken']) for one in results)} content; at most "
        f"{max(one['seconds'] for one in results):.2f} s of the processor, and "
        f"{max(above) >> 20} MB above the largest file"
    )


@pytest.mark.parametrize("guard", GUARDS)
def test_without_a_guard_it_is_seen(told: Any, guard: str) -> None:
    control = GUARDS[guard]
    results = [one for batch in told[guard] for one in batch["results"]]
    assert [one["name"] for one in results] == list(control.cases)
    for one in results:
        assert any(control.says in said for said in one["wrong"]), one


@pytest.mark.parametrize("what", MISBEHAVING)
def test_a_command_that_misbehaves_is_seen(told: Any, what: str) -> None:
    (batch,) = told["misbehaving"]
    (found,) = (one for one in batch["results"] if one["name"] == what)
    assert any(MISBEHAVING[what][2] in said for said in found["wrong"]), found


def test_memory_is_seen(told: Any) -> None:
    (batch,) = told["greedy"]
    (said,) = batch["wrong"]
    assert "its largest file has 0" in said


def test_a_process_that_ends_is_seen(told: Any) -> None:
    (batch,) = told["dying"]
    (said,) = batch["wrong"]
    assert "its process ended with status 7 after {'begins': 'dies of a signal'}" in said
