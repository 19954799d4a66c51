"""What an ensemble's row says of images without labels, as a file for a challenge.

The file is written by the code of ``zoo predict``, once for the same members, rule, images and
options; a file beside it says of which it is.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from zoo.errors import ZooError
from zoo.plugins.catalog import catalog
from zoo.runs.asked_images import PATH, images_at
from zoo.runs.opening import dataset_folder
from zoo.storage import commit, strict_json
from zoo.studies.expanding import Row
from zoo.studies.schema import PredictSection

FOLDER = "submissions"
_SUFFIXES = {"csv": ".csv", "kaggle": ".csv", "json": ".jsonl"}
_BYTES = 1 << 16


class Submissions:
    """In a study's folder ``out``. ``key`` of a row: the digest of its members and rule."""

    def __init__(self, out: Path) -> None:
        self.out = out
        self._digests: dict[str, str] = {}
        self._failed: dict[str, str] = {}

    def make(self, row: Row, key: str, members: Sequence[Path], split: str) -> str | None:
        """Write it, if it is not there. Why not, where it cannot be."""
        assert row.predict is not None
        try:
            if self._known(row, key) is None:
                self._write(row, key, members, split)
        except ZooError as error:
            self._failed[row.predict.name] = str(error)
        return self._failed.get(row.predict.name)

    def says(self, row: Row, key: str) -> dict[str, Any]:
        """As results hold it."""
        assert row.predict is not None
        try:
            known = self._known(row, key)
        except ZooError as error:
            self._failed.setdefault(row.predict.name, str(error))
            known = None
        if known is None:
            why = self._failed.get(row.predict.name)
            return {"file": None, "images": None, "left_out": None, "reason": why}
        file = f"{FOLDER}/{_file(row.predict)}"
        counts = {name: known.get(name) for name in ("images", "left_out")}
        return {"file": file, **counts, "reason": None}

    def _write(self, row: Row, key: str, members: Sequence[Path], split: str) -> None:
        from zoo.data.device import choose_device
        from zoo.runs.answer_rows import Submission
        from zoo.runs.ensemble import ensemble
        from zoo.runs.ensemble_predictor import predictor_of
        from zoo.runs.predicting import predict_with

        assert row.predict is not None and row.ensemble is not None
        folder = self.out / FOLDER
        commit.make_folder(folder)
        beside = folder / f"{row.predict.name}.made"
        shutil.rmtree(beside, ignore_errors=True)
        try:
            made = ensemble(members, method=row.ensemble.rule, split=split, output=beside)
            answered = predict_with(
                predictor_of(made, choose_device("auto")),
                images_of(row),
                folder / _file(row.predict),
                format=row.predict.format,
                ids=row.predict.ids,
                columns=Submission(
                    row.predict.id_column, row.predict.label_column, row.predict.values
                ),
            )
        finally:
            shutil.rmtree(beside, ignore_errors=True)
        about = {"of": self._digest(row, key), "images": answered.images,
                 "left_out": len(answered.left_out)}  # fmt: skip
        commit.write(self._about(row.predict), strict_json.dumps(about))

    def _known(self, row: Row, key: str) -> Mapping[str, Any] | None:
        """What is known of the file; None where there is none, or one of something else."""
        assert row.predict is not None
        path = self._about(row.predict)
        digest = self._digest(row, key)
        if not (path.is_file() and (self.out / FOLDER / _file(row.predict)).is_file()):
            return None
        about = strict_json.loads(path.read_bytes(), f"{str(path)!r}", _BYTES)
        return about if isinstance(about, dict) and about.get("of") == digest else None

    def _about(self, predict: PredictSection) -> Path:
        return self.out / FOLDER / f"{predict.name}.json"

    def _digest(self, row: Row, key: str) -> str:
        """Of all that decides the file. Raises :class:`zoo.errors.DataError` without images."""
        assert row.predict is not None
        name = row.predict.name  # rows of one key may ask about other images
        if name not in self._digests:
            asked = images_at([images_of(row)], row.predict.ids or PATH)
            files = dict(zip(asked.ids, map(_mark, asked.files or ()), strict=True))
            about = [key, row.predict.model_dump(mode="json"), files]
            self._digests[name] = hashlib.sha256(json.dumps(about).encode()).hexdigest()
        return self._digests[name]


def images_of(row: Row) -> Path:
    """Relative to the folder of the dataset that the first member was trained on."""
    assert row.predict is not None
    dataset = row.members[0].recipe["dataset"]
    root = dataset_folder(catalog().get("dataset", dataset["name"]), dataset.get("root"))
    return (root or Path()) / row.predict.images


def _file(predict: PredictSection) -> str:
    return f"{predict.name}{_SUFFIXES[predict.format]}"


def _mark(path: Path) -> tuple[int, int] | None:
    try:
        status = path.stat()
    except OSError:  # it is left out, with a reason
        return None
    return status.st_size, status.st_mtime_ns
