"""The weights of several networks of one form as one network's: a model soup (Wortsman et al. 2022,
arXiv:2203.05482)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

import torch
from torch import Tensor, nn

from zoo.data.loader import Loader

States = Sequence[Mapping[str, Tensor]]


def averaged(states: States) -> dict[str, Tensor]:
    """The mean of each tensor, computed in float64. What is no floating-point number, such as a
    count of batches, is the first one's."""
    found = {}
    for name, first in states[0].items():
        if not first.is_floating_point():
            found[name] = first.clone()
            continue
        total = torch.zeros_like(first, dtype=torch.float64)
        for one in states:
            total += one[name].double()
        found[name] = (total / len(states)).to(first.dtype)
    return found


def reestimate(network: nn.Module, loader: Loader, device: torch.device) -> int:
    """Measure the statistics of batch norm anew, over an epoch of ``loader``: those of averaged
    weights are not the average of statistics. Each layer's are the mean over batches. Returns how
    many layers have some."""
    from torch.optim.swa_utils import update_bn

    layers = [
        one for one in network.modules() if isinstance(one, _Norm) and one.running_mean is not None
    ]
    if layers:
        with torch.random.fork_rng():
            torch.manual_seed(loader.seed)  # dropout's
            update_bn(_images(loader), network, device)
    network.eval()
    return len(layers)


_Norm = torch.nn.modules.batchnorm._BatchNorm


def _images(loader: Loader) -> Iterator[Tensor]:
    for batch in loader.epoch():
        # Its memory is the next batch's too.
        yield batch.images.clone()


def largest_distance(states: Iterable[Mapping[str, Tensor]], center: Mapping[str, Tensor]) -> float:
    """How far the farthest lies from ``center``, by the length of what lies between all their
    floating-point tensors, as a share of the length of ``center``."""
    size = _length(center, None)
    return max(_length(center, one) for one in states) / size if size else 0.0


def _length(one: Mapping[str, Tensor], other: Mapping[str, Tensor] | None) -> float:
    total = 0.0
    for name, tensor in one.items():
        if tensor.is_floating_point():
            away = tensor.double() if other is None else tensor.double() - other[name].double()
            total += float((away**2).sum())
    return float(total**0.5)
