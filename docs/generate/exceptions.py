"""Every exception zoo raises on purpose: when, from where, and how to catch it."""

from __future__ import annotations

import ast
import inspect
from collections import defaultdict
from pathlib import Path

import markdown

import zoo
from zoo import errors

LEAD = """\
What zoo raises on purpose is a `zoo.ZooError`, said in one line: what was given, what was expected, what to type next. The command line prints it
behind `zoo: error:` and exits with 1. What a message means: [Troubleshooting](../troubleshooting.md).

```python
import zoo

try:
    zoo.load("no-such-model@1")
except zoo.ZooError as error:
    print(error)
```

A class that is not in `zoo` itself is in `zoo.errors`. Two are no `ZooError`: `ZooWarning`, a warning, and `PausedError`, for a training that a signal ended.
Anything else that comes out of a command is a bug, and the command line says so.
"""


def page() -> str:
    found = [
        one
        for one in vars(errors).values()
        if inspect.isclass(one) and one.__module__ == errors.__name__
    ]
    raised = _raised()
    rows = []
    for one in found:
        parents = ", ".join(f"`{parent.__name__}`" for parent in one.__bases__)
        where = ", ".join(f"`{place}`" for place in sorted(raised[one.__name__]))
        rows.append((f"`{one.__name__}`", parents, markdown.prose(inspect.getdoc(one)), where))
    head = ("class", "is a", "when", "raised in")
    public = ", ".join(f"`zoo.{one.__name__}`" for one in found if one.__name__ in zoo.__all__)
    ending = f"\nIn `zoo` itself: {public}. Plugins raise these.\n"
    return "\n".join([markdown.title("Errors", LEAD), markdown.table(head, rows), ending])


def _raised() -> dict[str, set[str]]:
    """By class: the packages whose code names it in a ``raise`` or makes one to be raised."""
    home = Path(zoo.__file__).parent
    found: dict[str, set[str]] = defaultdict(set)
    for path in sorted(home.rglob("*.py")):
        if path.name == "errors.py":
            continue
        place = ".".join(("zoo", *path.relative_to(home).parts[:1])).removesuffix(".py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            called = node.func if isinstance(node, ast.Call) else None
            if isinstance(called, ast.Name):
                found[called.id].add(place)
            elif isinstance(node, ast.Name) and node.id.endswith("Warning"):
                found[node.id].add(place)  # ``warnings.warn(text, ZooWarning)``
    return found
