"""``events.jsonl`` and ``run.json`` of a folder that a stranger may have made."""

import json

import pytest
from resumable import kill, told
from rich.console import Console

import zoo
from zoo.runs import log
from zoo.runs.progress import TerminalProgress
from zoo.training import events
from zoo.training.position import Position


@pytest.fixture
def run(here):
    return kill(here / "runs/killed", 7)


LINES = [
    "[" * 100_000,
    '{"event": "steps_done", "epoch": 2, "steps": "x"}',
    '{"event": "steps_done", "epoch": 2, "steps": [1]}',
    '{"event": "epoch_ended", "epoch": true}',
    '{"event": ["a"], "epoch": "1"}',
    '{"event": "epoch_ended", "epoch": ' + "9" * 5000 + "}",
    "\x00\x1b[31m",
    "3",
]


def test_lines_of_a_log_that_nobody_can_have_written(run):
    path = run.path / "events.jsonl"
    path.write_text("\n".join([*LINES, path.read_text()]))
    zoo.resume(run.path)
    assert [line["epoch"] for line in told(run, "epoch_ended") if line["epoch"] is not True] == [
        1, 2, 3,
    ]  # fmt: skip


@pytest.mark.parametrize("line", LINES)
def test_each_line_is_read_alone(line, tmp_path):
    path = tmp_path / "events.jsonl"
    path.write_text(f'{line}\n{{"event": "epoch_ended", "epoch": 1}}\n')
    with log.event_log(path) as written:
        written.rewind(Position(epoch=2))
    assert json.loads(path.read_text().splitlines()[-1])["epoch"] == 1


def test_versions_in_run_json_cannot_write_on_the_terminal(run):
    environment = {**run.info["environment"], "torch": "x\n\x1b[31mzoo: evil" + "y" * 1000}
    run.update(environment=environment)
    console = Console(record=True, width=100)
    seen = []
    with TerminalProgress(console) as progress:
        zoo.resume(run.path, subscribers=[progress, seen.append])
    lines = [line for line in console.export_text().splitlines() if "evil" in line]
    (line,) = lines
    assert line.startswith("note: torch is ") and "\x1b" not in line and len(line) < 150
    texts = [one.text for one in seen if isinstance(one, events.Notice)]
    (text,) = (one for one in texts if one.startswith("torch is "))
    assert "\\x1b[31mzoo: evil" in text


def test_a_notice_is_one_line_whoever_wrote_it():
    console = Console(record=True, width=100)
    TerminalProgress(console)(events.Notice("a\nzoo: error: \x1b[31mb"))
    assert console.export_text() == "note: a\\nzoo: error: \\x1b[31mb\n"
