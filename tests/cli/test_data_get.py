"""``zoo data get``, from a server on loopback."""

from __future__ import annotations

import hashlib
import json
import socket
import threading
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from zoo_medical import medmnist

BODY = b"not really an npz"
NAME = "medmnist/breastmnist"
REAL = medmnist.fetch


@pytest.fixture
def served(server: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    """BreastMNIST's file, as the server has it."""

    def fetch(context: Any, name: str, **options: Any) -> list[Any]:
        (real,) = REAL(context, name, **options)
        url = server.url(f"/{real.path}")
        return [replace(real, url=url, md5=hashlib.md5(BODY).hexdigest(), http=True)]

    monkeypatch.setattr(medmnist, "fetch", fetch)
    server.give("/breastmnist.npz", BODY)
    server.give("/breastmnist_64.npz", BODY)
    return server


def test_it_brings_the_file_and_prints_its_path(zoo: Any, here: Path, served: Any) -> None:
    assert zoo("data", "get", NAME, "--root", "b") == (0, "b/breastmnist.npz\n", "")
    assert (here / "b" / "breastmnist.npz").read_bytes() == BODY


def test_options_choose_the_file(zoo: Any, here: Path, served: Any) -> None:
    code, out, _ = zoo("data", "get", NAME, "--root", "b", "--set", "size=64", "--json")
    assert code == 0
    assert json.loads(out) == {"dataset": NAME, "root": "b", "files": ["b/breastmnist_64.npz"]}
    # as in a recipe, too
    again = zoo("data", "get", NAME, "--root", "b", "--set", "dataset.size=64")
    assert again == (0, "b/breastmnist_64.npz\n", "")
    assert served.asked == ["/breastmnist_64.npz"]


def test_the_data_folder_is_the_default(
    zoo: Any, here: Path, served: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ZOO_DATA", str(here / "all"))
    assert zoo("data", "get", NAME)[0] == 0
    assert (here / "all" / NAME / "breastmnist.npz").exists()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (
            [NAME],
            "dataset 'medmnist/breastmnist': no folder for its files; name one with --root, or set "
            "ZOO_DATA, below which they go to 'medmnist/breastmnist'",
        ),
        (
            ["medmnist/brestmnist", "--root", "b"],
            "dataset 'medmnist/brestmnist' is not installed (did you mean "
            "'medmnist/breastmnist'?); see: zoo components list datasets",
        ),
        (
            [NAME, "--root", "b", "--set", "size=32"],
            "dataset 'medmnist/breastmnist': size: 32: expected 28 | 64 | 128 | 224",
        ),
        (
            [NAME, "--root", "b", "--set", "size"],
            "--set size: expected key=value, as in --set optimizer.lr=1e-3",
        ),
        (
            ["digits", "--root", "b"],
            "dataset 'digits': zoo knows no files to download",
        ),
    ],
)
def test_wrong_turns(zoo: Any, here: Path, arguments: list[str], said: str) -> None:
    assert zoo("data", "get", *arguments) == (1, "", f"zoo: error: {said}\n")
    assert list(here.iterdir()) == []


def test_without_a_network_one_line_within_five_seconds(
    zoo: Any, here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A network whose name server never answers; the addresses are the real ones."""
    over = threading.Event()

    def look_up(*_: object, **__: object) -> None:
        over.wait(30)
        raise socket.gaierror("over")

    for variable in ("https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    started = time.monotonic()
    code, out, err = zoo("data", "get", NAME, "--root", "b")
    over.set()
    assert time.monotonic() - started < 5
    assert (code, out) == (1, "")
    assert err == (
        "zoo: error: 'zenodo.org' cannot be reached: no connection within 3 s; without a network "
        "put here by other means: https://zenodo.org/records/10519652/files/breastmnist.npz"
        "?download=1 as 'b/breastmnist.npz'; then type the same command again\n"
    )
