"""Parts of a network that stay as they are, up to an epoch or for ever."""

from __future__ import annotations

from torch import nn

from zoo.errors import TrainingError
from zoo.recipes.schema import TransferSection
from zoo.training import layers


class Freezing:
    """What is frozen is a function of the epoch alone: there is no state to be kept.

    Frozen parameters have no gradient, so that an optimizer, weight decay included, passes them by.
    Frozen normalizations neither update nor use the statistics of a batch. Dropout goes on: it has
    nothing that could be frozen. ``network``: as built, in no wrapper.
    """

    def __init__(self, network: nn.Module, transfer: TransferSection, outputs: int) -> None:
        """Raises :class:`TrainingError` for an unknown part, and when nothing is left to train."""
        holds = [
            layers.matcher(network, part, outputs, "transfer.freeze") for part in transfer.freeze
        ]

        def frozen(name: str) -> bool:
            return any(one(name) for one in holds)

        self.until = transfer.unfreeze_epoch
        trained = {n: one for n, one in network.named_parameters() if one.requires_grad}
        self._parameters = [one for name, one in trained.items() if frozen(name)]
        kept = {name for name, _ in network.named_parameters() if frozen(name)}
        self._modules = [
            module
            for name, module in network.named_modules()
            if _own_frozen(name, module, kept, frozen(name) if name else False)
        ]
        self.values = sum(one.numel() for one in self._parameters)
        self.total = sum(one.numel() for one in trained.values())
        if holds and len(self._parameters) == len(trained):
            raise TrainingError(
                f"transfer.freeze {list(transfer.freeze)!r} leaves nothing to train; leave out a "
                f"part, such as the head {layers.head(network, outputs)!r}"
            )

    def at(self, epoch: int) -> bool:
        """Whether anything is frozen in ``epoch``, counted from 1."""
        return bool(self._parameters) and (self.until == 0 or epoch < self.until)

    def before_epoch(self, epoch: int) -> bool:
        """Set what trains, after ``network.train()``. Returns whether it is other than before."""
        frozen = self.at(epoch)
        changed = any(one.requires_grad is frozen for one in self._parameters)
        for parameter in self._parameters:
            parameter.requires_grad_(not frozen)
            if frozen:
                parameter.grad = None
        if frozen:
            for module in self._modules:
                module.training = False
        return changed

    def __str__(self) -> str:
        """One line for people; empty when nothing is frozen."""
        if not self.at(1):
            return ""
        end = f"until epoch {self.until} begins" if self.until else "all the time"
        return f"{self.values:,} of {self.total:,} parameters are frozen, {end}"


def _own_frozen(name: str, module: nn.Module, kept: set[str], named: bool) -> bool:
    """Whether what a module itself holds, leaving out its children, is all frozen."""
    own = [key for key, _ in module.named_parameters(name, recurse=False)]
    if own:
        return kept.issuperset(own)
    return named and any(True for _ in module.buffers(recurse=False))
