"""The connection to a bucket: what ``registry.toml`` says of it, made into clients of obstore.

Secrets come from the environment and go to obstore only: none is kept, shown or written.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

from zoo.errors import RegistryError

# To connect; to begin an answer, and between its blocks; for all of a small file.
CONNECT_SECONDS, ANSWER_SECONDS, SMALL_FILE_SECONDS = 2, 4, 60
BLOCK_SECONDS = 30  # of a large file: until the next block came or went
# Until when a request is repeated after an error that may pass: of small and of large files.
SMALL_RETRY_SECONDS, LARGE_RETRY_SECONDS = 2, 10
_BUCKET = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")
_FOLDER = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]*")


@dataclass(frozen=True)
class Settings:
    """``endpoint``: of another store than Amazon's; ``path_style``: the bucket stands in the path
    of an address, not before the host; ``anonymous``: requests are not signed, for public buckets.
    The ``*_env`` name environment variables. Without them obstore looks where it always does:
    ``AWS_ACCESS_KEY_ID`` and the like, then a service of the machine it runs on."""

    access_key_env: str | None = None
    secret_key_env: str | None = None
    session_token_env: str | None = None
    endpoint: str | None = None
    region: str | None = None
    path_style: bool | None = None
    anonymous: bool = False


@dataclass(frozen=True)
class Clients:
    """``small`` gives up soon, so that a place that cannot be reached is told at once; ``large`` is
    for files of any size."""

    obstore: Any
    small: Any
    large: Any


def parse_url(url: str) -> tuple[str, str]:
    """(bucket, prefix) of ``s3://bucket/prefix``."""
    bucket, _, prefix = url.removeprefix("s3://").rstrip("/").partition("/")
    parts = prefix.split("/") if prefix else []
    plain = _BUCKET.fullmatch(bucket) and all(_FOLDER.fullmatch(part) for part in parts)
    if not url.startswith("s3://") or not plain:
        raise RegistryError(
            f"registry {url!r}: expected s3://bucket or s3://bucket/folder, of letters, digits, "
            f"'.', '-' and '_'"
        )
    return bucket, prefix


def connect(url: str, settings: Settings) -> Clients:
    """Nothing is sent yet. Raises :class:`RegistryError` when obstore is not installed, or what the
    settings name is missing."""
    bucket, prefix = parse_url(url)
    try:
        import obstore
        from obstore.store import S3Store
    except ImportError as error:
        raise RegistryError(
            f"registry {url!r} needs obstore; install it with: pip install 'zoo[s3]'"
        ) from error
    options: dict[str, Any] = {
        "prefix": prefix or None,
        # A create must be refused by the store itself, whatever AWS_CONDITIONAL_PUT says.
        "conditional_put": "etag",
        **_where(url, bucket, settings),
        **_who(url, settings),
    }
    http = (settings.endpoint or "").startswith("http://")

    def client(answer: int, whole: timedelta, again: int) -> Any:
        return S3Store(
            bucket,
            **options,
            client_options={
                "allow_http": http,
                "connect_timeout": timedelta(seconds=CONNECT_SECONDS),
                "read_timeout": timedelta(seconds=answer),
                "timeout": whole,
            },
            retry_config={
                "max_retries": 5,
                "retry_timeout": timedelta(seconds=again),
                "backoff": {
                    "init_backoff": timedelta(milliseconds=100),
                    "max_backoff": timedelta(seconds=1),
                    "base": 2,
                },
            },
        )

    try:
        return Clients(
            obstore,
            small=client(
                ANSWER_SECONDS, timedelta(seconds=SMALL_FILE_SECONDS), again=SMALL_RETRY_SECONDS
            ),
            large=client(BLOCK_SECONDS, timedelta(days=1), again=LARGE_RETRY_SECONDS),
        )
    except Exception as error:  # of obstore, for a setting it does not take; it may quote it
        raise RegistryError(
            f"registry {url!r}: obstore does not take its settings; check endpoint and region"
        ) from error


def _where(url: str, bucket: str, settings: Settings) -> dict[str, Any]:
    options: dict[str, Any] = {"region": settings.region} if settings.region else {}
    path_style = settings.path_style
    if settings.endpoint:
        parts = _endpoint(url, settings.endpoint)
        path_style = True if path_style is None else path_style
        host = parts.netloc if path_style else f"{bucket}.{parts.netloc}"
        options["endpoint"] = f"{parts.scheme}://{host}{parts.path.rstrip('/')}"
    if path_style is not None:
        options["virtual_hosted_style_request"] = not path_style
    return options


def _endpoint(url: str, endpoint: str) -> Any:
    try:
        parts = urlsplit(endpoint)
        host, _ = parts.hostname, parts.port
    except ValueError:
        parts, host = urlsplit(""), None
    # Not repeated: a password may stand in it.
    if parts.scheme not in ("https", "http") or not host or "@" in parts.netloc or parts.query:
        raise RegistryError(
            f"registry {url!r}: endpoint: expected the address of a store, such as "
            f"https://s3.example.org, without a user or password"
        )
    return parts


def _who(url: str, settings: Settings) -> dict[str, Any]:
    if settings.anonymous:
        return {"skip_signature": True}
    given = {
        "access_key_env": settings.access_key_env,
        "secret_key_env": settings.secret_key_env,
        "session_token_env": settings.session_token_env,
    }
    if not any(given.values()):
        return {}
    if not (settings.access_key_env and settings.secret_key_env):
        raise RegistryError(f"registry {url!r}: give access_key_env and secret_key_env together")
    key, secret, token = (_variable(url, given, name) for name in given)

    # Not as settings: beside those, obstore would take AWS_SESSION_TOKEN, of another key.
    def credential() -> Mapping[str, Any]:
        return {
            "access_key_id": key,
            "secret_access_key": secret,
            "token": token,
            "expires_at": None,
        }

    return {"skip_signature": False, "credential_provider": credential}


def _variable(url: str, given: Mapping[str, str | None], name: str) -> str | None:
    variable = given[name]
    if variable is None:
        return None
    value = os.environ.get(variable)
    if not value:
        raise RegistryError(
            f"registry {url!r}: the environment variable {variable!r}, which {name} names, is not "
            f"set"
        )
    return value
