"""The published files of torchvision's datasets.

Addresses and md5 are torchvision's own; they stand here, and a test compares them, because to
import torchvision only to learn that there is no network takes longer than to learn it. Of
torchvision only the unpacking is used, not the downloading, which waits for ever on a silent
server. Some servers know no https: there the md5 alone vouches for a file.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

from zoo import DataError, DatasetContext, RemoteFile
from zoo_torchvision import pcam

_IDX = (
    "train-images-idx3-ubyte.gz",
    "train-labels-idx1-ubyte.gz",
    "t10k-images-idx3-ubyte.gz",
    "t10k-labels-idx1-ubyte.gz",
)


def fetch(ctx: DatasetContext, name: str, **options: Any) -> list[RemoteFile]:
    """The files of that dataset. Raises :class:`zoo.DataError` for those that zoo cannot get."""
    if name == "ImageFolder":
        raise DataError(
            "dataset 'torchvision/ImageFolder' is a folder of your own; give its --root"
        )
    if name == "PCAM":
        raise DataError(
            f"dataset 'torchvision/PCAM' lies where zoo cannot get it; get the files from "
            f"{pcam.HOMEPAGE} and unpack them as {', '.join(pcam.file_names())} below {ctx.root}"
        )
    return _FILES[name]


def unpack_beside(path: Path) -> None:
    """Unpack an archive, or one gzipped file, into its own folder."""
    from torchvision.datasets.utils import extract_archive

    extract_archive(path, path.parent)


def unpack_emnist(path: Path) -> None:
    """The archive holds a folder of gzipped files."""
    unpack_beside(path)
    inner = path.parent / "gzip"
    for file in sorted(inner.glob("*.gz")):
        unpack_beside(file.rename(path.parent / file.name))
        (path.parent / file.name).unlink()
    shutil.rmtree(inner)


def _file(
    url: str,
    path: str,
    md5: str,
    megabytes: int,
    unpack: Callable[[Path], None] | None = unpack_beside,
) -> RemoteFile:
    return RemoteFile(url, path, md5, megabytes << 20, unpack, http=url.startswith("http://"))


def _idx(name: str, server: str, *md5: str) -> list[RemoteFile]:
    return [
        _file(f"{server}{file}", f"{name}/raw/{file}", digest, 128)
        for file, digest in zip(_IDX, md5, strict=True)
    ]


_CIFAR = "https://www.cs.toronto.edu/~kriz/"
_FLOWERS = "https://www.robots.ox.ac.uk/~vgg/data/flowers/102/"
_PETS = "https://www.robots.ox.ac.uk/~vgg/data/pets/data/"
_SVHN = "http://ufldl.stanford.edu/housenumbers/"
_FILES: dict[str, list[RemoteFile]] = {
    "MNIST": _idx(
        "MNIST",
        "https://ossci-datasets.s3.amazonaws.com/mnist/",
        "f68b3c2dcbeaaa9fbdd348bbdeb94873",
        "d53e105ee54ea40749a09fcbcd1e9432",
        "9fb629c4189551a2d022fa330f9573f3",
        "ec29112dd5afa0611ce80d1b7f02629c",
    ),
    "FashionMNIST": _idx(
        "FashionMNIST",
        "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",
        "8d4fb7e6c68d591d4c3dfef9ec88bf0d",
        "25c81989df183df01b3e8a0aad5dffbe",
        "bef4ecab320f06d8554ea6380940ec79",
        "bb300cfdad3c16e7a12a480ee83cd310",
    ),
    "KMNIST": _idx(
        "KMNIST",
        "http://codh.rois.ac.jp/kmnist/dataset/kmnist/",
        "bdb82020997e1d708af4cf47b453dcf7",
        "e144d726b3acfaa3e44228e80efcd344",
        "5c965bf0a639b31b8f53240b1b52f4d7",
        "7320c461ea6c1c855c0b718fb2a4b134",
    ),
    "EMNIST": [
        _file(
            "https://biometrics.nist.gov/cs_links/EMNIST/gzip.zip",
            "EMNIST/raw/gzip.zip",
            "58c8d27c78d21e728a6bc7b3cc06412e",
            1024,
            unpack_emnist,
        )
    ],
    "CIFAR10": [
        _file(
            f"{_CIFAR}cifar-10-python.tar.gz",
            "cifar-10-python.tar.gz",
            "c58f30108f718f92721af3b95e74349a",
            256,
        )
    ],
    "CIFAR100": [
        _file(
            f"{_CIFAR}cifar-100-python.tar.gz",
            "cifar-100-python.tar.gz",
            "eb9058c3a382ffc7106e4002c42a8d85",
            256,
        )
    ],
    "SVHN": [
        _file(f"{_SVHN}{file}", file, md5, 512, None)
        for file, md5 in (
            ("train_32x32.mat", "e26dedcc434d2e4c54c9b2d4a06d8373"),
            ("test_32x32.mat", "eb5a983be6a315427106f1b164d9cef3"),
        )
    ],
    "Flowers102": [
        _file(f"{_FLOWERS}{file}", f"flowers-102/{file}", md5, 1024, unpack)
        for file, md5, unpack in (
            ("102flowers.tgz", "52808999861908f626f3c1f4e79d11fa", unpack_beside),
            ("imagelabels.mat", "e0620be6f572b9609742df49c70aed4d", None),
            ("setid.mat", "a5357ecc9cb78c4bef273ce3793fc85c", None),
        )
    ],
    "OxfordIIITPet": [
        _file(f"{_PETS}{file}", f"oxford-iiit-pet/{file}", md5, 2048)
        for file, md5 in (
            ("images.tar.gz", "5c4f3ee8e5d25df40f4fd59a7f44e54c"),
            ("annotations.tar.gz", "95a8c909bbe2e81eed6a22bccdf3f68f"),
        )
    ],
    "EuroSAT": [
        _file(
            "https://huggingface.co/datasets/torchgeo/eurosat/resolve/"
            "c877bcd43f099cd0196738f714544e355477f3fd/EuroSAT.zip",
            "eurosat/EuroSAT.zip",
            "c8fa014336c82ac7804f0398fcb19387",
            256,
        )
    ],
}
