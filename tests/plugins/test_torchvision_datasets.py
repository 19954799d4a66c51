"""torchvision's datasets, each on small files of the layout that torchvision expects."""

from __future__ import annotations

import sys

import numpy as np
import pytest
import scipy.io
import torchvision.datasets
from PIL import Image
from torchvision_files import (
    RNG,
    build,
    draw,
    md5,
    refusal,
    write_cifar,
    write_mnist,
    write_pets,
)

import zoo
from zoo.data.datasets import place_of
from zoo.data.decoding import mask_ids


@pytest.mark.parametrize("name", ["MNIST", "FashionMNIST", "KMNIST"])
def test_the_mnists(tmp_path, name):
    images = write_mnist(tmp_path, name)
    dataset = build(tmp_path, name)
    assert dataset.task.kind == "multiclass"
    assert len(dataset.task.classes) == 10
    assert {split: len(one) for split, one in dataset.splits.items()} == {"train": 20, "test": 10}
    assert np.array_equal(dataset.splits["test"].image(3), images["t10k"][3])
    assert dataset.splits["train"].labels.tolist() == [*range(10)] * 2


def test_emnist_stands_upright(tmp_path):
    prefixes = ("emnist-balanced-train", "emnist-balanced-test")
    images = write_mnist(tmp_path, "EMNIST", prefixes, highest=47)
    dataset = build(tmp_path, "EMNIST")
    assert len(dataset.task.classes) == 47
    assert np.array_equal(dataset.splits["test"].image(3), images[prefixes[1]][3].T)
    assert "upright" in dataset.notes["images"]


def test_emnists_letters_are_numbered_from_zero(tmp_path):
    prefixes = ("emnist-letters-train", "emnist-letters-test")
    write_mnist(tmp_path, "EMNIST", prefixes, highest=27, lowest=1)
    dataset = build(tmp_path, "EMNIST", split="letters")
    assert dataset.task.classes == tuple("abcdefghijklmnopqrstuvwxyz")
    assert dataset.splits["train"].labels.tolist() == list(range(20))
    assert refusal(tmp_path, "EMNIST", split="digits").startswith(
        f"dataset 'torchvision/EMNIST': {str(tmp_path)!r} lacks "
        f"EMNIST/raw/emnist-digits-train-images-idx3-ubyte, "
    )


@pytest.mark.parametrize(("name", "train"), [("CIFAR10", 20), ("CIFAR100", 4)])
def test_the_cifars(tmp_path, monkeypatch, name, train):
    pixels = write_cifar(tmp_path, name, monkeypatch)
    dataset = build(tmp_path, name)
    assert {split: len(one) for split, one in dataset.splits.items()} == {
        "train": train,
        "test": 4,
    }
    assert dataset.splits["test"].labels.tolist() == [0, 1, 2, 9]
    image = dataset.splits["test"].image(1)
    assert np.array_equal(image, pixels[1].reshape(3, 32, 32).transpose(1, 2, 0))
    assert dataset.task.classes[9] == "class 9"


def test_svhn(tmp_path, monkeypatch):
    pixels = RNG.integers(0, 256, (32, 32, 3, 4), dtype=np.uint8)
    lists = dict(torchvision.datasets.SVHN.split_list)
    for split in ("train", "test"):
        path = tmp_path / f"{split}_32x32.mat"
        scipy.io.savemat(path, {"X": pixels, "y": np.array([[1], [10], [3], [9]], np.uint8)})
        lists[split] = [lists[split][0], path.name, md5(path)]
    monkeypatch.setattr(torchvision.datasets.SVHN, "split_list", lists)
    dataset = build(tmp_path, "SVHN")
    assert dataset.splits["train"].labels.tolist() == [1, 0, 3, 9]
    assert np.array_equal(dataset.splits["train"].image(2), pixels[..., 2])
    assert dataset.task.classes == tuple("0123456789")
    assert "non-commercial" in dataset.notes["licence"]


def test_flowers(tmp_path, monkeypatch):
    cls = torchvision.datasets.Flowers102
    folder = tmp_path / "flowers-102"
    for i in range(1, 7):
        draw(folder / "jpg" / f"image_{i:05d}.jpg", value=i)
    labels = np.array([[1, 102, 5, 5, 1, 102]], np.uint8)
    scipy.io.savemat(folder / "imagelabels.mat", {"labels": labels})
    ids = {"trnid": [[1, 2]], "valid": [[3, 5]], "tstid": [[4, 6]]}
    scipy.io.savemat(folder / "setid.mat", {key: np.array(one) for key, one in ids.items()})
    files = {key: (name, md5(folder / name) if key != "image" else digest)
             for key, (name, digest) in cls._file_dict.items()}  # fmt: skip
    monkeypatch.setattr(cls, "_file_dict", files)
    dataset = build(tmp_path, "Flowers102")
    assert {split: one.labels.tolist() for split, one in dataset.splits.items()} == {
        "train": [0, 101],
        "val": [4, 0],
        "test": [4, 101],
    }
    assert len(dataset.task.classes) == 102
    assert dataset.splits["test"].ids[0] == "flowers-102/jpg/image_00004.jpg"
    assert dataset.splits["test"].image(0).size == (4, 6)


@pytest.fixture
def pets(tmp_path):
    return write_pets(tmp_path)


def test_pets_by_breed_and_by_species(pets):
    breeds = build(pets, "OxfordIIITPet")
    assert breeds.task == zoo.Task.multiclass(["Abyssinian", "Beagle"])
    assert breeds.splits["train"].labels.tolist() == [0, 1]
    species = build(pets, "OxfordIIITPet", target="binary-category")
    assert species.task == zoo.Task.binary(["Cat", "Dog"], positive="Dog")
    assert species.splits["test"].labels.tolist() == [1]
    cats = build(pets, "OxfordIIITPet", target="binary-category", positive="Cat")
    assert cats.task.positive == "Cat"
    for target in ("category", "segmentation"):
        assert refusal(pets, "OxfordIIITPet", target=target, positive="Cat") == (
            "dataset 'torchvision/OxfordIIITPet': only 'binary-category' has a positive"
        )


def test_pets_masks_ignore_the_border(pets):
    dataset = build(pets, "OxfordIIITPet", target="segmentation")
    assert dataset.task.classes == ("background", "pet")
    split = dataset.splits["train"]
    assert split.labels is None
    assert split.mask(0).tolist() == [[1, 1, 255, 0]] * 6
    assert mask_ids(split.mask(0), dataset.task, (6, 4), "m").tolist() == [[1, 1, 255, 0]] * 6


@pytest.mark.parametrize("values", [[2, 3], [1, 2, 4], [0, 1]])
def test_other_values_are_no_trimap(pets, values):
    path = pets / "oxford-iiit-pet" / "annotations" / "trimaps" / "Abyssinian_1.png"
    Image.fromarray(np.array([values], np.uint8)).save(path)
    split = build(pets, "OxfordIIITPet", target="segmentation").splits["train"]
    with pytest.raises(zoo.DataError) as caught:
        split.mask(0)
    assert str(caught.value) == (f"trimap {str(path)!r} holds {values}; expected 1 (pet), 2 and 3")


def test_eurosat(tmp_path):
    for name in ("Forest/Forest_1.jpg", "River/River_1.jpg", "River/River_2.jpg"):
        draw(tmp_path / "eurosat" / "2750" / name)
    dataset = build(tmp_path, "EuroSAT")
    assert dataset.task == zoo.Task.multiclass(["Forest", "River"])
    assert dataset.splits["all"].labels.tolist() == [0, 1, 1]


def test_image_folders(tmp_path):
    for name in ("a/1.png", "b/2.png", "c/3.png", "c/4.png"):
        draw(tmp_path / "one" / name)
        draw(tmp_path / "three" / "train" / name)
        draw(tmp_path / "three" / "test" / name)
    assert build(tmp_path / "one", "ImageFolder").splits["all"].labels.tolist() == [0, 1, 2, 2]
    three = build(tmp_path / "three", "ImageFolder")
    assert set(three.splits) == {"train", "test"}
    assert three.splits["test"].ids[0] == "test/a/1.png"
    draw(tmp_path / "three" / "val" / "d" / "5.png")
    assert refusal(tmp_path / "three", "ImageFolder") == (
        f"dataset 'torchvision/ImageFolder': {str(tmp_path / 'three' / 'val')!r} has the classes "
        f"d; expected those of train, a, b, c"
    )


def test_two_folders_need_a_positive_one(tmp_path):
    draw(tmp_path / "benign" / "1.png")
    draw(tmp_path / "malignant" / "2.png")
    assert refusal(tmp_path, "ImageFolder") == (
        "dataset 'torchvision/ImageFolder': of the two classes 'benign' and 'malignant' one is to "
        "be found; say which with --positive (in a recipe, dataset.positive)"
    )
    dataset = build(tmp_path, "ImageFolder", positive="malignant")
    assert dataset.task == zoo.Task.binary(["benign", "malignant"], positive="malignant")
    assert "expected one of 'benign', 'malignant'" in refusal(
        tmp_path, "ImageFolder", positive="melanoma"
    )
    (tmp_path / "malignant" / "2.png").unlink()
    assert "Found no valid file for the classes malignant" in refusal(
        tmp_path, "ImageFolder", positive="malignant"
    )


def write_pcam(root, images=4):
    h5py = pytest.importorskip("h5py")
    (root / "pcam").mkdir()
    pixels = RNG.integers(0, 256, (images, 96, 96, 3), dtype=np.uint8)
    for part in ("train", "valid", "test"):
        stem = f"camelyonpatch_level_2_split_{part}"
        with h5py.File(root / "pcam" / f"{stem}_x.h5", "w") as file:
            file["x"] = pixels
        with h5py.File(root / "pcam" / f"{stem}_y.h5", "w") as file:
            file["y"] = np.array([0, 1, 1, 0], np.uint8).reshape(4, 1, 1, 1)
    return pixels


def test_a_licence_is_a_known_one_or_to_be_looked_up():
    from zoo_torchvision import table

    sure = {"mit", "cc0-1.0", "cc-by-sa-4.0"}
    for name, entry in table.TABLE.items():
        about = entry.provenance
        assert about.homepage
        if about.licence == "other":
            assert entry.notes["licence"], name
        else:
            assert about.licence in {*sure, table.SEE_HOMEPAGE}, name


def test_pcam(tmp_path):
    pixels = write_pcam(tmp_path)
    dataset = build(tmp_path, "PCAM")
    assert dataset.task == zoo.Task.binary(["normal", "tumor"], positive="tumor")
    assert set(dataset.splits) == {"train", "val", "test"}
    assert dataset.splits["val"].labels.tolist() == [0, 1, 1, 0]
    val = dataset.splits["val"]
    assert np.array_equal(val.image(2), pixels[2])
    path = tmp_path / "pcam" / "camelyonpatch_level_2_split_valid_x.h5"
    assert place_of(val, 2) == (path, "x 2")


def test_a_wrong_pcam(tmp_path):
    write_pcam(tmp_path, images=3)
    said = refusal(tmp_path, "PCAM")
    assert said.endswith(
        "holds uint8 of shape (3, 96, 96, 3) for 4 labels; expected uint8 of (4, 96, 96, 3)"
    )
    (tmp_path / "other" / "pcam").mkdir(parents=True)
    for path in (tmp_path / "pcam").iterdir():
        (tmp_path / "other" / "pcam" / path.name).write_bytes(b"no h5")
    assert "cannot be read (OSError)" in refusal(tmp_path / "other", "PCAM")


def test_without_h5py_it_says_what_to_install(tmp_path, monkeypatch):
    from zoo_torchvision import pcam

    for name in pcam.file_names():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(b"")
    monkeypatch.setitem(sys.modules, "h5py", None)
    assert refusal(tmp_path, "PCAM").endswith("needs h5py: pip install 'zoo-torchvision[pcam]'")
