"""One process, or several that share every batch. The several are in ``distributed``."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext

from torch import Tensor, nn

from zoo.errors import ZooError


class Replicas:
    """``rank`` of ``ranks`` processes. This one is alone.

    Most methods wait for the other processes: all call them, at the same points of their work.
    """

    rank = 0
    ranks = 1
    neighbours = 1  # processes on this machine, itself included

    def wrapped(self, network: nn.Module, *, partly: bool = False) -> nn.Module:
        """What is called in training: it averages the gradients over the processes. ``partly``:
        some trained parameters have no part in the outputs, and get no gradient."""
        return network

    def gathering(self, *, last: bool) -> AbstractContextManager[object]:
        """Around a forward and backward pass: gradients are exchanged in the ``last`` of a step."""
        return nullcontext()

    def alike(self, network: nn.Module) -> None:
        """Give every process the first one's buffers; weights are alike."""

    def sum(self, *tensors: Tensor) -> None:
        """Add up over the processes, in place."""

    def each(self, values: list[float]) -> list[list[float]]:
        """The values of every process, by rank."""
        return [values]

    def any(self, flag: Tensor) -> Tensor:
        """bool (), on the device: whether it is set on some process."""
        return flag

    def least(self, number: int) -> int:
        """The smallest over the processes."""
        return number

    def agree(self, asked: int, *, often: bool = False) -> int:
        """The largest over the processes. ``often``: called after every step; an exchange is then
        made about twice a second, in the same step everywhere, and 0 is the answer meanwhile."""
        return asked

    def wait_for_first(self) -> None:
        """Until the first process on this machine has called :meth:`let_others_go`."""

    def let_others_go(self) -> None:
        """What the first process here does alone is done."""

    def require_equal(self, about: dict[str, object]) -> None:
        """Raises :class:`TrainingError` everywhere when ``about``, which JSON can hold, is not the
        same on every process."""

    def told(self, text: str = "") -> str:
        """What the first process says."""
        return text

    def before_end(self, call: Callable[[str], object]) -> None:
        """``call`` is given the cause when this process is ended because another one is gone."""

    def blamed(self, error: BaseException) -> ZooError | None:
        """What is to be raised in place of ``error`` where another process is the cause."""
        return None


ALONE = Replicas()
