"""Files that answer images: beside each other, inside the folder, none over another."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zoo.errors import DataError
from zoo.runs.output_names import file_names, placed_below

BOTH = (".png", ".overlay.png")


def made(tmp_path, *names):
    for name in names:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    return [tmp_path / name for name in names]


def test_below_the_one_folder_or_the_deepest_that_holds_all(tmp_path, monkeypatch):
    files = made(tmp_path, "a/x.png", "a/deep/y.png", "b/x.png")
    a, b = tmp_path / "a", tmp_path / "b"
    assert placed_below(files[:2], [a]) == ["x.png", "deep/y.png"]
    assert placed_below(files, [a, b]) == ["a/x.png", "a/deep/y.png", "b/x.png"]
    assert placed_below(files[:1], files[:1]) == ["x.png"]
    assert placed_below([files[0], files[2]], [files[0], files[2]]) == ["a/x.png", "b/x.png"]
    monkeypatch.chdir(a)
    up = [a / "../b/x.png"]
    assert placed_below(up, up) == ["x.png"]
    assert placed_below([*up, files[0]], [*up, files[0]]) == ["b/x.png", "a/x.png"]


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (["a.jpg", "b/c.PNG"], ["a", "b/c"]),
        (["a.jpg", "a.png"], ["a.jpg", "a.png"]),
        (["a.jpg", "A.JPG", "b.png"], None),
        (["a.jpg", "a.overlay.jpg"], ["a.jpg", "a.overlay.jpg"]),
        (["a.jpg", "a.png/b.jpg"], ["a.jpg", "a.png/b.jpg"]),
        (["a", "a.png/b"], None),
        (["caf\u00e9.png", "cafe\u0301.png"], None),
        (["..", "%2E%2E"], ["%2E%2E", "%252E%252E"]),
        (["slide.v2", "x.tiff"], ["slide.v2", "x"]),
        (["../../etc/passwd"], ["%2E%2E/%2E%2E/etc/passwd"]),
        (["/etc/x.png"], ["%/etc/x"]),
        (["", ".", "a//b"], ["%", "%2E", "a/%/b"]),
        ([".hidden.png", "end.", "a b ", "50%"], ["%2Ehidden", "end%2E", "a b%20", "50%25"]),
        (["con.png", "NUL"], ["%63on", "%4EUL"]),
        (["C:\\x", "a\nb\u202e", "a?*"], ["C%3A%5Cx", "a%0Ab%E2%80%AE", "a%3F%2A"]),
        (["\udcff.png"], ["%ED%B3%BF"]),
    ],
)
def test_names(names, expected):
    if expected is not None:
        assert file_names(names, BOTH) == expected
        return
    with pytest.raises(DataError) as error:
        file_names(names, BOTH)
    assert str(error.value) == (
        f"images {names[0]!r} and {names[1]!r} would be written to the same file; rename one of "
        f"them"
    )


def test_long_names_are_short_and_stay_apart():
    names = ["ä" * 300 + "1.png", "ä" * 300 + "2.png"]
    first, second = file_names(names, BOTH)
    assert first != second
    assert max(len(f"{one}.overlay.png".encode()) for one in (first, second)) < 255


PARTS = st.text("aA.%/~\\ \u00e9\n:", max_size=6)


@given(st.lists(PARTS, min_size=1, max_size=6, unique=True))
def test_whatever_the_ids_are_files_lie_inside_and_apart(tmp_path_factory, ids):
    folder = tmp_path_factory.mktemp("out", numbered=True)
    try:
        names = file_names(ids, BOTH)
    except DataError:
        return
    for number, name in enumerate(names):
        for suffix in BOTH:
            path = folder / f"{name}{suffix}"
            assert path.resolve().is_relative_to(folder.resolve())
            path.parent.mkdir(parents=True, exist_ok=True)
            with path.open("x") as stream:
                stream.write(str(number))
