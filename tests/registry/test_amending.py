"""Two who list their models in the catalog at the same moment: neither undoes the other."""

import json
import threading

import pytest
import s3_server

from zoo.registry import derived, following, layout
from zoo.registry.places.folder_tree import FolderTree

PATH = f"{layout.CATALOG}/00.json"


@pytest.fixture(params=["folder", "bucket"])
def tree(request, tmp_path, monkeypatch):
    if request.param == "folder":
        made = FolderTree(tmp_path / "registry")
        made.prepare((layout.CATALOG,))
        yield made
        return
    with s3_server.store(monkeypatch) as store:
        yield store.tree()


def added(name):
    def change(data):
        return json.dumps([*json.loads(data or b"[]"), name]).encode()

    return change


def between(act):
    """A change during which ``act`` happens once, after the reading and before the writing."""
    left = [act]

    def change(data):
        made = added("mine")(data)
        if left:
            left.pop()()
        return made

    return change


def test_what_is_there_is_changed_and_none_leaves_it(tree):
    tree.amend(PATH, 100, added("a"))
    tree.amend(PATH, 100, added("b"))
    tree.amend(PATH, 100, lambda data: None)
    assert json.loads(tree.read(PATH, 100)) == ["a", "b"]


@pytest.mark.parametrize("there", [True, False])
def test_a_bucket_compares_before_it_swaps(monkeypatch, there):
    with s3_server.store(monkeypatch) as store:
        tree = store.tree()
        if there:
            tree.amend(PATH, 100, added("first"))
        other = store.tree()
        act = lambda: other.amend(PATH, 100, added("theirs"))  # noqa: E731
        tree.amend(PATH, 100, between(act))
        first = ["first"] if there else []
        assert json.loads(tree.read(PATH, 100)) == [*first, "theirs", "mine"]
        # The negative control: what is put without comparing undoes it.
        act = lambda: other.amend(PATH, 100, added("lost"))  # noqa: E731
        tree.replace(PATH, between(act)(tree.read(PATH, 100)))
        assert "lost" not in json.loads(tree.read(PATH, 100))


def test_a_folder_keeps_the_second_one_waiting(tmp_path):
    tree = FolderTree(tmp_path / "registry")
    tree.prepare((layout.CATALOG,))
    second = threading.Thread(target=lambda: tree.amend(PATH, 100, added("theirs")))
    tree.amend(PATH, 100, between(second.start))
    second.join(10)
    assert json.loads(tree.read(PATH, 100)) == ["mine", "theirs"]


def test_models_of_one_shard_are_all_listed(tree):
    models = [f"model-{number}" for number in range(400)]
    shard = layout.shard_key(models[0])
    some = [name for name in models if layout.shard_key(name) == shard][:3]
    assert len(some) >= 2
    for name in some:
        following._list_in_catalog(tree, name)
        following._list_in_catalog(tree, name)
    assert sorted(derived.read_catalog(tree)) == sorted(some)
