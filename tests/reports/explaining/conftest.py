"""A subject whose network is known, and what was handed to the functions that draw."""

from __future__ import annotations

import pytest
from looked_at import subject

from zoo.reports import explaining


@pytest.fixture
def known(monkeypatch, tmp_path):
    """Make a subject what every reference means; in an empty folder."""
    monkeypatch.chdir(tmp_path)

    def use(*given, **changes):
        made = subject(*given, **changes)
        monkeypatch.setattr(explaining, "open_subject", lambda *_: made)
        return made

    use()
    return use


@pytest.fixture
def drawn(monkeypatch):
    """What was handed to the functions that draw."""
    calls = []

    def noted(function, real):
        def draw(*given, **named):
            calls.append((function, given, named))
            return real(*given, **named)

        return draw

    for function in ("draw_attention", "draw_errors", "draw_mask"):
        monkeypatch.setattr(explaining, function, noted(function, getattr(explaining, function)))
    return calls
