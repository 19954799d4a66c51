"""A new plugin: a whole package of one component that works, passes its tests, and is easily made
another.

Its texts lie in ``templates/``, with ``$name`` where something is filled in.
"""

from __future__ import annotations

import datetime
import importlib.util
import keyword
import os
import re
import shutil
import string
import tempfile
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from packaging.utils import canonicalize_name

from zoo.errors import PluginError, missing_path
from zoo.plugins.catalog import Catalog
from zoo.plugins.specs import PLURALS, SPECS

_TEMPLATES = Path(__file__).with_name("templates")
_NAME = re.compile(r"[a-z][a-z0-9]*(?:[-_][a-z0-9]+)*", re.ASCII)
_LONGEST = 40
_PREFIX = "zoo-"
# Where each template goes, in the package's folder.
_FILES = {
    "pyproject.toml": "pyproject.toml",
    "README.md": "README.md",
    "LICENSE": "LICENSE",
    "gitignore": ".gitignore",
    "workflow.yml": ".github/workflows/test.yml",
    "declared.py": "$module/__init__.py",
    "$kind.py": "$module/$kind.py",
    "test_contract.py": "tests/test_contract.py",
    "test_$kind.py": "tests/test_$kind.py",
}


@dataclass(frozen=True)
class Scaffold:
    """A package that was made. ``component``: the name of what it provides; ``train``: a command
    that uses it."""

    folder: Path
    distribution: str
    module: str
    kind: str
    component: str
    train: str
    files: tuple[Path, ...]


def make_plugin(name: str, kind: str, parent: Path, catalog: Catalog, *, zoo: str) -> Scaffold:
    """Make the package ``zoo-NAME`` in the folder ``parent``, whole or not at all.

    ``kind``: of the component, such as ``"loss"``; ``zoo``: the version that it needs at least.
    Raises :class:`PluginError` for a name that cannot be one, or that is taken.
    """
    name = name.removeprefix(_PREFIX)
    distribution, module = _PREFIX + name.replace("_", "-"), "zoo_" + name.replace("-", "_")
    component = name.replace("-", "_")
    _check_name(name, component)
    _check_free(distribution, module, kind, component, catalog)
    if not parent.is_dir():
        raise PluginError(missing_path("--to", parent))
    folder = parent / distribution
    if os.path.lexists(folder):
        raise PluginError(f"{str(folder)!r} is there already; remove it, or choose another name")
    words = _words(kind) | {
        "distribution": distribution, "module": module, "component": component, "kind": kind,
        "name": name, "version": zoo, "year": str(datetime.date.today().year),
        "hook": f"register_{PLURALS[kind]}",
        "spec": next(one.__name__ for one in SPECS if one.kind == kind),
    }  # fmt: skip
    words["train"] = "zoo train " + words["train"].replace("NAME", component)
    texts = {
        Path(_filled(where, words)): _filled(_template(_filled(template, words)), words)
        for template, where in _FILES.items()
    }
    try:
        _write(folder, texts)
    except OSError as error:
        raise PluginError(
            f"{str(folder)!r} cannot be made: {error.strerror}; name another folder with --to"
        ) from error
    files = tuple(folder / path for path in texts)
    return Scaffold(folder, distribution, module, kind, component, words["train"], files)


def _check_name(name: str, component: str) -> None:
    if not _NAME.fullmatch(name) or len(name) > _LONGEST or keyword.iskeyword(component):
        raise PluginError(
            f"plugin name {name!r}: expected up to {_LONGEST} lower-case letters and digits, a "
            f"letter first, joined by '-' or '_', and no word of Python's; such as my-loss"
        )


def _check_free(
    distribution: str, module: str, kind: str, component: str, catalog: Catalog
) -> None:
    """A second component, package or module of a name could not be used beside the first."""
    plugins = [one.plugin for one in catalog.loaded] + [one.plugin for one in catalog.problems]
    owners = [one.plugin for one in catalog.components(kind) if one.name == component]
    what = f"{kind} {component!r}"
    if not owners:
        owners = [one for one in plugins if canonicalize_name(one.distribution) == distribution]
        what = f"plugin {distribution!r}"
    if owners:
        raise PluginError(f"{what} is installed already, by {owners[0]}; choose another name")
    if importlib.util.find_spec(module) is not None:
        raise PluginError(f"module {module!r} is installed already; choose another name")


def _words(kind: str) -> dict[str, str]:
    said: dict[str, Any] = tomllib.loads(_text("kinds.toml"))[kind]
    quoted = {key: ", ".join(f'"{one}"' for one in said[key]) for key in ("tasks", "dependencies")}
    return {**said, **quoted}


def _template(name: str) -> str:
    return _text(f"{name}.txt")


def _text(name: str) -> str:
    return (_TEMPLATES / name).read_text(encoding="utf-8")


def _filled(text: str, words: dict[str, str]) -> str:
    return string.Template(text).substitute(words)


def _write(folder: Path, texts: dict[Path, str]) -> None:
    """Beside its place first, then renamed: there is never half a package."""
    temporary = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
    try:
        for path, text in texts.items():
            place = temporary / path
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_text(text, encoding="utf-8", newline="\n")
        temporary.chmod(0o777 & ~_umask())
        temporary.rename(folder)
    except BaseException:
        shutil.rmtree(temporary, ignore_errors=True)
        raise


def _umask() -> int:
    """Of this process; asking for it sets it."""
    mask = os.umask(0o022)
    os.umask(mask)
    return mask
