"""Every way a command can end: its exit code, and what stands on stderr."""

from __future__ import annotations

import signal
import subprocess
import sys
import warnings
from collections.abc import Callable

import pytest
import typer
from zoo_cli import endings

from zoo.errors import DataError, RecipeError, ZooWarning

Start = Callable[..., subprocess.Popen[str]]
SLEEPER = (
    "import sys, time\n"
    "from zoo_cli import endings\n"
    "def command():\n"
    "    try:\n"
    "        print('ready', flush=True)\n"
    "        time.sleep(60)\n"
    "    finally:\n"
    "        print('tidied', flush=True)\n"
    "sys.exit(endings.run(command, debug=False))"
)


def ending(
    error: BaseException, capsys: pytest.CaptureFixture[str], *, debug: bool = False
) -> tuple[int, str]:
    def command() -> None:
        raise error

    code = endings.run(command, debug=debug)
    said = capsys.readouterr()
    assert said.out == ""
    return code, said.err


@pytest.mark.parametrize(
    ("error", "code", "said"),
    [
        (DataError("file 'x': no labels"), 1, "zoo: error: file 'x': no labels\n"),
        (DataError("two\nlines \x1b[2J"), 1, "zoo: error: two\\nlines \\x1b[2J\n"),
        (RecipeError(["a.toml:1: x", "a.toml:2: y"]), 1, "zoo: error: a.toml:1: x\na.toml:2: y\n"),
        (
            KeyError("x"),
            1,
            "zoo: error: unexpected KeyError: 'x'; this is a bug: run again with --debug for the "
            "traceback\n",
        ),
        (
            OSError("gone\n\x07second line"),
            1,
            "zoo: error: unexpected OSError: gone; this is a bug: run again with --debug for the "
            "traceback\n",
        ),
        (KeyboardInterrupt(), 130, "zoo: interrupted\n"),
        (typer.BadParameter("'x': expected y"), 2,
         "zoo: error: invalid value: 'x': expected y; see: zoo --help\n"),
        (typer.Abort(), 1, "zoo: aborted\n"),
        (typer.Exit(3), 3, ""),
    ],
)  # fmt: skip
def test_an_error_is_one_line_and_an_exit_code(
    error: BaseException, code: int, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert ending(error, capsys) == (code, said)


@pytest.mark.parametrize("error", [DataError("no labels"), KeyError("x"), KeyboardInterrupt()])
def test_debug_shows_the_traceback_and_ends_alike(
    error: BaseException, capsys: pytest.CaptureFixture[str]
) -> None:
    code, plain = ending(error, capsys)
    debug_code, said = ending(error, capsys, debug=True)
    assert debug_code == code
    assert said.startswith("Traceback (most recent call last)")
    assert said.endswith(plain)


def test_success_says_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    assert endings.run(lambda: None, debug=False) == 0
    assert capsys.readouterr() == ("", "")


def test_only_zoos_own_warnings_take_its_form(capsys: pytest.CaptureFixture[str]) -> None:
    def command() -> None:
        warnings.warn("a plugin\x1b is missing", ZooWarning, stacklevel=1)
        warnings.warn("something of torch's", UserWarning, stacklevel=1)

    with warnings.catch_warnings(record=True) as others:
        warnings.simplefilter("always")
        assert endings.run(command, debug=False) == 0
    assert capsys.readouterr().err == "zoo: warning: a plugin\\x1b is missing\n"
    assert [str(one.message) for one in others] == ["something of torch's"]


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such signals")
@pytest.mark.parametrize(
    ("number", "code", "said"),
    [
        (signal.SIGINT, 130, "zoo: interrupted\n"),
        (signal.SIGTERM, 143, "zoo: terminated\n"),
    ],
)
def test_a_signal_ends_in_one_line_after_tidying_up(
    number: signal.Signals, code: int, said: str, start: Start
) -> None:
    with start(SLEEPER) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        process.send_signal(number)
        out, err = process.communicate(timeout=30)
    assert (process.returncode, out, err) == (code, "tidied\n", said)


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such signals")
def test_without_the_handler_a_termination_would_tidy_nothing(start: Start) -> None:
    """The negative control: Python's own way with SIGTERM runs no ``finally``."""
    with start(SLEEPER.replace("endings.run(command, debug=False)", "command()")) as process:
        assert process.stdout is not None
        process.stdout.readline()
        process.terminate()
        out, _ = process.communicate(timeout=30)
    assert (process.returncode, out) == (-signal.SIGTERM, "")


def test_the_handlers_are_gone_afterwards() -> None:
    before = signal.getsignal(signal.SIGTERM)
    endings.run(lambda: None, debug=False)
    assert signal.getsignal(signal.SIGTERM) is before


@pytest.mark.skipif(sys.platform == "win32", reason="pipes break in another way there")
def test_a_reader_that_has_gone_is_met_with_silence(start: Start) -> None:
    code = (
        "import sys\n"
        "from zoo_cli import endings\n"
        "def command():\n"
        "    while True: print('x' * 1000)\n"
        "sys.exit(endings.run(command, debug=False))"
    )
    with start(code) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.readline()
        process.stdout.close()
        assert process.stderr.read() == ""
    assert process.returncode == 141
