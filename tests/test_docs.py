"""The docs name what there is: every hook with its arguments, every key, command and flag."""

import dataclasses
import inspect
import re
import tomllib
from pathlib import Path

import pytest
from zoo_cli.main import COMMANDS

import zoo
from zoo.plugins import families, hookspecs, specs
from zoo.recipes.flags import PLAIN_FLAGS
from zoo.recipes.schema import COMPONENTS, LISTS, PLAIN

ROOT = Path(__file__).parents[1]
PAGES = {path.name: path.read_text(encoding="utf-8") for path in ROOT.glob("docs/*.md")}
TOP = ("README.md", "CONTRIBUTING.md")
PAGES |= {name: (ROOT / name).read_text(encoding="utf-8") for name in TOP}


def hook_row(spec: type[specs.Spec]) -> str:
    """What the table of hooks must say, from the code alone."""
    context = "nothing"
    if spec.context is not None:
        fields = ", ".join(field.name for field in dataclasses.fields(spec.context))
        context = f"`{spec.context.__name__}({fields})`"
    named = f"`{spec.__name__}`"
    if spec.kind in families.FAMILIES:
        named += f", `{families.FAMILIES[spec.kind].__name__}`"
    return f"| `register_{specs.PLURALS[spec.kind]}()` | {named} | {context} |"


@pytest.mark.parametrize("spec", specs.SPECS)
def test_every_hook_is_named_with_its_arguments(spec):
    hook = getattr(hookspecs, f"register_{specs.PLURALS[spec.kind]}")
    assert not inspect.signature(hook).parameters
    assert hook_row(spec) in PAGES["plugins.md"]


def test_no_hook_is_left_out():
    hooks = {name for name in vars(hookspecs) if name.startswith("register_")}
    assert hooks == {f"register_{plural}" for plural in specs.PLURALS.values()}
    assert set(re.findall(r"^\| `(register_\w+)", PAGES["plugins.md"], re.M)) == hooks


def test_the_recipe_page_shows_every_key_and_default():
    page = PAGES["recipes.md"]
    shown = tomllib.loads(max(re.findall(r"```toml\n(.*?)```", page, re.S), key=len))
    assert set(shown) == {*PLAIN, *COMPONENTS, *LISTS}
    for name, section in PLAIN.items():
        assert set(shown[name]) == set(section.model_fields), name
        defaults = section().model_dump(mode="json")
        if name != "card":
            assert shown[name] == defaults, name
    for name in PLAIN_FLAGS:
        assert f"--{name.replace('_', '-')}" in page, name


def test_every_command_is_mentioned():
    text = "".join(PAGES.values())
    for command in COMMANDS:
        assert re.search(rf"\bzoo {command}\b", text), command


def test_links_between_pages_lead_somewhere():
    for name, text in PAGES.items():
        base = ROOT if name in TOP else ROOT / "docs"
        for target in re.findall(r"\]\(([^)#]+)\)", text):
            if "://" not in target:
                assert (base / target).exists(), f"{name}: {target}"


def test_the_architecture_page_names_every_module():
    page = PAGES["architecture.md"]
    for path in ROOT.glob("zoo/*/*.py"):
        if path.stem != "__init__":
            assert f"`{path.stem}`" in page, path


def test_the_version_stands_in_one_place():
    assert re.fullmatch(r"\d+\.\d+\.\d+", zoo.__version__)
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert "version" in project["dynamic"]
