"""A run's folder: its files, its state, and how runs are found.

recipe.toml         the resolved recipe: running it again gives the same run
run.json            what happened: status, task, preprocessing, data, environment, best epoch
events.jsonl        every event of the loop, as it came
best.safetensors    the weights of the best epoch; last.safetensors where the recipe wants these
checkpoints/        from which the run goes on
predictions/        what the network said about a split
metrics/            the figures computed from it
README.md           the card of the version last published from it
report.html         what zoo report wrote
"""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from zoo.errors import RunError, closest, did_you_mean, missing_path
from zoo.runs.naming import as_argument
from zoo.storage import commit
from zoo.storage.failures import storage_error

RUNS = Path("runs")
RECIPE, INFO, EVENTS, CARD = "recipe.toml", "run.json", "events.jsonl", "README.md"
CALIBRATION = "calibration"  # in run.json
RUNNING, FINISHED, FAILED, INTERRUPTED = "running", "finished", "failed", "interrupted"


@dataclass(frozen=True)
class RunFolder:
    path: Path

    @classmethod
    def create(cls, path: Path) -> RunFolder:
        """A new, empty folder. Raises :class:`RunError` when there is something already."""
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.mkdir()
        except FileExistsError:
            raise RunError(taken(path)) from None
        except OSError as error:
            raise storage_error("make the run folder", path, error) from error
        return cls(path)

    @classmethod
    def open(cls, path: Path) -> RunFolder:
        """An existing run. Raises :class:`RunError` when the folder is none."""
        if not is_run(path):
            raise RunError(_no_run(path))
        return cls(path)

    @property
    def info(self) -> dict[str, Any]:
        return _read_json(self.path / INFO)

    def update(self, **changes: Any) -> None:
        """Change some of ``run.json``, atomically."""
        info = self.info if (self.path / INFO).exists() else {}
        _write_json(self.path / INFO, {**info, **changes})

    def metrics(self, split: str = "test") -> dict[str, Any]:
        """What ``zoo eval`` measured. Raises :class:`RunError` when it has not."""
        path = self.metrics_path(split)
        if not path.is_file():
            raise RunError(
                f"run {str(self.path)!r} has not been evaluated on {split!r}; "
                f"type: zoo eval {as_argument(self.path)} --split {shlex.quote(split)}"
            )
        return _read_json(path)

    def metrics_path(self, name: str) -> Path:
        return self.path / "metrics" / f"{name}.json"

    def predictions_path(self, name: str) -> Path:
        return self.path / "predictions" / f"{name}.npz"

    def write_metrics(self, name: str, metrics: Mapping[str, Any]) -> None:
        commit.make_folder(self.metrics_path(name).parent)
        _write_json(self.metrics_path(name), metrics)


def taken(path: Path) -> str:
    other = (
        f"to go on with it type: zoo resume {as_argument(path)}" if is_run(path) else "remove it"
    )
    return f"run folder {str(path)!r} exists already; name another with --run, or {other}"


def list_runs(folder: Path = RUNS) -> list[RunFolder]:
    """The runs in a folder, oldest first; a damaged one is among them, and first."""
    if not folder.is_dir():
        return []
    found = [RunFolder(path.parent) for path in folder.glob(f"*/{INFO}")]
    return sorted(found, key=lambda run: (_created(run), run.path.name))


def _created(run: RunFolder) -> str:
    try:
        return str(run.info.get("created", ""))
    except RunError:
        return ""


def free_name(stem: str, folder: Path = RUNS) -> Path:
    """``runs/<stem>-1``, or the first number that is free."""
    number = 1
    while (folder / f"{stem}-{number}").exists():
        number += 1
    return folder / f"{stem}-{number}"


def is_run(path: Path) -> bool:
    try:
        return (path / INFO).exists()
    except (OSError, ValueError):  # no path: too long, or with a NUL
        return False


def named_run(reference: str) -> Path | None:
    """The run that a bare name means: the folder of that name here, or else in ``runs/``."""
    if Path(reference).name != reference:
        return None
    return next((path for path in (Path(reference), RUNS / reference) if is_run(path)), None)


def find_run(reference: str) -> RunFolder:
    """A run by its path, or by its name, here or in ``runs/``."""
    return RunFolder.open(named_run(reference) or Path(reference))


def near_run(name: str) -> str | None:
    """The name of a run, here or in ``runs/``, that is like ``name``."""
    return closest(name, [run.path.name for place in (Path(), RUNS) for run in list_runs(place)])


def _no_run(path: Path) -> str:
    """What is wrong with ``path``, and which run may be meant."""
    around = next((one for one in path.parents if is_run(one)), None)
    meant = "" if around is None else did_you_mean(str(around))
    try:
        if path.is_file():
            return f"run {str(path)!r} is a file; expected a run's folder{meant}"
        if path.is_dir():
            inside = f"; for the runs in it type: zoo runs list {as_argument(path)}"
            more = inside if list_runs(path) else meant
            return f"run {str(path)!r} holds no {INFO}: it is not a run's folder{more}"
    except OSError as error:
        return str(storage_error("open the run", path, error))
    if path.name == str(path):
        close = near_run(path.name)
    else:
        name = closest(path.name, [run.path.name for run in list_runs(path.parent)])
        close = None if name is None else str(path.parent / name)
    return missing_path("run", path) + ("" if close is None else did_you_mean(close))


def now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")


def _read_json(path: Path) -> dict[str, Any]:
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise RunError(f"{str(path)!r} cannot be read: {error}") from error
    if not isinstance(data, dict):
        raise RunError(f"{str(path)!r} holds no JSON object")
    return data


def _write_json(path: Path, data: Mapping[str, Any]) -> None:
    text = json.dumps(data, indent=1, sort_keys=True, allow_nan=False)
    commit.write(path, (text + "\n").encode())
