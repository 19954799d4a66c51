"""A Ray cluster, and whether its nodes can carry out a study's runs."""

from __future__ import annotations

import contextlib
import os
import re
import secrets
import socket
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib import metadata
from pathlib import Path
from typing import Any

from zoo.errors import StudyError, clipped, reason
from zoo.runs.extras import needed
from zoo.storage import commit

LOCAL, AUTO = "local", "auto"
_CLIENT = "ray://"
_MARKER = "ray-marker-"
_LIBRARIES = ("zoo", "torch", "torchvision", "numpy")  # those that decide a run's numbers
_LOCAL_OPTIONS: Mapping[str, Any] = {
    "include_dashboard": False,
    "_node_ip_address": "127.0.0.1",
    "object_store_memory": 80 * 1024 * 1024,  # nearly nothing is kept there, and less is refused
}
_QUOTED = "ray::"  # the function in which something went wrong
_COLOUR = re.compile(r"\x1b\[[0-9;]*m")
_CONNECT = 10.0  # seconds
_LONGEST = 180.0  # seconds that a node may take to look
_SEEN_LATE = 30.0  # seconds after which network file systems show a new file to all


class Cluster:
    """``ray``: the module, connected to ``address``."""

    def __init__(self, ray: Any, address: str) -> None:
        self.ray, self.address = ray, address

    def require_room(self, threads: int) -> None:
        """Raises :class:`StudyError` when no node has CPUs for a run of so many threads."""
        most = max((int(node["Resources"]["CPU"]) for node in self._nodes()), default=0)
        if threads > most:
            raise StudyError([f"--ray {self.address}: a run has {threads} threads, and no node so "
                              f"many CPUs (at most {most}); set training.threads"])  # fmt: skip

    def gpus(self) -> int:
        """Those of a run: 1 where the cluster has any."""
        return int(any(node["Resources"].get("GPU", 0) >= 1 for node in self._nodes()))

    def require_seen(self, out: Path) -> None:
        """Raises :class:`StudyError` when a node does not see the folder ``out``, or the one that
        paths of recipes are relative to, or has other versions."""
        ray, token = self.ray, secrets.token_hex(16)
        marker = out.absolute() / f"{_MARKER}{token[:8]}"
        commit.write(marker, token.encode())
        try:
            look = ray.remote(num_cpus=0, max_retries=0)(looked)
            asked = {}
            for node in self._nodes():
                there = ray.util.scheduling_strategies.NodeAffinitySchedulingStrategy(
                    node["NodeID"], soft=False
                )
                placed = look.options(scheduling_strategy=there)
                name = f"{node['NodeManagerAddress']} ({node['NodeID'][:8]})"
                asked[name] = placed.remote(str(marker), token, str(Path.cwd()))
            for name, answer in asked.items():
                self._require_fit(name, self._told(name, answer), out)
        finally:
            with contextlib.suppress(OSError):
                marker.unlink()

    def _told(self, name: str, answer: Any) -> Mapping[str, Any]:
        try:
            told: Mapping[str, Any] = self.ray.get(answer, timeout=_LONGEST)
        except Exception as error:  # Ray's own, of many kinds
            raise StudyError([f"--ray {self.address}: node {name} cannot run zoo: "
                              f"{last_line(error)}"]) from error  # fmt: skip
        return told

    def _require_fit(self, name: str, told: Mapping[str, Any], out: Path) -> None:
        start = f"--ray {self.address}: node {name}"
        for path, seen in ((out, told["out"]), (Path.cwd(), told["here"])):
            if not seen:
                raise StudyError([f"{start} does not see the folder {str(path.absolute())!r}; "
                                  f"every node has to, under the same path"])  # fmt: skip
        here = versions()
        for library, version in told["versions"].items():
            if version != here[library]:
                raise StudyError([f"{start} has {library} {version}, and this machine "
                                  f"{here[library]}; install the same on both"])  # fmt: skip

    def _nodes(self) -> list[Mapping[str, Any]]:
        """Those that can carry out runs."""
        alive = [node for node in self.ray.nodes() if node["Alive"]]
        return [node for node in alive if node["Resources"].get("CPU", 0) >= 1]


def looked(marker: str, token: str, here: str) -> dict[str, Any]:
    """On a node: whether it sees a file with this content, and a folder; and its versions."""
    return {"out": _sees(Path(marker), token), "here": Path(here).is_dir(), "versions": versions()}


def _sees(marker: Path, token: str) -> bool:
    until = time.monotonic() + (_SEEN_LATE if marker.parent.is_dir() else 0)
    while True:
        with contextlib.suppress(OSError):
            if marker.read_text() == token:
                return True
        if time.monotonic() > until:
            return False
        time.sleep(0.5)


def versions() -> dict[str, str]:
    return {name: metadata.version(name) for name in _LIBRARIES}


@contextmanager
def connected(address: str) -> Iterator[Cluster]:
    """``address``: ``local`` for a cluster on this machine that ends with the study, ``auto`` for
    the one that this machine is a node of, or ``HOST:PORT``. Raises :class:`StudyError`."""
    ray = needed("ray", "ray", "a study on Ray")
    if address.startswith(_CLIENT):
        raise StudyError([f"--ray {clipped(address)}: a study runs on a node of the cluster; go to "
                          f"one, and type --ray auto"])  # fmt: skip
    if address not in (LOCAL, AUTO):
        _require_reachable(address)
    if ray.is_initialized():  # by a caller, whose it stays
        yield Cluster(ray, address)
        return
    options: Mapping[str, Any] = {}
    if address == LOCAL:
        os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # nothing is sent to anybody
        options = _LOCAL_OPTIONS
    try:
        ray.init(address=address, log_to_driver=False, logging_level="CRITICAL", **options)
    except Exception as error:  # of many kinds
        raise StudyError([_unreachable(address, last_line(error))]) from error
    try:
        yield Cluster(ray, address)
    finally:
        ray.shutdown()


def _require_reachable(address: str) -> None:
    """Ray itself goes on trying for minutes."""
    host, _, port = address.rpartition(":")
    if not (host and port.isdecimal() and 0 < int(port) < 2**16):
        raise StudyError([f"--ray {clipped(address)!r}: expected auto, local, or HOST:PORT"])
    try:
        socket.create_connection((host.strip("[]"), int(port)), _CONNECT).close()
    except OSError as error:
        raise StudyError([_unreachable(address, reason(error))]) from error


def _unreachable(address: str, why: str) -> str:
    return (f"--ray {clipped(address)}: no cluster there ({why}); start one with: ray start "
            f"--head; or for this machine alone type --ray local")  # fmt: skip


def last_line(error: Exception) -> str:
    """Of what went wrong in the cluster, which Ray quotes, the last line; else the first."""
    text = _COLOUR.sub("", str(error))
    lines = [one.strip() for one in text.splitlines() if one.strip()]
    if _QUOTED in text:
        return clipped(lines[-1], 200)
    return clipped(reason(error), 200)
