"""What zoo doctor says of places: registries that do not answer, and caches."""

from __future__ import annotations

import socket
import time
from pathlib import Path

import pytest
from zoo_cli import checks, checks_places


def test_a_registry_that_never_answers_is_not_waited_for(
    here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checks_places, "ANSWER_SECONDS", 0.5)
    with socket.create_server(("127.0.0.1", 0)) as silent, socket.create_server(("", 0)) as gone:
        dead = gone.getsockname()[1]
        gone.close()
        (here / "registry.toml").write_text(
            f'default = "mine"\n[registry.mine]\nurl = "published"\n'
            f'[registry.silent]\nurl = "http://127.0.0.1:{silent.getsockname()[1]}"\n'
            f'[registry.dead]\nurl = "http://127.0.0.1:{dead}"\n'
        )
        began = time.monotonic()
        asked = checks_places.Asked()
        findings: list[checks.Finding] = []
        rows = {row["name"]: row for row in asked.registries(findings)}
        assert time.monotonic() - began < 10  # 30 s and more without the limit
    assert {name: row["reachable"] for name, row in rows.items()} == {
        "mine": True, "silent": False, "dead": False,
    }  # fmt: skip
    said = {one.what.partition(": ")[0]: one.what for one in findings}
    assert said["registry 'silent'"] == "registry 'silent': no answer within 0.5 s"
    assert "refused" in said["registry 'dead'"].lower() or "no answer" in said["registry 'dead'"]
    assert "network" in findings[0].do


def test_caches_are_counted_as_far_as_time_allows(
    here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ZOO_CACHE", str(here / "cache"))
    (here / "cache/stores/a").mkdir(parents=True)
    (here / "cache/stores/a/images").write_bytes(bytes(3 << 20))
    row = checks_places.caches([])[0]
    assert (row["gib"], row["counted"], row["clear"]) == (0.0, "all", "zoo data cache --clear")
    assert checks_places._size(here, time.monotonic() + 60) == (3 << 20, True)
    assert checks_places._size(here, time.monotonic() - 1) == (0, False)
