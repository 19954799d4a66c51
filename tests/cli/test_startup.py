"""What must start at once imports nothing heavy. The times are in benchmarks/startup.py."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Callable

import pytest

Start = Callable[..., subprocess.Popen[str]]
HEAVY = (
    "torch", "torchvision", "timm", "numpy", "sklearn", "PIL", "pydantic", "rich", "jinja2",
)  # fmt: skip
CODE = (
    "import atexit, sys\n"
    f"heavy = {HEAVY!r}\n"
    "say = lambda: print(*(name for name in heavy if name in sys.modules), file=sys.stderr)\n"
    "atexit.register(say)\n"
    "from zoo_cli.main import main\n"
    "sys.exit(main())"
)


@pytest.mark.parametrize(
    "arguments",
    [
        ["--help"],
        ["--version"],
        ["components", "--help"],
        ["components", "list"],
        ["components", "list", "architectures"],
        ["components", "list", "architectures", "*net*", "--pretrained", "--max-params", "900M"],
        ["components", "list", "losses", "--task", "binary", "--json"],
        ["plugins", "list"],
        ["train", "--help"],
        ["eval", "--help"],
        ["predict", "--help"],
        ["explain", "--help"],
        ["export", "--help"],
        ["compare", "--help"],
        ["publish", "--help"],
        ["pull", "--help"],
        ["registry", "serve", "--help"],
        ["import", "--help"],
        ["push", "--help"],
        ["data", "get", "--help"],
        ["models", "show", "--help"],
        ["registry", "--help"],
        ["registry", "alias", "--help"],
        ["runs", "list"],
        ["doctor", "--help"],
    ],
    ids=" ".join,
)
def test_lists_and_help_import_nothing_heavy(start: Start, arguments: list[str]) -> None:
    with start(CODE, *arguments) as process:
        out, err = process.communicate(timeout=60)
    assert process.returncode == 0
    assert out or arguments == ["runs", "list"] or "--max-params" in arguments
    said = re.sub(
        r"^(no runs in 'runs'; make one with|left out, for nobody says how large they are): .*\n",
        "",
        err,
    )
    assert said == "\n"


def test_a_heavy_import_would_be_seen(start: Start) -> None:
    """The negative control."""
    with start(CODE.replace("from zoo_cli", "import numpy\nfrom zoo_cli"), "--help") as process:
        assert process.communicate(timeout=60)[1] == "numpy\n"


def test_thousands_of_architectures_are_listed_without_their_libraries(start: Start) -> None:
    with start(CODE, "components", "list", "architectures", "--json") as process:
        out, err = process.communicate(timeout=60)
    known = {row["name"]: row["facts"] for row in json.loads(out)}
    assert len(known) > 1600
    sized = [name for name, facts in known.items() if facts and facts["parameters"]]
    assert len(sized) > 1600
    assert err == "\n"


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("zoo tra", ["train"]),
        ("zoo components sh", ["show"]),
        ("zoo components list loss", ["losses"]),
        ("zoo components show cross_e", ["cross_entropy"]),
        ("zoo components list --task multic", ["multiclass"]),
        ("zoo components list losses cross_e", ["cross_entropy"]),
        ("zoo components list samplers cross_e", []),
        ("zoo plugins show bas", ["basics"]),
        ("zoo plugins check bas", ["basics"]),
        ("zoo plugins check basics --component cross_e", ["cross_entropy"]),
        ("zoo plugins new mine --kind los", ["losses"]),
        ("zoo train --dataset dig", ["digits"]),
        ("zoo nonsense x", []),
    ],
)
def test_the_shell_is_offered_names_without_torch(
    start: Start, words: str, expected: list[str]
) -> None:
    typed = words.split()
    request = {
        "_ZOO_COMPLETE": "complete_bash",
        "COMP_WORDS": words,
        "COMP_CWORD": str(len(typed) - 1),
    }
    with start(CODE, **request) as process:
        out, err = process.communicate(timeout=60)
    assert out.split() == expected
    assert set(err.split()) <= {"pydantic"}  # typer's, for a command with values to convert
