"""Published encoders on the Hugging Face Hub.

Its own client says where a file is and what sha256 it has (HF_ENDPOINT, HF_HOME and HF_HUB_OFFLINE
are its own); zoo downloads it and compares.

$ZOO_WEIGHTS/NAME.safetensors, <cache>/weights/NAME.safetensors   what somebody put there by hand
<cache>/weights/NAME-COMMIT-SHA256.safetensors                    what zoo downloaded
$HF_HOME/hub/models--OWNER--NAME/                                 what the Hub's client downloaded
"""

from __future__ import annotations

import hashlib
import os
import re
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import zoo
from zoo import DataError

if TYPE_CHECKING:
    from torch import Tensor

FILE = "model.safetensors"
LARGEST = 16 << 30  # bytes, the most that zoo reads
_SHA256 = re.compile(r"[0-9a-f]{64}")


def weights(repository: str, revision: str | None = None) -> dict[str, Tensor]:
    """The tensors of ``OWNER/NAME`` at a commit, by default the newest, by name.

    Raises :class:`zoo.ZooError` where they cannot be had, or are not what the Hub says they are;
    nothing is kept then. Without a network that takes 4 s."""
    path = _by_hand(repository) or _kept(repository, revision)
    path = path or _of_the_client(repository, revision) or _fetched(repository, revision)
    return zoo.read_torch_weights(path)


def _name(repository: str) -> str:
    return repository.rpartition("/")[2]


def _begins(repository: str, revision: str | None) -> str:
    """The name of what is downloaded, but for its sha256."""
    return f"{_name(repository)}-{(revision or 'main')[:12]}-"


def _cache() -> Path:
    return zoo.cache_folder() / "weights"


def _by_hand(repository: str) -> Path | None:
    """What somebody put there, who vouches for it."""
    folders = [_cache()]
    if given := os.environ.get("ZOO_WEIGHTS", ""):
        own = Path(given).expanduser()
        if not own.is_dir():
            raise DataError(f"ZOO_WEIGHTS {given!r}: no such folder")
        folders.insert(0, own)
    paths = (one / f"{_name(repository)}.safetensors" for one in folders)
    return next((path for path in paths if path.is_file()), None)


def _kept(repository: str, revision: str | None) -> Path | None:
    """What was downloaded before. Its name says its sha256, which is compared each time."""
    begins = _begins(repository, revision)
    for path in sorted(_cache().glob(f"{begins}*.safetensors")):
        digest = path.stem.removeprefix(begins)
        if _SHA256.fullmatch(digest) and _digest(path) == digest:
            return path
    return None


def _of_the_client(repository: str, revision: str | None) -> Path | None:
    """A blob of its cache bears its sha256 as its name."""
    from huggingface_hub import try_to_load_from_cache

    found = try_to_load_from_cache(repository, FILE, revision=revision)
    if not isinstance(found, str):
        return None
    blob = Path(found).resolve()
    if _SHA256.fullmatch(blob.name) and _digest(blob) != blob.name:
        raise DataError(
            f"{str(blob)!r} is damaged: its sha256 is not its name; remove it, then type the same "
            f"command again"
        )
    return Path(found)


def _fetched(repository: str, revision: str | None) -> Path:
    from huggingface_hub import constants, hf_hub_url

    what, url = f"{repository!r} of the Hub", hf_hub_url(repository, FILE, revision=revision)
    place = str(_cache() / f"{_name(repository)}.safetensors")
    else_ = (
        f"get {url} by other means and put it here as {place!r} or into a folder that ZOO_WEIGHTS "
        f"names"
    )
    if constants.HF_HUB_OFFLINE:
        raise DataError(
            f"{what} is not in the cache {str(constants.HF_HUB_CACHE)!r}, and HF_HUB_OFFLINE is "
            f"set; unset it, or {else_}"
        )
    try:
        found = zoo.ask_hub(url)
    except zoo.ZooError:
        raise
    except Exception as error:  # the client's libraries have errors of their own
        raise DataError(
            f"{what} cannot be had from {urlsplit(url).netloc!r}: {_reason(error)}; {else_}, or "
            f"set HF_ENDPOINT to a mirror's address"
        ) from error
    digest = found.etag or ""
    if not _SHA256.fullmatch(digest) or not found.size or found.size > LARGEST:
        raise DataError(
            f"{what}: {urlsplit(url).netloc!r} gives no sha256 of {FILE!r}, or a size above "
            f"{LARGEST} bytes; {else_}, or set HF_ENDPOINT to another mirror"
        )
    name = f"{_begins(repository, revision)}{digest}.safetensors"
    return zoo.fetch_weights(url=url, sha256=digest, largest=found.size, name=name)


def _digest(path: Path) -> str:
    try:
        with path.open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()
    except OSError as error:
        raise DataError(f"cannot read {str(path)!r}: {_reason(error)}") from error


def _reason(error: BaseException) -> str:
    """A library's own words, the first line of them."""
    lines = str(error).strip().splitlines()
    return f"{type(error).__name__}: {lines[0][:200]}" if lines else type(error).__name__
