"""The gate in a new process: what only works here is refused, and the process never stays."""

import os
import time
from pathlib import Path

import pytest
import torch
from drafts import draft, fields

from zoo.data.preprocessing import Preprocessing
from zoo.errors import RegistryError
from zoo.plugins.catalog import catalog
from zoo.registry import fresh, gate
from zoo.registry.fresh import FreshProcess
from zoo.registry.loading import build_network
from zoo.registry.record import Draft
from zoo.runs.environment import plugin_record
from zoo.runs.sources import sha256
from zoo.storage import tensors

AFRESH = " (in a new process, as others would build it)"


@pytest.fixture
def gate_in_process():
    """Not here."""


@pytest.fixture
def version(tmp_path):
    """(draft, files) of a network that is installed."""
    component = catalog().get("architecture", "linear")
    options = component.bind({})
    one = draft(
        architecture={"name": "linear", "options": options, "in_channels": 1, "image_size": [4, 5]},
        plugin=plugin_record(component),
    )
    torch.manual_seed(0)
    network = build_network(one.architecture, one.task, catalog())
    probe = gate.make_probe(network, Preprocessing.from_json(one.preprocessing))
    files = {"model.safetensors": network.state_dict(), "probe.safetensors": probe}
    for path, held in files.items():
        tensors.save(tmp_path / path, held)
    return one, {path: tmp_path / path for path in files}


def gone(process):
    return process._process.returncode is not None and process._said.closed


def test_a_version_that_is_what_it_says(version, tmp_path, monkeypatch):
    """Whatever lies in the working folder or is set here; then the negative control."""
    one, files = version
    (tmp_path / "torch.py").write_text("raise RuntimeError('from the working folder')")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.setenv("ZOO_PLUGINS", "nothing-of-the-kind")
    with FreshProcess() as process:
        process.check(one, files, sha256(files["model.safetensors"]))
    assert gone(process)
    monkeypatch.setattr(fresh, "_COMMAND", ("-m", "zoo.registry.rebuild"))
    with FreshProcess() as process, pytest.raises(RegistryError) as caught:
        process.check(one, files)
    assert str(caught.value) == (
        "model 'digits-tiny': a new process, in which it was to be built again, ended with exit "
        "code 1: RuntimeError: from the working folder"
    )


def test_what_only_this_process_knows_is_refused(trained, catalog, tmp_path):
    one, _, files = trained()  # of a catalog that is made for this test
    for path, data in files.items():
        (tmp_path / path).write_bytes(data)
    places = {path: tmp_path / path for path in files}
    gate.check_version(one, places, catalog)
    with FreshProcess() as process, pytest.raises(RegistryError) as caught:
        process.check(one, places)
    assert str(caught.value) == (
        "architecture 'tiny': the record says that it comes from zoo-fake 1.2, which is not "
        "installed; only if you trust that package, type: pip install zoo-fake==1.2" + AFRESH
    )


def test_another_plugin_than_the_record_names_is_not_there(version):
    one, files = version
    named = {**one.plugin, "entry": "trackers", "distribution": "zoo-trackers"}
    with FreshProcess() as process, pytest.raises(RegistryError) as caught:
        process.check(one.model_copy(update={"plugin": named}), files)
    assert str(caught.value).startswith("architecture 'linear' is not installed; ")


def test_weights_that_are_not_those_that_were_trained(version):
    one, files = version
    digest = sha256(files["model.safetensors"])
    held = tensors.load(files["model.safetensors"])
    name = next(iter(held))
    tensors.save(files["model.safetensors"], {**held, name: held[name] + 0.01})
    with FreshProcess() as process, pytest.raises(RegistryError) as caught:
        process.check(one, files, digest)
    assert str(caught.value) == (
        "model 'digits-tiny': the weights are no longer those that were measured" + AFRESH
    )
    with FreshProcess() as process, pytest.raises(RegistryError) as caught:
        process.check(one, files)
    assert "differs by 0.0" in str(caught.value) and str(caught.value).endswith(AFRESH)


ENDINGS = {
    "exit": ("import sys; sys.exit('no\\nluck')", "ended with exit code 1: luck"),
    "silence": ("pass", "ended with exit code 0"),
    "no answer": ("print('hello')", "ended with exit code 0"),
    "a list": ("print([1])", "ended with exit code 0"),
    "killed": ("import os; os.kill(os.getpid(), 9)", "was ended by SIGKILL"),
    "escapes": ("import sys; sys.exit('\\x1b[2J')", "ended with exit code 1: \\x1b[2J"),
}


@pytest.mark.parametrize("name", ENDINGS)
def test_a_process_that_fails_is_one_line(name, version, monkeypatch):
    code, ending = ENDINGS[name]
    monkeypatch.setattr(fresh, "_COMMAND", ("-c", code))
    with FreshProcess() as process, pytest.raises(RegistryError) as caught:
        process.check(*version)
    assert str(caught.value) == (
        f"model 'digits-tiny': a new process, in which it was to be built again, {ending}"
    )
    assert gone(process)


def test_what_is_printed_is_no_answer(version, monkeypatch):
    code = (
        "import zoo.registry.rebuild as r, os\n"
        "r.check_version = lambda *_, **__: (print('{\"error\": \"x\"}'), os.write(1, b'y'))\n"
        "r.main()"
    )
    monkeypatch.setattr(fresh, "_COMMAND", ("-c", code))
    with FreshProcess() as process:
        process.check(*version)


def test_a_process_that_hangs_is_ended_with_its_children(version, monkeypatch, tmp_path):
    code = (
        "import subprocess, sys, time\n"
        "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(100)'])\n"
        f"open({str(tmp_path / 'child')!r}, 'w').write(str(child.pid))\n"
        "time.sleep(100)"
    )
    monkeypatch.setattr(fresh, "_COMMAND", ("-c", code))
    monkeypatch.setattr(fresh, "SECONDS", 1.5)
    started = time.monotonic()
    with FreshProcess() as process, pytest.raises(RegistryError) as caught:
        process.check(*version)
    assert str(caught.value) == (
        "model 'digits-tiny': a new process had not built and tried its network after 1.5 s"
    )
    assert time.monotonic() - started < 10
    assert gone(process)
    child = int((tmp_path / "child").read_text())
    for _ in range(100):
        if not running(child):
            break
        time.sleep(0.02)
    assert not running(child)


def running(pid):
    try:
        os.kill(pid, 0)
        return ") Z " not in Path(f"/proc/{pid}/stat").read_text()
    except (ProcessLookupError, FileNotFoundError):
        return False


def test_one_that_was_not_asked_ends_too():
    with pytest.raises(KeyboardInterrupt), FreshProcess() as process:
        raise KeyboardInterrupt
    assert gone(process)


def test_an_ensemble_needs_no_plugin_there(tmp_path):
    given = fields(
        ensemble={"method": "mean", "options": {}, "members": [
            {"model": "one", "version": 1, "digest": "a" * 64}]},
    )  # fmt: skip
    for key in ("preprocessing", "architecture", "plugin", "weights"):
        del given[key]
    tensors.save(tmp_path / "combine.safetensors", {"w": torch.tensor(float("nan"))})
    tensors.save(tmp_path / "probe.safetensors", {})
    files = {one: tmp_path / one for one in ("combine.safetensors", "probe.safetensors")}
    with FreshProcess() as process, pytest.raises(RegistryError) as caught:
        process.check(Draft.of(**given), files)
    assert str(caught.value) == (
        f"model 'digits-tiny': combine.safetensors: tensor 'w' holds numbers that are not "
        f"finite{AFRESH}"
    )
