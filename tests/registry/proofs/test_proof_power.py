"""The power is cut after every operation: nothing listed is wrong, nothing acknowledged is lost."""

import pytest
from power import judge, killed_and_cut, life
from power_states import final, states

from zoo.storage import commit

SEEDS = (1, 2, 3)


@pytest.fixture(scope="module")
def lived(tmp_path_factory):
    return life(tmp_path_factory.mktemp("life"))


def test_the_trace_is_what_happened(lived):
    """All operations together make what is on the disk: nothing went by the recorder."""
    ops, root = lived
    there = {
        str(path.relative_to(root)): path.read_bytes() for path in root.rglob("*") if path.is_file()
    }
    there.pop("weights")
    assert final(ops).files == there
    assert len(ops) > 400


def test_some_states(lived, place):
    done = judge(states(lived[0], seed=0, draws=1), place)
    assert (done.invalid, done.lost, done.examples) == (0, 0, [])
    assert done.states > 400
    assert done.worked > 15


@pytest.mark.slow
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("seed", SEEDS)
def test_all_states(lived, place, seed):
    done = judge(states(lived[0], seed, draws=12), place)
    print(f"seed {seed}: {done}")
    assert (done.invalid, done.lost, done.examples) == (0, 0, [])
    assert done.states >= 2000


@pytest.mark.parametrize("step", [3, pytest.param(1, marks=pytest.mark.slow)])
def test_what_goes_on_after_a_kill_is_durable(place, step):
    """Whoever goes on with folders that a killed process made and did not sync, syncs them."""
    kills, problems = killed_and_cut(place, step)
    assert problems == []
    assert kills > 100 // step


def test_without_the_sync_of_what_is_there_already_it_is_seen(place, monkeypatch):
    """The negative control of the one before."""
    monkeypatch.setattr(commit, "_sync_parent_of_existing", lambda folder: None)
    _, problems = killed_and_cut(place, 2)
    assert any("lost" in problem for problem in problems)


@pytest.mark.parametrize(("without", "seen"), [("files_sync", "invalid"), ("folders_sync", "lost")])
def test_without_a_sync_it_is_seen(lived, place, without, seen):
    """The negative controls."""
    some = list(states(lived[0], seed=0, draws=1, **{without: False}))[::12]
    done = judge(some, place, working=False)
    assert getattr(done, seen) > 10


@pytest.mark.slow
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("without", ["files_sync", "folders_sync"])
def test_how_many_states_are_wrong_without_a_sync(lived, place, without):
    done = judge(states(lived[0], 1, draws=4, **{without: False}), place, working=False)
    print(f"without {without}: {done}")
    assert done.invalid + done.lost > 100
