"""Weights that others wrote: what is read, what is taken off their names, and that nothing in a
file is run."""

import hashlib
import io
import os
import pickle
import subprocess
import sys
import zipfile
from collections import OrderedDict

import pytest
import torch
from torch import nn

from zoo.errors import StorageError
from zoo.storage import foreign, tensors, torch_file
from zoo.storage.torch_file import weights_in

WEIGHTS = {"a.weight": torch.arange(6.0).reshape(2, 3), "a.bias": torch.ones(3).half()}


def saved(what, **options):
    buffer = io.BytesIO()
    torch.save(what, buffer, **options)
    return buffer.getvalue()


def refused(data):
    with pytest.raises(StorageError) as caught:
        weights_in(data)
    assert str(caught.value).isprintable() and len(str(caught.value)) < 300
    return str(caught.value)


def prefixed(prefix):
    return {f"{prefix}{name}": value for name, value in WEIGHTS.items()}


@pytest.mark.parametrize("zipped", [True, False])
@pytest.mark.parametrize(
    ("wrap", "wrappers"),
    [
        (lambda held: held, []),
        (OrderedDict, []),
        (lambda held: {"epoch": 3, "state_dict": held, "optimizer": {"lr": 0.1}}, ["state_dict"]),
        (lambda held: {"model": held}, ["model"]),
        (lambda held: {"model_state_dict": OrderedDict(held)}, ["model_state_dict"]),
        (lambda held: {"model": {"state_dict": held}}, ["model", "state_dict"]),
        (lambda held: {name: nn.Parameter(one.float()) for name, one in held.items()}, []),
    ],
)
def test_weights_are_found_where_people_put_them(wrap, wrappers, zipped):
    data = saved(wrap(WEIGHTS), _use_new_zipfile_serialization=zipped)
    found, taken = weights_in(data)
    assert taken == wrappers
    assert found.keys() == WEIGHTS.keys()
    for name, value in WEIGHTS.items():
        assert torch.equal(found[name].float(), value.float())


def test_a_name_that_is_a_wrapper_s_may_be_a_tensor_s():
    held = {"model": torch.ones(2), "state_dict": torch.zeros(1)}
    found, taken = weights_in(saved(held))
    assert found.keys() == held.keys() and taken == []


class Canary:
    """Runs a command when it is unpickled by a reader that runs what it is told."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return os.system, (f"touch {self.path}",)


@pytest.fixture(params=["zipped", "legacy", "bare", "protocol 4", "in a wrapper"])
def hostile(request, tmp_path):
    """(file, the canary it would make)."""
    canary = Canary(tmp_path / "canary")
    data = {
        "zipped": lambda: saved({"a": canary}),
        "legacy": lambda: saved({"a": canary}, _use_new_zipfile_serialization=False),
        "bare": lambda: pickle.dumps(canary, protocol=2),
        "protocol 4": lambda: pickle.dumps({"state_dict": canary}, protocol=4),
        "in a wrapper": lambda: saved({"state_dict": {"a": torch.ones(1), "b": [canary]}}),
    }[request.param]()
    path = tmp_path / "net.pth"
    path.write_bytes(data)
    return path, tmp_path / "canary"


def test_a_pickle_that_would_run_something_is_refused_and_not_run(hostile):
    path, canary = hostile
    text = refused(path.read_bytes())
    assert "asks for 'posix.system'" in text or "Unsupported operand 149" in text  # of protocol 4
    assert not canary.exists()
    # The negative control: a reader that trusts the file runs it.
    try:
        torch.load(path, weights_only=False)
    except Exception:
        pickle.loads(path.read_bytes())
    assert canary.exists()


def test_the_wording(tmp_path):
    path = tmp_path / "net.pt"
    path.write_bytes(saved({"a": Canary("x")}))
    with pytest.raises(StorageError) as caught:
        foreign.read(path)
    assert str(caught.value) == (
        f"weights {str(path)!r} is a pickle that asks for 'posix.system', which no weights need; "
        f"nothing of it was run; ask for its weights alone (its state_dict), best as .safetensors"
    )


def compressed():
    """As small as one likes, and as large when read."""
    buffer = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(saved(WEIGHTS))) as plain,
        zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as packed,
    ):
        for name in plain.namelist():
            packed.writestr(name, plain.read(name))
    return buffer.getvalue()


def scripted():
    buffer = io.BytesIO()
    torch.jit.save(torch.jit.script(nn.Linear(2, 2)), buffer)
    return buffer.getvalue()


REFUSED = {
    "nothing": (b"", "is no file of weights that torch reads: EOFError"),
    "a page": (b"<html>", "is no file of weights that torch reads: Unsupported operand 60"),
    "no archive": (b"PK\x03\x04" + b"x" * 50, "is a damaged archive: BadZipFile: "),
    "cut short": (saved(WEIGHTS)[:-90], "is a damaged archive: BadZipFile: "),
    "compressed": (compressed(), "is a compressed archive, which torch does not write"),
    "a whole network": (
        saved(nn.Linear(2, 2)),
        "is a pickle that asks for 'torch.nn.modules.linear.Linear', which no weights need",
    ),
    "a list": (saved([torch.ones(1)]), "holds no weights by name but list"),
    "a tensor": (saved(torch.ones(1)), "holds no weights by name but Tensor"),
    "no tensors": (saved({}), "holds no weights by name but dict"),
    "a number": (saved({"a": torch.ones(1), "n": 3}), "holds 'n', which is int; expected tensors"),
    "numbered": (saved({1: torch.ones(1)}), "holds the name 1; expected text"),
    "huge": (
        saved({"a": torch.ones(1).expand(1 << 20, 1 << 20)}),
        "declares tensors far larger than what it holds",
    ),
    "too deep": (
        saved({"model": {"model": {"model": {"model": WEIGHTS}}}}),
        "holds 'model', which is dict; expected tensors alone",
    ),
}


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize("name", REFUSED)
def test_what_is_no_file_of_weights(name):
    data, said = REFUSED[name]
    assert refused(data).startswith(said)


@pytest.mark.filterwarnings("ignore::FutureWarning", "ignore::DeprecationWarning")
def test_a_program_is_refused():
    assert refused(scripted()) == (
        "is a TorchScript archive, a program; ask for its weights alone, as .safetensors"
    )


def memory_bomb():
    """A pickle of 40 bytes that asks for ten terabytes."""
    size = (10**13).to_bytes(6, "little")
    return b"\x80\x02cbuiltins\nbytearray\n\x8a\x06" + size + b"\x85R."


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux bounds it")
def test_a_file_that_asks_for_memory_costs_only_its_own_process(tmp_path):
    path = tmp_path / "net.pth"
    path.write_bytes(memory_bomb())
    with pytest.raises(StorageError) as caught:
        foreign.read(path)
    assert str(caught.value).endswith("is no file of weights that torch reads: MemoryError")
    # What is asked for in parts is bounded, too: 512 MiB here; the control has no bound.
    code = (
        "import zoo.storage.torch_file as t, sys\n"
        "t._SPARE = 128 << 20\n"
        "if 'bounded' in sys.argv: t._bound_memory(1000)\n"
        "held = [bytearray(1 << 20) for _ in range(512)]"
    )
    for words, status in ((["bounded"], 1), ([], 0)):
        done = subprocess.run([sys.executable, "-c", code, *words], stderr=-1, check=False)
        assert done.returncode == status, done.stderr
        assert (b"MemoryError" in done.stderr) == bool(status)


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("import os; os.kill(os.getpid(), 11)", "the process that was to read it ended with -11"),
        ("import sys; sys.exit('gone')", "the process that was to read it ended with 1: gone"),
        ("print('{}')", "the process that was to read it ended with 0"),
    ],
)
def test_a_reader_that_fails_is_one_line(code, said, tmp_path, monkeypatch):
    path = tmp_path / "net.pth"
    path.write_bytes(saved(WEIGHTS))
    monkeypatch.setattr(foreign, "_COMMAND", ("-c", code))
    with pytest.raises(StorageError) as caught:
        foreign.read(path)
    assert str(caught.value) == f"weights {str(path)!r}: {said}"


def test_a_reader_that_hangs_is_ended(tmp_path, monkeypatch):
    path = tmp_path / "net.pth"
    path.write_bytes(saved(WEIGHTS))
    monkeypatch.setattr(foreign, "_COMMAND", ("-c", "import time; time.sleep(100)"))
    monkeypatch.setattr(foreign, "SECONDS", 0.3)
    with pytest.raises(StorageError, match=r"was not read after 0\.3 s$"):
        foreign.read(path)


def test_a_torch_file_and_its_safetensors_are_the_same_weights(tmp_path):
    torch_path, safe_path = tmp_path / "net.PT", tmp_path / "net.safetensors"
    torch_path.write_bytes(saved({"state_dict": prefixed("module._orig_mod.")}))
    tensors.save(safe_path, prefixed("module._orig_mod."))
    one, other = foreign.read(torch_path), foreign.read(safe_path)
    assert (one.format, other.format) == ("torch", "safetensors")
    assert one.sha256 == hashlib.sha256(torch_path.read_bytes()).hexdigest()
    stripped = ("'module.' taken off the names", "'_orig_mod.' taken off the names")
    assert one.notes == ("taken from 'state_dict'", *stripped) and other.notes == stripped
    for read in (one, other):
        assert read.weights.keys() == WEIGHTS.keys()
        assert all(torch.equal(read.weights[name], WEIGHTS[name]) for name in WEIGHTS)


@pytest.mark.parametrize(
    ("names", "stripped"),
    [
        (["module.a", "module.b"], ["a", "b"]),
        (["module.a", "b"], ["module.a", "b"]),  # a part may be called so
        (["_orig_mod.module.a"], ["a"]),
        (["module.module.a"], ["a"]),
        (["net._orig_mod.a", "b"], ["net.a", "b"]),
        (["modules.a"], ["modules.a"]),
    ],
)
def test_prefixes_of_tools(names, stripped):
    found, _ = foreign._stripped({name: torch.ones(1) for name in names}, "x")
    assert list(found) == stripped


def test_names_that_become_the_same_are_refused():
    twice = {"a._orig_mod.b": torch.ones(1), "a.b": torch.ones(1)}
    with pytest.raises(StorageError) as caught:
        foreign._stripped(twice, "weights 'x'")
    assert str(caught.value) == "weights 'x': without '._orig_mod.' two of its names are the same"


def test_other_files_are_refused(tmp_path):
    (tmp_path / "net.bin").write_bytes(b"x")
    with pytest.raises(StorageError) as caught:
        foreign.read(tmp_path / "net.bin")
    assert str(caught.value) == (
        f"weights {str(tmp_path / 'net.bin')!r}: expected a file that ends in .safetensors, .pt, "
        f".pth"
    )
    with pytest.raises(StorageError, match="no such file or folder"):
        foreign.read(tmp_path / "none.pt")
    tensors.save(tmp_path / "nan.safetensors", {"a": torch.tensor(float("nan"))})
    with pytest.raises(StorageError, match="tensor 'a' holds numbers that are not finite"):
        foreign.read(tmp_path / "nan.safetensors")
    tensors.save(tmp_path / "empty.safetensors", {})
    with pytest.raises(StorageError) as caught:
        foreign.read(tmp_path / "empty.safetensors")
    assert str(caught.value) == (
        f"weights {str(tmp_path / 'empty.safetensors')!r} holds no tensors"
    )


def test_what_a_library_prints_is_no_answer(tmp_path, monkeypatch):
    path = tmp_path / "net.pth"
    path.write_bytes(saved(WEIGHTS))
    code = (
        "import zoo.storage.torch_file as t, os\n"
        "real = t.weights_in\n"
        "t.weights_in = lambda data: (print('hello'), os.write(1, b'x'), real(data))[2]\n"
        "t.main()"
    )
    monkeypatch.setattr(foreign, "_COMMAND", ("-c", code))
    assert foreign.read(path).weights.keys() == WEIGHTS.keys()
    assert torch_file._DEPTH == 3
