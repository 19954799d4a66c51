"""Tensors to a file and back."""

import hashlib
import stat

import pytest
import torch

from zoo.errors import StorageError
from zoo.storage import tensors


def some_tensors():
    torch.manual_seed(0)
    base = torch.randn(4, 6)
    return {
        "last": torch.randn(2, 3, 5, 5).to(memory_format=torch.channels_last),
        "turned": base.t(),
        "view": base[1:3],
        "tied": base,
        "grown": torch.zeros(3, requires_grad=True),
        "half": torch.randn(3).bfloat16(),
        "count": torch.tensor(7),
        "none": torch.empty(0, 3),
        "also none": torch.empty(0),
        "flags": torch.tensor([True, False]),
        "complex": torch.tensor([1 + 2j, 3]),
    }


def test_round_trip(tmp_path):
    given = some_tensors()
    path = tmp_path / "model.safetensors"
    tensors.save(path, given)
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    back = tensors.load(path, expect_sha256=digest)
    assert back.keys() == given.keys()
    for name, tensor in given.items():
        assert back[name].dtype == tensor.dtype
        assert torch.equal(back[name], tensor.detach())
        assert back[name].is_contiguous()
    assert stat.S_IMODE(path.stat().st_mode) == 0o644
    path.write_bytes(b"")  # what was loaded does not hang on the file
    assert torch.equal(back["tied"], given["tied"])


def test_equal_tensors_are_equal_bytes():
    given = some_tensors()
    turned = dict(reversed(given.items()))
    assert tensors.to_bytes(given) == tensors.to_bytes(turned)


def test_a_changed_file_is_refused(tmp_path):
    path = tmp_path / "a.safetensors"
    tensors.save(path, {"a": torch.zeros(2)})
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(bytes(data))
    assert tensors.load(path)["a"].shape == (2,)  # the negative control: the file itself is legal
    with pytest.raises(StorageError) as caught:
        tensors.load(path, expect_sha256=digest)
    assert str(caught.value) == (
        f"weights {str(path)!r} is damaged: its sha256 is not {digest}; restore it"
    )


def test_missing_and_wrong_kinds(tmp_path):
    with pytest.raises(StorageError, match="no such file or folder"):
        tensors.load(tmp_path / "none.safetensors")
    with pytest.raises(StorageError, match="is not a regular file"):
        tensors.load(tmp_path)


@pytest.mark.parametrize(
    "tensor",
    [
        torch.eye(2).to_sparse(),
        torch.empty(2, device="meta"),
        torch.zeros(2, dtype=torch.complex128),
    ],
    ids=["sparse", "meta", "complex"],
)
def test_what_cannot_be_written_is_one_line(tensor):
    with pytest.raises(StorageError) as caught:
        tensors.to_bytes({"a": tensor})
    assert "\n" not in str(caught.value)


def test_check_finite():
    tensors.check_finite({"a": torch.ones(2), "n": torch.tensor(1)}, "weights")
    with pytest.raises(StorageError) as caught:
        tensors.check_finite(
            {"a": torch.ones(2), "b": torch.tensor([1.0, float("inf")])}, "weights"
        )
    assert str(caught.value) == "weights: tensor 'b' holds numbers that are not finite"


@pytest.mark.parametrize(
    ("given", "what"),
    [
        ({"a" * 600: torch.zeros(1)}, "expected short printable text"),
        ({"a": torch.zeros((1,) * 9)}, "the shape is not a list of at most 8 sizes"),
    ],
)
def test_what_could_not_be_read_again_is_not_written(given, what, tmp_path, monkeypatch):
    with pytest.raises(StorageError, match=what):
        tensors.save(tmp_path / "a.safetensors", given)
    assert not list(tmp_path.iterdir())
    monkeypatch.setattr(tensors.limits, "check_header", lambda data, what: None)
    tensors.save(tmp_path / "a.safetensors", given)  # the negative control


@pytest.mark.parametrize("spare", [0, 400])
def test_what_is_too_long_to_be_read_is_not_written(spare, tmp_path, monkeypatch):
    """Neither what its tensors take alone nor what they take with the header."""
    given, path = {"a": torch.zeros(100), "b": torch.zeros(100)}, tmp_path / "a.safetensors"
    tensors.save(path, {"a": torch.ones(1)})
    monkeypatch.setattr(tensors.limits, "FILE_BYTES", 400 + spare)
    if not spare:
        monkeypatch.setattr("safetensors.torch.save", None)  # nor is memory taken for it
    with pytest.raises(StorageError) as caught:
        tensors.save(path, given)
    assert str(caught.value) == (
        f"tensors for {str(path)!r} is longer than {400 + spare} bytes, the most that zoo reads "
        f"again; choose a smaller network, or an optimizer that keeps less"
    )
    assert tensors.load(path)["a"].tolist() == [1.0]
    monkeypatch.undo()
    monkeypatch.setattr(tensors.limits, "FILE_BYTES", 400 + spare)
    monkeypatch.setattr(tensors, "_require_size", lambda size, what: None)
    tensors.save(path, given)  # the negative control
    with pytest.raises(StorageError, match=f"is longer than {400 + spare} bytes; that is no"):
        tensors.load(path)


def test_large_numbers_are_finite():
    for dtype in (torch.float16, torch.bfloat16, torch.float32, torch.float8_e5m2):
        largest = torch.full((3,), torch.finfo(dtype).max).to(dtype)
        tensors.check_finite({"a": largest, "none": torch.empty(0, dtype=dtype)}, "w")
        for bad in (float("nan"), float("inf"), -float("inf")):
            given = {"a": torch.cat([largest.float(), torch.tensor([bad, -bad])]).to(dtype)}
            with pytest.raises(StorageError, match="'a' holds numbers that are not finite"):
                tensors.check_finite(given, "w")


def test_a_complex_number_that_is_not_finite():
    tensors.check_finite({"a": torch.tensor([1j])}, "w")
    with pytest.raises(StorageError, match="'a' holds numbers that are not finite"):
        tensors.check_finite({"a": torch.tensor([complex(0, float("inf"))])}, "w")


@pytest.mark.parametrize("dtype", sorted(tensors._DTYPES.values(), key=str))
def test_every_type_is_read_as_the_formats_own_reader_does(dtype):
    import safetensors.torch

    values = torch.arange(6).reshape(2, 3).to(dtype if dtype != torch.bool else torch.uint8)
    data = safetensors.torch.save({"a": values.to(dtype), "b": torch.ones(5)})
    expected, found = safetensors.torch.load(data), tensors.from_bytes(data)
    assert found.keys() == expected.keys()
    for name, tensor in expected.items():
        assert found[name].dtype == tensor.dtype
        assert found[name].shape == tensor.shape
        assert torch.equal(found[name].view(torch.uint8), tensor.view(torch.uint8))


def test_tensors_that_lie_askew_are_read():
    header = (
        b'{"a":{"dtype":"U8","shape":[3],"data_offsets":[0,3]},'
        b'"b":{"dtype":"F32","shape":[2],"data_offsets":[3,11]}}'
    )
    body = bytes([1, 2, 3]) + torch.tensor([1.5, -2.0]).numpy().tobytes()
    found = tensors.from_bytes(len(header).to_bytes(8, "little") + header + body)
    assert found["a"].tolist() == [1, 2, 3]
    assert found["b"].tolist() == [1.5, -2.0]
