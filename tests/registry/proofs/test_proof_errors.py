"""Every call to the system fails, once or from then on: nothing listed is wrong, nothing
acknowledged is lost, and the failure is one line."""

import contextlib
import errno

import pytest
from actions import ACTIONS
from failing import refused_everywhere

from zoo.errors import StorageError
from zoo.registry import publishing
from zoo.registry.places.folder_tree import FolderTree

WAYS = {
    "EIO once": (errno.EIO, False),
    "EIO from then on": (errno.EIO, True),
    "ENOSPC once": (errno.ENOSPC, False),
    "ENOSPC from then on": (errno.ENOSPC, True),
}
STEP = 9


@pytest.mark.parametrize("way", ["EIO once", "ENOSPC from then on"])
@pytest.mark.parametrize("action", ACTIONS)
def test_some_calls_are_refused(place, action, way):
    code, forever = WAYS[way]
    points, _, problems = refused_everywhere(place, action, code, forever=forever, step=STEP)
    assert problems == []
    assert points >= 2


@pytest.mark.slow
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("action", ACTIONS)
def test_every_call_is_refused(place, action, way):
    code, forever = WAYS[way]
    points, done, problems = refused_everywhere(place, action, code, forever=forever)
    print(f"{action}, {way}: {points} refused, done all the same {done}")
    assert problems == []
    assert points > 10


def test_a_publisher_that_does_not_mind_is_seen(place, monkeypatch):
    """The negative control: a file that could not be kept is named all the same."""
    kept = FolderTree.keep

    def keep(self, staged):
        with contextlib.suppress(StorageError):
            kept(self, staged)

    monkeypatch.setattr(publishing, "_keep_again", lambda *args: None)
    monkeypatch.setattr(FolderTree, "keep", keep)
    _, _, problems = refused_everywhere(place, "publish", errno.ENOSPC, forever=False)
    assert any("it is missing; needed by" in problem for problem in problems)
