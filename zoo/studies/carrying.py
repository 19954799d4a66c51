"""One run of a study, from wherever it stands to its end: trained, gone on with, measured."""

from __future__ import annotations

import contextlib
import json
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from zoo.errors import PausedError, ZooError, reason
from zoo.runs import folder as folders
from zoo.runs.folder import RunFolder
from zoo.studies.collecting import measured_on

DONE, FAILED, DIVERGED, PAUSED, WAITING, PRUNED = (
    "done", "failed", "diverged", "paused", "waiting", "pruned",
)  # fmt: skip
_DIVERGED = "DivergedError: "  # how run.json says it
Tell = Callable[[Mapping[str, Any]], None]


@dataclass(frozen=True)
class Work:
    """``recipe``: whole, as plain data; ``folder``: the run's, there or not; ``splits``: those to
    be measured on; ``asks``: whether an epoch waits to hear that the run goes on."""

    key: str
    folder: str
    recipe: Mapping[str, Any]
    splits: tuple[str, ...]
    asks: bool = False

    def as_line(self) -> str:
        """For another process."""
        return json.dumps(asdict(self))

    @classmethod
    def of_line(cls, line: str) -> Work:
        data = json.loads(line)
        return cls(**{**data, "splits": tuple(data["splits"])})


@dataclass(frozen=True)
class Outcome:
    """``reason``: one line; empty for what is done. ``seconds``: that who carried it out took."""

    status: str
    reason: str = ""
    seconds: float = 0.0


class PrunedError(Exception):
    """Raised by who hears of an epoch, when the run is not worth more."""


def carry_out(work: Work, tell: Tell) -> Outcome:
    """Train or go on, then measure; what is finished is not done again. ``tell`` hears every event
    as JSON. Raises :class:`KeyboardInterrupt` when interrupted, with everything saved."""
    _count_memory_anew()
    path = Path(work.folder)
    said = standing(path)
    if said.status not in (DONE, DIVERGED):
        said = _trained(work, path, tell)
    if said.status in (DONE, DIVERGED):
        return _measured(path, work.splits, said, tell)
    return said


def standing(path: Path) -> Outcome:
    """How the training in a run's folder ended, by its ``run.json``."""
    if not folders.is_run(path):
        return Outcome(WAITING)
    try:
        info = RunFolder(path).info
    except ZooError as error:
        return Outcome(FAILED, f"{_line(error)}; to train it anew remove the folder")
    status, why = info.get("status"), str(info.get("reason") or "")
    if status == folders.FINISHED:
        return Outcome(DONE)
    if status == folders.FAILED and why.startswith(_DIVERGED):
        return Outcome(DIVERGED, why.removeprefix(_DIVERGED))
    if status == folders.FAILED:
        return Outcome(FAILED, why)
    return Outcome(PAUSED)


def has_weights(path: Path) -> bool:
    from zoo.runs.sources import has_weights

    return folders.is_run(path) and has_weights(RunFolder(path))


def missing_splits(path: Path, splits: Sequence[str]) -> list[str]:
    """Of ``splits``, those on which a trained run was not measured yet."""
    run = RunFolder(path)
    return [
        one for one in splits if not (measured_on(run, one) and run.predictions_path(one).is_file())
    ]


def _trained(work: Work, path: Path, tell: Tell) -> Outcome:
    from zoo.runs.resume import resume
    from zoo.runs.train import train
    from zoo.training.events import Event

    def heard(event: Event) -> None:
        tell(event.as_json())

    try:
        if folders.is_run(path):
            resume(path, subscribers=[heard])
        else:
            shutil.rmtree(path, ignore_errors=True)  # a kill before its first checkpoint
            train(dict(work.recipe), folder=path, subscribers=[heard])
    except PrunedError:
        RunFolder(path).update(status=folders.INTERRUPTED, reason="pruned")
        return Outcome(PRUNED)
    except ZooError as error:
        failed = standing(path)
        return failed if failed.status == DIVERGED else Outcome(FAILED, _line(error))
    except PausedError:
        raise
    except Exception as error:
        return Outcome(FAILED, reason(error))
    return standing(path)


def _measured(path: Path, splits: Sequence[str], said: Outcome, tell: Tell) -> Outcome:
    from zoo.runs.evaluate import evaluate

    if not has_weights(path):
        return said if said.status == DIVERGED else Outcome(FAILED, "no weights were kept")
    for split in missing_splits(path, splits):
        tell({"event": "measuring", "split": split})
        try:
            evaluate(path, split=split)
        except ZooError as error:
            if said.status != DIVERGED:
                return Outcome(FAILED, f"cannot be measured on {split!r}: {_line(error)}")
        except Exception as error:
            return Outcome(FAILED, f"cannot be measured on {split!r}: {reason(error)}")
    return said


def _line(error: ZooError) -> str:
    return str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__


def _count_memory_anew() -> None:
    """Linux only: else the process's peak is that of whichever of its runs took most."""
    with contextlib.suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5")
