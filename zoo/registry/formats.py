"""The form that files of a registry have, as each of them says, and whether this zoo reads it."""

from __future__ import annotations

from typing import Any, Final

from zoo.errors import RegistryError

FORMAT: Final = 1
NOT_OURS = f'it has no "format": {FORMAT}'


def refuse_later(plain: Any, what: str) -> None:
    """Raise :class:`RegistryError`, naming ``what``, when it says that it has a later format: it
    may mean anything, and there is nothing to mend."""
    written = plain.get("format") if isinstance(plain, dict) else None
    if type(written) is int and written > FORMAT:
        raise RegistryError(
            f"{what} has format {written}, this zoo reads {FORMAT}; type: pip install --upgrade zoo"
        )


def is_ours(plain: Any) -> bool:
    """Whether it says that it has the format this zoo reads. Neither true nor 1.0 is 1."""
    written = plain.get("format") if isinstance(plain, dict) else None
    return type(written) is int and written == FORMAT
