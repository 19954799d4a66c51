"""Weights of an average that make val likeliest: fitted on the simplex, by log loss.

Shapes: M members, S questions, C choices.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from zoo.errors import PredictionsError
from zoo.predictions.combining.answers import Validation
from zoo.predictions.combining.rules import PROBABILITIES, Mean

_LEAST = 1e-4  # a smaller weight changes nothing that is shown
Loss = Callable[[np.ndarray], tuple[float, np.ndarray]]


def fitted(validation: Validation, average: str = PROBABILITIES) -> Mean:
    """The mean, in which each member weighs what gives val the least log loss. Convex for either
    average, so the weights are the best there are; a weight below 1e-4 is none."""
    if validation.members == 1:
        return Mean((1.0,), average)
    said, truth = validation.known()
    loss = (_of_probabilities if average == PROBABILITIES else _of_logits)(said, truth)
    weights = _least(loss, validation.members)
    weights[weights < _LEAST] = 0.0
    return Mean(tuple(float(one) for one in weights / weights.sum()), average)


def _least(loss: Loss, members: int) -> np.ndarray:
    from scipy.optimize import minimize

    # A scale of one, whatever the loss is: the tolerance is of its value.
    found = minimize(
        loss,
        np.full(members, 1 / members),
        jac=True,
        method="SLSQP",
        bounds=[(0.0, 1.0)] * members,
        constraints=[{"type": "eq", "fun": lambda w: w.sum() - 1, "jac": np.ones_like}],
        options={"ftol": 1e-12, "maxiter": 1000},
    )
    weights = np.clip(found.x, 0.0, 1.0)
    if not np.isfinite(weights).all() or weights.sum() < 0.5:
        raise PredictionsError(f"the weights cannot be fitted on val: {found.message}")
    best: np.ndarray = weights
    return best


def _of_probabilities(said: list[np.ndarray], truth: np.ndarray) -> Loss:
    """Mean over S of -log(sum of w times p of the right choice)."""
    right = np.stack([_right(one, truth) for one in said])
    top = right.max(0)
    scaled, offset = np.exp(right - top), -float(top.mean())

    def loss(weights: np.ndarray) -> tuple[float, np.ndarray]:
        mixed = np.maximum(weights @ scaled, 1e-300)
        gradient: np.ndarray = -(scaled / mixed).mean(1)
        return offset - float(np.log(mixed).mean()), gradient

    return loss


def _of_logits(said: list[np.ndarray], truth: np.ndarray) -> Loss:
    """Mean over S of log(sum over choices of exp(w times log p)) - w times log p of the right
    one."""
    every = np.stack(said).astype(np.float64)
    right = np.stack([_right(one, truth) for one in said]).mean(1)

    def loss(weights: np.ndarray) -> tuple[float, np.ndarray]:
        mixed = np.tensordot(weights, every, axes=1)
        top = mixed.max(1, keepdims=True)
        chances = np.exp(mixed - top)
        sums = chances.sum(1, keepdims=True)
        chances /= sums
        value = float((np.log(sums) + top).mean()) - float(weights @ right)
        gradient: np.ndarray = np.einsum("msc,sc->m", every, chances) / len(truth) - right
        return value, gradient

    return loss


def _right(said: np.ndarray, truth: np.ndarray) -> np.ndarray:
    return np.take_along_axis(said, truth[:, None], axis=1)[:, 0].astype(np.float64)
