"""Files into a folder that is there whole or not at all."""

import hashlib
import os

import pytest

from zoo.errors import StorageError
from zoo.registry.folder_copy import Wanted, write

DATA = b"weights"


def wanted(data=DATA):
    return Wanted("model.safetensors", hashlib.sha256(data).hexdigest(), len(data))


def test_files_of_a_registry_backed_up_by_hard_links_are_taken(tmp_path):
    (tmp_path / "blob").write_bytes(DATA)
    os.link(tmp_path / "blob", tmp_path / "backup")
    write(tmp_path / "out", [wanted()], {"model.safetensors": tmp_path / "blob"})
    copied = tmp_path / "out/model.safetensors"
    assert copied.read_bytes() == DATA
    assert copied.stat().st_nlink == 1


def test_other_bytes_leave_nothing(tmp_path):
    (tmp_path / "blob").write_bytes(b"weightS")
    with pytest.raises(StorageError) as caught:
        write(tmp_path / "out", [wanted()], {"model.safetensors": tmp_path / "blob"})
    assert str(caught.value) == "'model.safetensors' changed while it was copied; try again"
    assert [path.name for path in tmp_path.iterdir()] == ["blob"]
