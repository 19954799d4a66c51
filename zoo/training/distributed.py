"""Several processes that share every batch, through torch.distributed. One alone is in
``replicas``."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import torch
import torch._dynamo  # by DDP, which would take seconds of the first step for it
from torch import Tensor, distributed, nn
from torch.nn.parallel import DistributedDataParallel

from zoo.errors import PausedError, TrainingError, ZooError
from zoo.storage import strict_json
from zoo.training.lifeline import Lifeline
from zoo.training.replicas import Replicas

_EXCHANGE = 0.5  # seconds from one exchange of requests to the next


class Distributed(Replicas):
    """``lifeline``: started; ``machines``: the name of each process's machine, by rank. The default
    group of torch.distributed is there, with gloo for tensors on the CPU."""

    def __init__(self, lifeline: Lifeline, machines: Sequence[str]) -> None:
        self.lifeline = lifeline
        self.rank, self.ranks = lifeline.rank, lifeline.ranks
        here = [rank for rank, machine in enumerate(machines) if machine == machines[self.rank]]
        self.neighbours = len(here)
        self._first_here = here[0]
        self._turns = self._questions = 0
        self._asked_at, self._calls, self._due = time.perf_counter(), 0, 1
        self._last = True

    def wrapped(self, network: nn.Module, *, partly: bool = False) -> nn.Module:
        return Shared(network, self, partly)

    @contextmanager
    def gathering(self, *, last: bool) -> Iterator[None]:
        self._last = last
        yield

    @property
    def gathers(self) -> bool:
        return self._last

    @torch.no_grad()
    def alike(self, network: nn.Module) -> None:
        for buffer in network.buffers():
            distributed.broadcast(buffer, 0)

    def sum(self, *tensors: Tensor) -> None:
        for tensor in tensors:
            distributed.all_reduce(tensor)

    def each(self, values: list[float]) -> list[list[float]]:
        table = torch.zeros(self.ranks, len(values), dtype=torch.float64)
        table[self.rank] = torch.tensor(values, dtype=torch.float64)
        distributed.all_reduce(table)
        rows: list[list[float]] = table.tolist()
        return rows

    def any(self, flag: Tensor) -> Tensor:
        shared = flag.float()
        distributed.all_reduce(shared, distributed.ReduceOp.MAX)
        return shared > 0

    def least(self, number: int) -> int:
        return -self._most(-number)[0]

    def agree(self, asked: int, *, often: bool = False) -> int:
        self._calls += 1
        if often and self._calls < self._due:
            return 0
        pace = (time.perf_counter() - self._asked_at) / self._calls
        largest, slowest = self._most(asked, round(pace * 1e6))
        # All compute the next exchange's step from the same figure.
        self._due = max(1, int(_EXCHANGE * 1e6 / max(1, slowest)))
        self._asked_at, self._calls = time.perf_counter(), 0
        return largest

    def _most(self, *numbers: int) -> list[int]:
        shared = torch.tensor(numbers)
        distributed.all_reduce(shared, distributed.ReduceOp.MAX)
        largest: list[int] = shared.tolist()
        return largest

    def wait_for_first(self) -> None:
        self._turns += 1
        if self.rank != self._first_here:
            self.lifeline.wait(f"turn/{self._first_here}/{self._turns}")

    def let_others_go(self) -> None:
        if self.rank == self._first_here:
            self.lifeline.store.set(f"turn/{self.rank}/{self._turns}", "")

    def require_equal(self, about: dict[str, object]) -> None:
        self._questions += 1
        question = f"equal/{self._questions}"
        self.lifeline.store.set(f"{question}/{self.rank}", json.dumps(about))
        texts = [self.lifeline.wait(f"{question}/{rank}") for rank in range(self.ranks)]
        tables = [json.loads(text) for text in texts]
        for rank, table in enumerate(tables):
            for key, one, other in strict_json.differences(tables[0], table):
                raise TrainingError(
                    f"{key} is {other!r} for {self.lifeline.names[rank]}, {one!r} for the first "
                    f"one; start all with the same recipe and the same data"
                )

    def told(self, text: str = "") -> str:
        self._questions += 1
        key = f"told/{self._questions}"
        if self.rank == 0:
            self.lifeline.store.set(key, text)
        return self.lifeline.wait(key)

    def before_end(self, call: Callable[[str], object]) -> None:
        self.lifeline.ending = call

    def blamed(self, error: BaseException) -> ZooError | None:
        if isinstance(error, ZooError | PausedError):
            return None
        if (cause := self.lifeline.cause()) is not None:
            return TrainingError(cause)
        return None


class Shared(nn.Module):
    """The network in torch's DDP wrapper. The first process's buffers (the statistics of batch
    norm) are given to all before each step, so what is kept are the statistics that it measured.

    DDP expects a gradient of each parameter that asked for one when it was made; it is made anew
    when parameters are frozen or set free.
    """

    def __init__(self, network: nn.Module, replicas: Distributed, partly: bool) -> None:
        super().__init__()
        self._replicas, self._partly = replicas, partly
        self._hidden = [network]  # not a submodule: its parameters belong to the network alone
        self._weights = list(network.parameters())
        self._made: list[DistributedDataParallel] = []
        self._trained: list[bool] = []

    # What it calls may be compiled.
    @torch.compiler.disable(recursive=False)  # type: ignore[no-untyped-call, untyped-decorator]
    def forward(self, images: Tensor) -> Any:
        trained = [weight.requires_grad for weight in self._weights]
        if trained != self._trained:
            self._made.clear()
            index = [images.device.index] if images.device.type == "cuda" else None
            self._made.append(
                DistributedDataParallel(
                    self._hidden[0], device_ids=index, find_unused_parameters=self._partly
                )
            )
            self._trained = trained
        made = self._made[0]
        made.require_backward_grad_sync = self._replicas.gathers
        return made(images)
