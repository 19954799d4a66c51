import string
import tomllib

import pytest
import tomli_w
from hypothesis import given, settings
from hypothesis import strategies as st

from zoo.recipes.positions import MAX_DEPTH, MAX_KEYS, RefusedError, find_positions

NASTY = '''\
# [not.a.table]
top = 1
"quoted key" = "a # no comment, = no key"
'lit.eral' = 'c:\\'
a.b . "c d" = 2020-01-01 07:32:00Z

[ table ]  # after a header
text = """
[no]
no = "x"
quoted = \\"""
ends in two quotes"""""
raw = \'\'\'
no = 1
ends in one quote\'\'\'\'
items = [ # comment ]
  1, "]", [2, 3],
  { deep = [1,
    { deeper = "}" }] },
]
inline = { x = 1, y.z = "," , "]" = [] }
after = inf

[[list]]
name = "first"
[list.below]
key = true
[[list]]
name = "second"
[[list.inner]]
k = 0xff
[[list.inner]]
k = +1_000.5e-3
["list".'inner'.deep]
k = ""
'''
EXPECTED = {
    ("top",): 2,
    ("quoted key",): 3,
    ("lit.eral",): 4,
    ("a",): 5,
    ("a", "b"): 5,
    ("a", "b", "c d"): 5,
    ("table",): 7,
    ("table", "text"): 8,
    ("table", "raw"): 13,
    ("table", "items"): 16,
    ("table", "items", 3): 18,
    ("table", "items", 3, "deep"): 18,
    ("table", "items", 3, "deep", 1): 19,
    ("table", "items", 3, "deep", 1, "deeper"): 19,
    ("table", "inline"): 21,
    ("table", "inline", "x"): 21,
    ("table", "inline", "y"): 21,
    ("table", "inline", "y", "z"): 21,
    ("table", "inline", "]"): 21,
    ("table", "after"): 22,
    ("list",): 24,
    ("list", 0): 24,
    ("list", 0, "name"): 25,
    ("list", 0, "below"): 26,
    ("list", 0, "below", "key"): 27,
    ("list", 1): 28,
    ("list", 1, "name"): 29,
    ("list", 1, "inner"): 30,
    ("list", 1, "inner", 0): 30,
    ("list", 1, "inner", 0, "k"): 31,
    ("list", 1, "inner", 1): 32,
    ("list", 1, "inner", 1, "k"): 33,
    ("list", 1, "inner", 1, "deep"): 34,
    ("list", 1, "inner", 1, "deep", "k"): 35,
}


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_every_key_of_a_nasty_file_is_found_on_its_line(newline):
    text = NASTY.replace("\n", newline)
    tomllib.loads(text)
    found = find_positions(text)
    assert found.lines == EXPECTED
    assert found.repeats == []


def keys_of(value, path=()):
    """The path of every key, and of every list item that is a table."""
    if isinstance(value, dict):
        for key, item in value.items():
            yield (*path, key)
            yield from keys_of(item, (*path, key))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            if isinstance(item, dict):
                yield (*path, index)
            yield from keys_of(item, (*path, index))


SCALARS = st.one_of(
    st.booleans(), st.integers(-(2**63), 2**63 - 1), st.floats(allow_nan=False), st.dates(),
    st.datetimes(), st.text(st.characters(codec="utf-8"), max_size=20),
)  # fmt: skip
KEYS = st.text(st.characters(codec="utf-8"), max_size=6)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=4),
    max_leaves=12,
)


@settings(deadline=None, max_examples=150)
@given(data=st.dictionaries(KEYS, VALUES, max_size=4), multiline=st.booleans())
def test_what_tomllib_reads_the_scanner_has_placed(data, multiline):
    text = tomli_w.dumps(data, multiline_strings=multiline)
    lines = find_positions(text).lines
    keys = set(keys_of(tomllib.loads(text)))
    assert {key[:length] for key in keys for length in range(1, len(key) + 1)} == set(lines)
    last = text.count("\n") + 1
    assert all(1 <= line <= last for line in lines.values())


BITS = st.sampled_from(
    ["[", "]", "[[", "]]", "{", "}", "=", ".", ",", '"', "'", '"""', "'''", "\\", "#", "\n",
     "\r\n", " ", "a", "b", "1", "true", "é", "\x00"]
)  # fmt: skip


@settings(deadline=None, max_examples=300)
@given(st.lists(BITS, max_size=30).map("".join))
def test_any_text_is_scanned_and_valid_toml_completely(text):
    lines = find_positions(text).lines
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        return
    assert set(keys_of(data)) <= set(lines)


@pytest.mark.parametrize(
    ("text", "line", "what"),
    [
        ("\na = " + "[" * 100_000, 2, f"nested more than {MAX_DEPTH} deep"),
        ("a = " + "{b=" * 100_000, 1, f"nested more than {MAX_DEPTH} deep"),
        (".".join("a" * 100_000) + " = 1", 1, f"a key of more than {MAX_DEPTH} parts"),
        ("x = 1\n[" + ".".join("a" * 100_000) + "]", 2, f"a key of more than {MAX_DEPTH} parts"),
        ("a = " + "9" * 4301, 1, "a value of 4301 characters, without quotes"),
        ("".join(f"k{i} = 1\n" for i in range(2000)), MAX_KEYS + 1, f"more than {MAX_KEYS} keys"),
    ],
    ids=["lists", "tables", "dotted", "header", "number", "keys"],
)
def test_what_would_cost_tomllib_its_stack_is_refused_first(text, line, what):
    with pytest.raises(RefusedError) as caught:
        find_positions(text)
    assert (caught.value.line, caught.value.what) == (line, what)


def test_as_much_as_is_allowed_is_let_through():
    depth = MAX_DEPTH - 1
    text = "a = " + "[" * depth + "]" * depth
    assert find_positions(text).lines == {("a",): 1}
    keys = "".join(f"{a}{b} = 1\n" for a in string.ascii_letters for b in string.digits)
    assert len(find_positions(keys).lines) == 520


def test_long_text_takes_time_in_proportion():
    body = 'x\\"""' * 150_000
    assert find_positions(f'a = """{body}"""\nb = 1').lines == {("a",): 1, ("b",): 2}
