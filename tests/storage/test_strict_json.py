"""One text for one value, and nothing that means two things."""

import pytest

from zoo.errors import StorageError
from zoo.storage import strict_json


def test_round_trip_is_canonical():
    value = {"b": [1, 2.5, None, True], "a": {"ü": "x\n"}}
    data = strict_json.dumps(value)
    assert data == '{"a":{"ü":"x\\n"},"b":[1,2.5,null,true]}\n'.encode()
    assert strict_json.loads(data, "it", 1000) == value


@pytest.mark.parametrize(
    "data",
    [
        b"", b"{", b"{'a':1}", b'{"a":1,}', b"\xef\xbb\xbf{}", '{"a":1}'.encode("utf-16"),
        b'{"a":1,"a":1}', b'[{"x":{"a":1,"a":2}}]', b"NaN", b"[Infinity]", b"[1e999]",
        b"9" * 4301, b"[9223372036854775808]", b"[-9223372036854775809]", b'"\\ud800"',
        b'{"\\udfff":1}', b"[" * 33 + b"]" * 33, b"[" * 100_000, b'{"a":' * 100_000, b"1" * 2000,
    ],
)  # fmt: skip
def test_refused(data):
    with pytest.raises(StorageError) as caught:
        strict_json.loads(data, "the record", 1000 if data == b"1" * 2000 else 1 << 20)
    assert str(caught.value).startswith("the record ")
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 300


def test_the_keys_of_all_tables_are_counted():
    data = b'{"a":{"b":1,"c":2},"d":[{"e":3}]}'
    assert strict_json.loads(data, "it", 100, 5)["d"] == [{"e": 3}]
    with pytest.raises(StorageError) as caught:
        strict_json.loads(data, "it", 100, 4)
    assert str(caught.value) == "it is not the JSON expected: it has more than 4 keys"
    many = b"{" + b",".join(b'"%d":0' % i for i in range(strict_json.KEYS + 1)) + b"}"
    with pytest.raises(StorageError, match="more than 20000 keys"):
        strict_json.loads(many, "it", 1 << 20)


def test_the_edges_are_taken():
    assert strict_json.loads(b"[9223372036854775807]", "it", 100) == [2**63 - 1]
    assert strict_json.loads(b"[-9223372036854775808]", "it", 100) == [-(2**63)]
    assert strict_json.loads(b"[" * 31 + b"]" * 31, "it", 100) is not None


@pytest.mark.parametrize("value", [float("nan"), {"a": float("inf")}, {"a": object()}, "\ud800"])
def test_what_json_cannot_say(value):
    with pytest.raises(StorageError):
        strict_json.dumps(value)
