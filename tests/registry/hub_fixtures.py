"""A stand-in for the Hub, and a version to push to it."""

import hub_server
import pytest

from zoo.registry import config
from zoo.registry.cards.card import CardText, render_card


@pytest.fixture
def web(monkeypatch, tmp_path):
    """The stand-in, to which the Hub's client goes; nobody's cache and token are seen."""
    monkeypatch.setenv("ZOO_CACHE", str(tmp_path / "cache"))
    with hub_server.serving() as one:
        hub_server.use(monkeypatch, one.url)
        yield one


@pytest.fixture
def local(registry, monkeypatch):
    """The registry of the tests is the default one."""
    place = config.Place(str(registry.tree.root), registry.tree.root, {})
    known = config.Registries("local", {"local": place})
    monkeypatch.setattr(config, "registries", lambda: known)
    return registry


@pytest.fixture
def version(local, trained):
    """(record, network) of a version with a card as cards are."""
    draft, network, files = trained()
    text = CardText("mit", "a test", description="![matrix](confusion-test.png)")
    files["README.md"] = render_card(draft, 1, text).encode()
    files["confusion-test.png"] = b"\x89PNG"
    return local.publish(draft, files), network
