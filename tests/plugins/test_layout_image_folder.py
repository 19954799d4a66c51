"""image_folder: class folders with splits above them or without, and what is refused."""

import os

import numpy as np
import pytest
from layout_files import picture, pictures, refused
from zoo_basics.datasets import image_folder, scanning

import zoo
from zoo.data import decoding

FORMS = "expected root/class/*.jpg or root/{train,val,test}/class/*.jpg"


def build(root, **options):
    return image_folder.build(zoo.DatasetContext(root), **options)


@pytest.fixture
def three(tmp_path):
    """Three classes in train, validation and test; ``b`` is missing in validation."""
    for part, names in (("train", "cba"), ("Validation", "ac"), ("test", "abc")):
        for name in names:
            pictures(tmp_path / part / name, 2, ord(name))
    return tmp_path


def test_splits_are_the_folders_and_classes_are_sorted(three):
    made = build(three)
    assert made.task == zoo.Task.multiclass(["a", "b", "c"])
    assert sorted(made.splits) == ["test", "train", "val"]
    train, val = made.splits["train"], made.splits["val"]
    assert train.ids == [f"train/{name}/{i}.png" for name in "abc" for i in range(2)]
    assert train.labels.tolist() == [0, 0, 1, 1, 2, 2]
    assert val.labels.tolist() == [0, 0, 2, 2]
    assert val.ids[0] == "Validation/a/0.png"
    assert [np.asarray(train.image(i))[0, 0] for i in (0, 3)] == [ord("a"), ord("b") + 1]
    assert train.labels.dtype == np.int64
    assert made.notes == {}


def test_class_folders_alone_are_one_split_with_subfolders_and_any_suffix(tmp_path):
    for i, suffix in enumerate((".jpg", ".JPEG", ".bmp", ".TIF", ".webp")):
        picture(tmp_path / "10" / "deep" / f"{i}{suffix}", i)
    picture(tmp_path / "9" / "x.png")
    picture(tmp_path / "100" / "x.png")
    made = build(tmp_path)
    assert list(made.splits) == ["all"]
    assert made.task.classes == ("10", "100", "9")
    assert made.splits["all"].ids[0] == "10/deep/0.jpg"
    assert made.splits["all"].labels.tolist() == [0] * 5 + [1, 2]


def test_suffixes_are_those_zoo_decodes():
    assert scanning.SUFFIXES == decoding.SUFFIXES


def test_what_is_not_used_is_told(three):
    (three / "notes.txt").write_text("")
    (three / "train/a/Thumbs.db").write_text("")
    (three / "train/a/.DS_Store").write_text("")
    picture(three / "train/a/._0.png")
    picture(three / "train/loose.png")
    (three / "val-old").mkdir()
    (three / ".git").mkdir()
    (three / "test/d").mkdir()
    made = build(three)
    assert made.notes == {
        "other files": "2 files are no images, the first is 'notes.txt'",
        "stray images": "1 images lie outside the class folders and are not used, the first is "
        "'train/loose.png'",
        "empty class folders": "test/d",
        "folders not used": "val-old",
    }
    assert len(made.splits["train"]) == 6


def test_two_classes_need_a_positive_one(tmp_path):
    pictures(tmp_path / "malignant", 2)
    pictures(tmp_path / "benign", 2)
    assert refused(image_folder.build, tmp_path) == (
        "dataset 'image_folder': which of its two classes is the positive one? give "
        "--positive (in a recipe, dataset.positive) 'benign' or 'malignant'; or --set "
        "dataset.task=multiclass to treat them alike"
    )
    assert build(tmp_path, positive="malignant").task == zoo.Task.binary(
        ["benign", "malignant"], positive="malignant"
    )
    assert build(tmp_path, task="multiclass").task == zoo.Task.multiclass(["benign", "malignant"])
    assert refused(image_folder.build, tmp_path, positive="sick") == (
        "dataset 'image_folder': positive 'sick': expected 'benign' or 'malignant'"
    )
    assert refused(image_folder.build, tmp_path, positive="benign", task="multiclass") == (
        "dataset 'image_folder': positive 'benign' and task 'multiclass': only a binary task has a "
        "positive class; leave one of the two out"
    )


def test_a_positive_class_among_three(three):
    assert refused(image_folder.build, three, positive="a") == (
        "dataset 'image_folder': positive 'a': only one of two classes can be positive, here are "
        "3, 'a', 'b', 'c'; leave dataset.positive out"
    )


def test_images_directly_in_test_are_unlabeled(three):
    for name in "abc":
        for path in (three / "test" / name).iterdir():
            path.rename(three / "test" / f"{name}-{path.name}")
        (three / "test" / name).rmdir()
    test = build(three).splits["test"]
    assert (len(test), test.labels, test.ids[0]) == (6, None, "test/a-0.png")


def test_images_directly_in_train_are_no_split(tmp_path):
    pictures(tmp_path / "train", 2)
    assert refused(image_folder.build, tmp_path) == (
        f"dataset 'image_folder': 'ROOT/train' has no class folders with images; {FORMS}"
    )


def test_a_class_that_is_only_in_test(three):
    pictures(three / "test/d", 3)
    assert refused(image_folder.build, three) == (
        "dataset 'image_folder': class 'd' has 3 images in 'test' and none in 'train', so it "
        "cannot be learned; add some there, or take them out; images without labels belong "
        "directly into 'test'"
    )


def test_roots_of_neither_form(tmp_path):
    assert refused(image_folder.build, None) == (
        "dataset 'image_folder' needs the folder of class folders: give --root FOLDER"
    )
    assert refused(image_folder.build, tmp_path / "no") == (
        "dataset 'image_folder': root 'ROOT': no such folder; give the folder of class folders: "
        "--root FOLDER"
    )
    assert refused(image_folder.build, tmp_path) == (
        f"dataset 'image_folder': 'ROOT' has no folders; {FORMS}"
    )
    (tmp_path / "empty").mkdir()
    assert refused(image_folder.build, tmp_path) == (
        f"dataset 'image_folder': 'ROOT' has no class folders with images; {FORMS}"
    )
    pictures(tmp_path / "empty", 1)
    assert refused(image_folder.build, tmp_path) == (
        "dataset 'image_folder': 'empty' is its only class; expected two or more"
    )


def test_a_split_beside_classes_is_no_class(tmp_path):
    """An unlabeled test folder must not become the class 'test'."""
    for name in ("cat", "dog", "test"):
        pictures(tmp_path / name, 1)
    assert refused(image_folder.build, tmp_path) == (
        "dataset 'image_folder': 'ROOT' has the split folders test beside cat, dog; "
        f"{FORMS}; put the class folders into 'train'"
    )


def test_splits_without_train_and_two_for_one(three):
    (three / "dev").mkdir()
    assert refused(image_folder.build, three) == (
        "dataset 'image_folder': the folders 'Validation' and 'dev' would both be the split "
        "'val'; join them"
    )
    (three / "dev").rmdir()
    (three / "train").rename(three / ".hidden")
    assert refused(image_folder.build, three) == (
        f"dataset 'image_folder': 'ROOT' has Validation, test and no 'train'; {FORMS}"
    )


def test_links_are_followed_but_not_in_circles(tmp_path):
    pictures(tmp_path / "elsewhere/many", 3)
    root = tmp_path / "root"
    pictures(root / "a", 1)
    pictures(root / "b", 1)
    (root / "a/far").symlink_to(tmp_path / "elsewhere/many")
    (root / "a/up").symlink_to(root)
    (root / "a/self").symlink_to(root / "a")
    (root / "c").symlink_to(tmp_path / "elsewhere")
    (root / "c/back").symlink_to(root / "c")
    made = build(root)
    assert made.splits["all"].ids == [
        "a/0.png", "a/far/0.png", "a/far/1.png", "a/far/2.png", "b/0.png",
        "c/many/0.png", "c/many/1.png", "c/many/2.png",
    ]  # fmt: skip


def test_links_that_lead_nowhere_are_named(three):
    (three / "train/a/7.png").symlink_to("gone.png")
    (three / "train/b/8.png").symlink_to("8.png")
    assert refused(image_folder.build, three) == (
        "dataset 'image_folder': 2 images are links that lead nowhere, or no files; the first is "
        "'train/a/7.png'; fetch the files, or remove the links"
    )


def test_a_name_that_is_no_text(tmp_path):
    pictures(tmp_path / "a", 1)
    pictures(tmp_path / "b", 1)
    try:
        (tmp_path / "a/0.png").rename(os.fsdecode(bytes(tmp_path) + b"/a/\xff.png"))
    except OSError:
        pytest.skip("this file system keeps names in UTF-8")
    assert refused(image_folder.build, tmp_path, task="multiclass") == (
        "dataset 'image_folder': the file name '\\udcff.png' in 'ROOT/a' is not UTF-8; rename it"
    )


def test_an_odd_name_cannot_break_the_line(tmp_path):
    pictures(tmp_path / "a", 1)
    (tmp_path / "a/x\n\x1b[2J.png").symlink_to("gone")
    assert "the first is 'a/x" in refused_raw(tmp_path)


def refused_raw(root):
    with pytest.raises(zoo.DataError) as caught:
        build(root)
    assert str(caught.value).isprintable()
    return str(caught.value)
