"""Test-time augmentation: a network is asked about an image several times, turned and mirrored, and
the mean of its answers is one answer.

Shapes: B images, O outputs, K classes, H by W pixels.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import torch
from torch import Tensor, nn
from torch.nn import functional

from zoo.errors import PredictionsError, clipped, nearest
from zoo.tasks import MULTILABEL, SEGMENTATION, Task

Turn = Callable[[Tensor], Tensor]


def _turned(quarters: int, mirrored: bool) -> tuple[Turn, Turn]:
    """(the view, its inverse) of (..., H, W): mirrored left to right, then turned."""

    def there(images: Tensor) -> Tensor:
        return torch.rot90(images.flip(-1) if mirrored else images, quarters, (-2, -1))

    def back(images: Tensor) -> Tensor:
        straight = torch.rot90(images, -quarters, (-2, -1))
        return straight.flip(-1) if mirrored else straight

    return there, back


# (quarters of a turn, mirrored) of each view; the first is the image as it is.
VIEWS: Mapping[str, tuple[tuple[int, bool], ...]] = {
    "hflip": ((0, False), (0, True)),
    "flips": ((0, False), (0, True), (2, True), (2, False)),
    "rot90": ((0, False), (1, False), (2, False), (3, False)),
    "dihedral": tuple((quarters, mirrored) for mirrored in (False, True) for quarters in range(4)),
}


def check_views(name: str) -> None:
    """Raise :class:`PredictionsError` unless there are views of that name."""
    if name not in VIEWS:
        raise PredictionsError(
            f"tta {clipped(name)!r}{nearest(name, VIEWS)}: expected one of {', '.join(VIEWS)}"
        )


class Views(nn.Module):
    """A network, asked about all views of each image. Its logits are those of the mean of the
    probabilities; masks are turned back before."""

    def __init__(self, network: nn.Module, task: Task, name: str, size: tuple[int, int]) -> None:
        """``size``: (height, width) of the network's input. Raises :class:`PredictionsError` where
        a view turns an image that is not square on its side."""
        super().__init__()
        check_views(name)
        turns = VIEWS[name]
        if size[0] != size[1] and any(quarters % 2 for quarters, _ in turns):
            raise PredictionsError(
                f"tta {name!r} turns images on their side, and this network takes {size[0]}x"
                f"{size[1]}; choose 'flips'"
            )
        self.network = network
        self._task = task
        self._turns = [_turned(*one) for one in turns]

    def forward(self, images: Tensor) -> Tensor:
        masks = self._task.kind == SEGMENTATION
        said = []
        for there, back in self._turns:
            # Turned strides would be a slow layout for the network.
            view = there(images).contiguous(memory_format=torch.channels_last)
            logits = self.network(view).float()
            said.append(back(logits) if masks else logits)
        return mean_logits(self._task, torch.stack(said))


def mean_logits(task: Task, logits: Tensor) -> Tensor:
    """(V, B, O, ...) -> (B, O, ...), float32: logits of the mean of the probabilities over V, which
    are not computed, for near 0 and 1 they are rounded away."""
    if task.positive is not None or task.kind == MULTILABEL:
        # The same number is missing in both, and cancels.
        yes, no = (functional.logsigmoid(one).logsumexp(0) for one in (logits, -logits))
        return yes - no
    return logits.log_softmax(2).logsumexp(0)
