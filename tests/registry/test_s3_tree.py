"""Files in a bucket: put, refused, read no further than a limit, whatever the network does."""

import io
import subprocess
import sys

import pytest
import s3_server
from s3_server import refuse

from zoo.errors import RegistryError, StorageError
from zoo.registry import layout
from zoo.registry.places.s3_tree import S3Tree


@pytest.fixture
def store(monkeypatch):
    with s3_server.store(monkeypatch) as one:
        yield one


@pytest.fixture
def tree(store):
    return store.tree()


def test_what_is_put_is_read(tree):
    tree.create("models/a/versions/1.json", b"one")
    tree.replace("models/a/head.json", b"old")
    tree.replace("models/a/head.json", b"new")
    assert tree.read("models/a/versions/1.json", 3) == b"one"
    assert tree.read("models/a/head.json", 3) == b"new"
    assert tree.read("models/a/state/1.json", 3) is None
    assert tree.exists("models/a/head.json")
    assert not tree.exists("models/a")
    assert sorted(tree.names("models/a")) == ["head.json", "versions"]
    assert tree.names("models") == ["a"]
    assert tree.names("catalog") == []


def test_another_folder_of_the_bucket_is_another_registry(store, tree):
    store.tree(url=f"s3://{store.bucket}/team/zoo-2").create("models/a/versions/1.json", b"x")
    assert tree.names("models") == []
    assert tree.read("models/a/versions/1.json", 1) is None


def test_nothing_is_put_where_something_is(tree):
    tree.create("x.json", b"first")
    with pytest.raises(FileExistsError):
        tree.create("x.json", b"second")
    assert tree.read("x.json", 10) == b"first"


def test_a_small_file_is_read_up_to_its_limit(store, tree):
    tree.replace("head.json", b"x" * 11)
    with pytest.raises(StorageError) as caught:
        tree.read("head.json", 10)
    assert str(caught.value) == (
        f"{store.url}/head.json is longer than 10 bytes; it is none of zoo's"
    )


@pytest.mark.parametrize("size", [0, 1, 20 << 20])  # the last one in parts
def test_a_blob_is_kept_and_fetched(tree, size):
    staged = tree.stage(bytes(size))
    assert (staged.size, staged.path.stat().st_size) == (size, size)
    tree.keep(staged)
    tree.discard(staged)
    assert not staged.path.parent.exists()
    into, seen = io.BytesIO(), []
    tree.fetch(layout.blob(staged.sha256), size, into, seen.append)
    assert into.getvalue() == bytes(size)
    assert sum(seen) == size


def test_a_blob_that_is_wrong_in_the_bucket_is_healed(tree):
    staged = tree.stage(b"right")
    tree.replace(layout.blob(staged.sha256), b"wrong")
    tree.keep(staged)
    tree.discard(staged)
    assert tree.read(layout.blob(staged.sha256), 10) == b"right"


def test_a_staging_that_fails_leaves_nothing(tree, tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "temporary"))
    (tmp_path / "temporary").mkdir()
    with pytest.raises(StorageError):
        tree.stage(tmp_path / "missing")
    assert list((tmp_path / "temporary").iterdir()) == []


def test_no_more_is_fetched_than_one_byte_beyond(tree):
    tree.replace("blobs/x", bytes(3 << 20))
    into = io.BytesIO()
    tree.fetch("blobs/x", 10, into, lambda _: None)
    assert len(into.getvalue()) == 11


def test_a_file_that_is_missing_is_told(store, tree):
    with pytest.raises(StorageError) as caught:
        tree.fetch("blobs/x", 10, io.BytesIO(), lambda _: None)
    assert str(caught.value) == f"'{store.url}/blobs/x' is missing"


def test_a_download_that_breaks_off_goes_on_where_it_was(store, tree):
    data = bytes(range(256)) * 4096
    tree.replace("blobs/x", data)
    ranges = []

    def cut(environ, start, moto):
        ranges.append(environ.get("HTTP_RANGE"))
        body = b"".join(moto(environ, start))
        return [body[: len(body) // 2]] if len(ranges) < 4 else [body]

    store.fault = cut
    into = io.BytesIO()
    tree.fetch("blobs/x", len(data), into, lambda _: None)
    assert into.getvalue() == data
    assert len(ranges) == 4
    assert all(one.startswith("bytes=") for one in ranges[1:])


def lost(times):
    """What is to be put is put, and the answer is an error."""

    def fault(environ, start, moto):
        nonlocal times
        if environ["REQUEST_METHOD"] == "PUT" and times:
            times -= 1
            moto(environ, lambda *_: None)
            return refuse("500 Internal Server Error", "InternalError")(environ, start, moto)
        return moto(environ, start)

    return fault


@pytest.mark.parametrize("times", [1, 99])
def test_a_create_whose_answer_was_lost_is_known_as_its_own(store, tree, times):
    store.fault = lost(times)
    tree.create("x.json", b"mine")
    store.fault = None
    assert tree.read("x.json", 10) == b"mine"
    with pytest.raises(FileExistsError):
        tree.create("x.json", b"mine")


@pytest.mark.parametrize(("times", "error"), [(1, FileExistsError), (99, StorageError)])
def test_without_the_mark_of_the_writer_it_would_be_taken_for_another_s(
    store, tree, monkeypatch, times, error
):
    """The negative control: then a version would be published twice."""
    monkeypatch.setattr(S3Tree, "_writer", lambda *_: "")
    store.fault = lost(times)
    with pytest.raises(error):
        tree.create("x.json", b"mine")


def test_two_creates_of_which_both_were_refused_are_tried_again(store, tree):
    seen = []

    def conflict(environ, start, moto):
        seen.append(environ["REQUEST_METHOD"])
        if len(seen) == 1:
            return refuse("409 Conflict", "ConditionalRequestConflict")(environ, start, moto)
        return moto(environ, start)

    store.fault = conflict
    tree.create("x.json", b"mine")
    assert seen == ["PUT", "GET", "PUT"]


def test_a_store_that_always_says_conflict_ends(store, tree):
    def conflict(environ, start, moto):
        if environ["REQUEST_METHOD"] == "PUT":
            return refuse("409 Conflict", "ConditionalRequestConflict")(environ, start, moto)
        return moto(environ, start)

    store.fault = conflict
    with pytest.raises(StorageError) as caught:
        tree.create("x.json", b"mine")
    assert str(caught.value) == (
        f"cannot write '{store.url}/x.json': the store refuses it as a conflict, and nothing is "
        f"there; try again later"
    )


def ignore(environ, start, moto):
    """As a store does that knows nothing of ``If-None-Match``."""
    environ.pop("HTTP_IF_NONE_MATCH", None)
    return moto(environ, start)


def test_a_store_that_overwrites_is_not_published_to(store, tree):
    store.fault = ignore
    with pytest.raises(StorageError) as caught:
        tree.prepare(())
    assert str(caught.value) == (
        f"'{store.url}': its store overwrites what it is told to create (it ignores "
        f"If-None-Match), so nothing keeps two publishers apart; choose another store"
    )
    tree.create("x.json", b"first")
    tree.create("x.json", b"second")  # why: the first is lost
    assert tree.read("x.json", 10) == b"second"


def test_a_store_is_looked_at_once(store, tree):
    store.tree().prepare(())
    store.asked.clear()
    tree.prepare(())
    tree.prepare(())
    assert [method for method, _ in store.asked] == ["PUT", "GET"]


@pytest.mark.parametrize("url", [
    "s3://", "s3://UPPER", "s3://b", "s3://bucket/../x", "s3://bucket//x", "s3://bucket/a b",
    "s3://user:pass@bucket", "s3://bucket?x=1", "s3://bucket/x%2e", "https://bucket/x",
])  # fmt: skip
def test_an_address_is_plain(url):
    with pytest.raises(RegistryError) as caught:
        S3Tree(url)
    assert str(caught.value) == (
        f"registry {url!r}: expected s3://bucket or s3://bucket/folder, of letters, digits, "
        f"'.', '-' and '_'"
    )


def test_without_obstore_the_command_that_installs_it_is_said(monkeypatch):
    monkeypatch.setitem(sys.modules, "obstore", None)
    with pytest.raises(RegistryError) as caught:
        S3Tree("s3://bucket").names("models")
    assert str(caught.value) == (
        "registry 's3://bucket' needs obstore; install it with: pip install 'zoo[s3]'"
    )


def test_obstore_is_imported_when_something_is_asked():
    code = (
        "import sys\nfrom zoo.registry.places.s3_tree import S3Tree\nS3Tree('s3://bucket')\n"
        "sys.exit('obstore' in sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)
