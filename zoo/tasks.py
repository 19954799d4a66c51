"""The four tasks: what a network's outputs mean.

Shapes: B images, K classes, O outputs, H by W pixels. Nothing here imports torch; the methods on
tensors use only the tensors' own methods.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from zoo.errors import DataError

if TYPE_CHECKING:
    from torch import Tensor

BINARY = "binary"
MULTICLASS = "multiclass"
MULTILABEL = "multilabel"
SEGMENTATION = "segmentation"
KINDS = (BINARY, MULTICLASS, MULTILABEL, SEGMENTATION)
IGNORE = 255  # a mask's value that counts for nothing
LOWER_IS_BETTER = frozenset({"log_loss", "brier", "ece", "hd95"})  # of all figures; no other
_FIGURES = ("accuracy", "balanced_accuracy", "precision", "recall", "f1")
_OVERLAPS = ("iou", "dice")  # of regions


@dataclass(frozen=True)
class Task:
    """What is to be predicted.

    ``classes`` are in label order: label ``i`` means ``classes[i]``. A binary task has two, and
    names the ``positive`` one; so may a segmentation task of two. Its network then has a single
    output, the logit of the positive class. It and multilabel decide by probability >
    ``threshold``, strictly.
    """

    kind: str
    classes: tuple[str, ...]
    positive: str | None = None
    threshold: float = 0.5

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise DataError(f"task {self.kind!r}: expected one of {', '.join(KINDS)}")
        if not all(isinstance(name, str) and name for name in self.classes):
            raise DataError(f"classes {self.classes!r}: expected names, not empty")
        if len(set(self.classes)) != len(self.classes):
            raise DataError(f"classes {self.classes!r}: each name may stand once")
        if len(self.classes) < (1 if self.kind == MULTILABEL else 2):
            raise DataError(f"classes {self.classes!r}: too few for a {self.kind} task")
        if self.kind == BINARY and (len(self.classes) != 2 or self.positive not in self.classes):
            raise DataError(
                f"a binary task has two classes and names its positive one; given classes "
                f"{self.classes!r}, positive {self.positive!r}"
            )
        may_name_one = self.kind == SEGMENTATION and len(self.classes) == 2
        if self.positive not in (None, *self.classes) or (
            self.positive is not None and self.kind != BINARY and not may_name_one
        ):
            raise DataError(
                f"positive {self.positive!r}: only a task of two classes has one of them"
            )
        if not 0.0 < self.threshold < 1.0:
            raise DataError(f"threshold {self.threshold!r}: expected a number between 0 and 1")

    @classmethod
    def binary(cls, classes: Sequence[str], *, positive: str, threshold: float = 0.5) -> Task:
        return cls(BINARY, tuple(classes), positive, threshold)

    @classmethod
    def multiclass(cls, classes: Sequence[str]) -> Task:
        return cls(MULTICLASS, tuple(classes))

    @classmethod
    def multilabel(cls, classes: Sequence[str], *, threshold: float = 0.5) -> Task:
        return cls(MULTILABEL, tuple(classes), threshold=threshold)

    @classmethod
    def segmentation(
        cls, classes: Sequence[str], *, positive: str | None = None, threshold: float = 0.5
    ) -> Task:
        """Two classes with a ``positive`` one (foreground) have a single output."""
        return cls(SEGMENTATION, tuple(classes), positive, threshold)

    @property
    def outputs(self) -> int:
        """O: one logit where there is a positive class, else one a class."""
        return len(self.classes) if self.positive is None else 1

    @property
    def figures(self) -> tuple[str, ...]:
        """What counts of right and wrong decisions give; ``zoo.predictions.counts`` says how."""
        return _FIGURES + _OVERLAPS if self.kind == SEGMENTATION else _FIGURES

    @property
    def positive_index(self) -> int:
        """The label that counts as positive; binary tasks only."""
        if self.positive is None:
            raise DataError(f"a {self.kind} task has no positive class")
        return self.classes.index(self.positive)

    def targets(self, labels: Tensor) -> Tensor:
        """Labels as a loss takes them, on the same device.

        With a positive class: int64 (B, ...) -> float32 (B, 1, ...), 1 for the positive class;
        multilabel: (B, K) -> float32 (B, K); else int64 (B, ...) unchanged. Pixels of label 255
        stay 255 in either form: a loss leaves them out.
        """
        if self.positive is not None:
            targets = (labels == self.positive_index).float()
            if self.kind == SEGMENTATION:
                targets.masked_fill_(labels == IGNORE, IGNORE)
            return targets.unsqueeze(1)
        if self.kind == MULTILABEL:
            return labels.float()
        return labels

    def probabilities(self, logits: Tensor) -> Tensor:
        """Logits (B, O, ...) -> float32 probabilities (B, K, ...), columns in class order.

        A single output gives both columns, which sum to one, as multiclass columns do; multilabel
        columns are independent.
        """
        logits = logits.float()
        if self.positive is not None:
            both = (-logits, logits) if self.positive_index == 1 else (logits, -logits)
            return _concatenate(both).sigmoid()
        return logits.sigmoid() if self.kind == MULTILABEL else logits.softmax(1)

    def decisions(self, logits: Tensor) -> Tensor:
        """Logits (B, O, ...) -> labels: int64 (B, ...), or int64 (B, K) of 0 and 1 (multilabel)."""
        if self.positive is not None:
            positive = logits.float().sigmoid()[:, 0] > self.threshold
            return positive.long() if self.positive_index == 1 else 1 - positive.long()
        if self.kind == MULTILABEL:
            return (logits.float().sigmoid() > self.threshold).long()
        return logits.argmax(1)

    def decided(self, probabilities: Tensor) -> Tensor:
        """:meth:`decisions`, of probabilities (B, K, ...) that were changed since: enlarged, or a
        mean of several networks'."""
        if self.positive is not None:
            positive = probabilities[:, self.positive_index] > self.threshold
            return positive.long() if self.positive_index == 1 else 1 - positive.long()
        if self.kind == MULTILABEL:
            return (probabilities > self.threshold).long()
        return probabilities.argmax(1)

    def as_json(self) -> dict[str, Any]:
        data: dict[str, Any] = {"kind": self.kind, "classes": list(self.classes)}
        if self.positive is not None:
            data["positive"] = self.positive
        if self.positive is not None or self.kind == MULTILABEL:
            data["threshold"] = self.threshold
        return data

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Task:
        """The task that :meth:`as_json` wrote. Raises :class:`DataError` on anything else."""
        classes, positive = data.get("classes"), data.get("positive")
        threshold = data.get("threshold", 0.5)
        if not isinstance(classes, list) or not all(isinstance(name, str) for name in classes):
            raise DataError(f"task classes {classes!r}: expected a list of names")
        if not isinstance(positive, str | None) or not isinstance(threshold, float):
            raise DataError(f"task {dict(data)!r}: wrong types")
        return cls(str(data.get("kind")), tuple(classes), positive, threshold)


def _concatenate(columns: tuple[Tensor, Tensor]) -> Tensor:
    import torch

    return torch.cat(columns, dim=1)
