"""Strangers' texts in a real browser: nothing that they say is carried out."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
import site_examples as examples
from chromium import wait

from zoo.registry.site import pages
from zoo.registry.site.building import build_site

pytestmark = pytest.mark.usefixtures("quiet")
POLICY = "Content-Security-Policy"


def test_nothing_a_hostile_record_says_is_carried_out(browser, tmp_path):
    build_site(examples.hostile(tmp_path / "registry"), tmp_path / "site", "T")
    for name in ("index.html", "models/hostile.html", "models/other.html"):
        browser.open((tmp_path / "site" / name).as_uri())
        time.sleep(0.1)
        assert browser.driver.title == ("T" if name == "index.html" else f"{Path(name).stem} · T")
        assert browser.all("script:not([src]), svg[onload], [onerror]") == []
    assert examples.SCRIPT in browser.one(".facts").text
    browser.open((tmp_path / "site" / "index.html").as_uri())
    browser.choose("dataset", examples.IMAGE)
    assert browser.texts("#models tbody th a") == ["hostile"]
    assert "<script>document.title" in " ".join(browser.texts("#sort option"))


@pytest.mark.usefixtures("noisy")
@pytest.mark.parametrize("guards", ["policy alone", "none"])
def test_without_escaping_it_would_be_and_the_policy_alone_would_stop_it(
    browser, tmp_path, monkeypatch, guards
):
    """The negative control: the same payloads, with autoescape off, are elements; what they do is
    stopped by the policy only; without both they run."""
    bare = pages.environment(autoescape=False)
    monkeypatch.setattr(pages, "environment", lambda: bare)
    build_site(examples.hostile(tmp_path / "registry"), tmp_path / "site", "T")
    page = tmp_path / "site" / "models" / "hostile.html"
    if guards == "none":
        html = page.read_text()
        assert POLICY in html
        page.write_text(html.replace(POLICY, "X-Nothing"))
    browser.open(page.as_uri())
    time.sleep(0.3)
    assert browser.all("[onerror]") != []
    if guards == "none":
        assert browser.driver.title == "pwned"
    else:
        assert browser.driver.title == "hostile · T"
        said = [line for line in browser.console() if "Content Security Policy" in line]
        assert said


@pytest.mark.usefixtures("noisy")
def test_a_request_to_elsewhere_would_be_seen(browser, people_site, tmp_path):
    """The negative control of what each test here asserts: that nothing leaves the folder."""
    page = tmp_path / "page.html"
    page.write_text('<!DOCTYPE html><img src="https://evil.example/pixel.png">')
    browser.open(page.as_uri())
    wait(lambda: any("evil" in url for url in browser.asked()), 5)
    html = (people_site / "models" / "mnist-resnet18.html").read_text()
    page.write_text(html.replace("<main>", '<main><img src="https://evil.example/pixel.png">'))
    browser.open(page.as_uri())
    assert any("violates" in line and POLICY.replace("-", " ") in line
               for line in browser.console())  # fmt: skip
