"""Which fault a file has that cannot be used."""

from __future__ import annotations

import hashlib
import io
from pathlib import Path

from PIL import Image, UnidentifiedImageError

from zoo.data.decoding import FORMATS, PIXELS

BYTES = 1 << 30  # of one file; read into memory, so more is refused unread
_HEAD = 1024  # bytes in which a web page shows itself


class FileFaultError(Exception):
    """A file that is wrong before anybody decodes it: kind, message."""


def file_bytes(path: Path, name: str) -> bytes:
    """The whole file. Raises :class:`FileFaultError`: missing, empty, beyond :data:`BYTES`."""
    try:
        size = path.stat().st_size
        if not path.is_file():
            raise FileFaultError("missing_file", f"{name!r}: {str(path)!r} is no file")
        if size > BYTES:
            said = f"{name!r}: {size:,} bytes; expected at most {BYTES:,}"
            raise FileFaultError("oversized", said)
        content = path.read_bytes()
    except OSError as error:
        said = f"{name!r}: {str(path)!r}: {(error.strerror or str(error)).lower()}"
        raise FileFaultError("missing_file", said) from error
    if not content:
        raise FileFaultError("empty_file", f"{name!r}: {str(path)!r} has no bytes")
    return content


def fault_of(content: bytes | None, name: str, said: str) -> tuple[str, str]:
    """The kind of fault in bytes (None: they are not known) that could not be decoded, and what is
    wrong: what the decoder said, unless there is something plainer to say."""
    if content is None:
        return "undecodable", said
    start = f"{name!r} begins with {content[:16]!r}"
    if _is_page(content):
        return "not_an_image", f"{start}; expected an image"
    try:
        return _kind_of(content), said
    except UnidentifiedImageError:
        return "undecodable", f"{start}; expected {', '.join(FORMATS)}"


def _kind_of(content: bytes) -> str:
    try:
        with Image.open(io.BytesIO(content), formats=FORMATS) as image:
            width, height = image.size
            if width * height > PIXELS:
                return "oversized"
            if getattr(image, "n_frames", 1) != 1:
                return "animation"
            image.load()
    except Image.DecompressionBombError:
        return "oversized"
    except UnidentifiedImageError:
        raise
    # Pillow says so in words only, and differently for each format.
    except Exception as error:
        said = str(error).lower()
        short = any(word in said for word in ("truncated", "unexpected end", "not enough image"))
        return "truncated" if short else "undecodable"
    return "unusable"


def _is_page(content: bytes) -> bool:
    head = content[:_HEAD].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    return head.startswith((b"<!doctype html", b"<html", b"<head", b"<script")) or (
        head.startswith(b"<?xml") and b"<html" in head
    )


def digest(*parts: bytes) -> bytes:
    """16 bytes: equal for equal parts."""
    made = hashlib.blake2b(digest_size=16)
    for part in parts:
        made.update(part)
    return made.digest()
