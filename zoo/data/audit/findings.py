"""What an audit says: findings of known kinds, each an error or a notice, and a summary."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

ERROR, NOTICE = "error", "notice"


class Kind(NamedTuple):
    """``error``: training on it would be wrong. ``advice``: what to do about it."""

    severity: str
    title: str
    advice: str


KINDS: Mapping[str, Kind] = {
    # What is decoded.
    "missing_file": Kind(ERROR, "file missing", "put the file back or take it off the list"),
    "empty_file": Kind(ERROR, "empty file", "get the file again"),
    "not_an_image": Kind(ERROR, "web page named as an image", "the download failed; get it again"),
    "oversized": Kind(ERROR, "too large to be decoded safely", "shrink it, or leave it out"),
    "truncated": Kind(ERROR, "truncated file", "get the file again"),
    "undecodable": Kind(ERROR, "not decodable", "get the file again, or leave it out"),
    "animation": Kind(ERROR, "animation", "save the frame that is meant as an image of its own"),
    "float_image": Kind(ERROR, "image of floats", "save it with 8 or 16 bits: a range is needed"),
    "unusable": Kind(ERROR, "pixels of no use", "expected uint8 with 1 or 3 channels"),
    "blank": Kind(NOTICE, "blank image", "every pixel is the same; look whether that is meant"),
    # Lists and labels.
    "empty_split": Kind(ERROR, "empty split", "give the split some samples"),
    "lengths": Kind(ERROR, "lists of different length", "one id, label and group for each image"),
    "duplicate_id": Kind(ERROR, "id stands twice", "an id names one sample, in one split"),
    "label_outside": Kind(ERROR, "label outside the classes", "correct the label or the classes"),
    "no_labels": Kind(ERROR, "nothing to learn", "training needs labels"),
    "never_trained": Kind(ERROR, "class absent from train", "it is in another split; divide anew"),
    "one_class": Kind(ERROR, "one class only", "training needs samples of at least two"),
    "group_straddles": Kind(ERROR, "group in several splits", "keep a group in one split"),
    "class_absent": Kind(NOTICE, "class without samples", "its figures will be undefined there"),
    "imbalance": Kind(
        NOTICE, "classes of unequal size", "see the sampler 'weighted', balanced loss"
    ),
    "unlabeled": Kind(NOTICE, "no labels", "predictions can be made, figures cannot"),
    # The same picture twice.
    "leak": Kind(ERROR, "same image in several splits", "leave it in one: it flatters the figures"),
    "conflict": Kind(ERROR, "same image, other label", "one of the labels is wrong"),
    "duplicate": Kind(NOTICE, "same image twice in a split", "it counts twice"),
    "mask_conflict": Kind(
        NOTICE, "same image, other mask", "one may be wrong, or a second reading"
    ),
    "near_leak": Kind(
        NOTICE, "nearly the same image in several splits", "look whether it is a copy"
    ),
    "near_duplicate": Kind(NOTICE, "nearly the same image twice in a split", "may be a copy"),
    # Masks.
    "mask_missing": Kind(ERROR, "mask missing", "every image needs its mask"),
    "mask_undecodable": Kind(ERROR, "mask not decodable", "get the file again"),
    "mask_size": Kind(ERROR, "mask of another size", "a mask has a value for each pixel"),
    "mask_values": Kind(
        ERROR, "mask values outside the classes", "expected class ids, or 0 and 255"
    ),
    "mask_gray": Kind(NOTICE, "mask with values in between", "foreground is what is above 127"),
    "mask_empty": Kind(NOTICE, "empty mask", "nothing but background or what is ignored"),
    # What else is known.
    "stale_store": Kind(
        ERROR, "decoded store out of date", "type: zoo data cache --verify --clear"
    ),
    "note": Kind(NOTICE, "the dataset says", ""),
}


@dataclass(frozen=True)
class Finding:
    """``ids``: the samples concerned, one or, where they belong together, several; ``split``: where
    they are (``train, val``). ``places``: (split, index) of those samples, for looking at them."""

    kind: str
    severity: str
    split: str
    ids: tuple[str, ...]
    message: str
    places: tuple[tuple[str, int], ...] = field(default=(), repr=False, compare=False)

    @property
    def title(self) -> str:
        return KINDS[self.kind].title

    def as_json(self) -> dict[str, Any]:
        return {
            "kind": self.kind,
            "severity": self.severity,
            "split": self.split,
            "ids": list(self.ids),
            "message": self.message,
        }


def finding(
    kind: str,
    split: str,
    message: str,
    ids: Sequence[str] = (),
    places: Sequence[tuple[str, int]] = (),
) -> Finding:
    return Finding(kind, KINDS[kind].severity, split, tuple(ids), message, tuple(places))


@dataclass(frozen=True)
class Report:
    """``summary``: JSON-like, per split ``samples``, ``class_counts``, ``sizes``, ``modes``, ...
    (``zoo.data.audit.summary``)."""

    dataset: str
    findings: Sequence[Finding]
    summary: Mapping[str, Any]

    @property
    def errors(self) -> list[Finding]:
        return [one for one in self.findings if one.severity == ERROR]

    @property
    def notices(self) -> list[Finding]:
        return [one for one in self.findings if one.severity == NOTICE]

    def by_kind(self) -> dict[tuple[str, str], list[Finding]]:
        """Findings by (kind, split): errors first, then in the order of :data:`KINDS`."""
        order = {kind: place for place, kind in enumerate(KINDS)}
        grouped: dict[tuple[str, str], list[Finding]] = {}
        for one in sorted(self.findings, key=lambda one: (one.severity != ERROR, order[one.kind])):
            grouped.setdefault((one.kind, one.split), []).append(one)
        return grouped

    def as_json(self) -> dict[str, Any]:
        return {
            "dataset": self.dataset,
            "errors": len(self.errors),
            "notices": len(self.notices),
            "summary": dict(self.summary),
            "findings": [one.as_json() for group in self.by_kind().values() for one in group],
        }


def some(names: Sequence[object], most: int = 3) -> str:
    """``'a', 'b', 'c' and 2 more``."""
    shown = ", ".join(repr(name) for name in names[:most])
    return f"{shown} and {len(names) - most} more" if len(names) > most else shown


def places_text(ids: Sequence[str], places: Sequence[tuple[str, int]], most: int = 4) -> str:
    """``'a' (train), 'b' (val)``."""
    pairs = list(zip(ids, places, strict=True))
    shown = ", ".join(f"{name!r} ({split})" for name, (split, _) in pairs[:most])
    return f"{shown} and {len(pairs) - most} more" if len(pairs) > most else shown
