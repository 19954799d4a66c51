"""``zoo pull``, ``zoo registry cache`` and ``serve``, as people type them."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys

import faults as f
import pytest
from fault_server import FaultServer
from pull_bench import BLOB, CARD, MODEL, WEIGHTS, publish
from zoo_cli.completion import complete_models
from zoo_cli.main import main

import zoo as library
from zoo.registry.places import cache
from zoo.registry.places.known import Known
from zoo.registry.store import Registry

LISTENING = "import signal; signal.signal(signal.SIGINT, signal.default_int_handler)\n"
SERVE = LISTENING + "from zoo_cli.main import main\nimport sys\nsys.exit(main())"


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ZOO_CONFIG_DIR", str(tmp_path / "config"))
    return tmp_path


@pytest.fixture
def server(tmp_path):
    publish(tmp_path / "away")
    server = FaultServer(tmp_path / "away")
    yield server
    server.close()


@pytest.fixture
def zoo(capsys, here, server):
    """``zoo("pull", "x")`` -> (exit code, stdout, stderr), with the server as the default."""
    (here / "registry.toml").write_text(f'[registry.site]\nurl = "{server.url}"\n')

    def run(*arguments):
        capsys.readouterr()
        code = main(arguments)
        return code, *capsys.readouterr()

    return run


def test_into_the_cache(zoo):
    assert zoo("pull", MODEL) == (
        0,
        f"pulled: {MODEL}@1 (2 files, 700,006 bytes, all as the record says)\n"
        f"cache: {cache.folder()}\n"
        f"try next:\n"
        f"  python -c \"import zoo; print(zoo.load('{MODEL}'))\"\n",
        "",
    )


def test_into_a_folder(zoo, here):
    code, out, err = zoo("pull", f"site:{MODEL}@1", "--to", "there")
    assert (code, err) == (0, "")
    assert "folder: there\n" in out
    assert {path.name for path in (here / "there").iterdir()} == {
        "model.safetensors", "README.md", "record.json",
    }  # fmt: skip
    assert (here / "there/model.safetensors").read_bytes() == WEIGHTS


def test_as_json(zoo, server):
    code, out, _ = zoo("pull", MODEL, "--registry", "site", "--to", "there", "--json")
    found = json.loads(out)
    assert code == 0
    assert found == {
        "model": MODEL,
        "version": 1,
        "digest": Registry.at(server.root).digest(Registry.at(server.root).record(MODEL)),
        "folder": "there",
        "files": {"README.md": "there/README.md", "model.safetensors": "there/model.safetensors"},
        "members": [],
    }


def test_of_a_folder_of_this_machine(zoo, here, server):
    (here / "registry.toml").write_text(f'[registry.near]\nurl = "{server.root}"\n')
    code, out, _ = zoo("pull", MODEL)
    assert code == 0
    assert "it lies in a folder of this machine already; --to FOLDER copies it\n" in out


def test_a_refusal_is_one_line_and_leaves_nothing(zoo, here, server):
    server.faults[BLOB] = [f.flipped(7)]
    code, out, err = zoo("pull", MODEL, "--to", "there")
    assert (code, out) == (1, "")
    assert err.startswith("zoo: error: model.safetensors of model 'digits-tiny' version 1, from ")
    assert err.count("\n") == 1
    assert not (here / "there").exists()


def test_on_a_terminal_each_file_has_a_bar(zoo, monkeypatch):
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "100")
    code, _, err = zoo("pull", MODEL)
    assert code == 0
    shown = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", err)
    assert re.search(r"model\.safetensors .*700\.0/700\.0 kB", shown)
    assert "README.md" in shown


def test_in_python(zoo, here):
    found = library.pull(MODEL, here / "there")
    assert found.files["README.md"].read_bytes() == CARD
    assert (found.record.version, found.folder) == (1, here / "there")


def test_the_cache_is_shown_forgotten_and_cleared(zoo, server):
    zoo("pull", MODEL)
    known = Known(server.url, "site").folder
    assert known.is_dir()
    code, out, _ = zoo("registry", "cache")
    assert code == 0
    assert re.fullmatch(rf"folder  {cache.folder()}\nfiles   2\nbytes   \d+\n", out)
    assert zoo("registry", "cache", "--forget", "site") == (
        0, f"forgot what was known of registry 'site' ({server.url})\n", "",
    )  # fmt: skip
    assert not known.exists()
    assert json.loads(zoo("registry", "cache", "--json")[1]) == {
        "folder": str(cache.folder()), "files": 2, "bytes": 700_006,
    }  # fmt: skip
    assert zoo("registry", "cache", "--clear") == (
        0, f"removed 700,006 bytes from {cache.folder()}\n", "",
    )  # fmt: skip
    assert cache.usage() == (0, 0)
    code, _, err = zoo("registry", "cache", "--forget", "sight")
    assert code == 1
    assert "(did you mean 'site'?)" in err


def test_a_shell_that_completes_does_not_go_to_the_network(zoo, server):
    assert complete_models("") == []
    assert server.requests == []
    assert zoo("models", "list")[0] == 0
    assert server.requests != []


def test_without_the_token_it_names_one_line_says_so(zoo, here, server, monkeypatch):
    (here / "registry.toml").write_text(
        f'[registry.site]\nurl = "{server.url}"\ntoken_env = "ZOO_TEST_TOKEN"\n'
    )
    monkeypatch.delenv("ZOO_TEST_TOKEN", raising=False)
    assert zoo("pull", MODEL) == (
        1,
        "",
        "zoo: error: the environment variable 'ZOO_TEST_TOKEN', which token_env names, is not "
        "set; set it to the server's token\n",
    )
    monkeypatch.setenv("ZOO_TEST_TOKEN", "s3cret")
    assert zoo("pull", MODEL)[0] == 0
    assert set(server.tokens) == {"Bearer s3cret"}


def test_serve_until_it_is_interrupted(zoo, here, server):
    process = subprocess.Popen(
        [sys.executable, "-c", SERVE, "registry", "serve", "--root", "away", "--port", "0"],
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        said = [process.stdout.readline() for _ in range(4)]
        url = re.search(r"at (http://127\.0\.0\.1:\d+), until Ctrl-C", said[0])[1]
        assert said[1:] == ["\n", "[registry.served]\n", f'url = "{url}"\n']
        (here / "registry.toml").write_text("".join(said[2:]))
        assert zoo("pull", f"served:{MODEL}", "--to", "there")[0] == 0
        assert (here / "there/model.safetensors").read_bytes() == WEIGHTS
        process.send_signal(signal.SIGINT)
        assert process.wait(10) == 0
        assert process.stderr.read() == ""
    finally:
        process.kill()
        process.wait()
        process.stdout.close()
        process.stderr.close()


def test_only_a_registry_in_a_folder_is_served(zoo, server):
    assert zoo("registry", "serve") == (
        1, "", f"zoo: error: registry 'site' ({server.url}) is in no folder of this machine; only "
        "such are served\n",
    )  # fmt: skip
    code, _, err = zoo("registry", "serve", "--registry", "site", "--root", "away")
    assert code == 2
    assert "give one of them" in err
