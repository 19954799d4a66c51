"""Letters and numbers on pictures: short, and none that the font cannot write."""

from __future__ import annotations

import contextlib
import functools
import logging
from collections.abc import Iterator, Sequence

from zoo.errors import clipped

LETTERS = 16  # of a name


@contextlib.contextmanager
def quiet_matplotlib() -> Iterator[None]:
    """matplotlib as it comes, whatever the user's settings are; nothing said of its caches."""
    logger = logging.getLogger("matplotlib")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        import matplotlib

        with matplotlib.rc_context():
            matplotlib.rcdefaults()
            yield
    finally:
        logger.setLevel(level)


def readable(classes: Sequence[str]) -> list[str]:
    """The classes' names, short; one that the font cannot write by its number."""
    shown = [clipped(name, LETTERS) for name in classes]
    return [
        name if written(name) == name else f"class {number}" for number, name in enumerate(shown)
    ]


def written(text: str) -> str:
    """``text`` with a question mark for each letter that the font has not."""
    known = _letters()
    return "".join(letter if ord(letter) in known else "?" for letter in text)


@functools.cache
def _letters() -> frozenset[int]:
    from matplotlib import font_manager, ft2font

    font = ft2font.FT2Font(font_manager.findfont("DejaVu Sans"))
    return frozenset(font.get_charmap())


def percent(share: float) -> str:
    """Never 0 or 100 % for what is only near it."""
    if 0 < share < 0.005:
        return "<1%"
    return ">99%" if 0.995 <= share < 1 else f"{share:.0%}"


def short_count(count: float) -> str:
    """``count`` in at most five characters: 12345 as 12k."""
    for unit, sign in ((1e9, "G"), (1e6, "M"), (1e4, "k")):
        if count >= unit:
            part = count / (1e3 if sign == "k" else unit)
            return f"{part:.1f}{sign}" if part < 10 else f"{part:.0f}{sign}"
    return f"{count:.0f}"
