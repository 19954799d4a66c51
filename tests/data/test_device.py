"""What is free, on the host and in a container."""

import torch

from zoo.data import device
from zoo.data.device import free_memory


def test_some_memory_is_free():
    assert free_memory(torch.device("cpu")) > 1 << 20


def test_a_containers_limit_counts(tmp_path):
    assert device._left_to_container(tmp_path) is None
    (tmp_path / "memory.max").write_text("max\n")
    (tmp_path / "memory.current").write_text("700\n")
    assert device._left_to_container(tmp_path) is None
    (tmp_path / "memory.max").write_text("1000\n")
    (tmp_path / "memory.stat").write_text("anon 500\ninactive_file 200\n")
    assert device._left_to_container(tmp_path) == 500


def test_an_older_containers_limit_counts(tmp_path):
    (tmp_path / "memory").mkdir()
    (tmp_path / "memory/memory.limit_in_bytes").write_text("1000\n")
    (tmp_path / "memory/memory.usage_in_bytes").write_text("1100\n")
    assert device._left_to_container(tmp_path) == 0
