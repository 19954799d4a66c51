"""A record and its bytes; bytes that are none."""

import json

import pytest
from drafts import TASK, draft, fields

from zoo.errors import RegistryError
from zoo.registry.record import Draft, Record

FILE = {"path": "model.safetensors", "sha256": "a" * 64, "size": 3}


def record(**changes):
    given = {"version": 1, "prev": None, "created": "2026-01-02T03:04:05Z", "files": [FILE]}
    return Record.of(**fields(), **{**given, **changes})


def plain():
    return json.loads(record().to_bytes())


def test_round_trip():
    one = record(version=2, prev="b" * 64)
    data = one.to_bytes()
    back = Record.from_bytes(data, "model 'x' version 2")
    assert back == one
    assert back.to_bytes() == data
    assert back.task == TASK
    assert back.weights_sha256 == "a" * 64
    assert list(json.loads(data)) == sorted(json.loads(data))
    assert back.metrics["test"]["f1"] is None


def test_a_draft_takes_tuples_and_a_task():
    architecture = {"name": "t", "options": {}, "in_channels": 1, "image_size": (4, 5)}
    assert draft(architecture=architecture).architecture["image_size"] == [4, 5]


HOSTILE = {
    "format missing a number": ("format", "1"),
    "format 0": ("format", 0),
    "name with a path": ("model", "../x"),
    "version 0": ("version", 0),
    "version true": ("version", True),
    "version text": ("version", "1"),
    "version float": ("version", 1.0),
    "prev of the first": ("prev", "a" * 64),
    "created with a zone": ("created", "2026-01-02T03:04:05+01:00"),
    "created with a newline": ("created", "2026-01-02T03:04:05Z\n"),
    "unknown key": ("module", "os:system"),
    "task unknown": ("task", {"kind": "magic", "classes": ["a", "b"]}),
    "task with extras": ("task", {"kind": "multiclass", "classes": ["a", "b"], "x": 1}),
    "task of one class": ("task", {"kind": "multiclass", "classes": ["a"]}),
    "task no object": ("task", 3),
    "task classes numbers": ("task", {"kind": "multiclass", "classes": [1, 2]}),
    "weights other": ("weights", "median"),
    "licence empty": ("licence", ""),
    "licence two lines": ("licence", "a\nb"),
    "metrics list": ("metrics", []),
    "files none": ("files", []),
    "files too many": ("files", [{**FILE, "path": f"f{i}"} for i in range(1001)]),
    "files twice": ("files", [FILE, FILE]),
    "files differ in case": ("files", [FILE, {**FILE, "path": "MODEL.safetensors"}]),
    "file outside": ("files", [{**FILE, "path": "../../etc/passwd"}]),
    "file absolute": ("files", [{**FILE, "path": "/etc/passwd"}]),
    "digest outside": ("files", [{**FILE, "sha256": "../" + "a" * 61}]),
    "digest short": ("files", [{**FILE, "sha256": "a" * 8}]),
    "digest long": ("files", [{**FILE, "sha256": "a" * 74}]),
    "digest upper": ("files", [{**FILE, "sha256": "A" * 64}]),
    "digest newline": ("files", [{**FILE, "sha256": "a" * 64 + "\n"}]),
    "size negative": ("files", [{**FILE, "size": -1}]),
    "size huge": ("files", [{**FILE, "size": 1 << 50}]),
    "size text": ("files", [{**FILE, "size": "3"}]),
    "file with a url": ("files", [{**FILE, "url": "file:///etc"}]),
    "distribution with a space": ("plugin", {"entry": "a", "distribution": "a b", "version": "1"}),
    "distribution a flag": ("plugin", {"entry": "a", "distribution": "-r x", "version": "1"}),
    "version a command": ("plugin", {"entry": "a", "distribution": "a", "version": "1; rm -rf"}),
    "size of an image": (
        "architecture",
        {"name": "t", "options": {}, "in_channels": 1, "image_size": [1 << 20, 1]},
    ),
    "channels none": (
        "architecture",
        {"name": "t", "options": {}, "in_channels": 0, "image_size": [1, 1]},
    ),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_fields(name):
    key, value = HOSTILE[name]
    data = {**plain(), key: value}
    with pytest.raises(RegistryError) as caught:
        Record.from_bytes(json.dumps(data).encode(), "model 'x' version 1")
    assert "the record of model 'x' version 1" in str(caught.value)
    assert str(caught.value).isprintable()
    assert len(str(caught.value)) < 500


def test_every_key_is_needed():
    for key in plain():
        if key == "format":
            continue
        data = plain()
        del data[key]
        with pytest.raises(RegistryError, match=key):
            Record.from_bytes(json.dumps(data).encode(), "model 'x' version 1")


@pytest.mark.parametrize(
    "data",
    [
        b"", b"[]", b"null", b"{}", b"\xef\xbb\xbf{}", b"{" * 2000, b'{"a":' * 3000, b"9" * 5000,
        b'{"format":1,"format":1}', b'{"format":' + b"9" * 400 + b"}", b" " * (2 << 20),
        b'{"metrics":{"test":{"accuracy":NaN}}}', b"\x80\x04K\x01.",
    ],
)  # fmt: skip
def test_hostile_bytes(data):
    with pytest.raises(RegistryError) as caught:
        Record.from_bytes(data, "model 'x' version 1")
    assert str(caught.value).isprintable()


def test_the_wordings():
    with pytest.raises(RegistryError) as caught:
        Record.from_bytes(json.dumps({**plain(), "format": 2}).encode(), "model 'x' version 1")
    assert str(caught.value) == (
        "the record of model 'x' version 1 has format 2, this zoo reads 1; "
        "type: pip install --upgrade zoo"
    )
    with pytest.raises(RegistryError) as caught:
        Record.from_bytes(json.dumps({**plain(), "licence": ""}).encode(), "model 'x' version 1")
    assert str(caught.value) == (
        "the record of model 'x' version 1 is not one of zoo's: licence: string should have at "
        "least 1 character"
    )


@pytest.mark.parametrize(
    "changes",
    [
        {"model": "My Net"}, {"metrics": {"test": {"a": float("nan")}}},
        {"recipe": {"a": object()}},
        {"licence": None}, {"task": None},
    ],
)  # fmt: skip
def test_wrong_drafts(changes):
    with pytest.raises(RegistryError):
        Draft.of(**fields(**changes))


def test_a_missing_field_of_a_draft():
    given = fields()
    del given["licence"]
    with pytest.raises(RegistryError, match="licence: field required"):
        Draft.of(**given)


def test_too_long_a_record():
    with pytest.raises(RegistryError, match="at most 1048576 are allowed"):
        draft(recipe={"a": ["x" * 100] * 20_000}).to_bytes()


def test_random_changes_never_escape():
    data = record().to_bytes()
    for place in range(0, len(data), 3):
        for byte in (0, 34, 91, 255):
            changed = bytearray(data)
            changed[place] = byte
            try:
                Record.from_bytes(bytes(changed), "model 'x' version 1")
            except RegistryError as error:
                assert str(error).isprintable()
