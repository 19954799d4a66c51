"""Recipes of small networks on scikit-learn's digits."""

from typing import Any


def recipe_of(seed: int, **changes: Any) -> dict[str, Any]:
    """A linear network, two epochs; ``changes``: of sections."""
    return {
        "dataset": {"name": "digits"},
        "architecture": {"name": "linear"},
        "optimizer": {"name": "adam", "lr": 0.01},
        "training": {"epochs": 2, "threads": 1, "device": "cpu", "seed": seed},
        "card": {"licence": "apache-2.0", "intended_use": "a test"},
        **changes,
    }
