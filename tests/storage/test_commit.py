"""Whole or not there, one line when it fails, nothing left behind."""

import errno
import hashlib
import os
import stat
from pathlib import Path

import pytest

from zoo.errors import StorageError
from zoo.storage import commit

CALLS = ("open", "write", "chmod", "fsync", "close", "replace", "link", "mkdir")


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def fail_at(monkeypatch, point, code):
    """Make the ``point``-th of the calls fail; returns the list of calls made."""
    made = []

    def wrap(name, real):
        def call(*args, **kwargs):
            made.append(name)
            if len(made) == point:
                if name == "close":
                    real(*args)
                raise OSError(code, os.strerror(code))
            return real(*args, **kwargs)

        return call

    for name in CALLS:
        monkeypatch.setattr(os, name, wrap(name, getattr(os, name)))
    return made


def test_write_replaces_and_is_readable(tmp_path):
    path = tmp_path / "file.json"
    old = os.umask(0o077)
    try:
        commit.write(path, b"one")
        commit.write(path, b"two")
    finally:
        os.umask(old)
    assert path.read_bytes() == b"two"
    assert stat.S_IMODE(path.stat().st_mode) == 0o644
    assert names(tmp_path) == ["file.json"]


def test_write_takes_what_the_system_writes_in_part(tmp_path, monkeypatch):
    real = os.write
    monkeypatch.setattr(os, "write", lambda fd, data: real(fd, bytes(data[:3])))
    commit.write(tmp_path / "file", b"0123456789")
    assert (tmp_path / "file").read_bytes() == b"0123456789"


def test_create_never_overwrites(tmp_path):
    path = tmp_path / "1.json"
    commit.create(path, b"first")
    with pytest.raises(FileExistsError):
        commit.create(path, b"second")
    assert path.read_bytes() == b"first"
    assert path.stat().st_nlink == 1
    assert names(tmp_path) == ["1.json"]


def test_create_knows_its_own_link_when_the_answer_was_lost(tmp_path, monkeypatch):
    real = os.link

    def nfs_link(source, target):
        real(source, target)
        raise FileExistsError(errno.EEXIST, "File exists")

    monkeypatch.setattr(os, "link", nfs_link)
    commit.create(tmp_path / "1.json", b"ours")
    assert (tmp_path / "1.json").read_bytes() == b"ours"


def test_create_without_hard_links_says_so(tmp_path, monkeypatch):
    def link(source, target):
        raise OSError(errno.EOPNOTSUPP, "Operation not supported")

    monkeypatch.setattr(os, "link", link)
    path = tmp_path / "1.json"
    with pytest.raises(StorageError) as caught:
        commit.create(path, b"data")
    assert str(caught.value) == (
        f"cannot write {str(path)!r}: its file system has no hard links, without which nothing "
        f"keeps two writers apart; choose a folder on another file system"
    )
    assert names(tmp_path) == []


def test_replace_with_keeps_the_suffix_and_opens_the_mode(tmp_path):
    def write(path: Path) -> None:
        assert path.suffix == ".npz"
        path.write_bytes(b"data")
        path.chmod(0o600)

    commit.replace_with(tmp_path / "a.npz", write)
    assert (tmp_path / "a.npz").read_bytes() == b"data"
    assert stat.S_IMODE((tmp_path / "a.npz").stat().st_mode) == 0o644
    assert names(tmp_path) == ["a.npz"]


def test_replace_with_a_writer_that_fails_leaves_the_old_file(tmp_path):
    def write(path: Path) -> None:
        path.write_bytes(b"half")
        raise ValueError("no")

    (tmp_path / "a").write_bytes(b"old")
    with pytest.raises(ValueError, match="no"):
        commit.replace_with(tmp_path / "a", write)
    assert (tmp_path / "a").read_bytes() == b"old"
    assert names(tmp_path) == ["a"]


@pytest.mark.parametrize("action", ["write", "create", "replace_with"])
@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EIO, errno.EROFS, errno.EACCES])
def test_a_failure_at_any_call_is_one_line_and_leaves_nothing(tmp_path, monkeypatch, action, code):
    path = tmp_path / "file"

    def act():
        if action == "write":
            commit.write(path, b"new")
        elif action == "create":
            commit.create(path, b"new")
        else:
            commit.replace_with(path, lambda place: place.write_bytes(b"new"))

    point = 0
    while True:
        point += 1
        path.unlink(missing_ok=True)
        if action != "create":
            path.write_bytes(b"old")
        with monkeypatch.context() as patched:
            made = fail_at(patched, point, code)
            try:
                act()
            except StorageError as error:
                assert str(path) in str(error)
                assert "\n" not in str(error)
            else:
                assert len(made) < point  # no call was left to fail
                break
        assert set(names(tmp_path)) <= {"file"}
        if path.exists():
            assert path.read_bytes() in (b"old", b"new")
        else:
            assert action == "create"
    assert point > 7


def test_a_failed_fsync_is_not_repeated(tmp_path, monkeypatch):
    calls = []

    def fsync(descriptor):
        calls.append(descriptor)
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(os, "fsync", fsync)
    with pytest.raises(StorageError, match="the disk reports an error"):
        commit.write(tmp_path / "file", b"data")
    assert len(calls) == 1
    assert names(tmp_path) == []


@pytest.mark.parametrize(
    ("code", "what"),
    [
        (errno.ENOSPC, "the disk is full; free some space, then repeat the command"),
        (errno.EROFS, "the file system is read-only; choose a folder that can be written"),
        (errno.EACCES, "permission denied; ask the folder's owner, or choose another folder"),
    ],
)
def test_the_wording(tmp_path, monkeypatch, code, what):
    fail_at(monkeypatch, 1, code)
    with pytest.raises(StorageError) as caught:
        commit.write(tmp_path / "file", b"")
    assert str(caught.value) == f"cannot write {str(tmp_path / 'file')!r}: {what}"


def test_make_folder_syncs_the_parent_of_each_new_one(tmp_path, monkeypatch):
    synced = []
    real = commit.sync_folder

    def sync(folder):
        synced.append(folder)
        real(folder)

    monkeypatch.setattr(commit, "sync_folder", sync)
    commit.make_folder(tmp_path / "a" / "b")
    # The parent of the innermost existing folder too: who made it may have died before syncing it.
    assert synced == [tmp_path.parent, tmp_path, tmp_path / "a"]
    commit.make_folder(tmp_path / "a" / "b")


def test_make_folder_where_a_file_is(tmp_path):
    (tmp_path / "a").write_bytes(b"")
    with pytest.raises(StorageError, match="a file of that name is there"):
        commit.make_folder(tmp_path / "a")
    with pytest.raises(StorageError, match="a file of that name is there"):
        commit.make_folder(tmp_path / "a" / "b")


def test_copy_hashed(tmp_path):
    source = tmp_path / "source"
    data = os.urandom(3_000_000)
    source.write_bytes(data)
    for given in (source, data):
        staged = commit.copy_hashed(given, tmp_path)
        assert staged.sha256 == hashlib.sha256(data).hexdigest()
        assert staged.size == len(data)
        assert staged.path.read_bytes() == data
        assert stat.S_IMODE(staged.path.stat().st_mode) == 0o444
        commit.adopt(staged, tmp_path / "target")
        commit.discard(staged)
    assert names(tmp_path) == ["source", "target"]


def make_symlink(path):
    (path.parent / "real").write_bytes(b"x")
    path.symlink_to("real")


def make_hard_link(path):
    (path.parent / "real").write_bytes(b"x")
    path.hardlink_to(path.parent / "real")


def make_huge(path):
    with path.open("wb") as stream:
        stream.truncate(1 << 40)


@pytest.mark.parametrize(
    ("make", "what"),
    [
        (make_symlink, "it is a symbolic link; give the file itself"),
        (make_hard_link, "has hard links, so others may change it; give a copy"),
        (lambda path: path.mkdir(), "is not a regular file; give the file itself"),
        (os.mkfifo, "is not a regular file; give the file itself"),
        (make_huge, "at most 17179869184 are taken"),
        (lambda path: None, "no such file or folder"),
    ],
    ids=["symlink", "hardlink", "folder", "fifo", "huge", "missing"],
)
def test_copy_hashed_refuses(tmp_path, make, what):
    place = tmp_path / "staging"
    place.mkdir()
    source = tmp_path / "source"
    make(source)
    with pytest.raises(StorageError) as caught:
        commit.copy_hashed(source, place)
    assert str(caught.value).endswith(what)
    assert repr(str(source)) in str(caught.value)
    assert names(place) == []


def test_copy_hashed_refuses_a_file_that_grows(tmp_path, monkeypatch):
    source = tmp_path / "source"
    source.write_bytes(b"0" * 100)
    real = os.read

    def read(descriptor, size):
        data = real(descriptor, size)
        if data:
            with source.open("ab") as stream:
                stream.write(b"1")
        return data

    monkeypatch.setattr(os, "read", read)
    with pytest.raises(StorageError):
        commit.copy_hashed(source, tmp_path, limit=1000)
    assert names(tmp_path) == ["source"]
