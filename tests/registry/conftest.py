"""A catalog with three small networks, and a registry with one version of the first."""

import ipaddress
import socket

import pull_bench
import pytest
import torch
from drafts import PREPROCESSING, draft
from fault_server import FaultServer
from torch import nn

from zoo.data.preprocessing import Preprocessing
from zoo.plugins.catalog import Catalog
from zoo.plugins.loading import Loaded, Plugin
from zoo.plugins.specs import ArchitectureSpec
from zoo.registry import gate
from zoo.registry.loading import build_network
from zoo.registry.places import http_wire
from zoo.registry.store import Registry
from zoo.storage import tensors


def tiny(context, *, hidden: int = 3, pretrained: bool = False):
    """A small net with a convolution, batch norm and a buffer that is in no state dict."""
    assert not pretrained
    height, width = context.image_size
    net = nn.Sequential(
        nn.Conv2d(context.in_channels, hidden, 1),
        nn.BatchNorm2d(hidden),
        nn.Flatten(),
        nn.Linear(hidden * height * width, context.outputs),
    )
    net.register_buffer("scratch", torch.ones(2), persistent=False)
    return net


def computing(context, *, hidden: int = 3):
    """A network that cannot be built on the meta device."""
    rate = torch.linspace(0, 0.5, 3)[1].item()
    return nn.Sequential(nn.Dropout(rate), nn.Flatten(), nn.Linear(20, 3))


class Attribute(nn.Module):
    """A network that keeps a plain tensor, outside its state."""

    def __init__(self):
        super().__init__()
        self.scales = [torch.tensor(2.0)]
        self.linear = nn.Linear(20, 3)

    def forward(self, images):
        return self.linear(images.flatten(1)) * self.scales[0]


def attribute(context, *, hidden: int = 3):
    return Attribute()


class Nested(nn.Module):
    """A network that keeps a plain tensor deep inside a plain attribute."""

    def __init__(self):
        super().__init__()
        self.scales = [{"a": (torch.tensor(2.0),)}]
        self.linear = nn.Linear(20, 3)

    def forward(self, images):
        return self.linear(images.flatten(1)) * self.scales[0]["a"][0]


class Alias(nn.Module):
    """A network that holds its parameter a second time, where no state dict sees it."""

    def __init__(self):
        super().__init__()
        self.linear = nn.Linear(20, 3)
        self.held = [self.linear.weight]

    def forward(self, images):
        return images.flatten(1) @ self.held[0].t() + self.linear.bias


class Tied(nn.Module):
    def __init__(self):
        super().__init__()
        self.first, self.second = nn.Linear(20, 20), nn.Linear(20, 20)
        self.second.weight = self.first.weight
        self.out = nn.Linear(20, 3)

    def forward(self, images):
        return self.out(self.second(self.first(images.flatten(1))))


class Complex(nn.Module):
    def __init__(self):
        super().__init__()
        self.register_buffer("turn", torch.ones(3, dtype=torch.complex64) * 1j)
        self.linear = nn.Linear(20, 3)

    def forward(self, images):
        return (self.linear(images.flatten(1)) * self.turn).imag


def deep(context, *, hidden: int = 3):
    """As many layers as one asks for."""
    return nn.Sequential(*(nn.Linear(1, 1) for _ in range(hidden)))


def heavy(context, *, hidden: int = 3):
    """As large a layer as one asks for, and nothing that the meta device could build."""
    torch.zeros(1).item()
    layer = nn.Module()
    layer.weight = nn.Parameter(torch.empty(hidden))
    nn.init.zeros_(layer.weight)
    return layer


def lazy(context, *, hidden: int = 3):
    return nn.Sequential(nn.Flatten(), nn.LazyLinear(context.outputs))


def of_class(network):
    def build(context, *, hidden: int = 3):
        return network()

    return build


def failing(context, *, hidden: int = 3):
    raise RuntimeError("no luck")


@pytest.fixture(autouse=True)
def cache(tmp_path_factory, monkeypatch):
    """A cache of the test's own, so that nothing is there that it did not put there."""
    folder = tmp_path_factory.mktemp("cache")
    monkeypatch.setenv("ZOO_CACHE", str(folder))
    return folder


@pytest.fixture(autouse=True)
def no_way_out(monkeypatch):
    """No test, whatever guard it takes away, sends a packet beyond loopback."""
    connect, look_up = socket.socket.connect, socket.getaddrinfo

    def only_here(self, address):
        assert self.family == getattr(socket, "AF_UNIX", None) or is_here(address[0]), address
        return connect(self, address)

    def only_numbers(host, *given, **more):
        assert host is None or is_here(host), host
        return look_up(host, *given, **more)

    def is_here(host):
        return host == "localhost" or ipaddress.ip_address(host).is_loopback

    monkeypatch.setattr(socket.socket, "connect", only_here)
    monkeypatch.setattr(socket, "getaddrinfo", only_numbers)


@pytest.fixture(scope="session")
def published_site(tmp_path_factory):
    """A registry's folder with version 1 of digits-tiny, for servers; nobody may change it."""
    folder = tmp_path_factory.mktemp("published")
    pull_bench.publish(folder)
    return folder


@pytest.fixture
def bench(published_site, tmp_path, monkeypatch):
    monkeypatch.setattr(http_wire, "STALL_SECONDS", 0.4)
    server = FaultServer(published_site)
    (tmp_path / "beside").mkdir()
    yield pull_bench.Bench(server, tmp_path / "beside" / "target")
    server.close()


@pytest.fixture
def net(bench):
    return pull_bench.Net(bench.server.port)


@pytest.fixture
def wire(bench, net):
    return bench.wire(resolve=net.resolve, connect=net.connect)


@pytest.fixture
def other(published_site):
    """A second server, with the same files."""
    server = FaultServer(published_site)
    yield server
    server.close()


@pytest.fixture
def catalog():
    builds = {
        "tiny": tiny, "computing": computing, "attribute": attribute, "failing": failing,
        "deep": deep, "heavy": heavy, "lazy": lazy, "nested": of_class(Nested),
        "alias": of_class(Alias), "tied": of_class(Tied), "complex": of_class(Complex),
    }  # fmt: skip
    components = tuple(
        ArchitectureSpec(name=name, build=build, summary="for tests")
        for name, build in builds.items()
    )
    return Catalog([Loaded(Plugin("fake", "zoo-fake", "1.2"), components)])


@pytest.fixture
def registry(tmp_path):
    return Registry.at(tmp_path / "registry")


@pytest.fixture
def trained(catalog):
    """Make (draft, network, files) of a version, as a publisher would have them."""

    def make(architecture="tiny", **changes):
        one = draft(**changes)
        one.architecture["name"] = architecture
        torch.manual_seed(1)
        network = build_network(one.architecture, one.task, catalog)
        for parameter in network.parameters():
            nn.init.normal_(parameter)
        probe = gate.make_probe(network, Preprocessing.from_json(PREPROCESSING))
        files = {
            "model.safetensors": tensors.to_bytes(network.state_dict()),
            "probe.safetensors": tensors.to_bytes(probe),
            "README.md": b"# card",
        }
        return one, network, files

    return make


@pytest.fixture
def published(registry, trained, catalog):
    def publish(architecture="tiny", **changes):
        one, network, files = trained(architecture, **changes)
        record = registry.publish(
            one, files, lambda draft, paths: gate.check_version(draft, paths, catalog)
        )
        return record, network

    return publish
