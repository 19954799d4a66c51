"""Chest X-rays and skin lesions: folders, tables, patients, lesions, and what is missing."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from zoo_medical import chest_xray

import zoo
from zoo.data.datasets import check_dataset
from zoo.plugins.catalog import catalog


def draw(path, size=(6, 4)):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.full((*size, 3), len(path.name), np.uint8)).save(path)


def build(name, root, **options):
    dataset = catalog().get("dataset", name).build(zoo.DatasetContext(root), options)
    check_dataset(name, dataset)
    return dataset


def refusal(name, root, **options):
    with pytest.raises(zoo.DataError) as caught:
        build(name, root, **options)
    return str(caught.value)


XRAYS = (
    "train/NORMAL/IM-0117-0001.jpeg",
    "train/NORMAL/IM-0429-0001.jpeg",
    "train/NORMAL/IM-0429-0001-0001.jpeg",
    "train/PNEUMONIA/person1008_bacteria_2939.jpeg",
    "train/PNEUMONIA/person1008_virus_1691.jpeg",
    "train/PNEUMONIA/person1015_virus_1701.jpeg",
    "train/PNEUMONIA/person1015_virus_1702.jpeg",
    "val/NORMAL/NORMAL2-IM-1427-0001.jpeg",
    "val/PNEUMONIA/person1946_bacteria_4874.jpeg",
    "test/NORMAL/NORMAL2-IM-0246-0001.jpeg",
    "test/NORMAL/NORMAL2-IM-0246-0001-0002.jpeg",
    "test/PNEUMONIA/person100_bacteria_475.jpeg",
)


@pytest.fixture
def xrays(tmp_path: Path) -> Path:
    for name in (*XRAYS, "train/NORMAL/.DS_Store.jpeg"):
        draw(tmp_path / name)
    (tmp_path / "train" / "NORMAL" / "Thumbs.db").write_bytes(b"x")
    return tmp_path


def test_chest_xrays_from_folders(xrays):
    dataset = build("chest_xray", xrays)
    assert dataset.task == zoo.Task.binary(["NORMAL", "PNEUMONIA"], positive="PNEUMONIA")
    assert {split: one.labels.tolist() for split, one in dataset.splits.items()} == {
        "train": [0, 0, 0, 1, 1, 1, 1],
        "val": [0, 1],
        "test": [0, 0, 1],
    }
    assert sorted(name for one in dataset.splits.values() for name in one.ids) == sorted(XRAYS)
    assert dataset.splits["train"].image(0).size == (4, 6)
    assert dataset.notes == {"val": "val has 2 images; what is chosen by them is luck"}
    assert build("chest_xray", xrays, positive="NORMAL").task.positive == "NORMAL"


def test_images_of_one_patient_are_one_group(xrays):
    train = build("chest_xray", xrays).splits["train"]
    groups = dict(zip(train.ids, train.groups, strict=True))
    assert groups["train/NORMAL/IM-0429-0001.jpeg"] == "IM-0429"
    assert groups["train/NORMAL/IM-0429-0001-0001.jpeg"] == "IM-0429"
    assert groups["train/PNEUMONIA/person1015_virus_1701.jpeg"] == "person1015_virus"
    assert len(set(groups.values())) == 5


@pytest.mark.parametrize(
    ("name", "patient"),
    [
        ("person100_bacteria_475.jpeg", "person100_bacteria"),
        ("person100_virus_184.jpeg", "person100_virus"),
        ("NORMAL2-IM-0246-0001-0002.jpeg", "NORMAL2-IM-0246"),
        ("IM-0246-0001.jpeg", "IM-0246"),
        ("VIRUS-1008087-0001.jpeg", "VIRUS-1008087"),
        ("NORMAL-1003233-0001.jpeg", "NORMAL-1003233"),
        ("IM-0003-0001_jpeg.rf.3fffcf9c33575f8f928b017484f99a64.jpg", "IM-0003"),
        ("person5_virus_12_jpeg.rf.0123456789abcdef0123456789abcdef.jpg", "person5_virus"),
        ("person5_virus_12_jpeg.rf.3fffcf.jpg", "person5_virus_12_jpeg.rf.3fffcf.jpg"),
        ("scan.png", "scan.png"),
        ("person100.jpeg", "person100.jpeg"),
    ],
)
def test_the_patient_in_a_name(name, patient):
    assert chest_xray.patient(name) == patient


def test_wrong_chest_xrays(xrays, tmp_path):
    assert refusal("chest_xray", xrays, positive="pneumonia") == (
        "dataset 'chest_xray': positive 'pneumonia': expected one of 'NORMAL', 'PNEUMONIA'"
    )
    assert refusal("chest_xray", None) == (
        "dataset 'chest_xray' needs the folder of train, val and test, each with NORMAL and "
        "PNEUMONIA, or of the parquet files: give --root FOLDER"
    )
    assert refusal("chest_xray", xrays / "val") == (
        f"dataset 'chest_xray': {str(xrays / 'val')!r} has neither a folder train nor "
        f"train-*.parquet; give the folder of train, val and test, each with NORMAL and "
        f"PNEUMONIA, or of the parquet files"
    )
    assert "no such folder" in refusal("chest_xray", xrays / "nothing")
    for path in (xrays / "test" / "PNEUMONIA").iterdir():
        path.unlink()
    assert refusal("chest_xray", xrays) == (
        f"dataset 'chest_xray': {str(xrays / 'test')!r} has no images of class 'PNEUMONIA'; "
        f"expected a folder for each of NORMAL, PNEUMONIA"
    )


@pytest.mark.parametrize("split", ["", "train"])
def test_skin_lesions_from_folders(tmp_path, split):
    for name in ("MEL/a.jpg", "MEL/b.jpg", "NV/c.jpg", "other/d.jpg"):
        draw(tmp_path / split / name)
    if split:
        draw(tmp_path / "test" / "mel" / "e.jpg")
        draw(tmp_path / "test" / "nv" / "f.jpg")
    dataset = build("skin_lesions", tmp_path)
    assert set(dataset.splits) == ({"train", "test"} if split else {"all"})
    first = dataset.splits[split or "all"]
    assert first.labels.tolist() == [0, 1, 1]
    assert dataset.task == zoo.Task.binary(["nv", "mel"], positive="mel")
    assert "lesion" in dataset.notes["groups"]


TABLE = """lesion_id,image_id,dx,dx_type,age,sex,localization
HAM_1,ISIC_1,mel,histo,80,male,back
HAM_1,ISIC_2,mel,histo,80,male,back
HAM_2,ISIC_3,nv,histo,,female,face
HAM_3,ISIC_4,bkl,histo,60,male,ear
,ISIC_5,nv,follow_up,40,male,ear
"""


@pytest.fixture
def ham(tmp_path: Path) -> Path:
    (tmp_path / "HAM10000_metadata.csv").write_text(TABLE)
    for i in range(1, 6):
        draw(tmp_path / f"HAM10000_images_part_{1 + i % 2}" / f"ISIC_{i}.jpg")
    return tmp_path


def test_skin_lesions_from_ham10000(ham):
    dataset = build("skin_lesions", ham)
    whole = dataset.splits["all"]
    assert list(whole.ids) == ["ISIC_1", "ISIC_2", "ISIC_3", "ISIC_5"]
    assert whole.labels.tolist() == [1, 1, 0, 0]
    assert list(whole.groups) == ["HAM_1", "HAM_1", "HAM_2", "ISIC_5"]
    assert whole.image(0).size == (4, 6)
    assert dataset.notes == {}
    assert build("skin_lesions", ham, positive="nv").task.positive == "nv"
    three = build("skin_lesions", ham, classes=["nv", "mel", "bkl"])
    assert three.task.kind == "multiclass"
    assert three.splits["all"].labels.tolist() == [1, 1, 0, 2, 0]


def test_skin_lesions_from_an_isic_table(ham):
    (ham / "HAM10000_metadata.csv").unlink()
    (ham / "isic.csv").write_text(
        "isic_id,diagnosis,lesion_id\nISIC_1,melanoma,IL_1\nISIC_3,nevus,IL_2\nISIC_4,,IL_3\n"
    )
    whole = build("skin_lesions", ham).splits["all"]
    assert list(whole.ids) == ["ISIC_1", "ISIC_3"]
    assert whole.labels.tolist() == [1, 0]
    assert list(whole.groups) == ["IL_1", "IL_2"]


def test_a_table_without_lesions_has_no_groups(ham):
    (ham / "HAM10000_metadata.csv").write_text("image_id,dx\nISIC_1,mel\nISIC_3,nv\n")
    dataset = build("skin_lesions", ham)
    assert dataset.splits["all"].groups is None
    assert "groups" in dataset.notes


def test_copies_of_the_images_are_told(ham):
    draw(ham / "ham10000_images_part_1" / "ISIC_2.jpg")
    assert build("skin_lesions", ham).notes["files"] == (
        "1 images are there more than once by name; the first is taken"
    )


def test_wrong_skin_lesions(ham, tmp_path):
    assert refusal("skin_lesions", ham, positive="bcc") == (
        "dataset 'skin_lesions': positive 'bcc': expected one of 'nv', 'mel'"
    )
    assert refusal("skin_lesions", ham, classes=["nv", "bkl"]) == (
        "dataset 'skin_lesions': positive '': expected one of 'nv', 'bkl'"
    )
    assert refusal("skin_lesions", ham, classes=["a", "b"], positive="a") == (
        f"{str(ham / 'HAM10000_metadata.csv')!r} has no image of a or b in column 'dx'"
    )
    (ham / "HAM10000_images_part_2" / "ISIC_1.jpg").unlink()
    assert refusal("skin_lesions", ham) == (
        f"dataset 'skin_lesions': 1 images of HAM10000_metadata.csv are not below {str(ham)!r}, "
        f"the first is 'ISIC_1'; put its folders of images there"
    )
    (ham / "HAM10000_metadata.csv").unlink()
    assert refusal("skin_lesions", ham) == (
        f"dataset 'skin_lesions': {str(ham)!r} has no folders of classes, and no CSV file with "
        f"columns image_id and dx; give the folder of MEL and NV (in train, val, test, or alone), "
        f"or of HAM10000_metadata.csv and its images"
    )
    for name in ("one.csv", "two.csv"):
        (ham / name).write_text("image_id,dx\nISIC_1,mel\n")
    assert "one.csv, two.csv could each be the table" in refusal("skin_lesions", ham)
    (ham / "HAM10000_metadata.csv").write_bytes(b"\xff\xfeimage_id")
    assert "cannot be read (UnicodeDecodeError" in refusal("skin_lesions", ham)


def test_the_contract_on_files(xrays, tmp_path_factory):
    skin = tmp_path_factory.mktemp("skin")
    draw(skin / "MEL" / "a.jpg")
    draw(skin / "NV" / "b.jpg")
    roots = {"chest_xray": xrays, "skin_lesions": skin}
    checked = {one.name: one.note for one in zoo.check_plugin("zoo-medical", roots)}
    assert checked["chest_xray"] == checked["skin_lesions"] == ""
