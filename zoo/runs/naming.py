"""How a run's folder is typed on a command line, for messages that say what to type next."""

from __future__ import annotations

import shlex
from pathlib import Path


def as_argument(path: Path) -> str:
    """``path`` quoted for a shell, and with a slash, so that it is never taken for a model's name
    or an option."""
    text = str(path)
    return shlex.quote(text if "/" in text and not text.startswith("-") else f"./{text}")
