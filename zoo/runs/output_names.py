"""Names of the files that answer images: none leaves the folder, no two are one.

An image's name may be a stranger's, as an id of a dataset; and two images may differ in nothing but
their suffix, or in case, which some file systems ignore.
"""

from __future__ import annotations

import hashlib
import os
import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path, PurePosixPath

from zoo.data.decoding import SUFFIXES
from zoo.errors import DataError
from zoo.registry.names import DEVICES

_LONGEST = 200  # bytes of a part; file systems take 255
_KEPT = 40  # letters of a longer one
# What some file system refuses or takes for something else, and the sign that escapes it.
_UNSAFE = re.compile(r'[<>:"\\|?*%]|^\.|[. ]$')


def placed_below(files: Sequence[Path], given: Sequence[Path]) -> list[str]:
    """Each of ``files`` relative to the one folder that was ``given``, or else to the deepest that
    holds all that was."""
    places = [_absolute(one) for one in given]
    alone = len(places) == 1 and places[0].is_dir()
    holding = places if alone else [one.parent for one in places]
    try:
        root = os.path.commonpath(holding)
    except ValueError as error:  # two drives of Windows
        raise DataError(
            "the images lie on different drives; give those of one at a time"
        ) from error
    return [_absolute(one).relative_to(root).as_posix() for one in files]


def _absolute(path: Path) -> Path:
    """Links stay as they are named: a folder of links to images keeps its order."""
    return Path(os.path.abspath(path))  # noqa: PTH100


def file_names(names: Sequence[str], suffixes: Sequence[str]) -> list[str]:
    """For each of ``names`` (paths, parts joined by "/") a relative path to which any of
    ``suffixes`` may be added. The suffix of an image is left away where all names still differ.

    Raises :class:`DataError` when they do not, whatever is done."""
    safe = ["/".join(map(_safe, name.split("/"))) for name in names]
    for chosen in (list(map(_without_suffix, safe)), safe):
        clash = _clash(chosen, suffixes)
        if clash is None:
            return chosen
    first, second = (names[place] for place in clash)  # type: ignore[union-attr]
    raise DataError(
        f"images {first!r} and {second!r} would be written to the same file; rename one of them"
    )


def _safe(part: str) -> str:
    if not part:
        return "%"
    escaped = _UNSAFE.sub(lambda match: _escaped(match[0]), part)
    escaped = "".join(one if one.isprintable() else _escaped(one) for one in escaped)
    if DEVICES.fullmatch(escaped):
        escaped = f"%{ord(escaped[0]):02X}{escaped[1:]}"
    if len(escaped.encode()) <= _LONGEST:
        return escaped
    digest = hashlib.sha256(part.encode("utf-8", "surrogatepass")).hexdigest()[:16]
    suffix = PurePosixPath(escaped).suffix
    return f"{escaped[:_KEPT]}~{digest}{suffix if suffix.lower() in SUFFIXES else ''}"


def _escaped(letter: str) -> str:
    return "".join(f"%{byte:02X}" for byte in letter.encode("utf-8", "surrogatepass"))


def _without_suffix(name: str) -> str:
    path = PurePosixPath(name)
    return str(path.with_suffix("")) if path.suffix.lower() in SUFFIXES else name


def _clash(stems: Sequence[str], suffixes: Sequence[str]) -> tuple[int, int] | None:
    """The places of two that cannot both be files in one folder."""
    owner: dict[str, int] = {}
    for place, name in _files(stems, suffixes):
        other = owner.setdefault(name, place)
        if other != place:
            return other, place
    for place, stem in enumerate(stems):
        for folder in PurePosixPath(_folded(stem)).parents:
            other = owner.get(str(folder), place)
            if other != place:
                return other, place
    return None


def _files(stems: Iterable[str], suffixes: Sequence[str]) -> Iterator[tuple[int, str]]:
    for place, stem in enumerate(stems):
        for suffix in suffixes:
            yield place, _folded(f"{stem}{suffix}")


def _folded(name: str) -> str:
    """Equal for names that some file system takes for one."""
    return unicodedata.normalize("NFC", name.casefold())
