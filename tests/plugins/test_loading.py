"""Plugins as people install them, good and bad: a bad one costs one line, the rest works."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import venv
from collections.abc import Callable
from importlib import metadata
from pathlib import Path

import pytest

from zoo.plugins import loading

Install = Callable[[str, str], None]
Zoo = Callable[..., subprocess.CompletedProcess[str]]

ROOT = Path(__file__).parents[2]
BLOCKS = re.findall(r"^```(\w+)\n(.*?)^```", (ROOT / "docs/plugins.md").read_text(), re.M | re.S)
GOOD = next(text for kind, text in BLOCKS if kind == "python")
PROJECT = next(text for kind, text in BLOCKS if kind == "toml")
LEFT_OUT = (
    "zoo: warning: plugin 'bad' of zoo-bad 0.1 not loaded: {what}; the rest works; "
    "remove it with: pip uninstall zoo-bad\n"
)
HOOKS = (
    "register_datasets, register_architectures, register_losses, register_samplers, "
    "register_augmentations, register_optimizers, register_schedulers, register_trackers"
)
DUPLICATE = GOOD.replace("smooth_ce", "cross_entropy")
BAD = {
    "raises on import": (
        "raise RuntimeError('no licence file\\nsecond line')",
        "RuntimeError: no licence file",
    ),
    "needs a module": (
        "import not_there_at_all",
        "ModuleNotFoundError: No module named 'not_there_at_all'",
    ),
    "exits on import": ("import sys; sys.exit(3)", "SystemExit: 3"),
    "is no Python": ("def (", "SyntaxError: invalid syntax (zoo_bad.py, line 1)"),
    "moves the cursor": ("raise ValueError('\\x1b[2J')", r"ValueError: \x1b[2J"),
    "misspelt hook": (
        GOOD.replace("register_losses", "register_lossess"),
        f"unknown hook 'register_lossess' (did you mean 'register_losses'?); hooks are {HOOKS}",
    ),
    "no hook": (
        "import zoo",
        "'zoo_bad' implements no hook; mark one with @zoo.hookimpl, such as register_losses",
    ),
    "hook with an argument": (
        "import zoo\n@zoo.hookimpl\ndef register_losses(config, *, extra=1): return []",
        "register_losses takes config; a hook takes no argument",
    ),
    "hook that raises": (
        "import zoo\n@zoo.hookimpl\ndef register_losses(): return [][1]",
        "IndexError: list index out of range",
    ),
    "returns no list": (
        "import zoo\n@zoo.hookimpl\ndef register_losses(): return {'a': 1}",
        "register_losses returned dict; expected a list",
    ),
    "returns no specs": (
        "import zoo\n@zoo.hookimpl\ndef register_losses(): return ['cross']",
        "register_losses returned a list with a str; expected LossSpec or LossFamily",
    ),
    "spec of another kind": (
        GOOD.replace("register_losses", "register_samplers"),
        "register_samplers returned a list with a LossSpec; expected SamplerSpec",
    ),
    "bad name": (
        GOOD.replace("smooth_ce", "Smooth CE"),
        "loss name 'Smooth CE': expected lower-case letters and digits, joined by '_', '-' or '.'",
    ),
    "unknown task": (
        GOOD.replace('"multiclass"', '"classification"'),
        "loss 'smooth_ce': tasks {'classification'}: expected a set of binary, multiclass, "
        "multilabel, segmentation",
    ),
}


def losses(result: subprocess.CompletedProcess[str]) -> list[str]:
    assert result.returncode == 0, result.stderr
    return [row["name"] for row in json.loads(result.stdout)]


def test_a_plugin_of_fifteen_lines_is_listed_and_shown(install: Install, run_zoo: Zoo) -> None:
    install("smooth", GOOD)
    assert len(GOOD.splitlines()) <= 15
    listed = run_zoo("components", "list", "losses", "--json")
    assert {"smooth_ce", "cross_entropy"} <= set(losses(listed))
    assert listed.stderr == ""
    shown = json.loads(run_zoo("components", "show", "smooth_ce", "--json").stdout)
    assert shown["distribution"] == "zoo-smooth"
    assert shown["tasks"] == ["multiclass"]
    assert shown["options"] == [
        {"name": "smoothing", "type": "float", "required": False, "default": 0.1}
    ]


def test_its_loss_trains(install: Install, run_zoo: Zoo) -> None:
    install("smooth", GOOD)
    flags = "--dataset digits --architecture linear --loss smooth_ce --epochs 1 --threads 1"
    done = run_zoo("train", *flags.split(), "--set", "loss.smoothing=0.1", "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["status"] == "finished"


@pytest.mark.parametrize("case", BAD)
def test_a_bad_plugin_costs_one_line(case: str, install: Install, run_zoo: Zoo) -> None:
    source, what = BAD[case]
    install("smooth", GOOD)
    install("bad", source)
    listed = run_zoo("components", "list", "losses", "--json")
    assert {"smooth_ce", "cross_entropy"} <= set(losses(listed))
    assert listed.stderr == LEFT_OUT.format(what=what)


def test_each_bad_plugin_has_its_own_line_and_a_row(install: Install, run_zoo: Zoo) -> None:
    install("bad", "1/0")
    install("worse", "import sys; sys.exit()")
    listed = run_zoo("plugins", "list", "--json")
    assert listed.returncode == 0
    assert listed.stderr.count("zoo: warning: plugin") == 2
    rows = {row["name"]: row for row in json.loads(listed.stdout)}
    assert rows["bad"]["problem"] == "ZeroDivisionError: division by zero"
    assert rows["worse"]["problem"] == "SystemExit"
    assert rows["worse"]["state"] == "not loaded"
    assert rows["basics"]["problem"] is None
    assert rows["basics"]["components"] > 0


def test_a_name_registered_twice_cannot_be_used_and_all_others_can(
    install: Install, run_zoo: Zoo
) -> None:
    install("double", DUPLICATE)
    listed = run_zoo("components", "list", "losses", "--json")
    assert losses(listed).count("cross_entropy") == 2
    assert listed.stderr == ""
    shown = run_zoo("components", "show", "cross_entropy")
    version = metadata.version("zoo-basics")
    assert shown.returncode == 1
    assert shown.stdout == ""
    assert shown.stderr == (
        f"zoo: error: loss 'cross_entropy' is provided by zoo-basics {version} and "
        f"zoo-double 0.1: uninstall one, or name the plugins to load in ZOO_PLUGINS\n"
    )
    assert run_zoo("components", "show", "bce").returncode == 0
    chosen = run_zoo("components", "show", "cross_entropy", ZOO_PLUGINS="zoo-double")
    assert chosen.returncode == 0
    assert "double of zoo-double 0.1" in chosen.stdout


def test_a_misspelt_selection_is_said(install: Install, run_zoo: Zoo) -> None:
    install("smooth", GOOD)
    listed = run_zoo("components", "list", "losses", "--json", ZOO_PLUGINS="smoth, smooth")
    assert losses(listed) == ["smooth_ce"]
    assert listed.stderr == (
        "zoo: warning: ZOO_PLUGINS names 'smoth': no such plugin is installed "
        "(did you mean 'smooth'?)\n"
    )


def test_what_a_plugin_prints_at_import_does_not_spoil_json(install: Install, run_zoo: Zoo) -> None:
    install("chatty", "print('welcome')\n" + GOOD)
    listed = run_zoo("components", "list", "losses", "--json")
    assert "smooth_ce" in losses(listed)
    assert listed.stderr == "welcome\n"


UNRULY = {
    "odd": ("class Odd(BaseException): pass\nraise Odd('no')", "Odd: no"),
    "exits": ("import sys; sys.exit('bye\\nnow')", "SystemExit: bye"),
    "ends": ("raise GeneratorExit", "GeneratorExit"),
    "forks": ("import os; os.fork()\n" + GOOD, None),
    "forks_and_exits": ("import os, sys\nif os.fork() == 0: sys.exit(7)\n" + GOOD, None),
    "forks_and_fails": ("import os, sys\nif os.fork() == 0: 1/0\n" + GOOD, None),
    "family": (
        "import sys, zoo\n@zoo.hookimpl\ndef register_architectures():\n"
        "    return [zoo.ArchitectureFamily(prefix='bad', names=sys.exit, build='a:b', "
        "summary='s')]",
        "architecture 'bad' of zoo-family 0.1: its names cannot be read: SystemExit",
    ),
}


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
def test_unruly_plugins_neither_end_nor_double_the_list(install: Install, run_zoo: Zoo) -> None:
    for name, (source, _) in UNRULY.items():
        install(name, "print('welcome')\n" + source)
    listed = run_zoo("plugins", "list", "--json")
    assert listed.returncode == 0, listed.stderr
    rows = {row["name"]: row for row in json.loads(listed.stdout)}
    assert {name: rows[name]["problem"] for name in UNRULY} == {
        name: problem for name, (_, problem) in UNRULY.items()
    }
    assert rows["basics"]["components"] > 0
    table = run_zoo("plugins", "list").stdout
    assert table.count("zoo-basics") == 1
    assert all(problem in table for _, problem in UNRULY.values() if problem is not None)


def test_the_users_interrupt_is_not_taken_for_a_plugins_failure(
    install: Install, run_zoo: Zoo
) -> None:
    install("slow", "raise KeyboardInterrupt")
    stopped = run_zoo("components", "list")
    assert (stopped.returncode, stopped.stderr) == (130, "zoo: interrupted\n")


def test_python_users_get_one_warning(install: Install, site: Path) -> None:
    install("bad", "1/0")
    code = (
        "import warnings\n"
        "with warnings.catch_warnings(record=True) as caught:\n"
        "    warnings.simplefilter('always')\n"
        "    from zoo.plugins.catalog import catalog\n"
        "    catalog(); catalog()\n"
        "print([(one.category.__name__, str(one.message)[:32]) for one in caught])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "PYTHONPATH": str(site)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == "[('ZooWarning', \"plugin 'bad' of zoo-bad 0.1 not \")]\n"


def test_without_its_own_try_one_bad_plugin_would_end_all() -> None:
    """The negative control: what a bad plugin raises does get out of the entry point."""
    point = metadata.EntryPoint("bad", "not_there_at_all", "zoo")
    with pytest.raises(ModuleNotFoundError):
        point.load()
    loaded, problems = loading.load_all([point], selection="")
    assert loaded == []
    assert [str(problem) for problem in problems] == [
        "plugin 'bad' of unknown 0 not loaded: ModuleNotFoundError: No module named "
        "'not_there_at_all'; the rest works; remove it with: pip uninstall unknown"
    ]


def test_a_plugin_installed_by_pip_in_an_editable_way(tmp_path: Path) -> None:
    project = tmp_path / "smooth"
    project.mkdir()
    (project / "zoo_smooth.py").write_text(GOOD)
    (project / "pyproject.toml").write_text(PROJECT)
    python = _environment(tmp_path / "venv")
    offline = {"PIP_NO_INDEX": "1", "PIP_CONFIG_FILE": os.devnull, "PYTHONPATH": ""}
    _run(
        [python, "-m", "pip", "install", "-q", "--no-build-isolation", "--no-deps", "-e", project],
        offline,
    )
    code = "import sys; from zoo_cli.main import main; sys.exit(main())"
    listed = _run([python, "-c", code, "components", "list", "losses", "--json"], offline)
    assert {"smooth_ce", "cross_entropy"} <= set(losses(listed))
    assert listed.stderr == ""


def _environment(folder: Path) -> Path:
    """A virtual environment that sees what the tests' own one has; returns its Python."""
    venv.create(folder, symlinks=os.name != "nt")
    scripts, name = ("Scripts", "python.exe") if os.name == "nt" else ("bin", "python")
    python = folder / scripts / name
    where = "import sysconfig; print(sysconfig.get_path('purelib'))"
    mine = Path(_run([python, "-I", "-c", where], {}).stdout.strip())
    theirs = _run([Path(sys.executable), "-I", "-c", where], {}).stdout.strip()
    (mine / "parent.pth").write_text(f"import site; site.addsitedir({theirs!r})\n")
    return python


def _run(command: list[str | Path], variables: dict[str, str]) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, **variables}
    done = subprocess.run(
        command, env=environment, capture_output=True, text=True, timeout=100, check=False
    )
    assert done.returncode == 0, done.stderr
    return done
