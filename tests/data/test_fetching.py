"""What ``zoo data get`` does: files where the plugin wants them, once, never over the user's."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from zoo.data.download import UnreachableError
from zoo.data.fetching import get
from zoo.errors import ComponentError, DataError, PluginError
from zoo.plugins.catalog import Catalog
from zoo.plugins.families import DatasetFamily
from zoo.plugins.loading import Loaded, Plugin
from zoo.plugins.specs import DatasetSpec, RemoteFile


def silent(name, done, total):
    pass


def no_build(context, *, size: int = 1):
    raise AssertionError("getting must not build")


def dataset(fetch, **more):
    spec = DatasetSpec(name="set", build=no_build, summary="a set", fetch=fetch, **more)
    return Catalog([Loaded(Plugin("one", "zoo-one", "1.0"), (spec,))]).get("dataset", "set")


def remote(url, body, path="raw/x.bin", **more):
    return RemoteFile(url, path, hashlib.md5(body).hexdigest(), 1000, http=True, **more)


def test_files_are_brought_unpacked_and_not_brought_again(server, tmp_path):
    unpacked = []
    file = remote(server.give("/x", b"body"), b"body", unpack=unpacked.append)
    one = dataset(lambda context, *, size: [file])
    expected = [tmp_path / "root" / "raw" / "x.bin"]
    assert get(one, tmp_path / "root", {}, silent) == expected
    assert get(one, tmp_path / "root", {}, silent) == expected
    assert expected[0].read_bytes() == b"body"
    assert server.asked == ["/x"]
    assert unpacked == expected * 2


def test_fetch_gets_what_build_gets(tmp_path):
    seen = []

    def fetch(context, *, size):
        seen.append((context.root, size))
        return [remote("http://127.0.0.1:1/x", b"")]

    with pytest.raises(UnreachableError):
        get(dataset(fetch), tmp_path, {"size": 3}, silent)
    with pytest.raises(ComponentError, match="sise: unknown option"):
        get(dataset(fetch), tmp_path, {"sise": 3}, silent)
    assert seen == [(tmp_path, 3)]


def test_a_familys_fetch_gets_the_name_too(server, tmp_path):
    def fetch(context, name):
        return [remote(server.give(f"/{name}", b"body"), b"body", path=f"{name}.bin")]

    family = DatasetFamily(
        prefix="lib", names=["A", "B"], build=no_build, summary="sets", fetch=fetch
    )
    found = Catalog([Loaded(Plugin("one", "zoo-one", "1.0"), (family,))]).get("dataset", "lib/B")
    assert get(found, tmp_path, {}, silent) == [tmp_path / "B.bin"]


def test_a_file_of_the_users_is_not_overwritten(server, tmp_path):
    path = tmp_path / "raw" / "x.bin"
    path.parent.mkdir()
    path.write_bytes(b"mine")
    file = remote(server.give("/x", b"body"), b"body")
    with pytest.raises(DataError) as caught:
        get(dataset(lambda context, *, size: [file]), tmp_path, {}, silent)
    assert str(caught.value) == (
        f"{str(path)!r} has the md5 {hashlib.md5(b'mine').hexdigest()}; expected {file.md5}: it is "
        f"not the published file; move it away, then type the same command again"
    )
    assert path.read_bytes() == b"mine"


def test_without_a_network_it_says_which_files_to_put_where(tmp_path):
    files = [remote(f"http://127.0.0.1:1/{name}", b"body", path=name) for name in ("a", "b", "c")]
    (tmp_path / "b").write_bytes(b"body")
    with pytest.raises(UnreachableError) as caught:
        get(dataset(lambda context, *, size: files), tmp_path, {}, silent)
    assert str(caught.value) == (
        "'127.0.0.1:1' cannot be reached: ConnectionRefusedError: [Errno 111] Connection refused; "
        "without a network put here by other means: "
        f"http://127.0.0.1:1/a as {str(tmp_path / 'a')!r}, "
        f"http://127.0.0.1:1/c as {str(tmp_path / 'c')!r}; then type the same command again"
    )


@pytest.mark.parametrize("path", ["../x", "/x", "a/../../x", ""])
def test_a_plugin_cannot_write_beside_the_root(tmp_path, path):
    file = RemoteFile("http://127.0.0.1:1/x", path, "0" * 32, 10, http=True)
    with pytest.raises(PluginError, match="expected a path below the root"):
        get(dataset(lambda context, *, size: [file]), tmp_path / "root", {}, silent)
    assert list(tmp_path.iterdir()) == []


def test_an_archive_that_cannot_be_unpacked_is_named(server, tmp_path):
    def unpack(path: Path) -> None:
        raise EOFError("too short")

    file = remote(server.give("/x", b"body"), b"body", unpack=unpack)
    with pytest.raises(DataError) as caught:
        get(dataset(lambda context, *, size: [file]), tmp_path, {}, silent)
    assert str(caught.value) == (
        f"dataset 'set' of zoo-one 1.0: {str(tmp_path / 'raw/x.bin')!r} cannot be unpacked: "
        f"EOFError: too short"
    )


def test_a_dataset_that_names_no_files_says_what_it_needs(tmp_path):
    with pytest.raises(ComponentError) as caught:
        get(dataset(None, needs_root=True, files="a.csv and its images"), tmp_path, {}, silent)
    assert str(caught.value) == (
        "dataset 'set': zoo knows no files to download; it needs a.csv and its images"
    )


@pytest.mark.parametrize("given", [None, [], ["http://x"], "http://x"])
def test_fetch_must_name_files(tmp_path, given):
    with pytest.raises(PluginError, match="expected a list of RemoteFile"):
        get(dataset(lambda context, *, size: given), tmp_path, {}, silent)
