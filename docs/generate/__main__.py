"""The reference pages, written from the code they describe: ``python docs/generate``.

With ``--check`` nothing is written; pages that differ from the code are named, and the exit code
is then 1.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import commands
import exceptions
import hooks
import public_names
import recipe_keys

PAGES: dict[str, Callable[[], str]] = {
    "cli.md": commands.page,
    "recipe.md": recipe_keys.page,
    "hooks.md": hooks.page,
    "python.md": public_names.page,
    "errors.md": exceptions.page,
}
FOLDER = Path(__file__).parents[1] / "reference"


def main(arguments: list[str]) -> int:
    check = arguments == ["--check"]
    if arguments and not check:
        print(f"unknown argument {arguments[0]!r}; expected --check or nothing", file=sys.stderr)
        return 2
    stale = []
    for name, page in PAGES.items():
        path, text = FOLDER / name, page()
        if path.exists() and path.read_text(encoding="utf-8") == text:
            continue
        stale.append(f"docs/reference/{name}")
        if not check:
            path.write_text(text, encoding="utf-8")
    if check and stale:
        print(f"{', '.join(stale)}: not as the code; run: make docs-reference", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
