"""The weights that a run keeps, and where: known without torch."""

from __future__ import annotations

from pathlib import Path

BEST, LAST = "best", "last"


def weights_path(run: Path, which: str) -> Path:
    """``which``: ``best`` or ``last``."""
    return run / f"{which}.safetensors"
