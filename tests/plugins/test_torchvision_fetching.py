"""Which files torchvision's datasets consist of, and that what was fetched can be read."""

from __future__ import annotations

import gzip
import hashlib
import io
import re
import struct
import subprocess
import sys
import zipfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torchvision.datasets
from zoo_torchvision import _DATASETS, fetching

import zoo
from zoo.data.fetching import get
from zoo.plugins.catalog import catalog

ELSEWHERE = {"ImageFolder", "PCAM"}


def silent(name, done, total):
    pass


def files_of(name, root=Path("x")):
    return catalog().get("dataset", f"torchvision/{name}").fetch(zoo.DatasetContext(root))


@pytest.mark.parametrize("name", sorted(set(_DATASETS) - ELSEWHERE))
def test_every_file_has_an_address_and_a_digest(name):
    files = files_of(name)
    assert files
    for file in files:
        assert re.fullmatch(r"https?://[\w.~/-]+", file.url), file
        assert file.http == file.url.startswith("http://")
        assert re.fullmatch("[0-9a-f]{32}", file.md5)
        assert file.path.endswith(file.url.rpartition("/")[2])


@pytest.mark.parametrize(
    ("name", "what"),
    [
        ("ImageFolder", "is a folder of your own; give its --root"),
        ("PCAM", "lies where zoo cannot get it; get the files from https://github.com/basveeling"),
    ],
)
def test_what_zoo_cannot_get_says_so(name, what):
    with pytest.raises(zoo.DataError) as caught:
        files_of(name)
    assert str(caught.value).startswith(f"dataset 'torchvision/{name}' {what}")


def idx(array):
    return struct.pack(f">BBBB{array.ndim}I", 0, 0, 8, array.ndim, *array.shape) + array.tobytes()


def mnist(count):
    images = np.random.default_rng(count).integers(0, 256, (count, 28, 28), dtype=np.uint8)
    return idx(images), idx((np.arange(count) % 10).astype(np.uint8))


def from_loopback(server, name, bodies, monkeypatch):
    """The published files are now ``bodies``, in order, on loopback."""
    real = files_of(name)
    assert len(real) == len(bodies)
    made = [
        replace(
            file,
            url=server.give(f"/{i}", body),
            md5=hashlib.md5(body).hexdigest(),
            http=True,
        )
        for i, (file, body) in enumerate(zip(real, bodies, strict=True))
    ]
    monkeypatch.setattr(fetching, "fetch", lambda context, name, **options: made)


def test_mnist_is_fetched_unpacked_and_read(server, tmp_path, monkeypatch):
    bodies = [gzip.compress(body) for count in (20, 10) for body in mnist(count)]
    from_loopback(server, "MNIST", bodies, monkeypatch)
    component = catalog().get("dataset", "torchvision/MNIST")
    get(component, tmp_path, {}, silent)
    dataset = component.build(zoo.DatasetContext(tmp_path))
    assert {split: len(one) for split, one in dataset.splits.items()} == {"train": 20, "test": 10}
    get(component, tmp_path, {}, silent)
    assert server.asked == ["/0", "/1", "/2", "/3"]


def test_emnists_archive_of_archives(server, tmp_path, monkeypatch):
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for part, count in (("train", 20), ("test", 10)):
            images, labels = mnist(count)
            stem = f"gzip/emnist-digits-{part}"
            archive.writestr(f"{stem}-images-idx3-ubyte.gz", gzip.compress(images))
            archive.writestr(f"{stem}-labels-idx1-ubyte.gz", gzip.compress(labels))
    from_loopback(server, "EMNIST", [stream.getvalue()], monkeypatch)
    component = catalog().get("dataset", "torchvision/EMNIST")
    get(component, tmp_path, {}, silent)
    dataset = component.build(zoo.DatasetContext(tmp_path), {"split": "digits"})
    assert len(dataset.splits["train"]) == 20
    assert not (tmp_path / "EMNIST" / "raw" / "gzip").exists()


def test_an_archive_with_a_wrong_hash_is_not_unpacked(server, tmp_path, monkeypatch):
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr("2750/River/River_1.jpg", b"")
    from_loopback(server, "EuroSAT", [stream.getvalue()], monkeypatch)
    server.give("/0", stream.getvalue() + b"!")
    with pytest.raises(zoo.DataError, match="it is not the published file"):
        get(catalog().get("dataset", "torchvision/EuroSAT"), tmp_path, {}, silent)
    assert list((tmp_path / "eurosat").iterdir()) == []


def torchvisions_own(name):
    """(address, md5) of each file, as torchvision has them."""
    cls = getattr(torchvision.datasets, name)
    if name == "EMNIST":
        return [(cls.url, cls.md5)]
    if name in ("MNIST", "FashionMNIST", "KMNIST"):
        return [(cls.mirrors[0] + file, md5) for file, md5 in cls.resources]
    if name.startswith("CIFAR"):
        return [(cls.url, cls.tgz_md5)]
    if name == "SVHN":
        return [(cls.split_list[part][0], cls.split_list[part][2]) for part in ("train", "test")]
    if name == "Flowers102":
        return [(cls._download_url_prefix + file, md5) for file, md5 in cls._file_dict.values()]
    return list(cls._RESOURCES)


@pytest.mark.parametrize("name", sorted(set(_DATASETS) - ELSEWHERE - {"EuroSAT"}))
def test_addresses_and_digests_are_torchvisions(name):
    assert [(file.url, file.md5) for file in files_of(name)] == torchvisions_own(name)


def test_eurosats_stand_inside_a_method():
    source = Path(torchvision.datasets.eurosat.__file__).read_text()
    (file,) = files_of("EuroSAT")
    assert file.url in source
    assert file.md5 in source


def test_naming_the_files_imports_neither_torch_nor_torchvision():
    code = (
        "import sys, zoo\n"
        "from zoo.data import fetching\n"
        "from zoo.plugins.catalog import catalog\n"
        "catalog().get('dataset', 'torchvision/MNIST').fetch(zoo.DatasetContext())\n"
        "print([name for name in ('torch', 'torchvision') if name in sys.modules])"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout.strip() == "[]"
