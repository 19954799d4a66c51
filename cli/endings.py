"""How a command ends: every failure as an exit code and one line on stderr."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import sys
import threading
import traceback
import warnings
from collections.abc import Callable, Iterator
from typing import Any, TextIO

import typer

from zoo.errors import PausedError, ToldError, ZooError, ZooWarning, nearest, printable, reason
from zoo.runs.launch import tell_launcher

# The errors of click, which typer brings inside itself since 0.26 and keeps private: they stand
# where the one that typer makes public does.
_CLICK: Any = sys.modules[typer.BadParameter.__module__]
ClickException: Any = _CLICK.ClickException
UsageError: Any = _CLICK.UsageError
NoSuchOption: Any = _CLICK.NoSuchOption
NoArgsIsHelpError: Any = _CLICK.NoArgsIsHelpError

OK, FAILED, USAGE, BROKEN_PIPE, INTERRUPTED, TERMINATED = 0, 1, 2, 141, 130, 143


class Terminated(KeyboardInterrupt):
    """SIGTERM came. A KeyboardInterrupt, so that code which lets that one through lets this."""


def run(command: Callable[[], None], *, debug: bool) -> int:
    """Carry out ``command`` and return the exit code. With ``debug``, tracebacks are shown."""
    try:
        with _terminable(), _own_warnings():
            command()
            sys.stdout.flush()
    except typer.Exit as exit_:
        return exit_.exit_code
    except NoArgsIsHelpError as help_:
        typer.echo(help_.format_message())
        return OK
    except BrokenPipeError:
        # Python flushes stdout once more on its way out; let that go nowhere.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return BROKEN_PIPE
    except (Exception, KeyboardInterrupt) as error:
        if debug and not isinstance(error, ClickException):
            traceback.print_exc()
        code, lines = _ending(error)
        for line in lines:
            print(line, file=sys.stderr)
        if code == FAILED and lines:
            tell_launcher(lines[0])
        return code
    return OK


def _ending(error: BaseException) -> tuple[int, list[str]]:
    """The exit code and the lines for ``error``."""
    match error:
        case PausedError():
            ended = "terminated" if error.signal == signal.SIGTERM else "interrupted"
            return 128 + error.signal, [f"zoo: {ended}; {error}"] if str(error) else []
        case ToldError():
            return FAILED, []
        case Terminated():
            return TERMINATED, ["zoo: terminated"]
        case KeyboardInterrupt():
            return INTERRUPTED, ["zoo: interrupted"]
        case UsageError():
            return USAGE, [f"zoo: error: {_usage(error)}"]
        case ClickException():
            return FAILED, [f"zoo: error: {_sentence(error)}"]
        case typer.Abort():
            return FAILED, ["zoo: aborted"]
        case ZooError():
            # A recipe's problems stand on lines of their own, already printable.
            return FAILED, f"zoo: error: {error}".split("\n")
        case _:
            return FAILED, [
                f"zoo: error: unexpected {printable(reason(error))}; "
                f"this is a bug: run again with --debug for the traceback"
            ]


def _usage(error: UsageError) -> str:
    path = error.ctx.command_path if error.ctx else "zoo"
    return f"{_sentence(error)}; see: {path} --help"


def _sentence(error: ClickException) -> str:
    if isinstance(error, NoSuchOption):
        near = nearest(error.option_name, error.possibilities or ())
        return f"no such option {error.option_name!r}{near}"
    text = printable(" ".join(error.format_message().split()))
    text = re.sub(r"\. Did you mean (.+\?)$", r" (did you mean \1)", text)
    return text[:1].lower() + text[1:].removesuffix(".")


@contextlib.contextmanager
def _terminable() -> Iterator[None]:
    """Turn SIGTERM into an exception, so that unfinished files are cleaned up."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def stop(number: int, frame: Any) -> None:
        raise Terminated

    before = signal.signal(signal.SIGTERM, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


@contextlib.contextmanager
def _own_warnings() -> Iterator[None]:
    """Print zoo's own warnings as one line each; others keep Python's form."""
    with warnings.catch_warnings():
        others = warnings.showwarning

        def show(
            message: Warning | str,
            category: type[Warning],
            filename: str,
            lineno: int,
            file: TextIO | None = None,
            line: str | None = None,
        ) -> None:
            if issubclass(category, ZooWarning):
                print(f"zoo: warning: {printable(str(message))}", file=sys.stderr)
            else:
                others(message, category, filename, lineno, file, line)

        warnings.showwarning = show
        yield
