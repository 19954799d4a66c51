"""Weights on the Hugging Face Hub.

Its own client says where a file is and what sha256 it has, and where it is kept (HF_ENDPOINT,
HF_HOME, HF_HUB_OFFLINE and a login are its own). The bytes are received by :mod:`receiving`, and
compared with that sha256 here, which the client does not do.

$ZOO_WEIGHTS/NAME.safetensors, or NAME/model.safetensors   what somebody put there by hand
<cache>/weights/...                                         likewise
$HF_HOME/hub/models--OWNER--NAME/                           what the Hub's client or zoo downloaded
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import uuid
from pathlib import Path
from typing import TYPE_CHECKING, Any

import zoo
from zoo import DataError, ZooError
from zoo_timm import receiving
from zoo_timm.receiving import host, reason

if TYPE_CHECKING:
    from torch import Tensor

FILE = "model.safetensors"
LARGEST = 16 << 30  # bytes, the most that zoo reads
_SHA256, _COMMIT = re.compile(r"[0-9a-f]{64}"), re.compile(r"[0-9a-f]{40}")


def weights(repository: str, file: str = FILE) -> dict[str, Tensor]:
    """The tensors of a ``.safetensors`` file of ``OWNER/NAME``, by name.

    Raises :class:`zoo.ZooError` where it cannot be had, or is not what the Hub says it is; nothing
    is kept then. Without a network that takes 4 s."""
    what = f"{repository!r} of the Hub"
    if not file.endswith(".safetensors"):
        raise DataError(
            f"{what} has its weights as {file!r}, which may hold a program; only .safetensors are "
            f"read: start from another tag, or convert them and start from your own file"
        )
    if (local := _local(repository.rpartition("/")[2])) is not None:
        return zoo.read_torch_weights(local)
    if (cached := _cached(repository, file)) is not None:
        return zoo.read_torch_weights(cached)
    found = _asked(repository, file, what)
    blob = _folder(repository) / "blobs" / found.etag
    if not (blob.is_file() and _digest(blob) == found.etag):
        return _downloaded(repository, file, found, blob, what)
    _link(repository, file, found.commit_hash, blob)
    return zoo.read_torch_weights(_pointer(repository, file, found.commit_hash))


def _local(name: str) -> Path | None:
    """What somebody put there, who vouches for it."""
    folders = [zoo.cache_folder() / "weights"]
    if given := os.environ.get("ZOO_WEIGHTS", ""):
        own = Path(given).expanduser()
        if not own.is_dir():
            raise DataError(f"ZOO_WEIGHTS {given!r}: no such folder")
        folders.insert(0, own)
    paths = [path for one in folders for path in (one / f"{name}.safetensors", one / name / FILE)]
    return next((path for path in paths if path.is_file()), None)


def _cached(repository: str, file: str) -> Path | None:
    """Where the Hub's client keeps it. A blob's name is its sha256; it is compared each time."""
    from huggingface_hub import try_to_load_from_cache

    found = try_to_load_from_cache(repository, file)
    if not isinstance(found, str):
        return None
    blob = Path(found).resolve()
    named = blob.parent.name == "blobs" and _SHA256.fullmatch(blob.name)
    if named and _digest(blob) != blob.name:
        raise DataError(
            f"{str(blob)!r} is damaged: its sha256 is not its name; remove it, then type the same "
            f"command again"
        )
    return Path(found)


def _asked(repository: str, file: str, what: str) -> Any:
    """What the Hub says of it: ``etag``, which is its sha256, ``size``, ``commit_hash`` and
    ``location``."""
    from huggingface_hub import constants, hf_hub_url

    url = hf_hub_url(repository, file)
    if constants.HF_HUB_OFFLINE:
        raise DataError(
            f"{what} is not in the cache {str(constants.HF_HUB_CACHE)!r}, and HF_HUB_OFFLINE is "
            f"set; unset it, or {_by_hand(repository, url)}"
        )
    try:
        found = zoo.ask_hub(url)
    except ZooError:
        raise
    except Exception as error:  # the client's libraries have errors of their own
        raise _refusal(error, what, repository, file, url) from error
    etag, size, commit = found.etag or "", found.size, found.commit_hash or ""
    if not _COMMIT.fullmatch(commit):
        raise DataError(
            f"{what}: {host(url)!r} answers as no Hub does; check HF_ENDPOINT and the network"
        )
    if not _SHA256.fullmatch(etag) or size is None:
        raise DataError(
            f"{what}: {host(url)!r} gives no sha256 of {file!r}, so it cannot be compared; set "
            f"HF_ENDPOINT to another mirror, or {_by_hand(repository, url)}"
        )
    if size > LARGEST:
        raise DataError(f"{what}: {file!r} has {size} bytes; zoo reads {LARGEST} at most")
    return found


def _refusal(error: Exception, what: str, repository: str, file: str, url: str) -> DataError:
    from huggingface_hub import errors

    if isinstance(error, errors.EntryNotFoundError | errors.RevisionNotFoundError):
        return DataError(
            f"{what} has no {file!r}; only .safetensors are read: start from another tag, or from "
            f"your own file"
        )
    if isinstance(error, errors.RepositoryNotFoundError):  # gated ones, too
        return DataError(
            f"{what} is not there, or not for everybody; accept its terms at {_page(url)} and log "
            f"in with: hf auth login, or set HF_TOKEN"
        )
    if isinstance(error, errors.HfHubHTTPError):
        status = getattr(error.response, "status_code", "an error")
        return DataError(
            f"{what}: {host(url)!r} answered {status}; try again later, or "
            f"{_by_hand(repository, url)}"
        )
    return DataError(
        f"{host(url)!r} cannot be reached: {reason(error)}; {_by_hand(repository, url)}, or set "
        f"HF_ENDPOINT to a mirror's address"
    )


def _by_hand(repository: str, url: str) -> str:
    place = zoo.cache_folder() / "weights" / f"{repository.rpartition('/')[2]}.safetensors"
    return (
        f"get {url} by other means and put it here as {str(place)!r} or into a folder that "
        f"ZOO_WEIGHTS names"
    )


def _downloaded(repository: str, file: str, found: Any, blob: Path, what: str) -> dict[str, Tensor]:
    """Received, compared and read; only then is it put where the client keeps it."""
    from huggingface_hub import constants, hf_hub_url

    url = hf_hub_url(repository, file)
    root = Path(constants.HF_HUB_CACHE)
    with receiving.temporary(root / f".{uuid.uuid4().hex}.safetensors") as part:
        if found.size > (free := shutil.disk_usage(root).free):
            raise DataError(f"{what} has {found.size} bytes; {str(root)!r} has room for {free}")
        with part.open("xb") as out:
            digest = receiving.receive(url, found.location, found.size, out, what)
        if digest != found.etag:
            raise DataError(
                f"{what} has the sha256 {digest}; expected {found.etag}: it is not the published "
                f"file, or was damaged on its way; type the same command again, or later"
            )
        try:
            tensors = zoo.read_torch_weights(part)
        except ZooError as error:
            raise DataError(str(error).replace(f"weights {str(part)!r}", what)) from error
        blob.parent.mkdir(parents=True, exist_ok=True)
        part.replace(blob)
        _link(repository, file, found.commit_hash, blob)
    return tensors


def _folder(repository: str) -> Path:
    """Where the Hub's client keeps a repository: blobs by sha256, commits that name them, and
    branches that name commits."""
    from huggingface_hub import constants

    return Path(constants.HF_HUB_CACHE) / "--".join(["models", *repository.split("/")])


def _pointer(repository: str, file: str, commit: str) -> Path:
    return _folder(repository) / "snapshots" / commit / file


def _link(repository: str, file: str, commit: str, blob: Path) -> None:
    pointer, reference = _pointer(repository, file, commit), _folder(repository) / "refs" / "main"
    pointer.parent.mkdir(parents=True, exist_ok=True)
    reference.parent.mkdir(parents=True, exist_ok=True)
    fresh = pointer.with_name(f".{uuid.uuid4().hex}")
    try:
        fresh.symlink_to(os.path.relpath(blob, pointer.parent))
    except OSError:  # a file system, or a system, that has none
        shutil.copyfile(blob, fresh)
    fresh.replace(pointer)
    fresh = reference.with_name(f".{uuid.uuid4().hex}")
    fresh.write_text(commit, encoding="utf-8")
    fresh.replace(reference)


def _digest(path: Path) -> str:
    try:
        with path.open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()
    except OSError as error:
        raise DataError(f"cannot read {str(path)!r}: {reason(error)}") from error


def _page(url: str) -> str:
    return url.partition("/resolve/")[0]
