"""Push a version to the Hugging Face Hub, by its own client: all files in one commit, or none."""

from __future__ import annotations

import contextlib
import hashlib
import shutil
import sys
import tempfile
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from zoo.errors import RegistryError, ZooError, ZooWarning, clipped, reason
from zoo.registry import layout
from zoo.registry.config import HUB, find
from zoo.registry.hub import for_timm as hub_timm
from zoo.registry.hub import form as hub_form
from zoo.registry.hub.repository import MAIN, RECORD, Address
from zoo.registry.record import CARD, PROBE, WEIGHTS, Record
from zoo.registry.store import Registry
from zoo.registry.tree import UnreachableError
from zoo.storage import limits

# To connect; for each block that goes out or comes in.
CONNECT_SECONDS, BLOCK_SECONDS = 3.0, 60.0
_Content = bytes | Path


@dataclass(frozen=True)
class Pushed:
    """``address``: what others load; ``url``: the page for people; ``commit``: what was made in
    the repository."""

    record: Record
    address: str
    url: str
    commit: str


def push(
    reference: str,
    to: str,
    *,
    registry: str | None = None,
    revision: str | None = None,
    private: bool = False,
) -> Pushed:
    """Write the version that ``reference`` names to the repository ``to``, ``hf://owner/name``,
    which is made where it does not exist: weights, ``config.json`` and ``README.md`` for people
    without zoo, the record and the other files for those with it.

    ``revision``: a branch other than the main one; ``private``: nobody else may see the
    repository. A network of timm's has to load in timm first. Raises :class:`RegistryError`.
    """
    address = _address(to, revision)
    opened, parsed = find(reference, registry)
    record = opened.record(parsed)
    if record.ensemble is not None:
        raise RegistryError(f"{record} combines other versions; push its members, one by one")
    with tempfile.TemporaryDirectory(prefix="zoo-push-") as folder:
        contents = _contents(opened, record, address, Path(folder))
        commit = _Hub(address).commit(contents, record, private=private)
    return Pushed(record, str(address), f"{_endpoint()}/{address.repository}", commit)


def _address(to: str, revision: str | None) -> Address:
    address = Address.parse(to)
    if revision is None:
        return address
    if address.revision not in (None, revision):
        raise RegistryError(f"{to!r} names another revision than {revision!r}; give one of them")
    return Address.parse(f"{HUB}{address.repository}@{revision}")


def _contents(
    registry: Registry, record: Record, address: Address, folder: Path
) -> dict[str, _Content]:
    """What each file of the repository holds. Every file of the version was compared."""
    places, digest = hub_form.places(record), registry.digest(record)
    contents: dict[str, _Content] = {
        place: registry.bring_file(record, path) for path, place in places.items()
    }
    data = registry.reading.read(layout.version(record.model, record.version), limits.RECORD_BYTES)
    if data is None or hashlib.sha256(data).hexdigest() != digest:
        raise RegistryError(
            f"the record of {record} changed meanwhile; type the same command again"
        )
    contents[RECORD] = data
    made = hub_form.config(record, digest)
    if hub_form.is_timm(record):
        made = hub_form.timm_config(record, digest, hub_timm.defaults(record))
        (folder / hub_form.CONFIG).write_bytes(hub_form.config_bytes(made))
        shutil.copyfile(contents[WEIGHTS], folder / WEIGHTS)
        hub_timm.check(folder, record, registry.read_file(record, PROBE))
    contents[hub_form.CONFIG] = hub_form.config_bytes(made)
    card = registry.read_file(record, CARD)
    contents[hub_form.README] = hub_form.readme(card, record, address)
    return contents


class _Hub:
    """A repository by way of the Hub's client."""

    def __init__(self, address: Address) -> None:
        from huggingface_hub import HfApi

        self._api = HfApi(library_name="zoo")
        self._address = address

    def commit(self, contents: dict[str, _Content], record: Record, *, private: bool) -> str:
        from huggingface_hub import CommitOperationAdd

        repository, revision = self._address.repository, self._address.revision or MAIN
        with _told(self._address), _bounded(), _quiet():
            self._make(repository, revision, private=private)
            operations = [
                CommitOperationAdd(place, content) for place, content in sorted(contents.items())
            ]
            made = self._api.create_commit(
                repository,
                operations,
                commit_message=f"{record.model}@{record.version}",
                revision=revision,
            )
            return str(made.oid)

    def _make(self, repository: str, revision: str, *, private: bool) -> None:
        self._api.create_repo(repository, private=private or None, exist_ok=True)
        if private and not self._api.model_info(repository).private:
            raise RegistryError(
                f"'{HUB}{repository}' is there, and everybody sees it; make it private in its "
                f"settings, or push without --private"
            )
        if revision != MAIN:
            self._api.create_branch(repository, branch=revision, exist_ok=True)


@contextlib.contextmanager
def _bounded() -> Iterator[None]:
    """The client's session waits for ever, unless it is told how long."""
    from huggingface_hub import get_session

    session = get_session()
    before = session.timeout
    session.timeout = (CONNECT_SECONDS, BLOCK_SECONDS, BLOCK_SECONDS, CONNECT_SECONDS)
    try:
        yield
    finally:
        session.timeout = before


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """The client draws its bars also where nobody looks."""
    from huggingface_hub import constants
    from huggingface_hub.utils.tqdm import (
        are_progress_bars_disabled,
        disable_progress_bars,
        enable_progress_bars,
    )

    if sys.stderr.isatty() or constants.HF_HUB_DISABLE_PROGRESS_BARS is not None:
        yield
        return
    were = are_progress_bars_disabled()
    disable_progress_bars()
    try:
        yield
    finally:
        if not were:
            enable_progress_bars()


@contextlib.contextmanager
def _told(address: Address) -> Iterator[None]:
    """Errors and warnings of the client, as one line each."""
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        try:
            yield
        except ZooError:
            raise
        # The client's own errors, and those of the libraries under it, have no common root.
        except Exception as error:
            raise _error(address, error) from error
    for one in said:
        if not issubclass(one.category, UserWarning):
            continue
        text = " ".join(str(one.message).split())
        warnings.warn(f"{str(address)!r}: {clipped(text, 300)}", ZooWarning, stacklevel=4)


def _error(address: Address, error: Exception) -> RegistryError:
    kind = type(error).__name__
    where = f"cannot push to {str(address)!r}"
    response: Any = getattr(error, "response", None)
    status = getattr(response, "status_code", None)
    if kind == "OfflineModeIsEnabled":
        return UnreachableError(f"{where}: HF_HUB_OFFLINE is set; unset it to go online")
    if status == 401:
        return RegistryError(f"{where}: not logged in; type: hf auth login, or set HF_TOKEN")
    if status in (403, 404):
        return RegistryError(
            f"{where}: the token may not write there ({status}); check the owner's name, and give "
            f"the token the right to write"
        )
    if kind.endswith("Timeout") or kind in ("ConnectError", "NetworkError", "ReadError"):
        return UnreachableError(f"{where}: {_endpoint()} cannot be reached: {reason(error)}")
    text = " ".join(str(error).split())
    return RegistryError(f"{where}: {clipped(f'{kind}: {text}', 300)}")


def _endpoint() -> str:
    from huggingface_hub import constants

    return str(constants.ENDPOINT)
