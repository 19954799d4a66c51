"""Whatever changes a registry is killed at every call to the system: nothing listed is wrong,
nothing acknowledged is lost, and the same action works afterwards."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from actions import ACTIONS, template
from judge import acknowledged, looked, lost, mended, wrong
from os_calls import intercepted

from zoo.registry.store import Registry

OPENING = ("open", "close")
HERE = Path(__file__).parent
PYTHON = {
    **os.environ,
    "PYTHONPATH": os.pathsep.join([str(HERE.parent), os.environ.get("PYTHONPATH", "")]),
    "PYTHONDONTWRITEBYTECODE": "1",
}
# How often each action is killed at least, so that a proof that kills nothing is seen.
POINTS = {"found": 40, "publish first": 120, "publish": 90, "alias": 40, "yank": 40, "gc": 40,
          "repair": 90}  # fmt: skip


def kill_points(root, action, step, *control):
    command = [sys.executable, str(HERE / "kill_points.py"), str(root), action, str(step), *control]
    done = subprocess.run(
        command, capture_output=True, text=True, check=False, timeout=600, env=PYTHON
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.timeout(600)
@pytest.mark.parametrize("action", ACTIONS)
@pytest.mark.parametrize("every", ["some", pytest.param("every", marks=pytest.mark.slow)])
def test_killed_before_every_call(place, action, every):
    step = 4 if every == "some" and action not in ("publish", "alias") else 1
    result = kill_points(place / "registry", action, step)
    print(f"{action}: {result['points']} kills, {result['listed_early']} past the commit")
    assert result["problems"] == []
    assert result["points"] > POINTS[action] // step
    # Killed past the commit: it is there, and whole.
    assert (result["listed_early"] > 0) == (action in ("publish first", "publish", "alias", "yank"))


@pytest.mark.timeout(600)
def test_a_record_that_comes_before_its_files_is_seen(place):
    """The negative control."""
    problems = kill_points(place / "registry", "publish first", 4, "record_first")["problems"]
    assert any("it is missing; needed by" in problem for problem in problems)


CHANGING = (
    "mkdir,mkdirat,link,linkat,rename,renameat,renameat2,unlink,unlinkat,rmdir,write,pwrite64,"
    "fsync,fdatasync,chmod,fchmod,fchmodat,ftruncate,flock,utimensat"
)
STRACE = shutil.which("strace")
needs_strace = pytest.mark.skipif(STRACE is None, reason="strace is not installed")


def traced(root, action, *inject):
    command = [
        STRACE, "-f", "-qq", "-e", f"trace={CHANGING},umask", "-e", "signal=none", *inject,
        "-o", str(root.parent / "trace"),
        sys.executable, str(HERE / "act_once.py"), str(root), action,
    ]  # fmt: skip
    done = subprocess.run(
        command, capture_output=True, text=True, check=False, timeout=60, env=PYTHON
    )
    return done, (root.parent / "trace").read_text().splitlines()


def calls_of(root, action):
    """(name, which of that name in the process) of each changing call of an action, as the kernel
    saw them."""
    done, trace = traced(root, action)
    assert done.returncode == 0, done.stderr
    names = [re.sub(r"^\d+ +", "", line).partition("(")[0] for line in trace]
    begin, end = (number for number, name in enumerate(names) if name == "umask")
    return [(names[i], names[: i + 1].count(names[i])) for i in range(begin + 1, end)]


def killed_by_strace(place, action, step):
    """(points, problems) of an action killed by the kernel's side of every ``step``-th call."""
    first, root = place / "template", place / "registry"
    allowed = frozenset(one.path for one in looked(template(action, first)).errors)
    before = acknowledged(first)

    def fresh():
        shutil.rmtree(root, ignore_errors=True)
        if first.exists():
            shutil.copytree(first, root)

    fresh()
    calls = calls_of(root, action)[::step]
    problems = []
    for name, which in calls:
        fresh()
        done, _ = traced(root, action, "-e", f"inject={name}:signal=KILL:when={which}")
        assert done.returncode in (-9, 137), (name, which, done.returncode, done.stderr)
        after = Registry.at(root)
        found = wrong(after, allowed) + lost(root, before)
        ACTIONS[action].act(Registry.at(root))
        found += wrong(after) + mended(after)
        problems += [f"killed at {name} {which}: {one}" for one in found]
    return len(calls), problems


@needs_strace
@pytest.mark.parametrize("action", ["publish", "gc"])
def test_killed_by_the_kernel_at_some_calls(place, action):
    points, problems = killed_by_strace(place, action, 12)
    assert problems == []
    assert points >= 2


@needs_strace
@pytest.mark.slow
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("action", ACTIONS)
def test_killed_by_the_kernel_at_every_call(place, action):
    points, problems = killed_by_strace(place, action, 1)
    print(f"{action}: {points} points")
    assert problems == []
    assert points >= 10


@needs_strace
@pytest.mark.parametrize("action", ACTIONS)
def test_no_call_escapes_the_shim(place, action):
    """What the kernel sees of an action is what is counted in the process."""
    template(action, place / "registry")
    if (place / "registry").exists():
        shutil.copytree(place / "registry", place / "other")
    kernel = [re.sub("at2?$", "", name) for name, _ in calls_of(place / "registry", action)]
    seen = [name for name in kernel if name != "flock"]
    counted = []
    with intercepted(lambda count, name, args, call: (counted.append(name), call())[1]):
        ACTIONS[action].act(Registry.at(place / "other"))
    changing = [name.replace("replace", "rename") for name in counted if name not in OPENING]
    assert seen == changing
