"""One file received from a server of the Hub, no longer and no slower than said, and nowhere else.

The Hub's own client would ask a server that cuts every answer short for ever again.
"""

from __future__ import annotations

import contextlib
import hashlib
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any
from urllib.parse import urljoin, urlsplit

import zoo
from zoo import DataError, ZooError

STALL_SECONDS, STALL_BYTES = 30.0, 1 << 18  # so much must come in that time
_REDIRECTS = 5


@contextlib.contextmanager
def temporary(part: Path) -> Iterator[Path]:
    """A path for a file that is removed where it still is at the end."""
    try:
        part.parent.mkdir(parents=True, exist_ok=True)
        yield part
    except OSError as error:
        raise DataError(f"cannot write into {str(part.parent)!r}: {reason(error)}") from error
    finally:
        with contextlib.suppress(OSError):
            part.unlink(missing_ok=True)


def receive(url: str, location: str, size: int, out: IO[bytes], what: str) -> str:
    """Write what the server sends; the sha256 of it."""
    from huggingface_hub import constants, get_session
    from huggingface_hub.utils import build_hf_headers  # type: ignore[attr-defined]

    headers = {**build_hf_headers(), "Accept-Encoding": "identity"}
    asked, patience = urljoin(url, location), constants.HF_HUB_DOWNLOAD_TIMEOUT
    for _ in range(_REDIRECTS):
        _require_address(url, asked, what)
        if host(asked) != host(url):  # a token is for the Hub, not for whom it leads to
            headers = {k: one for k, one in headers.items() if k.lower() != "authorization"}
        try:
            with get_session().stream(
                "GET", asked, headers=headers, follow_redirects=False, timeout=patience
            ) as response:
                if response.has_redirect_location:
                    asked = urljoin(asked, response.headers["Location"])
                    continue
                if response.status_code != 200:
                    raise DataError(f"{what}: {host(asked)!r} answered {response.status_code}")
                return _copied(response.iter_raw(), size, out, what)
        except (ZooError, OSError):
            raise
        except Exception as error:  # the client's libraries have errors of their own
            raise DataError(
                f"{what}: {host(asked)!r} broke off: {reason(error)}; type the same command "
                f"again, or later"
            ) from error
    raise DataError(f"{what}: {host(url)!r} leads on and on, more than {_REDIRECTS} times")


def _require_address(url: str, asked: str, what: str) -> None:
    """https leads to https only."""
    if urlsplit(asked).scheme == "https":
        return
    if urlsplit(url).scheme == "https" or not zoo.is_private_address(asked):
        raise DataError(
            f"{what}: {host(url)!r} leads to {asked[:200]!r}; expected an https address"
        )


def _copied(blocks: Iterator[bytes], size: int, out: IO[bytes], what: str) -> str:
    digest, done = hashlib.sha256(), 0
    mark, since = 0, time.monotonic()
    with _bar(size, what) as bar:
        for block in blocks:
            done += len(block)
            if done > size:
                raise DataError(f"{what} has more than {size} bytes: it is not the published file")
            out.write(block)
            digest.update(block)
            bar.update(len(block))
            if (now := time.monotonic()) - since > STALL_SECONDS:
                if done - mark < STALL_BYTES:
                    raise DataError(
                        f"{what}: less than {STALL_BYTES} bytes came within {STALL_SECONDS:g} s; "
                        f"type the same command again, or later"
                    )
                mark, since = done, now
    if done != size:
        raise DataError(
            f"{what} ended after {done} of {size} bytes; type the same command again, or later"
        )
    return digest.hexdigest()


def _bar(size: int, what: str) -> Any:
    from huggingface_hub.utils import tqdm  # type: ignore[attr-defined]

    made: Any = tqdm
    return made(total=size, unit="B", unit_scale=True, desc=what, disable=not sys.stderr.isatty())


def host(url: str) -> str:
    return urlsplit(url).netloc


def reason(error: BaseException) -> str:
    """A library's own words, the first line of them."""
    lines = str(error).strip().splitlines()
    return f"{type(error).__name__}: {lines[0][:200]}" if lines else type(error).__name__
