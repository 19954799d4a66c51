"""Hostile safetensors headers, refused before anything is allocated."""

import gzip
import json
import pickle
import struct
import time
import tracemalloc

import pytest
import torch

from zoo.errors import StorageError
from zoo.storage import limits, tensors


def file_of(header, body=b""):
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + body


def entry(shape=(2,), start=0, stop=8, dtype="F32"):
    return {"dtype": dtype, "shape": list(shape), "data_offsets": [start, stop]}


GOOD = file_of({"a": entry()}, bytes(8))
ONE = b'"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}'
HUGE = 17 << 20
NAME = "expected short printable text"
HOSTILE = {
    "empty": (b"", "cut short: it is empty"),
    "short": (b"\0\0\0", "cut short: it ends inside its header"),
    "zip": (b"PK\x03\x04" + bytes(60), "no safetensors file but a zip archive, such as torch.save"),
    "pickle": (pickle.dumps({"a": 1}), "is no safetensors file but a pickle"),
    "keras": (b"\x89HDF\r\n\x1a\n" + bytes(60), "no safetensors file but HDF5, such as Keras"),
    "pointer": (b"version https://git-lfs.github.com/spec/v1\noid", "Git LFS; type: git lfs pull"),
    "page": (b"<!doctype html><title>Not found</title>", "but a web page"),
    "gzip": (gzip.compress(bytes(100)), "no safetensors file but compressed by gzip"),
    "text": (b"conv1.weight: 0.1, 0.2\n", "is no safetensors file but text"),
    "noise": (b"\xff" * 99, "is no safetensors file but something else"),
    "length beyond the end": (struct.pack("<Q", 2**64 - 1) + b"{}", "cut short"),
    "huge header": (struct.pack("<Q", HUGE) + b"{" * HUGE, "has a header of 17825792 bytes"),
    "not an object": (file_of(b"[]"), "has no header"),
    "leading space": (file_of(b" {}"), "has no header"),
    "nul padding": (file_of(b"{}\0\0"), "is not the JSON expected"),
    "bad utf-8": (file_of(b'{"\xff":1}'), "is not the JSON expected"),
    "deep": (file_of(b'{"a":' + b"[" * 100_000 + b"]" * 100_000 + b"}"), "is nested deeper"),
    "too deep for comfort": (file_of(b'{"a":' + b"[" * 40 + b"]" * 40 + b"}"), "nested deeper"),
    "a name twice": (file_of(b"{" + ONE + b"," + ONE + b"}", bytes(4)), "key 'a' stands twice"),
    "many braces": (file_of(b'{"a":' + b"{" * 200_000), "has no header of at most 100000 tensors"),
    "no entry": (file_of({"a": 3}), "expected dtype, shape and data_offsets"),
    "extra field": (file_of({"a": {**entry(), "x": 1}}, bytes(8)), "expected dtype, shape"),
    "unknown dtype": (file_of({"a": entry(dtype="F4")}, bytes(8)), "unknown dtype 'F4'"),
    "dtype no text": (file_of({"a": entry(dtype=[])}, bytes(8)), "unknown dtype []"),
    "nine dimensions": (file_of({"a": entry((1,) * 9, 0, 4)}, bytes(4)), "at most 8 sizes"),
    "negative size": (file_of({"a": entry((-1,), 0, 4)}, bytes(4)), "at most 8 sizes"),
    "none, and beyond int64": (
        file_of({"a": entry((0, 2**62, 2**62), 0, 0)}), "no memory has room for its shape",
    ),
    "many commas": (
        file_of(b'{"a":[' + b"1," * 2_000_000 + b"1]}"), "has no header of at most 100000 tensors",
    ),
    "metadata of numbers": (file_of({"__metadata__": {"a": 1}}), "no small map of texts"),
    "metadata that is null": (file_of({"__metadata__": None}), "no small map of texts"),
    "boolean size": (file_of({"a": entry((True,), 0, 4)}, bytes(4)), "at most 8 sizes"),
    "float offset": (file_of({"a": entry((1,), 0.0, 4)}, bytes(4)), "not two positions"),
    "huge shape": (file_of({"a": entry((2**62, 2**62), 0, 4)}, bytes(4)), "do not fit its shape"),
    "shape beyond int64": (file_of(b'{"a":[' + b"9" * 5000 + b"]}"), "64 bits"),
    "overlap": (file_of({"a": entry(), "b": entry()}, bytes(8)), "overlaps another"),
    "hole": (file_of({"a": entry((1,), 4, 8)}, bytes(8)), "overlaps another or leaves a hole"),
    "trailing bytes": (GOOD + b"PK", "its header declares"),
    "truncated": (GOOD[:-1], "its header declares"),
    "empty name": (file_of({"": entry()}, bytes(8)), NAME),
    "control name": (file_of({"a\0\x1b": entry()}, bytes(8)), NAME),
    "right-to-left name": (file_of({"a\u202eb": entry()}, bytes(8)), NAME),
    "long name": (file_of({"a" * 513: entry()}, bytes(8)), NAME),
    "half a character": (file_of(b'{"\\ud800":1}'), "is not the JSON expected"),
    "metadata no map": (file_of({"__metadata__": 3}), "metadata"),
    "nan": (file_of(b'{"a":NaN}'), "NaN is not a number of JSON"),
    "bool of 2": (file_of({"a": entry((1,), 0, 1, "BOOL")}, b"\2"), "neither 0 nor 1"),
}  # fmt: skip


def test_the_good_file_is_good():
    assert tensors.from_bytes(GOOD)["a"].tolist() == [0.0, 0.0]


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_bytes_are_one_line(name):
    data, what = HOSTILE[name]
    with pytest.raises(StorageError) as caught:
        tensors.from_bytes(data, "weights 'x'")
    assert what in str(caught.value)
    assert "weights 'x'" in str(caught.value)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 400


def test_the_beginning_of_a_file_is_enough():
    start = GOOD[: limits.beginning(GOOD)]
    assert len(start) < len(GOOD)
    assert limits.check_header(start, "w", len(GOOD)) == limits.check_header(GOOD, "w")
    with pytest.raises(StorageError, match="its header declares"):
        limits.check_header(start, "w", len(GOOD) + 1)
    assert limits.beginning(b"\xff" * 8) == 8 + limits.HEADER_BYTES
    assert limits.beginning(b"") == 8


def test_a_crowded_header_costs_little():
    empty = b'"%d":{"dtype":"F32","shape":[0],"data_offsets":[0,0]},'
    data = file_of(b"{" + b"".join(empty % i for i in range(250_000))[:-1] + b"}")
    tracemalloc.start()
    started = time.perf_counter()
    with pytest.raises(StorageError, match="at most 100000 tensors"):
        limits.check_header(data, "weights")
    assert time.perf_counter() - started < 1.0
    assert tracemalloc.get_traced_memory()[1] < 64 << 20
    tracemalloc.stop()


def test_random_changes_never_escape():
    generator = torch.Generator().manual_seed(0)
    good = tensors.to_bytes({"a": torch.arange(6.0).reshape(2, 3), "b": torch.ones(2).bool()})
    for _ in range(3000):
        changed = bytearray(good)
        for _ in range(int(torch.randint(1, 4, (), generator=generator))):
            place = int(torch.randint(0, len(changed), (), generator=generator))
            changed[place] = int(torch.randint(0, 256, (), generator=generator))
        try:
            tensors.from_bytes(bytes(changed))
        except StorageError as error:
            assert "\n" not in str(error)
