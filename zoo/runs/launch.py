"""What a launcher of several processes, such as torchrun, says in the environment. No torch here:
every command asks."""

from __future__ import annotations

import contextlib
import json
import os
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from zoo.errors import RunError

_RANK, _RANKS, _HERE = "RANK", "WORLD_SIZE", "LOCAL_RANK"
_HOST, _PORT = "MASTER_ADDR", "MASTER_PORT"
# torchrun's own: its store is there already, and which of its attempts this is.
_HAS_STORE, _ATTEMPT = "TORCHELASTIC_USE_AGENT_STORE", "TORCHELASTIC_RESTART_COUNT"

# Where it looks, once a process failed, for what its report is to say of it.
_ERROR_FILE = "TORCHELASTIC_ERROR_FILE"

_TORCH_LOG = "TORCH_CPP_LOG_LEVEL"


@dataclass(frozen=True)
class Launch:
    """Process ``rank`` of ``ranks``, number ``here`` on its machine. The store that all reach is at
    ``host`` and ``port``; ``hosts_store``: it is this process that has to open it."""

    rank: int
    ranks: int
    here: int
    host: str
    port: int
    hosts_store: bool
    attempt: str


def launched(environment: Mapping[str, str] = os.environ) -> Launch | None:
    """None for a process on its own. Raises :class:`RunError` when something is missing."""
    if _RANK not in environment or environment.get(_RANKS, "1") == "1":
        return None
    try:
        rank, ranks = int(environment[_RANK]), int(environment[_RANKS])
        here = int(environment.get(_HERE, str(rank)))
        host, port = environment[_HOST], int(environment[_PORT])
    except (KeyError, ValueError) as error:
        raise RunError(
            f"{_RANK} and {_RANKS} ask for several processes, but {_HOST}, {_PORT} or one of "
            f"them is missing or no number ({error}); start them with torchrun"
        ) from error
    if not 0 <= rank < ranks:
        raise RunError(f"{_RANK} {rank}: expected 0 to {ranks - 1}, for {_RANKS} is {ranks}")
    hosts = rank == 0 and environment.get(_HAS_STORE) != str(True)
    return Launch(rank, ranks, here, host, port, hosts, environment.get(_ATTEMPT, "0"))


def hush() -> None:
    """Before torch is imported: when a process dies, the others are not to print stacks of C++ over
    the line that says so."""
    if launched() is not None:
        os.environ.setdefault(_TORCH_LOG, "ERROR")


def tell_launcher(line: str, environment: Mapping[str, str] = os.environ) -> None:
    """Give torchrun the line that ended this process: its report, which follows with a traceback of
    its own, then ends with the cause. The form is that of torch.distributed.elastic's errors."""
    if _RANK not in environment or not environment.get(_ERROR_FILE):
        return
    said = {"message": line, "extraInfo": {"timestamp": str(int(time.time()))}}
    with contextlib.suppress(OSError):  # the line itself has been printed
        Path(environment[_ERROR_FILE]).write_text(json.dumps({"message": said}), encoding="utf-8")


def require_alone(what: str) -> None:
    """Raises :class:`RunError` in one of several processes: only training is shared."""
    launch = launched()
    if launch is not None:
        raise RunError(
            f"{what} runs in one process, this is one of {launch.ranks}; start it without torchrun"
        )
