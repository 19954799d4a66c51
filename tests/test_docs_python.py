"""The Python that pages print is run, with the runs and models that it takes for granted."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest
from PIL import Image
from printed import DOCS, PAGES, ROOT, Block, blocks
from reading_along import Reader, reading
from sklearn.datasets import load_digits
from zoo_cli.main import main

READ_ALONG = {DOCS / "start.md", DOCS / "notebook.md", *(DOCS / "tutorials").glob("*.md")}
HERE = [ROOT / "README.md", DOCS / "ensembles.md", DOCS / "using.md", DOCS / "reference/errors.md"]
RUN = [
    pytest.param(block, id=str(block))
    for page in HERE
    for block in blocks(page)
    if block.language == "python"
]
# What pages call their models and images, and what is there.
INSTEAD = {
    "digits@3": "digits@1",
    "xray@1": "digits@1",
    "xray-two": "two",
    '"scan.png"': '"three.png"',
    '"x.png"': '"three.png"',
    '"normal"': '"3"',
}
TRAIN = "--dataset digits --architecture simple_cnn --threads 1 --epochs 1 --licence mit"


def test_every_page_with_python_is_run() -> None:
    known = READ_ALONG | {*HERE, DOCS / "plugins.md"}
    pages = {page for page in PAGES for block in blocks(page) if block.language == "python"}
    assert sorted(map(str, pages - known)) == []


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Reader]:
    """Two runs, a model of each, an ensemble of both, and images."""
    folder = tmp_path_factory.mktemp("pages") / "work"
    with pytest.MonkeyPatch.context() as patch, reading(folder, patch) as reader:
        for seed, name in enumerate("ab"):
            flags = [*TRAIN.split(), "--intended-use", "a test", "--seed", str(seed)]
            assert main(["train", *flags, "--run", f"runs/{name}"]) == 0
            assert main(["eval", f"runs/{name}", "--draws", "0"]) == 0
        assert main(["publish", "runs/a", "--name", "digits"]) == 0
        flags = ["--publish", "two", "--licence", "mit", "--intended-use", "a test"]
        assert main(["ensemble", "runs/a", "runs/b", *flags]) == 0
        scan = Image.fromarray((load_digits().images[3] * 15.9).astype("uint8"))
        (reader.folder / "scans").mkdir()
        for place in ("three.png", "scans/three.png"):
            scan.save(reader.folder / place)
        yield reader


@pytest.mark.slow
@pytest.mark.parametrize("block", RUN)
def test_the_python_of_a_page_runs(block: Block, world: Reader) -> None:
    text = block.text
    if "onnxruntime" in text:
        pytest.importorskip("onnxruntime")
        assert main(["export", "digits@1", "--force"]) == 0
    for said, there in INSTEAD.items():
        text = text.replace(said, there)
    names = {"__name__": "printed", "zoo": __import__("zoo")}
    with Image.open("three.png") as opened:
        names["pil_image"] = opened.copy()
    names["array"] = load_digits().images[3].astype("uint8")
    exec(compile(text, str(block), "exec"), names)


@pytest.mark.slow
def test_the_plugin_of_the_guide_works_as_it_is_printed(world: Reader) -> None:
    python, project, *_ = blocks(DOCS / "plugins.md")
    (test,) = [one for one in blocks(DOCS / "plugins.md") if "check_plugin" in one.text]
    for block, name in ((python, "zoo_smooth.py"), (project, "pyproject.toml"),
                        (test, "test_zoo_smooth.py")):  # fmt: skip
        world.follow(replace(block, title=name))
    world.install()
    world.test()
    (commands,) = [one for one in blocks(DOCS / "plugins.md") if one.text.startswith("pip")]
    for words in list(commands.commands)[1:]:
        world.command(words)
