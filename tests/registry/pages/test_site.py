"""What stands on the pages of a site, without a browser."""

from __future__ import annotations

import io
import threading
import warnings
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import site_examples as examples
from page_reader import Page
from PIL import Image

from zoo.registry.config import Place
from zoo.registry.site import pages
from zoo.registry.site.building import CARD_BYTES, PICTURE_SIDE, build_site
from zoo.registry.site.inventory import VERSIONS, take
from zoo.registry.store import Registry

TITLE = "Model registry"


def built(registry: Registry, place: Path) -> dict[str, Page]:
    """The pages, by path."""
    assert build_site(registry, place, TITLE).problems == []
    return read(place)


def read(place: Path) -> dict[str, Page]:
    return {
        path.relative_to(place).as_posix(): Page(path.read_text(encoding="utf-8"))
        for path in sorted(place.rglob("*.html"))
    }


def png(width: int, height: int = 4) -> bytes:
    stream = io.BytesIO()
    Image.new("1", (width, height)).save(stream, "PNG")
    return stream.getvalue()


@pytest.fixture
def people(tmp_path: Path) -> Registry:
    return examples.people(tmp_path / "registry")


def test_each_model_has_a_page_and_a_row(people, tmp_path):
    found = built(people, tmp_path / "site")
    assert sorted(found) == sorted(["index.html", *(f"models/{n}.html" for n in people.models())])
    rows = (tmp_path / "site" / "index.html").read_text().split("<tbody>")[1].split("<tr>")[1:]
    assert len(rows) == 9
    digits = Page(f"<script src=x></script><table><tr>{rows[2]}").text
    for text in ("digits-simple-cnn@4", "best", "multiclass", "digits", "tiny", "0.9120", "test"):
        assert text in digits
    assert '<data value="0.912">0.9120</data>' in rows[2]
    assert "No models yet." not in found["index.html"].text


def test_a_page_says_what_there_is_of_a_model(people, tmp_path):
    text = built(people, tmp_path / "site")["models/digits-simple-cnn.html"].text
    for part in (
        "zoo pull digits-simple-cnn@4", 'zoo.load("digits-simple-cnn@4")',
        "pip install zoo-fake==1.2", "0.8820 to 0.9320", "tiny (hidden=3)", "4 × 5 pixels",
        "cat, dog, a|b", "trained on the test split", "stable", "yanked",
        "version 3: 0.8300, yanked", "cat, decided as dog: 2 (5.6 %)",
        "mnist-resnet18@1 initialized from @4", "Intended use", people.digest(
            people.record("digits-simple-cnn"))[:12],
    ):  # fmt: skip
        assert part in " ".join(text.split()), part
    assert "license: apache" not in text  # the card's metadata are for machines
    assert "# digits-simple-cnn" not in text


def test_yanked_versions_are_passed_over_unless_there_are_no_others(people, tmp_path):
    people.yank("digits-simple-cnn", 4)
    people.yank("unmeasured", 1, "a mistake")
    found = built(people, tmp_path / "site")
    assert "zoo pull digits-simple-cnn@2" in found["models/digits-simple-cnn.html"].text
    text = found["models/unmeasured.html"].text
    assert "zoo pull unmeasured@1" in text
    assert "Every version of this model is yanked" in text
    assert "The reason given: a mistake" in text
    assert "Every version" not in found["models/digits-simple-cnn.html"].text


def test_lineage_leads_both_ways_and_only_to_the_very_version(people, tmp_path):
    parent = examples.reference(people, people.record("mnist-simple-cnn"))
    lost = {**parent, "digest": "0" * 64}
    examples.publish(people, "odd", parents=[{"kind": "averaged_from", **lost}])
    found = built(people, tmp_path / "site")
    ensemble = found["models/mnist-ensemble.html"]
    assert "mnist-resnet18.html#v1" in ensemble.links
    assert "pip install" not in ensemble.text.split("Card")[0]
    assert "ensemble of which @1 is a member" in found["models/mnist-resnet18.html"].text
    assert "mnist-ensemble.html#v1" in found["models/mnist-simple-cnn.html"].links
    assert "odd.html#v1" not in found["models/mnist-simple-cnn.html"].links
    assert "mnist-simple-cnn@1 (not in this registry)" in found["models/odd.html"].text


def test_links_within_the_site_lead_somewhere(people, tmp_path):
    site = tmp_path / "site"
    found = built(people, site)
    for name, page in found.items():
        assert page.wrong == [], name
        assert len(page.ids) == len(set(page.ids)), name
        for link in page.links:
            if link.startswith("https://"):
                continue
            path, _, part = link.partition("#")
            target = (site / name).parent / path.partition("?")[0] if path else site / name
            assert target.is_file(), (name, link)
            where = target.resolve().relative_to(site.resolve()).as_posix()
            assert not part or part in found[where].ids, (name, link)


def test_the_same_registry_gives_the_same_bytes_and_no_path_of_the_machine(people, tmp_path):
    both = []
    for name in ("a", "b"):
        built(people, tmp_path / name)
        both.append({path.relative_to(tmp_path / name): path.read_bytes()
                     for path in (tmp_path / name).rglob("*") if path.is_file()})  # fmt: skip
    assert both[0] == both[1]
    assert not [path for path, data in both[0].items() if str(tmp_path).encode() in data]


def test_an_empty_registry(tmp_path):
    found = built(Registry.at(tmp_path / "registry"), tmp_path / "site")
    assert list(found) == ["index.html"]
    assert "No models yet." in found["index.html"].text


def test_nothing_of_a_hostile_record_becomes_an_element(tmp_path):
    found = built(examples.hostile(tmp_path / "registry"), tmp_path / "site")
    for name, page in found.items():
        assert page.wrong == [], name
        assert not {"\u202e", "\u2066", "\u200f"} & set(page.text), name
    page = found["models/hostile.html"]
    assert examples.SCRIPT in page.text
    assert "left\\u202eright\\u2066\\u200f" in page.text
    assert "\\u202eentity" in page.text
    assert [link for link in page.links if "example" in link] == ["https://example.org/"]


@pytest.mark.parametrize("guard", ["escaping", "marks"])
def test_without_its_guards_that_test_would_fail(tmp_path, monkeypatch, guard):
    if guard == "escaping":
        bare = pages.environment(autoescape=False)
        monkeypatch.setattr(pages, "environment", lambda: bare)
    else:
        monkeypatch.setattr(pages, "printable", lambda text: text)
    build_site(examples.hostile(tmp_path / "registry"), tmp_path / "site", TITLE)
    found = read(tmp_path / "site")
    if guard == "marks":
        assert "\u202e" in found["models/hostile.html"].text
        return
    for name in ("index.html", "models/hostile.html"):
        assert {"a script that stands in the page", "<img onerror>"} <= set(found[name].wrong)


def test_what_cannot_be_read_costs_a_line_and_not_the_site(people, tmp_path):
    def damage(record, path):
        blob = people.tree.root / "blobs/sha256" / record.file(path)["sha256"][:2]
        (blob / record.file(path)["sha256"]).unlink()

    damage(people.record("kidney-unet"), "README.md")
    (people.tree.root / "models/polyps-unet/versions/1.json").write_bytes(b"{")
    (people.tree.root / "models/digits-simple-cnn/versions/4.json").write_bytes(b"{}")
    examples.publish(people, "long", card="x" * (CARD_BYTES + 1))
    examples.publish(people, "strange", card="\udcff".encode("utf-8", "surrogateescape").decode(
        "latin-1"))  # fmt: skip
    record = people.publish(
        examples.draft(model="latin"),
        {"README.md": b"\xff", "model.safetensors": b"w", "metrics/test.json": b"{"},
    )
    result = build_site(people, tmp_path / "site", TITLE)
    assert result.models == 11
    lines = "\n".join(result.problems)
    for part in (
        "polyps-unet", "'digits-simple-cnn' version 4", "README.md of model 'kidney-unet'",
        f"README.md of model 'long' version 1 is longer than {CARD_BYTES} bytes: not shown",
        f"README.md of {record} is not UTF-8", f"metrics/test.json of {record}",
    ):  # fmt: skip
        assert part in lines, part
    assert len(result.problems) == 6
    found = read(tmp_path / "site")
    assert "models/polyps-unet.html" not in found
    assert "zoo pull digits-simple-cnn@2" in found["models/digits-simple-cnn.html"].text
    assert "The card of this version cannot be shown." in found["models/long.html"].text


def test_figures_too_large_for_a_record_are_drawn_from_their_file(people, tmp_path):
    figures = b'{"confusion":[[7,1,0],[0,9,0],[0,0,123456]]}'
    examples.publish(people, "filed", metrics={"test": {"accuracy": 0.5}},
                     files={"metrics/test.json": figures})  # fmt: skip
    text = built(people, tmp_path / "site")["models/filed.html"].text
    assert "a|b, decided as a|b: 123,456 (100.0 %)" in text
    assert "123k" in text


def test_pictures_of_the_version_are_copied_and_others_are_not(people, tmp_path):
    card = (
        "![ours](look.png) ![no](other.png) ![far](https://evil.example/a.png)"
        " ![matrix](confusion-test.png) ![wide](wide.png) ![text](text.png)"
    )
    examples.publish(
        people, "pictured", card,
        files={"look.png": png(4), "confusion-test.png": png(5), "wide.png": png(PICTURE_SIDE + 1),
               "text.png": b"<svg onload=1>", "unused.png": png(6)},
    )  # fmt: skip
    result = build_site(people, tmp_path / "site", TITLE)
    page = read(tmp_path / "site")["models/pictured.html"]
    assert page.wrong == []
    copied = sorted(path.read_bytes() for path in (tmp_path / "site" / "pictures").iterdir())
    assert copied == sorted([png(4), png(5)])
    assert "[picture: no] [picture: far]" in page.text
    assert "#matrix" in page.links
    assert [line.split(" of ")[0] for line in result.problems] == ["text.png", "wide.png"]
    assert all("no PNG of at most 4096 pixels a side" in line for line in result.problems)


def test_of_many_versions_the_newest_and_the_aliased_are_shown(tmp_path, monkeypatch):
    from zoo.registry.site import inventory

    monkeypatch.setattr(inventory, "VERSIONS", 3)
    registry = Registry.at(tmp_path / "registry")
    for i in range(6):
        examples.publish(registry, "model", metrics={"test": {"accuracy": i / 10}})
    registry.set_alias("model", "first", 2)
    [model] = take(registry).models
    assert [one.number for one in model.versions] == [6, 5, 4, 2]
    assert model.older == 2
    assert "And 2 older." in built(registry, tmp_path / "site")["models/model.html"].text
    assert VERSIONS == 200


def test_reading_a_yanked_version_warns_nobody(people, tmp_path):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        built(people, tmp_path / "site")


def test_a_registry_is_only_read(people, tmp_path):
    def everything():
        return {path: path.read_bytes() for path in people.tree.root.rglob("*") if path.is_file()}

    before = everything()
    built(people, tmp_path / "site")
    assert everything() == before


def test_a_registry_behind_a_web_server_gives_the_same_pages(people, tmp_path, monkeypatch):
    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, *_):
            pass

    monkeypatch.setenv("ZOO_CACHE", str(tmp_path / "cache"))
    handler = partial(Quiet, directory=str(people.tree.root))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}).start()
        try:
            url = f"http://127.0.0.1:{server.server_address[1]}"
            far = Registry(Place(url, None, {}).tree(), people.name)
            assert len(built(far, tmp_path / "far")) == 10
        finally:
            server.shutdown()
    built(people, tmp_path / "near")
    for path in (tmp_path / "near").rglob("*.html"):
        same = tmp_path / "far" / path.relative_to(tmp_path / "near")
        assert same.read_bytes() == path.read_bytes()
