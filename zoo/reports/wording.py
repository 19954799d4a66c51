"""Numbers as a report writes them. A figure that nobody could compute is "undefined", never 0."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

_WORDS = {
    "auroc": "AUROC",
    "average_precision": "average precision",
    "ece": "calibration error (ECE)",
    "f1": "F1",
    "hd95": "boundary distance (HD95)",
    "iou": "IoU",
    "kappa": "Cohen's kappa",
    "mcc": "MCC",
    "brier": "Brier score",
    "dice": "Dice",
}
_NONE = "undefined"
LARGEST = 1e30
_COUNT = 1 << 53


def is_number(value: object) -> bool:
    """Whether it is one that can be drawn: not too large for that, no infinity, no truth value."""
    good = isinstance(value, int | float) and not isinstance(value, bool)
    return good and -LARGEST < value < LARGEST  # type: ignore[operator]


def words(figure: str) -> str:
    """A figure's name, for people."""
    return _WORDS.get(figure, figure.replace("_", " ")[:40])


def head(text: str) -> str:
    return text[:1].upper() + text[1:]


def number(value: object) -> str:
    """Four decimals; of what is too small or large for them, three digits."""
    if not is_number(value):
        return _NONE
    assert isinstance(value, int | float)
    if isinstance(value, int):
        return f"{value:,}"
    return f"{value:.4f}" if 1e-4 <= abs(value) < 1e4 or value == 0 else f"{value:.3g}"


def between(interval: object) -> str:
    """``0.9737 to 0.9796``, of ``{"low": .., "high": ..}``; empty where there is none."""
    if not isinstance(interval, Mapping):
        return ""
    low, high = number(interval.get("low")), number(interval.get("high"))
    return "" if _NONE in (low, high) else f"{low} to {high}"


def count(value: object) -> str:
    good = type(value) is int and 0 <= value < _COUNT
    return f"{value:,}" if good else "unknown"


def several(value: int, one: str, many: str = "") -> str:
    """``1 image``, ``3 images``."""
    return f"{value:,} {one if value == 1 else many or one + 's'}"


def duration(seconds: object) -> str:
    """``8.2 s``, ``2 min 52 s``, ``3 h 4 min``; empty for what is no number."""
    if not is_number(seconds):
        return ""
    assert isinstance(seconds, int | float)
    if not 0 <= seconds < 1e10:
        return ""
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest} s"
    return f"{minutes // 60:,} h {minutes % 60} min"


def moment(text: object) -> str:
    """``2026-01-31 08:15 UTC``, of an ISO date in UTC; any other text as it is."""
    if not isinstance(text, str):
        return ""
    plain = text.replace("+00:00", "Z")
    if len(plain) == 20 and plain[10] == "T" and plain.endswith("Z"):
        return f"{plain[:10]} {plain[11:16]} UTC"
    return text


def text(value: object) -> str:
    """Of a field that should be one: a text or a number; empty for anything else."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value}" if isinstance(value, str | int | float) else ""


def table(value: Any, key: str) -> Mapping[str, Any]:
    """The table of that name in a stranger's table; empty where there is none."""
    found = value.get(key) if isinstance(value, Mapping) else None
    return found if isinstance(found, Mapping) else {}


def listed(names: Sequence[str], most: int = 30) -> str:
    more = f" and {len(names) - most:,} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more
