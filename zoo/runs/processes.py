"""The processes that torchrun, or another launcher, started: joined before training, parted after.

with processes() as replicas:
    device = device_of(recipe.training.device)
"""

from __future__ import annotations

import functools
import itertools
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import torch

from zoo.data.device import choose_device
from zoo.errors import PausedError, RunError, ToldError, TrainingError, ZooError, reason
from zoo.runs.launch import Launch, launched
from zoo.training.lifeline import BEAT, DONE, FAILED, Lifeline, unhurried
from zoo.training.replicas import ALONE, Replicas

# Of one exchange. A dead process is noticed by its missing beats, long before; a slow one, that
# validates or saves, is waited for.
_PATIENCE = timedelta(minutes=30)
_CONNECTING = timedelta(minutes=5)
_PARTING = 3 * BEAT  # in which all learn why one failed, before the store goes with it
_sessions = itertools.count()


@contextmanager
def processes() -> Iterator[Replicas]:
    """Alone, unless a launcher says otherwise. Inside, a failure of one process ends all of them,
    naming it; the lowest that lives tells, others raise :class:`ToldError`."""
    launch = launched()
    if launch is None:
        yield ALONE
        return
    from torch import distributed

    if not distributed.is_available():
        raise RunError("this torch is built without torch.distributed; install another one")
    if distributed.is_initialized():
        raise RunError("torch.distributed is initialized already; zoo does that itself")
    lifeline = Lifeline(*_stores(launch), launch.rank, launch.ranks)
    replicas: Replicas = ALONE
    try:
        replicas = _join(launch, lifeline)
        yield replicas
        lifeline.leave(DONE, _PATIENCE.total_seconds())
    except BaseException as error:
        with unhurried():
            ending = _ending(error, replicas, lifeline, launch)
        raise ending from (None if ending is error else error)
    distributed.destroy_process_group()  # not after a failure: NCCL waits for those that are gone


def device_of(name: str) -> torch.device:
    """The recipe's device for this process: on CUDA the one with its number on the machine."""
    launch = launched()
    if launch is None:
        return choose_device(name)
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
    if name == "cuda":
        name = f"cuda:{launch.here}"
    elif name != "cpu":
        raise TrainingError(
            f"device {name!r} cannot be shared by {launch.ranks} processes; expected 'auto', "
            f"'cuda' or 'cpu'"
        )
    device = choose_device(name)
    if device.type == "cuda":
        torch.cuda.set_device(device)
    return device


def _join(launch: Launch, lifeline: Lifeline) -> Replicas:
    from torch import distributed
    from torch.distributed.distributed_c10d import PrefixStore

    from zoo.training.distributed import Distributed

    machines = lifeline.start()
    nccl = torch.cuda.is_available() and distributed.is_nccl_available()
    distributed.init_process_group(
        "cpu:gloo,cuda:nccl" if nccl else "gloo",
        store=PrefixStore("group", lifeline.store),
        rank=launch.rank,
        world_size=launch.ranks,
        timeout=_PATIENCE,
    )
    return Distributed(lifeline, machines)


@functools.cache
def _connections(launch: Launch) -> tuple[Any, Any]:
    """Kept to the end of the process: a second training in it meets at the same place."""
    from torch.distributed import TCPStore  # type: ignore[attr-defined]

    try:
        return tuple(  # type: ignore[return-value]
            TCPStore(
                launch.host,
                launch.port,
                launch.ranks,
                is_master=launch.hosts_store and number == 0,
                timeout=_CONNECTING,
                wait_for_workers=False,
            )
            for number in range(2)
        )
    except RuntimeError as error:
        raise RunError(
            f"process {launch.rank} of {launch.ranks} cannot reach the first one at "
            f"{launch.host}:{launch.port}: {reason(error)}"
        ) from error


def _stores(launch: Launch) -> tuple[Any, Any]:
    from torch.distributed.distributed_c10d import PrefixStore

    place = f"zoo/{launch.attempt}/{next(_sessions)}"
    first, second = _connections(launch)
    return PrefixStore(place, first), PrefixStore(place, second)


def _ending(
    error: BaseException, replicas: Replicas, lifeline: Lifeline, launch: Launch
) -> BaseException:
    """What is to be raised in place of ``error``; all know the cause by then."""
    error = replicas.blamed(error) or error
    if isinstance(error, PausedError):
        lifeline.leave(DONE, _PARTING)
        return error if replicas.rank == 0 else PausedError("", error.signal)
    own = str(error) if isinstance(error, ZooError) else reason(error)
    cause = lifeline.record(f"{lifeline.names[lifeline.rank]}: {own}")
    tells = lifeline.tells
    lifeline.leave(FAILED, _PARTING if launch.hosts_store else 0.0)
    return error if tells else ToldError(cause)
