"""Who may import whom. What may be called nowhere: ``test_unsafe_code``."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import zoo

ROOT = Path(zoo.__file__).parents[1]
ROWS = (
    "errors", "tasks", "storage", "plugins", "data", "recipes", "predictions", "training",
    "registry", "runs", "reports", "studies",
)  # fmt: skip
LIBRARY = sorted(ROOT.glob("zoo/**/*.py"))
COMMANDS = sorted(ROOT.glob("cli/*.py"))
PLUGINS = sorted(p for p in ROOT.glob("plugins/*/*/**/*.py") if "build" not in p.parts)
SPECS = re.compile(
    r"(Dataset|Architecture|Loss|Sampler|Augmentation|Optimizer|Scheduler|Tracker)(Spec|Family)"
)


def imported(tree: ast.AST, package: str = "") -> Iterator[tuple[str, str]]:
    """(module, name) of every import anywhere in ``tree``; name is "" for ``import module``.
    Relative ones are taken from ``package``."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((alias.name, "") for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = package.split(".")[: len(package.split(".")) - node.level + 1]
            module = ".".join([*above, node.module or ""]).strip(".") if node.level else node.module
            yield from ((module or "", alias.name) for alias in node.names)


def row_of(module: str, name: str) -> str:
    """The row of ``zoo`` that an import reaches, by way of the public names too; "" for none."""
    if module == "zoo" and name in zoo._HOME:
        module = zoo._HOME[name]
    elif module == "zoo" and name in ROWS:
        return name
    parts = module.split(".")
    return parts[1] if parts[0] == "zoo" and len(parts) > 1 else ""


def wrong_order(path: Path, source: str) -> list[str]:
    """Imports by a file of zoo/ from a row below its own, or from what is above the library."""
    own = path.relative_to(ROOT / "zoo").parts[0].removesuffix(".py")
    package = ".".join(path.relative_to(ROOT).parts[:-1])
    found = []
    for module, name in imported(ast.parse(source), package):
        row = row_of(module, name)
        if module.split(".")[0] in {"zoo_cli", "cli", "zoo_basics"}:
            found.append(f"{own} imports {module}")
        elif module == "zoo" and not row and name != "__version__":
            found.append(f"{own} imports zoo itself")
        elif row and (row not in ROWS or ROWS.index(row) > ROWS.index(own)):
            found.append(f"{own} imports {row}")
    return found


def not_public(path: Path, source: str) -> list[str]:
    """What a plugin takes from zoo besides its public names."""
    tree = ast.parse(source)
    public = {*zoo.__all__, "__version__"}
    found = []
    for module, name in imported(tree):
        if module.startswith(("zoo.", "zoo_cli", "cli.")) or module == "cli":
            found.append(f"imports {module}")
        elif module == "zoo" and name and name not in public:
            found.append(f"imports zoo.{name}")
    for node in ast.walk(tree):
        of_zoo = isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name)
        if of_zoo and node.value.id == "zoo" and node.attr not in public:
            found.append(f"uses zoo.{node.attr}")
    return found


def components(path: Path, source: str) -> list[str]:
    """Components declared in a file, which only plugins may."""
    found = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call):
            name = ast.unparse(node.func).rpartition(".")[2]
            if SPECS.fullmatch(name):
                found.append(f"declares a {name}")
        if isinstance(node, ast.FunctionDef):
            marks = [ast.unparse(mark).rpartition(".")[2] for mark in node.decorator_list]
            if "hookimpl" in marks:
                found.append(f"implements {node.name}")
    return found


def absolute(path: Path, source: str) -> list[str]:
    """Imports between commands that work under one only of the folder's two names."""
    tree = ast.parse(source)
    modules = [node.module or "" for node in ast.walk(tree)
               if isinstance(node, ast.ImportFrom) and not node.level]  # fmt: skip
    modules += [module for module, name in imported(tree) if not name]
    return [f"imports {m}" for m in modules if m.split(".")[0] in {"cli", "zoo_cli"}]


Check = Callable[[Path, str], list[str]]
CHECKS: list[tuple[Check, list[Path]]] = [
    (wrong_order, [path for path in LIBRARY if path != ROOT / "zoo/__init__.py"]),
    (not_public, PLUGINS),
    (components, LIBRARY),
    (absolute, COMMANDS),
]


@pytest.mark.parametrize(("check", "paths"), CHECKS, ids=lambda one: getattr(one, "__name__", ""))
def test_the_tree_keeps_the_rule(check: Check, paths: list[Path]) -> None:
    assert len(paths) >= 5, "the rule is checked on no files"
    broken = {
        str(path.relative_to(ROOT)): found
        for path in paths
        if (found := check(path, path.read_text(encoding="utf-8")))
    }
    assert broken == {}


VIOLATIONS: list[tuple[Check, str, str, str]] = [
    (
        wrong_order,
        "zoo/storage/x.py",
        "from zoo.data.datasets import Split",
        "storage imports data",
    ),
    (wrong_order, "zoo/errors.py", "from zoo import tasks", "errors imports tasks"),
    (
        wrong_order,
        "zoo/data/x.py",
        "def late():\n    import zoo.training.loop",
        "data imports training",
    ),
    (
        wrong_order,
        "zoo/plugins/x.py",
        "if TYPE_CHECKING:\n    from zoo import Dataset",
        "plugins imports data",
    ),
    (wrong_order, "zoo/data/x.py", "from ..runs import folder", "data imports runs"),
    (wrong_order, "zoo/registry/x.py", "from zoo.runs import folder", "registry imports runs"),
    (wrong_order, "zoo/runs/x.py", "from zoo_cli import main", "runs imports zoo_cli"),
    (wrong_order, "zoo/runs/x.py", "import zoo", "runs imports zoo itself"),
    (not_public, "plugins/a/a/x.py", "from zoo.plugins import specs", "imports zoo.plugins"),
    (not_public, "plugins/a/a/x.py", "from zoo import registry", "imports zoo.registry"),
    (not_public, "plugins/a/a/x.py", "import zoo\nzoo.plugins.catalog", "uses zoo.plugins"),
    (components, "zoo/x.py", "from zoo.plugins import specs\nspecs.LossSpec()", "a LossSpec"),
    (components, "zoo/x.py", "import zoo\nzoo.OptimizerFamily()", "a OptimizerFamily"),
    (components, "zoo/x.py", "@hookimpl\ndef register_losses(): ...", "implements register_losses"),
    (absolute, "cli/x.py", "from zoo_cli.tables import show_json", "imports zoo_cli.tables"),
]  # fmt: skip


@pytest.mark.parametrize(("check", "path", "source", "what"), VIOLATIONS)
def test_a_violation_is_caught(check: Check, path: str, source: str, what: str) -> None:
    found = check(ROOT / path, source)
    assert len(found) == 1
    assert what in found[0]


@pytest.mark.parametrize(
    ("check", "path", "source"),
    [
        (
            wrong_order,
            "zoo/runs/x.py",
            "import torch\nfrom zoo import errors\nfrom zoo import Task",
        ),
        (wrong_order, "zoo/data/x.py", "from zoo.data import draws\nfrom . import datasets"),
        (not_public, "plugins/a/a/x.py", "import zoo\nfrom zoo import Dataset\nzoo.LossSpec"),
        (absolute, "cli/x.py", "from .tables import show_json\nfrom . import endings\nimport zoo"),
    ],
)
def test_what_is_allowed_is_not_caught(check: Check, path: str, source: str) -> None:
    assert check(ROOT / path, source) == []


def test_the_rows_are_the_folders() -> None:
    there = {path.name.removesuffix(".py") for path in (ROOT / "zoo").iterdir()
             if path.suffix == ".py" or (path / "__init__.py").exists()}  # fmt: skip
    assert there - {"__init__"} == set(ROWS)
