"""What other systems do: a working folder that is gone, macOS's own way to sync."""

import errno
import os
from pathlib import Path

import pytest

from zoo.errors import StorageError
from zoo.storage import commit


def test_a_folder_below_one_that_is_gone(tmp_path, monkeypatch):
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()
    with pytest.raises(StorageError) as caught:
        commit.make_folder(Path("a/b"))
    assert "\n" not in str(caught.value)
    # Where the system says that even "." is none, there is no parent left to try.
    monkeypatch.setattr(Path, "is_dir", lambda self: False)
    with pytest.raises(StorageError) as caught:
        commit.make_folder(Path("a/b"))
    assert str(caught.value) == (
        "cannot make the folder 'a/b': the folder it would be in is gone; change to another"
    )


class Full:
    """fcntl of a system that has F_FULLFSYNC."""

    def __init__(self, answer=None):
        self.asked, self.answer = [], answer

    def fcntl(self, descriptor, what):
        self.asked.append(what)
        if self.answer is not None:
            raise OSError(self.answer, "no")


@pytest.mark.parametrize(
    ("answer", "synced"), [(None, 0), (errno.ENOTSUP, 2), (errno.ENOTTY, 2), (errno.EIO, None)]
)
def test_a_full_sync_where_there_is_one(tmp_path, monkeypatch, answer, synced):
    system, real, count = Full(answer), os.fsync, []
    monkeypatch.setattr(commit, "fcntl", system)
    monkeypatch.setattr(commit, "_FULL_SYNC", 51)
    monkeypatch.setattr(os, "fsync", lambda one: (count.append(one), real(one)))
    if synced is None:
        with pytest.raises(StorageError, match="the disk reports an error"):
            commit.write(tmp_path / "a", b"x")
        assert list(tmp_path.iterdir()) == [] and count == []
        return
    commit.write(tmp_path / "a", b"x")
    assert (system.asked, len(count)) == ([51, 51], synced)
