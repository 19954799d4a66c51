"""Sites, and a browser that is started once for all tests."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import chromium
import pytest
import site_examples as examples
from chromium import Browser

from zoo.registry.site.building import build_site


@pytest.fixture(scope="session")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    if lacking := chromium.missing():
        pytest.skip(lacking)
    with chromium.started(tmp_path_factory.mktemp("profile")) as started:
        yield started


@pytest.fixture(scope="session")
def people_site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A site that people would have."""
    root = tmp_path_factory.mktemp("people")
    build_site(examples.people(root / "registry"), root / "site", "Model registry")
    return root / "site"


@pytest.fixture
def quiet(
    request: pytest.FixtureRequest, browser: Browser, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[None]:
    """No page says anything in the console, and none asks for more than files of the tests."""
    browser.console(), browser.asked()
    yield
    if "noisy" not in request.fixturenames:
        own = (tmp_path_factory.getbasetemp().as_uri(), "http://127.0.0.1:", "about:blank")
        assert browser.console() == []
        assert [url for url in browser.asked() if not url.startswith(own)] == []


@pytest.fixture
def noisy() -> None:
    """For tests that want to hear something."""
