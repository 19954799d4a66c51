"""Networks are built without connections: a plugin that opens one is named, caught error or not."""

from __future__ import annotations

import contextlib
import socket
import threading
import urllib.request

import pytest
from torch import nn

import zoo
from zoo.errors import ContractError, PluginError
from zoo.plugins import offline
from zoo.plugins.catalog import Catalog
from zoo.plugins.checks import check_loaded
from zoo.plugins.loading import Loaded, Plugin
from zoo.registry.loading import build_network
from zoo.tasks import Task

CONNECT, LOOK_UP = socket.socket.connect, socket.getaddrinfo
SAID = (
    "a network is built without connections, and this opens one to '127.0.0.1'; weights that a "
    "plugin fetches come by its 'pretrained'"
)


def net(context):
    side = context.image_size[0] * context.image_size[1]
    return nn.Sequential(nn.Flatten(), nn.Linear(context.in_channels * side, context.outputs))


def loaded(build):
    spec = zoo.ArchitectureSpec(name="net", build=build, summary="s", source="here",
                                tasks={"multiclass"})  # fmt: skip
    return Loaded(Plugin("one", "zoo-one", "1.0"), (spec,))


def asking(server):
    def build(context):
        with urllib.request.urlopen(server.give("/weights", b"x")):
            return net(context)

    return build


def asking_quietly(server):
    def build(context):
        with contextlib.suppress(Exception):
            socket.create_connection(server.host.split(":"), timeout=1).close()
        return net(context)

    return build


def fetching(server):
    def build(context):
        zoo.fetch_weights(url="https://weights.example/x", sha256_prefix="0" * 8, largest=10)
        return net(context)

    return build


@pytest.mark.parametrize("make", [asking, asking_quietly, fetching])
def test_the_contract_names_a_build_that_connects(server, make):
    with pytest.raises(ContractError) as caught:
        check_loaded(loaded(make(server)), {})
    said = str(caught.value)
    host = "weights.example" if make is fetching else "127.0.0.1"
    assert "architecture 'net' of zoo-one 1.0" in said
    assert f"one to {host!r}" in said
    assert server.asked == []


def test_a_build_that_connects_to_nothing_keeps_the_contract():
    assert [one.name for one in check_loaded(loaded(net), {})] == ["net"]


def test_loading_lets_no_plugin_connect(server):
    described = {"name": "net", "options": {}, "in_channels": 1, "image_size": [4, 4]}
    task = Task.multiclass(["a", "b"])
    assert build_network(described, task, Catalog([loaded(net)]))
    with pytest.raises(PluginError) as caught:
        build_network(described, task, Catalog([loaded(asking(server))]))
    assert SAID in str(caught.value)
    assert server.asked == []
    assert (socket.socket.connect, socket.getaddrinfo) == (CONNECT, LOOK_UP)


def test_other_threads_connect_meanwhile(server):
    def ask():
        with urllib.request.urlopen(server.give("/x", b"body")) as answer:
            found.append(answer.read())

    def refused_ask():
        with pytest.raises(PluginError):
            ask()

    found: list[bytes] = []
    with offline.refused() as attempts:
        thread = threading.Thread(target=ask)
        thread.start()
        thread.join()
    assert (found, attempts) == ([b"body"], [])
    with offline.refused(every_thread=True) as attempts:
        thread = threading.Thread(target=refused_ask)
        thread.start()
        thread.join()
    assert attempts == ["127.0.0.1"]


def test_a_socket_of_this_machine_is_no_network(tmp_path):
    here = contextlib.closing(socket.socket(socket.AF_UNIX))
    with here as one, offline.refused() as attempts, pytest.raises(FileNotFoundError):
        one.connect(str(tmp_path / "nobody"))
    assert attempts == []
