"""Tables, fields and JSON as they reach stdout."""

from __future__ import annotations

import json
import sys

import pytest
from zoo_cli import tables

ROWS = [("resnet18", 11.5, 3, True), ("a\x1b[2J[red]", None, 12, False)]
COLUMNS = ("name", "size", "n", "ok")
Capture = pytest.CaptureFixture[str]


def test_a_piped_table_is_aligned_text(capsys: Capture) -> None:
    tables.show_table(COLUMNS, ROWS, empty="none")
    assert capsys.readouterr().out == (
        "NAME           SIZE   N  OK\nresnet18       11.5   3  yes\na\\x1b[2J[red]     -  12  no\n"
    )


def test_columns_and_what_is_said_of_none_may_be_a_strangers(capsys: Capture) -> None:
    for named, shown in ((True, "x\\x1b[2J"), (False, "X\\X1B[2J")):
        tables.show_table(("x\x1b[2J", "n"), [("a", 1)], empty="none", named=named)
        assert capsys.readouterr().out.split()[0] == shown
    tables.show_table(("x",), [], empty="x\x1b[2J: none")
    assert capsys.readouterr() == ("", "x\\x1b[2J: none\n")


def test_no_rows_leave_stdout_empty(capsys: Capture) -> None:
    tables.show_table(COLUMNS, [], empty="no models; publish one")
    assert capsys.readouterr() == ("", "no models; publish one\n")


def test_a_terminal_gets_a_drawn_table_without_markup_or_control_characters(
    capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    monkeypatch.setenv("COLUMNS", "60")
    monkeypatch.setenv("TERM", "xterm")
    long = "a summary of many words that does not fit on one line of the terminal"
    tables.show_table((*COLUMNS, "summary"), [(*row, long) for row in ROWS], empty="none")
    out = capsys.readouterr().out
    assert "resnet18" in out
    assert "a\\x1b[2J[red]" in out
    assert "\x1b[2J" not in out
    assert "terminal" in out


def test_fields_leave_out_what_has_no_value(capsys: Capture) -> None:
    tables.show_fields({"name": "x\n", "tasks": ["a", "b"], "source": "", "files": None, "n": 0})
    assert capsys.readouterr().out == "name   x\\n\ntasks  a, b\nn      0\n"


def test_json_is_valid_whatever_the_figures(capsys: Capture) -> None:
    tables.show_json({"a": [1.5, float("nan")], "b": {"c": float("-inf")}, "d": ("\x1b", "é")})
    out = capsys.readouterr().out
    assert json.loads(out) == {"a": [1.5, None], "b": {"c": None}, "d": ["\x1b", "é"]}
    assert out.isascii()
    assert "\x1b" not in out


def test_a_long_table_on_a_terminal_is_a_line_a_row_as_wide_as_it(
    capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    monkeypatch.setenv("COLUMNS", "20")
    rows = [(f"name-{i:03}", "what it is for, at length") for i in range(300)]
    tables.show_table(("name", "summary"), rows, empty="none")
    lines = capsys.readouterr().out.splitlines()
    assert (len(lines), lines[1]) == (301, "name-000  what it is")
    monkeypatch.setenv("COLUMNS", "4")
    tables.show_table(("name", "summary"), rows, empty="none")
    assert capsys.readouterr().out.splitlines()[1] == "name-000"
