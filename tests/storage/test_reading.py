"""Bytes that are there before they are compared."""

import hashlib

import pytest

from zoo.errors import StorageError
from zoo.storage import reading


def test_what_is_right_comes_through(tmp_path):
    (tmp_path / "a").write_bytes(b"abc")
    with reading.meanwhile(tmp_path / "a", 3, hashlib.sha256(b"abc").hexdigest()) as data:
        assert data == b"abc"


@pytest.mark.parametrize("raised", [None, ValueError("what wrong bytes led to")])
def test_wrong_bytes_end_the_block_whatever_came_of_them(tmp_path, raised):
    (tmp_path / "a").write_bytes(b"abC")
    digest = hashlib.sha256(b"abc").hexdigest()
    with (
        pytest.raises(StorageError) as caught,
        reading.meanwhile(tmp_path / "a", 3, digest, "weights"),
    ):
        if raised:
            raise raised
    assert str(caught.value) == (
        f"weights {str(tmp_path / 'a')!r} is damaged: its sha256 is not {digest}; restore it"
    )


def test_an_error_over_right_bytes_stays_what_it_is(tmp_path):
    (tmp_path / "a").write_bytes(b"abc")
    digest = hashlib.sha256(b"abc").hexdigest()
    with pytest.raises(ValueError, match="mine"), reading.meanwhile(tmp_path / "a", 3, digest):
        raise ValueError("mine")
