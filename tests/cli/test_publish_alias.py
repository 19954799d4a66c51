"""``zoo publish --alias``, where the version is there and the alias cannot be."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from zoo.registry.store import Registry

Zoo = Callable[..., tuple[int, str, str]]


def test_an_alias_that_cannot_be_set_hides_no_publication(
    zoo: Zoo, here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(str(Path(__file__).parents[1] / "registry"))
    from drafts import draft, weights

    Registry.at(here / "registry").publish(draft(), {"model.safetensors": weights()})
    (here / "registry.toml").write_text('[registry.a]\nurl = "registry"\n[registry.b]\nurl = "b"\n')
    states = here / "b/models/digits-tiny/state"
    states.parent.mkdir(parents=True)
    states.write_bytes(b"")  # a file where the folder of aliases would be
    assert zoo("publish", "a:digits-tiny@1", "--to", "b", "--alias", "best") == (
        1,
        "",
        "zoo: error: b:digits-tiny@1 is published, but alias 'best' does not lead to it: cannot "
        f"make the folder '{states}': a file of that name is there; then type: zoo registry alias "
        "b:digits-tiny@1 best\n",
    )
    assert Registry.at(here / "b").versions("digits-tiny") == [1]
