"""The script that makes the skin report's splits from ISIC 2019's images."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest
from PIL import Image

import zoo
from zoo.plugins.catalog import catalog

SCRIPT = Path(__file__).parents[2] / "studies" / "skin-lesions" / "from_isic.py"


@pytest.fixture
def script(monkeypatch):
    spec = importlib.util.spec_from_file_location("from_isic", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    assert {split: 2 * count for split, count in module.OF_EACH_CLASS.items()} == {
        **{"train": 6426, "val": 1252, "test": 1366}  # as the report counts
    }
    monkeypatch.setattr(module, "OF_EACH_CLASS", {"train": 3, "val": 1, "test": 2})
    return module


@pytest.fixture
def isic(tmp_path):
    """(table, folder of images): 6 melanomas, 8 nevi and one of neither."""
    lines = ["image,MEL,NV,BCC"]
    (tmp_path / "images").mkdir()
    for i in range(15):
        label = (int(i < 6), int(6 <= i < 14), int(i == 14))
        lines.append(f"ISIC_{i:07d}," + ",".join(f"{one}.0" for one in label))
        Image.new("RGB", (40, 30), (10 * i, 0, 0)).save(tmp_path / "images" / f"ISIC_{i:07d}.jpg")
    (tmp_path / "table.csv").write_text("\n".join(lines) + "\n")
    return tmp_path / "table.csv", tmp_path / "images"


def test_the_splits_are_as_large_as_asked_and_share_no_image(script, isic, tmp_path):
    script.main(*isic, tmp_path / "made")
    context = zoo.DatasetContext(tmp_path / "made")
    dataset = catalog().get("dataset", "skin_lesions").build(context, {"positive": "nv"})
    assert {name: len(split) for name, split in dataset.splits.items()} == {
        **{"train": 6, "val": 2, "test": 4}
    }
    names = [Path(one).stem for split in dataset.splits.values() for one in split.ids]
    assert len(set(names)) == len(names) == 12 and "ISIC_0000014" not in names
    for split in dataset.splits.values():
        for name, label in zip(split.ids, split.labels, strict=True):
            assert (int(Path(name).stem[-2:]) < 6) == (label == 1)  # nv, mel
        assert split.image(0).size == (128, 128)


def test_the_seed_decides_who_goes_where(script, isic, tmp_path):
    for name, seed in (("a", 0), ("b", 0), ("c", 1)):
        script.main(*isic, tmp_path / name, seed)
    kept = [
        sorted(
            path.relative_to(tmp_path / name).as_posix() for path in (tmp_path / name).rglob("*")
        )
        for name in "abc"
    ]
    assert kept[0] == kept[1] != kept[2]


def test_too_few_images_are_one_line(script, isic, tmp_path, monkeypatch):
    monkeypatch.setattr(script, "OF_EACH_CLASS", {"train": 5, "val": 1, "test": 2})
    with pytest.raises(SystemExit) as caught:
        script.main(*isic, tmp_path / "made")
    assert str(caught.value) == f"{isic[0]}: 6 images of MEL; expected 8 or more"
