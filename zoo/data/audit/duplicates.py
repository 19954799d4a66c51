"""The same image twice: exactly, by a digest of its decoded pixels, or nearly (``near.py``)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from zoo.data.audit.findings import Finding, finding, places_text
from zoo.data.audit.near import near_pairs
from zoo.data.audit.scanning import Progress, Scan

Place = tuple[int, int]  # which scan, which sample


def exact(scans: Sequence[Scan]) -> list[Finding]:
    """Images of equal pixels: across splits, of unlike labels, or twice in a split."""
    held: dict[bytes, list[Place]] = {}
    for number, one in enumerate(scans):
        for index, digest in enumerate(one.pixels):
            if digest:
                held.setdefault(digest, []).append((number, index))
    return [
        found
        for places in held.values()
        if len(places) > 1
        for found in _same(scans, sorted(places))
    ]


def nearly(scans: Sequence[Scan], threads: int, progress: Progress | None = None) -> list[Finding]:
    """Images that are nearly the same as another, which each finding names first. Of equal images,
    which :func:`exact` reports, the first stands for all: what they resemble is said once."""
    places, thumbs = _distinct(scans)
    step = None if progress is None else (lambda done, of: progress("comparing", done, of))
    pairs = near_pairs(thumbs, threads, step)
    found = []
    for members in around_each([(i, j) for i, j, _ in pairs]):
        one = [places[member] for member in members]
        kind = "near_leak" if len({number for number, _ in one}) > 1 else "near_duplicate"
        said = f"{_where(scans, one[1:])} nearly the same as {_where(scans, one[:1])}"
        found.append(_finding(kind, scans, one, said))
    return found


def around_each(pairs: Sequence[tuple[int, int]]) -> list[list[int]]:
    """Groups that hold every pair: one image and, in order, those that are paired with it. Never a
    chain: a like b like c does not make a like c. Images with most pairs come first."""
    partners: dict[int, set[int]] = {}
    for i, j in pairs:
        partners.setdefault(i, set()).add(j)
        partners.setdefault(j, set()).add(i)
    order = sorted(partners, key=lambda one: (-len(partners[one]), one))
    groups = []
    for one in order:
        others = sorted(partners[one])
        if not others:
            continue
        groups.append([one, *others])
        for member in groups[-1]:
            partners[member].difference_update(groups[-1])
    return groups


def _same(scans: Sequence[Scan], places: list[Place]) -> Iterator[Finding]:
    where = _where(scans, places)
    files = {scans[number].files[index] for number, index in places}
    how = "identical files" if len(files) == 1 and b"" not in files else "identical pixels"
    targets = {target for number, index in places if (target := scans[number].target(index))}
    across = len({number for number, _ in places}) > 1
    if len(targets) > 1:
        kind = (
            "conflict"
            if any(scans[n].split.labels is not None for n, _ in places)
            else ("mask_conflict")
        )
        yield _finding(kind, scans, places, f"{how}, {_labels(scans, places)}: {where}")
    if across:
        yield _finding("leak", scans, places, f"{how}: {where}")
    elif len(targets) <= 1:
        yield _finding("duplicate", scans, places, f"{how}: {where}")


def _labels(scans: Sequence[Scan], places: Sequence[Place]) -> str:
    said = []
    for number, index in places:
        labels = scans[number].split.labels
        if labels is None:
            return "unlike masks"
        said.append(str(np.asarray(labels)[index].tolist()))
    return f"labels {', '.join(said[:4])}"


def _finding(kind: str, scans: Sequence[Scan], places: Sequence[Place], message: str) -> Finding:
    splits = ", ".join(dict.fromkeys(scans[number].name for number, _ in places))
    ids = [scans[number].split.ids[index] for number, index in places]
    named = [(scans[number].name, index) for number, index in places]
    return finding(kind, splits, message, ids, named)


def _where(scans: Sequence[Scan], places: Sequence[Place]) -> str:
    ids = [scans[number].split.ids[index] for number, index in places]
    return places_text(ids, [(scans[number].name, index) for number, index in places])


def _distinct(scans: Sequence[Scan]) -> tuple[list[Place], np.ndarray]:
    """One place for each picture, and its thumbnail."""
    places: list[Place] = []
    known: set[bytes] = set()
    for number, one in enumerate(scans):
        for index in np.flatnonzero(one.seen).tolist():
            if one.pixels[index] not in known:
                known.add(one.pixels[index])
                places.append((number, index))
    if not places:
        return [], np.empty((0, 1, 1), np.uint8)
    return places, np.stack([scans[number].thumbs[index] for number, index in places])
