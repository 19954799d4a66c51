"""``zoo registry site``."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from zoo.registry.store import Registry

Zoo = Callable[..., tuple[int, str, str]]


@pytest.fixture
def registry(here: Path, monkeypatch: pytest.MonkeyPatch) -> Registry:
    for folder in ("registry", "registry/pages"):
        monkeypatch.syspath_prepend(str(Path(__file__).parents[1] / folder))
    from site_examples import publish

    (here / "registry.toml").write_text(
        '[registry.local]\nurl = "registry"\n[registry.team]\nurl = "team"\n'
    )
    registry = Registry.at(here / "registry")
    publish(registry, "digits")
    return registry


def test_it_says_where_the_pages_are(zoo: Zoo, here: Path, registry: Registry) -> None:
    said = f"site: public/index.html (1 model of {registry})\n"
    assert zoo("registry", "site", "public") == (0, said, "")
    assert zoo("registry", "site", "public") == (0, said, "")
    assert "<title>Model registry</title>" in (here / "public/index.html").read_text()
    assert (here / "public/models/digits.html").is_file()


def test_another_registry_and_title(zoo: Zoo, here: Path, registry: Registry) -> None:
    code, out, err = zoo("registry", "site", "x", "--registry", "team", "--title", "<Ours>")
    assert (code, err) == (0, "")
    assert "(0 models of registry 'team'" in out
    page = (here / "x/index.html").read_text()
    assert "<h1>&lt;Ours&gt;</h1>" in page
    assert "What is published in registry team." in page


@pytest.mark.filterwarnings("always::zoo.errors.ZooWarning")
def test_what_is_left_out_is_a_warning(zoo: Zoo, here: Path, registry: Registry) -> None:
    (here / "registry/models/digits/versions/1.json").write_bytes(b"{}")
    code, out, err = zoo("registry", "site", "public")
    assert (code, out) == (0, f"site: public/index.html (0 models of {registry})\n")
    assert err.startswith("zoo: warning: the record of model 'digits' version 1 is not one of zoo")
    assert err.count("\n") == 1


def test_a_folder_of_ones_own_is_refused(zoo: Zoo, here: Path, registry: Registry) -> None:
    (here / "public").mkdir()
    (here / "public/thesis.txt").write_text("mine")
    code, out, err = zoo("registry", "site", "public")
    assert (code, out) == (1, "")
    assert err == (
        f"zoo: error: site {str(here / 'public')!r} is a folder with other things in it, which "
        f"would be lost; give a new folder, an empty one, or an earlier site\n"
    )
    assert [path.name for path in here.iterdir() if path.name.startswith(".")] == []
