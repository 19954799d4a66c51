"""Runs as they lie on disk, made up in milliseconds: nothing is trained.

Shapes: N samples, K classes, H by W pixels.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import tomli_w

import zoo
from zoo.data.splits import ids_fingerprint
from zoo.predictions import metrics
from zoo.predictions.archive import Heading
from zoo.predictions.file import Predictions
from zoo.predictions.intervals import Plan
from zoo.predictions.masks import MaskChunk, MaskPredictions
from zoo.predictions.own_masks import MaskPair
from zoo.runs.folder import RunFolder

SCRIPT = "<script>document.title='pwned'</script>"
IMAGE = "<img src=x onerror=\"document.title='pwned'\">"
QUICK = Plan(draws=200)
WEIGHTS = b"not looked at"
SIDE = 12  # pixels of an image
DATASETS: dict[str, zoo.Dataset] = {}  # what the plugin of the tests gives, by name


def names(classes: int) -> list[str]:
    """Some of them long."""
    long = ["cancer-associated stroma", "colorectal adenocarcinoma epithelium", "normal mucosa"]
    return [long[k] if k < len(long) and classes > 3 else f"class {k}" for k in range(classes)]


def task_of(kind: str, classes: list[str]) -> zoo.Task:
    if kind == "binary":
        return zoo.Task.binary(classes, positive=classes[1])
    if kind == "segmentation":
        positive = classes[1] if len(classes) == 2 else None
        return zoo.Task.segmentation(classes, positive=positive)
    return zoo.Task.multilabel(classes) if kind == "multilabel" else zoo.Task.multiclass(classes)


def planted(
    path: Path,
    kind: str = "multiclass",
    *,
    classes: list[str] | None = None,
    samples: int = 120,
    epochs: int = 4,
    labelled: bool = True,
    ids: list[str] | None = None,
    seed: int = 0,
    intervals: bool = True,
    **info: Any,
) -> RunFolder:
    """A finished run on the dataset ``made``, evaluated on test. ``info``: changes of run.json."""
    classes = classes or names(2 if kind in ("binary", "segmentation") else 3)
    task = task_of(kind, classes)
    path.mkdir(parents=True)
    run = RunFolder(path)
    (path / "best.safetensors").write_bytes(WEIGHTS)
    ids = ids or [f"s{k:04d}" for k in range(samples)]
    dataset = _dataset(task, ids, seed, labelled=labelled)
    DATASETS["made"] = dataset
    _write_recipe(path)
    _write_info(run, task, dataset, epochs, info)
    _write_events(path, task, epochs)
    said = _said(run, task, dataset, seed)
    if labelled:
        written = metrics.evaluate(said, QUICK if intervals else None)
        digest = hashlib.sha256(WEIGHTS).hexdigest()
        prints = {"fingerprint": said.fingerprint, "content": said.content}
        run.write_metrics("test", {**written, "weights_sha256": digest, **prints})
    return run


def _dataset(task: zoo.Task, ids: list[str], seed: int, *, labelled: bool) -> zoo.Dataset:
    rng = np.random.default_rng(seed)
    images = rng.integers(0, 256, (len(ids), SIDE, SIDE + 4), dtype=np.uint8)
    masks = labels = None
    if task.kind == "segmentation":
        masks = rng.integers(0, len(task.classes), images.shape).astype(np.uint8)
        masks[:, 0, 0] = 255
    elif task.kind == "multilabel":
        labels = (rng.random((len(ids), len(task.classes))) < 0.4).astype(np.uint8)
    else:
        labels = (np.arange(len(ids)) % len(task.classes)).astype(np.int64)
    few = np.arange(6) % len(ids)
    train = zoo.ArraySplit(
        images[few], None if labels is None else labels[few], [f"t{k}" for k in range(6)],
        masks=None if masks is None else masks[few],
    )  # fmt: skip
    test = zoo.ArraySplit(images, labels if labelled else None, ids, masks=masks)
    splits = {"train": train, "val": replace(train, ids=[f"v{k}" for k in range(6)]), "test": test}
    return zoo.Dataset(task, splits, zoo.Provenance("mit", "somebody, 2020"))


def _write_recipe(path: Path) -> None:
    recipe = {
        "dataset": {"name": "made", "root": "/home/alice/data"},
        "architecture": {"name": "linear"},
        "optimizer": {"name": "adam", "lr": 0.01},
        "training": {"epochs": 4, "device": "cpu"},
        "trackers": [{"name": "wandb", "api_key": "hf_0123456789abcdefghijABCDEF"}],
        "transfer": {"init": "/home/alice/weights.safetensors"},
    }
    (path / "recipe.toml").write_text(tomli_w.dumps(recipe))


def _write_info(
    run: RunFolder, task: zoo.Task, dataset: zoo.Dataset, epochs: int, info: dict[str, Any]
) -> None:
    splits = {
        name: {"samples": len(split), "fingerprint": ids_fingerprint(split)}
        for name, split in dataset.splits.items()
    }
    count = [2 * k + 3 for k in range(len(task.classes))]
    shares = {name: {"count": count[k], "share": count[k] / sum(count)}
              for k, name in enumerate(task.classes)}  # fmt: skip
    run.update(**{
        "format": 1, "status": "finished", "reason": "epochs", "architecture": "linear",
        "dataset": "made", "weights": "best", "created": "2026-01-02T03:04:05+00:00",
        "ended": "2026-01-02T03:05:05+00:00", "seconds": 60.0, "epochs_done": epochs,
        "task": task.as_json(), "class_shares": shares,
        "best": {"epoch": 2, "metrics": {"loss": 0.25, "accuracy": 0.75}},
        "data": {"dataset": "made", "fingerprint": "ab" * 32, "splits": splits,
                 "licence": "mit", "citation": "somebody, 2020"},
        "preprocessing": {"size": [SIDE, SIDE + 4], "channels": 1, "store_size": None,
                          "fit": "stretch", "mean": [0.5], "std": [0.25], "resize": "bilinear",
                          "center_crop": False},
        "plugin": {"distribution": "zoo-fake", "version": "1.2", "entry": "fake",
                   "libraries": {"numpy": "2.0"}},
        "environment": {"python": "3.11.7", "device": "cpu (x86_64)", "threads": 1, "timm": None},
        **info,
    })  # fmt: skip


def _write_events(path: Path, task: zoo.Task, epochs: int) -> None:
    figures = ("dice", "iou") if task.kind == "segmentation" else ("accuracy", "balanced_accuracy")
    lines: list[dict[str, Any]] = [
        {"event": "notice", "text": "hello"},
        {"event": "training_started", "epochs": epochs, "steps_per_epoch": 10, "parameters": 1234,
         "samples_per_epoch": 100, "device": "cpu", "figure": figures[0]},
    ]  # fmt: skip
    for epoch in range(1, epochs + 1):
        lines += [{"event": "steps_done", "epoch": epoch, "steps": 5 * k, "samples": 50 * k,
                   "seconds": 0.5 * k, "loss": 1.0} for k in (1, 2)]  # fmt: skip
        train = {"loss": 1 / epoch, **dict.fromkeys(figures, 1 - 0.5 / epoch)}
        val = {"loss": 1.2 / epoch, **dict.fromkeys(figures, 1 - 0.6 / epoch)}
        lines.append({"event": "epoch_ended", "epoch": epoch, "train": train, "val": val,
                      "learning_rate": 0.01 / epoch, "seconds": 1.0, "samples_per_second": 100.0,
                      "improved": epoch <= 2, "dropped": 0, "memory": 10**8})  # fmt: skip
    lines.append({"event": "training_ended", "reason": "epochs", "epochs": epochs, "seconds": 60.0,
                  "best_epoch": 2, "best_value": 0.7, "monitor": "val/loss",
                  "steps": 10 * epochs})  # fmt: skip
    text = "".join(json.dumps(line) + "\n" for line in lines)
    (path / "events.jsonl").write_text(text + '{"event": "epoch_ended", "epoch": 9')


def _said(
    run: RunFolder, task: zoo.Task, dataset: zoo.Dataset, seed: int
) -> Predictions | MaskPredictions:
    split = dataset.splits["test"]
    heading = Heading(
        task, "made", "test", ids_fingerprint(split), "cd" * 32, run.path.name,
        source_digest=hashlib.sha256(WEIGHTS).hexdigest(),
    )  # fmt: skip
    path = run.predictions_path("test")
    path.parent.mkdir()
    rng = np.random.default_rng(seed + 1)
    if task.kind == "segmentation":
        return _said_of_masks(path, heading, split, rng)
    said = _said_of_classes(heading, split, rng)
    said.save(path)
    return said


def _said_of_classes(heading: Heading, split: Any, rng: np.random.Generator) -> Predictions:
    task, labels = heading.task, split.labels
    several = task.kind == "multilabel"
    rows, classes = len(split.ids), len(task.classes)
    truth = rng.integers(0, 2, (rows, classes)) if labels is None else (
        labels if several else labels[:, None] == np.arange(classes)
    )  # fmt: skip
    scores = 2.5 * (np.asarray(truth) - 0.5) + rng.normal(0, 1.2, truth.shape)
    if task.kind == "binary":
        logits = scores[:, task.positive_index : task.positive_index + 1]
        one = 1 / (1 + np.exp(-logits))
        sure = np.concatenate([1 - one, one] if task.positive_index == 1 else [one, 1 - one], 1)
        decided = (one[:, 0] > task.threshold) == (task.positive_index == 1)
    elif several:
        logits, sure = scores, 1 / (1 + np.exp(-scores))
        decided = sure > task.threshold
    else:
        logits = scores
        sure = np.exp(scores) / np.exp(scores).sum(1, keepdims=True)
        decided = sure.argmax(1)
    return Predictions(
        **heading.heading(),
        ids=np.asarray(split.ids),
        logits=logits.astype(np.float32),
        probabilities=sure.astype(np.float32),
        targets=labels,
        decisions=decided.astype(np.int64),
    )


def _said_of_masks(
    path: Path, heading: Heading, split: Any, rng: np.random.Generator
) -> MaskPredictions:
    task, masks = heading.task, split.masks
    planes = 1 if task.positive is not None else len(task.classes)
    decided = np.where(masks == 255, 0, masks)
    # From image to image more is wrong.
    wrong = rng.random(masks.shape) < np.linspace(0, 0.6, len(masks))[:, None, None]
    decided = np.where(wrong, (decided + 1) % len(task.classes), decided).astype(np.uint8)
    sure = rng.integers(128, 256, (len(masks), planes, *masks.shape[1:])).astype(np.uint8)
    if planes == 1:
        sure[:, 0] = np.where(decided == task.positive_index, sure[:, 0], 255 - sure[:, 0])
    own = [MaskPair(one, mask) for one, mask in zip(decided, masks, strict=True)]
    chunks = [
        MaskChunk(sure[at : at + 5], decided[at : at + 5], masks[at : at + 5], own[at : at + 5])
        for at in range(0, len(masks), 5)
    ]
    preprocessing = {"fit": "stretch"}
    return MaskPredictions.write(path, heading, split.ids, chunks, preprocessing=preprocessing)
