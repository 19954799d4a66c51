"""What networks say, as questions with one right choice each: the form in which all is combined.

A question is a sample; of a multilabel task a sample and a class, with the choices no and yes; of
masks a pixel. Shapes: N samples, O outputs, K classes, P planes of H by W pixels; S questions, C
choices. Answers are log-probabilities, so that what is nearly certain stays apart from certainty.
"""

from __future__ import annotations

import numpy as np

from zoo.predictions.masks import LEVELS
from zoo.tasks import MULTILABEL, Task

# A byte of 0 stands for anything up to half a step; its logarithm is a quarter step's.
_LEAST = 0.25 / LEVELS
_AHEAD = 1e-3


def of_logits(task: Task, logits: np.ndarray) -> np.ndarray:
    """Logits (N, O, ...) -> (S, C), of the logits' type."""
    if task.kind == MULTILABEL:
        return np.stack([_log_sigmoid(-logits), _log_sigmoid(logits)], axis=-1).reshape(-1, 2)
    if task.positive is not None:
        one = np.ravel(logits)
        sides = (_log_sigmoid(-one), _log_sigmoid(one))
        return np.stack(sides if task.positive_index == 1 else sides[::-1], axis=-1)
    return normalized(_choices_last(logits, len(task.classes)))


def of_planes(task: Task, planes: np.ndarray) -> np.ndarray:
    """Probabilities of masks (N, P, H, W), float in [0, 1] -> (S, K), float32."""
    planes = np.clip(planes.astype(np.float32), _LEAST, 1 - _LEAST)
    if task.positive is not None:
        one = np.ravel(planes)
        sides = (1 - one, one) if task.positive_index == 1 else (one, 1 - one)
        both: np.ndarray = np.log(np.stack(sides, axis=-1))
        return both
    return normalized(np.log(_choices_last(planes, len(task.classes))))


def to_logits(task: Task, said: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """(S, C) -> float32 logits of ``shape``, (N, O, ...), that mean the same."""
    if task.kind == MULTILABEL:
        logits = (said[:, 1] - said[:, 0]).reshape(shape)
    elif task.positive is not None:
        positive = task.positive_index
        logits = (said[:, positive] - said[:, 1 - positive]).reshape(shape)
    else:
        logits = np.moveaxis(said.reshape(shape[0], *shape[2:], shape[1]), -1, 1)
    return np.ascontiguousarray(logits, np.float32)


def to_planes(task: Task, said: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """(S, K) of masks -> float32 probabilities (N, K, H, W); ``shape``: of the logits."""
    planes = np.exp(said).reshape(shape[0], *shape[2:], len(task.classes))
    return np.ascontiguousarray(np.moveaxis(planes, -1, 1), np.float32)


def truth(targets: np.ndarray) -> np.ndarray:
    """Targets (N, ...) -> int64 (S,), the right choice; 255 where a pixel counts for nothing."""
    return np.ravel(targets).astype(np.int64)


def decided(task: Task, said: np.ndarray) -> np.ndarray:
    """(S, C) -> int64 (S,): the choice, by the task's threshold where there is one."""
    which = yes(task)
    if which is None:
        found: np.ndarray = said.argmax(1)
        return found
    place = np.log(task.threshold) - np.log1p(-task.threshold)
    return np.where(said[:, which] - said[:, 1 - which] > place, which, 1 - which)


def agreeing(task: Task, said: np.ndarray, decisions: np.ndarray) -> np.ndarray:
    """(S, C), which decides as ``decisions`` (S,) do: where a byte of probability no longer tells
    two choices apart, the one that was decided is put ahead, by a thousandth."""
    off = np.flatnonzero(decided(task, said) != decisions)
    which = yes(task)
    rows, chosen = said[off], decisions[off]
    if which is None:
        rows[np.arange(len(off)), chosen] = rows.max(1) + _AHEAD
        said[off] = normalized(rows)
        return said
    place = np.log(task.threshold) - np.log1p(-task.threshold)
    logits = np.where(chosen == which, place + _AHEAD, place - _AHEAD).astype(said.dtype)
    said[off, which], said[off, 1 - which] = _log_sigmoid(logits), _log_sigmoid(-logits)
    return said


def yes(task: Task) -> int | None:
    """Which of two choices the threshold is of; None where there are more."""
    if task.kind == MULTILABEL:
        return 1
    return None if task.positive is None else task.positive_index


def normalized(said: np.ndarray) -> np.ndarray:
    """(S, C), of which the probabilities then sum to one."""
    shifted = said - said.max(1, keepdims=True)
    found: np.ndarray = shifted - np.log(np.exp(shifted).sum(1, keepdims=True))
    return found


def _log_sigmoid(logits: np.ndarray) -> np.ndarray:
    found: np.ndarray = -np.logaddexp(np.zeros((), logits.dtype), -logits)
    return found


def _choices_last(array: np.ndarray, classes: int) -> np.ndarray:
    return np.moveaxis(array, 1, -1).reshape(-1, classes)
