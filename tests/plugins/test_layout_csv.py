"""csv: paths, labels, splits and groups in a table, and every line that can be wrong."""

import pytest
from layout_files import picture, pictures, refused
from zoo_basics.datasets import csv_table

import zoo

NAMES = ("a", "b", "c", "d")


@pytest.fixture
def root(tmp_path):
    pictures(tmp_path / "img", 6)
    return tmp_path


def table(root, text, name="labels.csv"):
    (root / name).write_bytes(text.encode() if isinstance(text, str) else text)
    return root


def rows(*lines, header="path,label"):
    return "\n".join([header, *lines]) + "\n"


def build(root, **options):
    return csv_table.build(zoo.DatasetContext(root), **options)


def message(root, text, **options):
    return refused(csv_table.build, table(root, text), **options)


def test_a_plain_table_is_one_split(root):
    table(root, rows("img/1.png,dog", " img/0.png , cat ", "", "./img//2.png,elk"))
    made = build(root)
    assert made.task == zoo.Task.multiclass(["cat", "dog", "elk"])
    split = made.splits["all"]
    assert split.ids == ["img/1.png", "img/0.png", "img/2.png"]
    assert split.labels.tolist() == [1, 0, 2]
    assert split.groups is None
    assert split.image(0).getpixel((0, 0)) == 1


def test_numbers_are_classes_by_value_and_windows_forms_are_read(root):
    text = rows("img\\0.png,10", "img\\1.png,9", "img\\2.png,0").replace("\n", "\r\n")
    made = build(table(root, "\ufeff" + text))
    assert made.task.classes == ("0", "9", "10")
    assert made.splits["all"].ids[0] == "img/0.png"


def test_tabs_other_names_folder_suffix_splits_and_groups(root):
    """As HAM10000 has it: names without suffix, lesions as groups; the split column is another."""
    text = "\t".join(("image_id", "dx", "fold", "lesion_id", "age")) + "\n"
    for i, (dx, fold) in enumerate(
        [("nv", "Train"), ("mel", "train"), ("mel", "valid"), ("", "test"), ("", "test")]
    ):
        text += f"{i}\t{dx}\t{fold}\tlesion{i // 2}\t{40 + i}\n"
    made = build(
        table(root, text, "meta.tsv"),
        table="meta.tsv", path="image_id", label="dx", split="fold", group="lesion_id",
        images="img", suffix=".png", positive="mel",
    )  # fmt: skip
    assert made.task == zoo.Task.binary(["mel", "nv"], positive="mel")
    assert {name: list(split.ids) for name, split in made.splits.items()} == {
        "train": ["img/0.png", "img/1.png"],
        "val": ["img/2.png"],
        "test": ["img/3.png", "img/4.png"],
    }
    assert made.splits["train"].labels.tolist() == [1, 0]
    assert made.splits["test"].labels is None
    assert made.splits["train"].groups == ["lesion0", "lesion0"]
    assert made.splits["test"].groups == ["lesion1", "lesion2"]


def test_labels_in_columns(root):
    header = "path,edema,mass,part"
    text = rows("img/0.png,1,0,train", "img/1.png,0.0,1.0,train", "img/2.png,,,test", header=header)
    made = build(table(root, text), labels=["mass", "edema"], split="part")
    assert made.task == zoo.Task.multilabel(["mass", "edema"])
    assert made.splits["train"].labels.tolist() == [[0, 1], [1, 0]]
    assert made.splits["train"].labels.dtype == "uint8"
    assert made.splits["test"].labels is None
    options = {"labels": ["mass", "edema"], "split": "part"}
    assert message(root, text.replace("1,0,train", "2,0,train"), **options) == (
        "table 'labels.csv': line 2: '2' in label column 'edema'; expected 0 or 1"
    )
    assert message(root, text.replace("1,0,train", ",0,train"), **options) == (
        "table 'labels.csv': label column 'edema' is empty in 1 rows, the first is line 2; only "
        "'test' may be without labels, and then all of it"
    )


def test_labels_with_a_separator(root):
    text = rows("img/0.png,mass|edema", "img/1.png,", "img/2.png,edema | edema")
    made = build(table(root, text), separator="|")
    assert made.task == zoo.Task.multilabel(["edema", "mass"])
    assert made.splits["all"].labels.tolist() == [[1, 1], [0, 0], [1, 0]]
    assert message(root, text, separator="|", positive="mass") == (
        "dataset 'csv': a multilabel dataset has no dataset.positive; leave it out"
    )
    assert message(root, text, separator="|", labels=["x"]) == (
        "dataset 'csv': labels ['x'] and separator '|': labels stand either in several columns or "
        "in one; leave one of the two out"
    )
    assert message(root, rows("img/0.png,"), separator="|") == (
        "table 'labels.csv': label column 'label' is empty in every row"
    )


def test_two_classes_need_a_positive_one(root):
    text = rows("img/0.png,no", "img/1.png,yes")
    assert "dataset.positive) 'no' or 'yes'" in message(root, text)


@pytest.mark.parametrize(
    "path", ["../secret.png", "/etc/passwd", "img/../../x.png", "C:\\x.png", "\\\\host\\x", "..\\x"]
)
def test_no_path_leads_out_of_the_root(root, path):
    picture(root.parent / "secret.png")
    assert message(root, rows(f"{path},a", "img/1.png,b")) == (
        f"table 'labels.csv': line 2: path {path!r}: it leads out of the folder; expected one "
        f"below the root"
    )


def test_neither_do_options(root):
    table(root, rows("img/0,a"))
    assert refused(csv_table.build, root, table="../labels.csv") == (
        "dataset 'csv': table '../labels.csv': expected a file's path below the root, 'ROOT'"
    )
    assert refused(csv_table.build, root, images="../img") == (
        "dataset 'csv': images '../img': expected a folder's path below the root, 'ROOT'"
    )
    assert "it leads out of the folder" in refused(csv_table.build, root, suffix="/../../x.png")


WRONG = {
    "missing files": (
        rows("img/0.png,a", "img/7.png,b", "img/8.png,c"),
        "2 of 3 images are not in 'ROOT'; the first is 'img/7.png' of line 3; set dataset.images "
        "to the folder that paths start from, dataset.suffix to what names lack",
    ),
    "twice": (
        rows("img/0.png,a", "img/1.png,b", "./img/0.png,b"),
        "path './img/0.png' stands in line 2 and in line 4; each image may stand once",
    ),
    "no path": (
        rows("img/0.png,a", ",b"),
        "line 3: path '': it is empty; expected one below the root",
    ),
    "no label": (
        rows("img/0.png,a", "img/1.png,b", "img/2.png, "),
        "label column 'label' is empty in 1 rows, the first is line 4; only 'test' may be without "
        "labels, and then all of it",
    ),
}


@pytest.mark.parametrize("text, what", WRONG.values(), ids=WRONG)
def test_wrong_rows(root, text, what):
    assert message(root, text) == f"table 'labels.csv': {what}"


SPLIT_WRONG = {
    "unknown": (("train", "holdout"), "line 3: split 'holdout': expected 'train', 'val' or 'test'"),
    "empty": (("train", ""), "line 3: split '': expected 'train', 'val' or 'test'"),
    "no train": (("test", "val"), "its splits are test, val; expected rows of 'train'"),
}


@pytest.mark.parametrize("parts, what", SPLIT_WRONG.values(), ids=SPLIT_WRONG)
def test_wrong_splits(root, parts, what):
    lines = [f"img/{i}.png,{NAMES[i]},{part}" for i, part in enumerate(parts)]
    text = rows(*lines, header="path,label,split")
    assert message(root, text, split="split") == f"table 'labels.csv': {what}"


def test_partly_labeled_tests_and_classes_only_there(root):
    header = "path,label,split"
    both = ("img/0.png,a,train", "img/1.png,b,train", "img/2.png,{},test", "img/3.png,,test")
    text = rows(*both, header=header)
    assert "is empty in 1 rows, the first is line 5" in message(
        root, text.format("a"), split="split"
    )
    assert message(root, rows(*both[:3], header=header).format("c"), split="split") == (
        "dataset 'csv': class 'c' has 1 images in 'test' and none in 'train', so it cannot be "
        "learned; add some there, or take them out"
    )


def test_an_empty_group(root):
    text = rows("img/0.png,a,p", "img/1.png,b,", header="path,label,patient")
    assert message(root, text, group="patient", task="multiclass") == (
        "table 'labels.csv': line 3: group column 'patient' is empty; name each one"
    )


FILES = {
    "no such column": (
        "file,dx\nimg/0.png,a\n",
        "table 'labels.csv' has no column 'path'; it has 'file', 'dx'; name the right one in "
        "dataset.path",
    ),
    "semicolons": (
        "path;label\nimg/0.png;a\n",
        "table 'labels.csv' has no column 'path'; it has one, 'path;label': save it with commas, "
        "not semicolons; name the right one in dataset.path",
    ),
    "a column twice": ("path,path,label\n", "table 'labels.csv' has 2 columns 'path'"),
    "empty": (
        "",
        "table 'labels.csv' has no column 'path'; it has none; name the right one in dataset.path",
    ),
    "only a header": ("path,label\n", "table 'labels.csv' has no rows"),
    "a short row": (
        "path,label\nimg/0.png,a\nimg/1.png\n",
        "table 'labels.csv', line 3: 1 cells; expected 2, as in the header",
    ),
    "an open quote": (
        'path,label\n"img/0.png,a\n',
        "table 'labels.csv', line 2: unexpected end of data; mend it",
    ),
    "latin-1": (b"path,label\n\xe4.png,a\n", "table 'labels.csv' is not UTF-8; save it as UTF-8"),
}


@pytest.mark.parametrize("content, what", FILES.values(), ids=FILES)
def test_wrong_files(root, content, what):
    assert message(root, content) == what


def test_no_table_or_one_of_another_kind(root):
    assert refused(csv_table.build, root) == (
        "dataset 'csv': table 'labels.csv': no such file in 'ROOT'; put it there, or set "
        "dataset.table"
    )
    table(root, "", "labels.xlsx")
    assert refused(csv_table.build, root, table="labels.xlsx") == (
        "table 'labels.xlsx': expected a name that ends in .csv, .tsv, .tab"
    )
    assert refused(csv_table.build, None) == (
        "dataset 'csv' needs the folder of its table and images: give --root FOLDER"
    )
