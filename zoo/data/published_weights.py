"""Weights that others published: fetched once, compared at every use, read without running them.

$ZOO_WEIGHTS/NAME             what somebody put there by hand; zoo never writes there
<cache>/weights/NAME          what zoo downloaded
<torch>/hub/checkpoints/NAME  what torch downloaded, where the digest is right
<cache>/weights/converted/    what torch wrote, as safetensors: ``<sha256 of it>-<own sha256>``
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import warnings
from collections.abc import Iterator
from contextvars import ContextVar
from pathlib import Path
from typing import TYPE_CHECKING, Literal
from urllib.parse import urlsplit

from zoo.data.download import Report, Wanted, digest_of, download
from zoo.errors import DataError, PluginError, StorageError, ZooWarning, reason
from zoo.plugins import offline
from zoo.storage import commit
from zoo.storage.cache_folder import cache_folder

if TYPE_CHECKING:
    from torch import Tensor

FOLDER_VARIABLE, MIRROR_VARIABLE = "ZOO_WEIGHTS", "ZOO_WEIGHTS_MIRROR"
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+-]{0,199}")
_SHA256 = 64
_SHORTEST = 8  # hexadecimal digits that publishers put into names
_report: ContextVar[Report] = ContextVar("report", default=lambda name, done, total: None)


@contextlib.contextmanager
def reporting(report: Report) -> Iterator[None]:
    """Downloads inside tell ``report`` of their progress: whoever fetches them is a plugin."""
    token = _report.set(report)
    try:
        yield
    finally:
        _report.reset(token)


def fetch_weights(
    *, url: str, largest: int, sha256: str = "", sha256_prefix: str = "", name: str = ""
) -> Path:
    """The file of published weights at ``url``, downloaded first where it is nowhere yet.

    ``url``: https, or http of this machine; ``largest``: bytes, more are not read; ``sha256``: its
    64 hexadecimal digits, or ``sha256_prefix``, the first 8 or more of them where the publisher
    gives no others; ``name``: of the local file, by default the last part of ``url``.

    Looked for in ``$ZOO_WEIGHTS``, in ``weights`` of ``$ZOO_CACHE`` (else of the user's cache) and
    where torch keeps what it downloads. ``$ZOO_WEIGHTS_MIRROR`` is asked instead of ``url``'s host:
    at ``MIRROR/HOST/PATH``, over https, or http on this machine. The digest is compared each time.

    Raises :class:`zoo.DataError`, within 5 s where there is no network, saying which file to put
    where; nothing is kept of a download that failed or is not the published file.
    """
    offline.require_network(urlsplit(url).netloc)
    name = name or urlsplit(url).path.rpartition("/")[2]
    file = _wanted(url, largest, sha256, sha256_prefix, name)
    kept = _folder() / name
    if (found := _there(file, name, kept)) is not None:
        return found
    commit.make_folder(kept.parent)
    try:
        download(_mirrored(file), kept, _report.get())
    except DataError as error:
        raise type(error)(
            f"{error}; or get {url} by other means, put it here as {str(kept)!r} or into a folder "
            f"that {FOLDER_VARIABLE} names, or set {MIRROR_VARIABLE} to a mirror's address"
        ) from error
    return kept


def read_torch_weights(path: Path) -> dict[str, Tensor]:
    """The tensors of a ``.pth``, ``.pt`` or ``.safetensors`` file by name, on the CPU, without
    ``module.`` before all names or a ``state_dict`` around them. Nothing in the file is run.

    What torch wrote is read by another process once, and kept as safetensors in the cache. Raises
    :class:`zoo.ZooError` for what is no file of weights, or holds numbers that are not finite.
    """
    from zoo.storage import foreign, tensors

    if foreign.FORMATS.get(path.suffix.lower()) != foreign.TORCH:
        return dict(foreign.read(path).weights)
    try:
        source = digest_of(path, "sha256")
    except OSError as error:
        raise _unreadable(path, error) from error
    folder = _folder() / "converted"
    for kept in folder.glob(f"{source}-*.safetensors"):
        with contextlib.suppress(StorageError):  # damaged: made again
            return tensors.load(kept, kept.stem.partition("-")[2])
    read = foreign.read(path)
    data = tensors.to_bytes(read.weights, f"weights {str(path)!r}")
    own = hashlib.sha256(data).hexdigest()
    try:
        commit.make_folder(folder)
        commit.write(folder / f"{read.sha256}-{own}.safetensors", data)
    except StorageError as error:
        warnings.warn(f"{error}; the weights are converted each time", ZooWarning, stacklevel=2)
    return dict(read.weights)


def _wanted(url: str, largest: int, sha256: str, prefix: str, name: str) -> Wanted:
    digest = sha256 or prefix
    whole = len(digest) == _SHA256 if sha256 else _SHORTEST <= len(digest) <= _SHA256
    if not whole or bool(sha256) == bool(prefix) or not re.fullmatch(r"[0-9a-f]+", digest):
        raise PluginError(
            f"weights {url!r}: expected either sha256, 64 hexadecimal digits in lower case, or "
            f"sha256_prefix, at least the first {_SHORTEST}; given {sha256!r} and {prefix!r}"
        )
    if not _NAME.fullmatch(name):
        raise PluginError(
            f"weights {url!r}: name {name!r}: expected letters, digits and any of '._+-'"
        )
    if largest <= 0:
        raise PluginError(f"weights {url!r}: largest {largest}: expected a number of bytes above 0")
    return Wanted(url, "sha256", digest, largest, _plain(url))


def _plain(url: str) -> Literal["loopback", "none"]:
    """With a part of the digest only, whoever sits on an http connection could forge a file."""
    return "loopback" if urlsplit(url).scheme == "http" else "none"


def _folder() -> Path:
    return cache_folder() / "weights"


def _there(file: Wanted, name: str, kept: Path) -> Path | None:
    """Where the published file is already. Another one in the user's own folder is an error;
    where programs put it, it is not."""
    if given := os.environ.get(FOLDER_VARIABLE, ""):
        folder = Path(given).expanduser()
        if not folder.is_dir():
            raise DataError(f"{FOLDER_VARIABLE} {given!r}: no such folder")
        own = folder / name
        if (found := _digest(own)) is not None:
            then = "; move it away, then type the same command again"
            file.require(found, repr(str(own)), then)
            return own
    for path in (kept, _of_torch() / name):
        found = _digest(path)
        if found is not None and found.startswith(file.begins):
            return path
    return None


def _digest(path: Path) -> str | None:
    """None where there is no file."""
    if not path.exists():
        return None
    try:
        return digest_of(path, "sha256")
    except OSError as error:
        raise _unreadable(path, error) from error


def _unreadable(path: Path, error: OSError) -> DataError:
    return DataError(f"cannot read {str(path)!r}: {reason(error)}")


def _of_torch() -> Path:
    """As torch says where it keeps downloads, without importing torch."""
    caches = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    home = os.environ.get("TORCH_HOME") or f"{caches}/torch"
    return Path(home).expanduser() / "hub" / "checkpoints"


def _mirrored(file: Wanted) -> Wanted:
    mirror = os.environ.get(MIRROR_VARIABLE, "")
    if not mirror:
        return file
    parts = urlsplit(file.url)
    url = f"{mirror.rstrip('/')}/{parts.netloc}{parts.path}"
    one = Wanted(url, file.digest, file.begins, file.largest, _plain(mirror))
    if not one.may_ask(url):
        raise DataError(
            f"{MIRROR_VARIABLE} {mirror!r}: expected an https address, or an http one of this "
            f"machine"
        )
    return one
