"""Where everything of a registry lies, as relative paths with ``/``: the same on a disk, behind a
URL and in a bucket.

A model's folder has its folded name, so that two names that fold to the same text meet in one
folder, where only one of them can be the first version's.
"""

from __future__ import annotations

import hashlib
import re

from zoo.registry.names import NUMBER, fold

MARKER = "zoo-registry.json"
BLOBS, MODELS, CATALOG, TMP, TRASH = "blobs/sha256", "models", "catalog", "tmp", "trash"
SHARDS = f"{CATALOG}/shards.json"
PAGE_ROWS = 1000
TRASHED = r"[0-9]{8}T[0-9]{6}Z"  # a folder of the trash: when it was filled
NUMBERED = re.compile(rf"({NUMBER})\.json")  # a version, or a state
# Most bytes of each kind of small file that a reader takes.
MARKER_BYTES, HEAD_BYTES = 4 << 10, 4 << 10
STATE_BYTES, PAGE_BYTES, SHARD_BYTES = 1 << 20, 1 << 20, 1 << 20


def blob(sha256: str) -> str:
    """Where the content with this digest lies. ``ValueError`` unless it is 64 hexadecimal digits:
    a path is never made of anything else."""
    if re.fullmatch(r"[0-9a-f]{64}", sha256) is None:
        raise ValueError(f"{sha256[:80]!r} is no sha256")
    return f"{BLOBS}/{sha256[:2]}/{sha256}"


def model(name: str) -> str:
    return f"{MODELS}/{fold(name)}"


def versions(name: str) -> str:
    return f"{model(name)}/versions"


def version(name: str, number: int) -> str:
    return f"{versions(name)}/{number}.json"


def states(name: str) -> str:
    return f"{model(name)}/state"


def state(name: str, serial: int) -> str:
    return f"{states(name)}/{serial}.json"


def page(name: str, number: int) -> str:
    """The page of the index on which version ``number`` stands: 1 to 1000 on page 0."""
    return f"{model(name)}/index/{(number - 1) // PAGE_ROWS}.json"


def head(name: str) -> str:
    return f"{model(name)}/head.json"


def shard(name: str) -> str:
    """The part of the catalog, one of 256, that lists the model."""
    return f"{CATALOG}/{shard_key(name)}.json"


def shard_key(name: str) -> str:
    return hashlib.sha256(fold(name).encode()).hexdigest()[:2]
