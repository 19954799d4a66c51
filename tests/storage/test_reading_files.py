"""Whole files, never more than a limit; and bytes that are there before they are compared."""

import hashlib
import os
import resource
import subprocess
import sys

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


def test_fewer_bytes_are_wrong_ones(tmp_path):
    (tmp_path / "a").write_bytes(b"abc")
    digest = hashlib.sha256(b"abc").hexdigest()
    with pytest.raises(StorageError) as caught, reading.meanwhile(tmp_path / "a", 4, digest):
        pass
    assert str(caught.value) == f"file {str(tmp_path / 'a')!r} has 3 bytes; expected 4"


def test_an_error_over_right_bytes_stays_what_it_is(tmp_path):
    (tmp_path / "a").write_bytes(b"abc")
    digest = hashlib.sha256(b"abc").hexdigest()
    with pytest.raises(ValueError, match="mine"), reading.meanwhile(tmp_path / "a", 3, digest):
        raise ValueError("mine")


def put_pipe(path):
    os.mkfifo(path)


def put_link_to_a_device(path):
    path.symlink_to("/dev/zero")


@pytest.mark.timeout(10)
@pytest.mark.parametrize("put", [put_pipe, put_link_to_a_device, os.mkdir])
def test_what_is_no_file_is_not_waited_for(tmp_path, put):
    put(tmp_path / "a")
    for read in (
        lambda path: reading.read(path, 10),
        lambda path: reading.check_header(path, "file"),
    ):
        with pytest.raises(StorageError) as caught:
            read(tmp_path / "a")
        assert str(caught.value) == f"file {str(tmp_path / 'a')!r} is not a regular file"


def test_a_file_that_grows_meanwhile(tmp_path, monkeypatch):
    place = tmp_path / "a"
    place.write_bytes(b"abc")
    plain = os.fstat

    def grown(descriptor):
        status = plain(descriptor)
        place.write_bytes(b"abcdef")
        return status

    monkeypatch.setattr(os, "fstat", grown)
    with pytest.raises(StorageError) as caught:
        reading.read(place, 100)
    assert str(caught.value) == f"file {str(place)!r} grew while it was read; try again"


LITTLE = """
import resource, sys
from pathlib import Path
from zoo.errors import StorageError
from zoo.storage import reading
held = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
resource.setrlimit(resource.RLIMIT_AS, (held + (1 << 30),) * 2)
try:
    print(len(reading.read(Path(sys.argv[1]), 16 << 30)))
except StorageError as error:
    print(error)
"""


@pytest.mark.skipif(not hasattr(resource, "RLIMIT_AS"), reason="no such limit here")
@pytest.mark.parametrize(("size", "said"), [(3, "3"), (2 << 30, "has 2147483648 bytes, for which")])
def test_memory_is_taken_for_what_there_is_and_not_for_the_limit(tmp_path, size, said):
    with (tmp_path / "a").open("wb") as file:
        file.truncate(size)
    command = [sys.executable, "-c", LITTLE, str(tmp_path / "a")]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert said in done.stdout


def test_a_header_is_checked_by_its_beginning(tmp_path):
    import numpy as np
    from safetensors.numpy import save

    data = save({"a": np.zeros(1 << 20, np.float32)})
    (tmp_path / "a").write_bytes(data)
    reading.check_header(tmp_path / "a", "weights")
    (tmp_path / "a").write_bytes(data[:-1])
    with pytest.raises(StorageError, match=r"weights has 4194[0-9]+ bytes; its header declares"):
        reading.check_header(tmp_path / "a", "weights")
