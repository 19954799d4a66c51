"""How far members agree, and how often one of them at least is right: counted piece by piece.

Kuncheva and Whitaker 2003 (doi:10.1023/A:1022859003006) define and compare the measures. Shapes: M
members, S questions.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from zoo.tasks import IGNORE


class Tables:
    """Counts over everything that was added."""

    def __init__(self, members: int) -> None:
        self._members = members
        self._questions = self._oracle = 0
        self._differ = np.zeros((members, members), np.int64)
        self._both = np.zeros((members, members), np.int64)  # are right
        self._right = np.zeros(members, np.int64)

    def add(self, decisions: Sequence[np.ndarray], truth: np.ndarray) -> None:
        """M of int64 (S,), and the right choices, 255 where a pixel counts for nothing."""
        counts = truth != IGNORE
        each = np.stack([one[counts] for one in decisions])
        right = each == truth[counts]
        self._questions += right.shape[1]
        self._oracle += int(right.any(0).sum())
        self._right += right.sum(1)
        whole = right.astype(np.float64)
        self._both += np.rint(whole @ whole.T).astype(np.int64)
        for first in range(self._members):
            self._differ[first] += (each[first] != each).sum(1)

    def as_json(self) -> dict[str, Any]:
        """``disagreement``: (M, M), the share of questions that two decide differently, and its
        mean over pairs; ``q``: Yule's Q of being right, likewise, from -1 (one is right where the
        other is wrong) over 0 (independent) to 1, None where it is undefined; ``oracle``: the share
        of questions that some member answers right. None of a single member."""
        total = self._questions
        if not total:
            return {"questions": 0}
        differ = self._differ / total
        q = [
            [self._q(first, second) for second in range(self._members)]
            for first in range(self._members)
        ]
        pairs = [(i, j) for i in range(self._members) for j in range(i)]
        known = [value for i, j in pairs if (value := q[i][j]) is not None]
        return {
            "questions": total,
            "oracle": self._oracle / total,
            "disagreement": differ.tolist(),
            "mean_disagreement": float(np.mean([differ[one] for one in pairs])) if pairs else None,
            "q": q,
            "mean_q": float(np.mean(known)) if known else None,
        }

    def _q(self, first: int, second: int) -> float | None:
        both = int(self._both[first, second])
        one, other = int(self._right[first]) - both, int(self._right[second]) - both
        none = self._questions - both - one - other
        whole = both * none + one * other
        return (both * none - one * other) / whole if whole else None
