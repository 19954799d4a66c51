"""Studies on a Ray cluster of two nodes: the same numbers, whatever of a worker is killed."""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest
from inline import Inline, weights_of, without_times, write_study

from zoo.errors import StudyError
from zoo.studies.ray_cluster import Cluster, connected
from zoo.studies.studying import study

TABLES = """
[[tables]]
name = "rates"
kind = "one_at_a_time"
[tables.vary]
"optimizer.lr" = [0.001, 0.01]
[tables.set]
training.epochs = 2
"""
COMMAND = "from zoo_cli.main import main; import sys; sys.exit(main())"
MARK = "ZOO_TEST_RAY_MARK"
LONGEST = 600.0  # seconds that a busy machine may take


class Nodes:
    """Two, of a processor each, in processes of their own: Ray's threads and warnings stay out of
    this one. The token is drawn anew, so that nobody's own is needed."""

    def __init__(self, folder: Path) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.address = f"127.0.0.1:{free.getsockname()[1]}"
        self.mark = secrets.token_hex(8)
        self.environment = {
            **os.environ, MARK: self.mark, "RAY_USAGE_STATS_ENABLED": "0",
            "RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": secrets.token_hex(32),
            "RAY_worker_niceness": "0",  # Ray's own 15 starves on a busy machine
        }  # fmt: skip
        self.logs = folder
        port = self.address.rpartition(":")[2]
        self.begun: list[subprocess.Popen[bytes]] = []
        try:
            self._begin("--head", f"--port={port}", "--include-dashboard=false",
                        "--min-worker-port=0", "--max-worker-port=0")  # fmt: skip
            self._begin(f"--address={self.address}")
        except BaseException:
            self.end()
            raise

    def _begin(self, *options: str) -> None:
        log = self.logs / f"node-{len(self.begun)}.log"
        command = [str(Path(sys.executable).with_name("ray")), "start", *options, "--num-cpus=1",
                   "--object-store-memory=80000000", "--block"]  # fmt: skip
        with log.open("wb") as out:
            process = subprocess.Popen(command, stdout=out, stderr=out, env=self.environment,
                                       start_new_session=True)  # fmt: skip
        self.begun.append(process)
        until = time.monotonic() + LONGEST
        while b"Ray runtime started" not in log.read_bytes():
            assert process.poll() is None and time.monotonic() < until, log.read_text()
            time.sleep(0.2)

    def study(self, path: Path, out: Path, *options: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "-P", "-c", COMMAND, "study", str(path), "--out", str(out), "--ray",
             self.address, *options],
            env=self.environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        )  # fmt: skip

    def processes(self, name: bytes) -> list[int]:
        """Of this cluster, those whose command holds ``name``."""
        found = []
        for folder in Path("/proc").glob("[0-9]*"):
            with contextlib.suppress(OSError):
                if (
                    name in (folder / "cmdline").read_bytes()
                    and self.mark.encode() in (folder / "environ").read_bytes()
                ):
                    found.append(int(folder.name))
        return found

    def end(self) -> None:
        for process in reversed(self.begun):
            process.terminate()
            process.wait(LONGEST)


@pytest.fixture(scope="module")
def nodes(tmp_path_factory):
    pytest.importorskip("ray")
    made = Nodes(tmp_path_factory.mktemp("nodes"))
    yield made
    made.end()


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    folder = tmp_path_factory.mktemp("whole")
    path = write_study(folder, TABLES)
    made = study(path, out=folder / "out", begin=lambda *_: Inline())
    return path, without_times(made.data), weights_of(folder / "out")


def same(out: Path, whole) -> None:
    assert weights_of(out) == whole[2]
    assert without_times(json.loads((out / "results.json").read_text())) == whole[1]


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_two_nodes_give_what_one_process_gives(whole, tmp_path, nodes):
    process = nodes.study(whole[0], tmp_path / "out", "--workers", "2")
    text, _ = process.communicate(timeout=LONGEST)
    assert process.returncode == 0, text
    same(tmp_path / "out", whole)
    assert not list((tmp_path / "out").glob("ray-marker-*"))


@pytest.mark.slow
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("name", [b"ray::Relay", b"zoo.studies.ray_process"])
def test_a_killed_worker_is_gone_on_with_to_the_same_bits(whole, tmp_path, nodes, name):
    out = tmp_path / "out"
    process = nodes.study(whole[0], out)
    killed: list[int] = []
    until = time.monotonic() + LONGEST
    while process.poll() is None and not killed and time.monotonic() < until:
        if any(b'"epoch_ended"' in path.read_bytes() for path in out.glob("runs/*/events.jsonl")):
            killed = nodes.processes(name)
            for one in killed:
                os.kill(one, signal.SIGKILL)
        time.sleep(0.02)
    text, _ = process.communicate(timeout=LONGEST)
    assert killed and process.returncode == 0, text
    assert any(b'"resumed"' in path.read_bytes() for path in out.glob("runs/*/events.jsonl"))
    same(out, whole)


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_ctrl_c_saves_and_ends(whole, tmp_path, nodes):
    out = tmp_path / "out"
    process = nodes.study(whole[0], out)
    until = time.monotonic() + LONGEST
    while process.poll() is None and time.monotonic() < until:
        if any(b'"epoch_ended"' in path.read_bytes() for path in out.glob("runs/*/events.jsonl")):
            break
        time.sleep(0.02)
    process.send_signal(signal.SIGINT)
    text, _ = process.communicate(timeout=LONGEST)
    assert process.returncode == 130, text
    assert "to go on type the same again: zoo study" in text.splitlines()[-1]
    study(whole[0], out=out, begin=lambda *_: Inline())
    same(out, whole)


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({"out": False}, "--ray auto: node 10.0.0.2 (ab) does not see the folder '/o'; every node "
                         "has to, under the same path"),
        ({"versions": {"torch": "1.0"}}, None),
        ({}, ""),
    ],
)  # fmt: skip
def test_a_node_that_does_not_fit_is_one_line(changed, expected):
    from zoo.studies.ray_cluster import versions

    told = {"out": True, "here": True, "versions": versions(), **changed}
    cluster = Cluster(None, "auto")
    if expected == "":
        cluster._require_fit("10.0.0.2 (ab)", told, Path("/o"))
        return
    if expected is None:
        expected = (f"--ray auto: node 10.0.0.2 (ab) has torch 1.0, and this machine "
                    f"{versions()['torch']}; install the same on both")  # fmt: skip
    with pytest.raises(StudyError) as caught:
        cluster._require_fit("10.0.0.2 (ab)", told, Path("/o"))
    assert str(caught.value) == expected


def test_a_node_sees_what_is_there(tmp_path, monkeypatch):
    from zoo.studies import ray_cluster

    monkeypatch.setattr(ray_cluster, "_SEEN_LATE", 0.0)
    marker = tmp_path / "marker"
    marker.write_text("token")
    here = str(tmp_path)
    assert ray_cluster.looked(str(marker), "token", here)["out"]
    assert not ray_cluster.looked(str(marker), "another", here)["out"]
    assert not ray_cluster.looked(str(tmp_path / "no" / "marker"), "token", here)["out"]
    assert not ray_cluster.looked(str(marker), "token", str(tmp_path / "no"))["here"]


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("nonsense", "--ray 'nonsense': expected auto, local, or HOST:PORT"),
        ("ray://10.0.0.1:10001", "--ray ray://10.0.0.1:10001: a study runs on a node of the "
                                 "cluster; go to one, and type --ray auto"),
        ("127.0.0.1:1", "--ray 127.0.0.1:1: no cluster there (ConnectionRefusedError: [Errno 111] "
                        "Connection refused); start one with: ray start --head; or for this "
                        "machine alone type --ray local"),
    ],
)  # fmt: skip
def test_an_address_without_a_cluster_is_one_line(address, expected, monkeypatch):
    from zoo.studies import ray_cluster

    monkeypatch.setattr(ray_cluster, "needed", lambda *_: None)  # it is not asked
    with pytest.raises(StudyError) as caught, connected(address):
        pass
    assert str(caught.value) == expected


def test_without_ray_the_line_says_how_to_install_it(monkeypatch):
    from zoo.errors import MissingError

    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(MissingError) as caught, connected("auto"):
        pass
    assert str(caught.value) == (
        "a study on Ray needs ray; install it with: pip install 'zoo[ray]'"
    )
