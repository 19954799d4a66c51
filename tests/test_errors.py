"""What a message looks like, whatever a stranger's text in it."""

import pytest

from zoo.errors import LINE, ProblemsError, ZooError, clipped


@pytest.mark.parametrize("kind", [ZooError, lambda text: ProblemsError([text])])
def test_a_message_has_an_end(kind):
    text = str(kind("model " + "\x1b" * 1_000_000 + "; type: zoo models list"))
    assert text.startswith("model \\x1b\\x1b")
    assert text.endswith("\\x1b; type: zoo models list")
    assert " … " in text and text.isprintable() and LINE - 10 < len(text) <= LINE
    assert str(kind("short\n")) == "short\\n"


def test_problems_stand_on_lines_of_their_own():
    assert str(ProblemsError(["a\nb", "c"])) == "a\\nb\nc"


def test_clipped():
    assert clipped("é" * 60) == "é" * 60
    assert clipped("abcdefghijklm", 12) == "abcd … jklm"
    assert clipped("\0" * 20, 12) == "\\x00 … \\x00"
