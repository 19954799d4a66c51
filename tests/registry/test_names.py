"""Names that are safe everywhere, and references."""

import pytest

from zoo.errors import RegistryError
from zoo.registry.names import Reference, check_files, check_name, fold, is_name

HOSTILE = [
    "", ".", "..", "a/../b", "/etc/passwd", "C:x", "\\\\host\\share", "%2e%2e", "%252e%252e",
    "a\\b", "a\0", "a\n", "\x1b[31m", "a\u202eb", "a.", "a ", " a", "-a", "a" * 65, "con",
    "nul.txt",
    "com1", "com\u00b9", "lpt9.a", "a:b", "\u0430", "e\u0301", "\u00e9", "ResNet", "a--b",
    "a_-b", "a#b", "a?b", "a*", "1a", "a..b", "a@b", "\u0663", "a\r\nb",
]  # fmt: skip


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_names(name):
    assert not is_name(name)
    with pytest.raises(RegistryError) as caught:
        check_name("model name", name)
    assert str(caught.value).startswith("model name ")
    assert str(caught.value).isprintable()


@pytest.mark.parametrize(
    "name", ["a", "digits-simple-cnn", "resnet18.a1_in1k", "console", "a" * 64]
)
def test_good_names(name):
    assert check_name("model name", name) == name


def test_the_wording():
    with pytest.raises(RegistryError) as caught:
        check_name("model name", "My Net")
    assert str(caught.value) == (
        "model name 'My Net': expected at most 64 lower-case letters and digits, beginning with a "
        "letter, joined by single '-', '_' or '.', and no Windows device"
    )


def test_fold():
    assert fold("a_b.c-d") == fold("a-b-c.d") != fold("ab-c-d")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("name", Reference("name")),
        ("name@3", Reference("name", version=3)),
        ("name@best", Reference("name", alias="best")),
        ("name@sha256:" + "0f" * 32, Reference("name", digest="0f" * 32)),
        ("local:name", Reference("name", registry="local")),
        ("local:name@3", Reference("name", version=3, registry="local")),
        ("l:n@sha256:" + "a" * 64, Reference("n", digest="a" * 64, registry="l")),
    ],
)
def test_references(text, expected):
    assert Reference.parse(text) == expected
    assert str(expected) == text


@pytest.mark.parametrize(
    "text",
    [
        "", "@3", "name@", "name@0", "name@03", "name@-1", "name@3.0", "name@3@4", "name@\u0663",
        "name@1e3", "name@" + "9" * 20, "name@sha256:", "name@sha256:" + "a" * 63, ":name",
        "name@sha256:" + "A" * 64, "name@sha256:../" + "a" * 61, "a:b:c", "Name@3", "name@Best",
        "name@../x", "https://x/name", "local:@3", "name @3", "name@3\n", "name@sha256:" + "a" * 74,
    ],
)  # fmt: skip
def test_wrong_references(text):
    with pytest.raises(RegistryError) as caught:
        Reference.parse(text)
    assert str(caught.value).isprintable()
    assert len(str(caught.value)) < 400


def test_the_wording_of_a_wrong_pin():
    with pytest.raises(RegistryError) as caught:
        Reference.parse("name@03")
    assert str(caught.value) == (
        "reference 'name@03': expected name, name@3, name@alias, name@sha256:<64 hex> or "
        "registry:name@…"
    )


def test_files():
    check_files(["README.md", "model.safetensors", "metrics/test.json", "a-b_c.D"])


@pytest.mark.parametrize(
    "path",
    [
        "", "/a", "a/", "a//b", "../a", "a/../b", "a/b/c", "./a", ".a", "a\\b", "C:a", "C:/a",
        "a\0", "a b", "nul", "NUL.txt", "a/con", "\u0430", "a" * 201, "%2e%2e/a", "-a", "a.",
        "\\\\h\\s\\x",
    ],
)  # fmt: skip
def test_hostile_files(path):
    with pytest.raises(RegistryError):
        check_files([path])


@pytest.mark.parametrize(
    ("paths", "what"),
    [
        (["a", "a/b"], "file 'a' has the name of a folder of other files"),
        (["A/b", "a"], "file 'a' has the name of a folder of other files"),
        (["a/b", "A/c"], "folders 'a' and 'A' differ only in case"),
    ],
)
def test_files_that_cannot_lie_side_by_side(paths, what):
    with pytest.raises(RegistryError) as caught:
        check_files(paths)
    assert str(caught.value) == what


def test_files_that_differ_in_case():
    with pytest.raises(RegistryError) as caught:
        check_files(["README.md", "readme.MD"])
    assert str(caught.value) == "files 'README.md' and 'readme.MD' differ only in case"
