"""torchvision's datasets: files that are missing, damaged or another's; and the contract."""

from __future__ import annotations

import gzip
import pickle
import subprocess
import sys
from pathlib import Path

import pytest
from torchvision_files import refusal, write_cifar, write_mnist, write_pets

import zoo
from zoo.plugins.catalog import catalog
from zoo.plugins.checks import check_component


def test_a_pickle_that_is_not_the_published_one_is_not_opened(tmp_path, monkeypatch):
    write_cifar(tmp_path, "CIFAR10", monkeypatch)
    path = tmp_path / "cifar-10-batches-py" / "test_batch"

    class Touch:
        def __reduce__(self):
            return Path.touch, (tmp_path / "opened",)

    path.write_bytes(pickle.dumps(Touch()))
    assert refusal(tmp_path, "CIFAR10") == (
        f"dataset 'torchvision/CIFAR10': torchvision cannot read {str(tmp_path)!r} (RuntimeError: "
        f"Dataset not found or corrupted.); get the files again with: zoo data get "
        f"torchvision/CIFAR10 --root FOLDER"
    )
    assert not (tmp_path / "opened").exists()
    pickle.loads(path.read_bytes())  # the negative control: it would have done harm
    assert (tmp_path / "opened").exists()


@pytest.mark.parametrize(
    ("name", "missing"),
    [
        ("CIFAR10", "cifar-10-batches-py"),
        ("SVHN", "train_32x32.mat, test_32x32.mat"),
        ("EuroSAT", "eurosat/2750"),
        ("OxfordIIITPet", "oxford-iiit-pet/images, oxford-iiit-pet/annotations"),
    ],
)
def test_missing_files_say_how_to_get_them(tmp_path, name, missing):
    assert refusal(tmp_path, name) == (
        f"dataset 'torchvision/{name}': {str(tmp_path)!r} lacks {missing}; get them with: zoo data "
        f"get torchvision/{name} --root {str(tmp_path)!r}"
    )
    assert refusal(None, name) == (
        f"dataset 'torchvision/{name}': give the folder of its files with --root FOLDER"
    )
    assert "no such folder" in refusal(tmp_path / "nothing", name)


def test_damaged_files_are_told_in_one_line(tmp_path):
    write_mnist(tmp_path, "MNIST")
    path = tmp_path / "MNIST" / "raw" / "train-images-idx3-ubyte"
    path.write_bytes(path.read_bytes()[:-5])
    said = refusal(tmp_path, "MNIST")
    assert said.startswith(
        f"dataset 'torchvision/MNIST': torchvision cannot read {str(tmp_path)!r} ("
    )
    assert said.endswith("; get the files again with: zoo data get torchvision/MNIST --root FOLDER")
    assert "\n" not in said


def test_pickles_of_an_old_torchvision_are_not_opened(tmp_path):
    write_mnist(tmp_path, "MNIST")
    (tmp_path / "MNIST" / "processed").mkdir()
    for name in ("training.pt", "test.pt"):
        (tmp_path / "MNIST" / "processed" / name).write_bytes(b"")
    assert "kept pickles; remove it" in refusal(tmp_path, "MNIST")


def test_gzipped_files_alone_are_not_enough(tmp_path):
    """torchvision reads unpacked ones; zoo data get unpacks them."""
    write_mnist(tmp_path, "MNIST")
    for path in (tmp_path / "MNIST" / "raw").iterdir():
        path.with_name(f"{path.name}.gz").write_bytes(gzip.compress(path.read_bytes()))
        path.unlink()
    assert "lacks MNIST/raw/train-images-idx3-ubyte, " in refusal(tmp_path, "MNIST")


def test_the_contract(tmp_path, monkeypatch):
    pets = write_pets(tmp_path)
    root = tmp_path / "all"
    write_cifar(root, "CIFAR10", monkeypatch)
    write_mnist(root, "MNIST")
    roots = {f"torchvision/{name}": root for name in ("CIFAR10", "MNIST")}
    roots["torchvision/OxfordIIITPet"] = pets
    checked = zoo.check_plugin("zoo-torchvision", roots)
    notes = {one.name: one.note for one in checked if one.kind == "dataset"}
    assert notes == dict.fromkeys(roots, "")
    assert len([one for one in checked if one.kind == "architecture"]) == 2
    alone = check_component(catalog().get("dataset", "torchvision/CIFAR10"), {})
    assert alone.note.startswith("not built: it needs files")


def test_listing_imports_no_torchvision():
    code = (
        "import sys, warnings\n"
        "from zoo.plugins.catalog import catalog\n"
        "names = [one for one in catalog().names('dataset') if one.startswith('torchvision/')]\n"
        "assert len(names) == 12, names\n"
        "print([name for name in ('torch', 'torchvision', 'numpy') if name in sys.modules])"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout.strip() == "[]"
