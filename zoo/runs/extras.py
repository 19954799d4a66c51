"""Libraries that only some commands need, brought in when they are called for."""

from __future__ import annotations

import importlib
from typing import Any

from zoo.errors import MissingError


def needed(module: str, extra: str, what: str) -> Any:
    """The module. Raises :class:`MissingError` with the command that installs it for ``what``."""
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        if error.name != module.partition(".")[0]:  # it is there, and lacks something itself
            raise
        raise MissingError(
            f"{what} needs {module}; install it with: pip install 'zoo[{extra}]'"
        ) from error
