"""A small stand-in for the Hub's HTTP API on the loopback interface: what its own client asks for
to make, write and read a repository, and nothing else.

Text files are in git, others in LFS, to which reading leads by a redirect, as on the Hub.
"""

from __future__ import annotations

import base64
import contextlib
import hashlib
import json
import os
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import unquote, urlsplit

import pytest

TOKEN = "hf_a-token-that-nobody-may-see"
_TEXT = (".json", ".md", ".txt")


@dataclass
class Repository:
    """``branches``: files by path, by branch; ``commits``: the same by commit."""

    private: bool = False
    branches: dict[str, dict[str, bytes]] = field(default_factory=lambda: {"main": {}})
    commits: dict[str, dict[str, bytes]] = field(default_factory=dict)
    messages: list[str] = field(default_factory=list)

    def files(self, revision: str) -> dict[str, bytes] | None:
        return self.branches.get(revision, self.commits.get(revision))


class Hub:
    """``asked``: (method, path) of every request, in order; ``tokens``: the Authorization header
    of each; ``yaml_warning`` and ``yaml_error``: what the Hub says of the metadata of a README;
    ``elsewhere``: the host to which it leads for what is in LFS; the Hub's is another one, too."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.repositories: dict[str, Repository] = {}
        self.lfs: dict[str, bytes] = {}
        self.asked: list[tuple[str, str]] = []
        self.tokens: list[str | None] = []
        self.yaml_warning = ""
        self.yaml_error = ""
        self.elsewhere = url.replace("127.0.0.1", "localhost")

    def files(self, name: str, revision: str = "main") -> dict[str, bytes]:
        found = self.repositories[name].files(revision)
        assert found is not None
        return found


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    hub: Hub

    def log_message(self, *_: object) -> None:
        pass

    def do_GET(self) -> None:
        self._note()
        parts = [unquote(part) for part in urlsplit(self.path).path.strip("/").split("/")]
        if parts[0] == "cdn":
            self._send(200, self.hub.lfs[parts[1]])
        elif parts[:2] == ["api", "models"]:
            self._info("/".join(parts[2:4]))
        elif len(parts) > 3 and parts[2] == "resolve":
            self._resolve("/".join(parts[:2]), parts[3], "/".join(parts[4:]))
        else:
            self._send(404)

    do_HEAD = do_GET  # noqa: N815

    def do_PUT(self) -> None:
        body = self._note()
        oid = self.path.rpartition("/")[2]
        good = hashlib.sha256(body).hexdigest() == oid
        if good:
            self.hub.lfs[oid] = body
        self._send(200 if good else 400)

    def do_POST(self) -> None:
        body = self._note()
        path = urlsplit(self.path).path
        parts = [unquote(part) for part in path.strip("/").split("/")]
        if path == "/api/validate-yaml":
            self._validate()
        elif self.headers.get("Authorization") != f"Bearer {TOKEN}":
            self._json({"error": "Invalid username or password."}, 401)
        elif path == "/api/repos/create":
            self._create(json.loads(body))
        elif path.endswith(".git/info/lfs/objects/batch"):
            self._batch(json.loads(body))
        elif parts[4:5] == ["preupload"]:
            self._preupload(json.loads(body))
        elif parts[4:5] == ["branch"]:
            self._branch(self.hub.repositories["/".join(parts[2:4])], parts[5])
        elif parts[4:5] == ["commit"]:
            self._commit("/".join(parts[2:4]), parts[5], body)
        else:
            self._send(404)

    def _note(self) -> bytes:
        self.hub.asked.append((self.command, self.path))
        self.hub.tokens.append(self.headers.get("Authorization"))
        return self.rfile.read(int(self.headers.get("Content-Length", 0)))

    def _validate(self) -> None:
        said = [{"message": self.hub.yaml_warning}] if self.hub.yaml_warning else []
        wrong = [{"message": self.hub.yaml_error}] if self.hub.yaml_error else []
        self._json({"warnings": said, "errors": wrong}, 400 if wrong else 200)

    def _create(self, asked: dict[str, Any]) -> None:
        name = f"{asked['organization']}/{asked['name']}"
        if asked["organization"] != "me":
            self._json({"error": f"You don't have the rights to create {name}"}, 403)
        elif name in self.hub.repositories:
            self._json({"error": "it is there", "url": f"{self.hub.url}/{name}"}, 409)
        else:
            private = asked.get("visibility") == "private" or asked.get("private") is True
            self.hub.repositories[name] = Repository(private)
            self._json({"url": f"{self.hub.url}/{name}"})

    def _preupload(self, asked: dict[str, Any]) -> None:
        files = [
            {
                "path": one["path"],
                "uploadMode": "regular" if one["path"].endswith(_TEXT) else "lfs",
                "shouldIgnore": False,
            }
            for one in asked["files"]
        ]
        self._json({"files": files})

    def _batch(self, asked: dict[str, Any]) -> None:
        objects = [
            {**one, "actions": {"upload": {"href": f"{self.hub.url}/upload/{one['oid']}"}}}
            for one in asked["objects"]
        ]
        self._json({"transfer": "basic", "objects": objects})

    def _branch(self, repository: Repository, name: str) -> None:
        if name in repository.branches:
            self._json({"error": "it is there"}, 409)
        else:
            repository.branches[name] = dict(repository.branches["main"])
            self._json({})

    def _commit(self, name: str, branch: str, body: bytes) -> None:
        repository = self.hub.repositories[name]
        files = dict(repository.branches[branch])
        for line in map(json.loads, body.splitlines()):
            value = line["value"]
            if line["key"] == "header":
                repository.messages.append(value["summary"])
            elif line["key"] == "file":
                files[value["path"]] = base64.b64decode(value["content"])
            elif line["key"] == "lfsFile":
                files[value["path"]] = self.hub.lfs[value["oid"]]
        commit = hashlib.sha1(body, usedforsecurity=False).hexdigest()
        repository.branches[branch] = repository.commits[commit] = files
        url = f"{self.hub.url}/{name}/commit/{commit}"
        self._json({"commitUrl": url, "commitOid": commit, "pullRequestUrl": None})

    def _readable(self, name: str) -> Repository | None:
        repository = self.hub.repositories.get(name)
        known = self.headers.get("Authorization") == f"Bearer {TOKEN}"
        if repository is None or (repository.private and not known):
            self._json({"error": "Repository not found"}, 404 if known else 401, "RepoNotFound")
            return None
        return repository

    def _info(self, name: str) -> None:
        repository = self._readable(name)
        if repository is not None:
            files = repository.branches["main"]
            self._json({
                "id": name, "modelId": name, "private": repository.private, "sha": "0" * 40,
                "siblings": [{"rfilename": path} for path in files], "tags": [], "downloads": 0,
            })  # fmt: skip

    def _resolve(self, name: str, revision: str, path: str) -> None:
        repository = self._readable(name)
        if repository is None:
            return
        files = repository.files(revision)
        if files is None or path not in files:
            self._send(404, code="RevisionNotFound" if files is None else "EntryNotFound")
            return
        data, headers = files[path], {"X-Repo-Commit": "0" * 40}
        if path.endswith(_TEXT):
            headers["ETag"] = f'"{hashlib.sha1(data, usedforsecurity=False).hexdigest()}"'
            if self.headers.get("If-None-Match") == headers["ETag"]:
                self._send(304, headers=headers)
            else:
                self._send(200, data, headers=headers)
            return
        oid = hashlib.sha256(data).hexdigest()
        self.hub.lfs.setdefault(oid, data)
        headers |= {"X-Linked-Etag": f'"{oid}"', "X-Linked-Size": str(len(data))}
        self._send(302, headers={**headers, "Location": f"{self.hub.elsewhere}/cdn/{oid}"})

    def _json(self, value: Any, status: int = 200, code: str = "") -> None:
        headers = {"Content-Type": "application/json"}
        self._send(status, json.dumps(value).encode(), headers=headers, code=code)

    def _send(
        self,
        status: int,
        body: bytes = b"",
        *,
        headers: dict[str, str] | None = None,
        code: str = "",
    ) -> None:
        self.send_response(status)
        named = {"X-Error-Code": code} if code else {}
        for name, value in {**(headers or {}), **named}.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)


@contextlib.contextmanager
def serving() -> Iterator[Hub]:
    class One(Handler):
        pass

    with ThreadingHTTPServer(("127.0.0.1", 0), One) as web:
        web.daemon_threads, web.block_on_close = True, False
        One.hub = Hub(f"http://127.0.0.1:{web.server_address[1]}")
        thread = threading.Thread(target=web.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        yield One.hub
        web.shutdown()
        thread.join()


def use(monkeypatch: pytest.MonkeyPatch, url: str, token: str | None = TOKEN) -> None:
    """Let the Hub's client in this process, which read its settings when it was imported, go to
    ``url`` and nowhere else."""
    from huggingface_hub import close_session, constants

    monkeypatch.setattr(constants, "ENDPOINT", url)
    template = url + "/{repo_id}/resolve/{revision}/{filename}"
    monkeypatch.setattr(constants, "HUGGINGFACE_CO_URL_TEMPLATE", template)
    # Else a client in Rust uploads by a protocol of its own.
    monkeypatch.setattr(constants, "HF_HUB_DISABLE_XET", True)
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    monkeypatch.setattr(constants, "HF_TOKEN_PATH", os.devnull)
    for name in ("http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    monkeypatch.setenv("HF_TOKEN", token or "")
    close_session()
