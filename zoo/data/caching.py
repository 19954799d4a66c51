"""Stores on disk: what was decoded once is there for every later run, until a file changes.

    <cache>/stores/<fingerprint>/
      store.json      what it is; its existence is the commit
      images.bin      uint8 (N, H, W, C)
      masks.bin       uint8 (N, H, W), for segmentation
      hashes.bin      sha256 of each image's source file, for --verify

The fingerprint covers each file's name, size and time of change, the place in it of images that
share one, the form and the decoder.
"""

from __future__ import annotations

import functools
import hashlib
import os
import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import PIL
import torch
from torch import Tensor

from zoo.data.datasets import file_of, place_of
from zoo.data.decoded import STOP, Decoder, Progress, stop_text
from zoo.data.fitting import BILINEAR
from zoo.data.store import Store, labels_tensor
from zoo.errors import DataError, StorageError
from zoo.storage import commit, reading, strict_json
from zoo.storage.cache_folder import CACHE_VARIABLE, cache_folder

FORMAT = 2
ABOUT = "store.json"
_IMAGES, _MASKS, _HASHES = "images.bin", "masks.bin", "hashes.bin"
_ABOUT_LIMIT = 1 << 30


@dataclass(frozen=True)
class Cached:
    """A store on disk, as lists show it."""

    folder: Path
    about: Mapping[str, Any]

    @property
    def bytes(self) -> int:
        return sum(path.stat().st_size for path in self.folder.iterdir())

    def changed(self) -> list[str]:
        """The ids whose source files are gone or no longer hold what was decoded: every file is
        read and hashed."""
        hashes = np.fromfile(self.folder / _HASHES, np.uint8).reshape(-1, 32)
        sources = self.about["sources"]
        pairs = zip(sources, _hashes(sources.values()), hashes, strict=True)
        return [name for name, now, then in pairs if now != then.tobytes()]

    def remove(self) -> None:
        shutil.rmtree(self.folder)


def stores() -> list[Cached]:
    """Every complete store in the cache, the largest first."""
    found = []
    for path in (cache_folder() / "stores").glob(f"*/{ABOUT}"):
        about = _read_about(path)
        if about is not None:
            found.append(Cached(path.parent, about))
    return sorted(found, key=lambda one: -one.bytes)


def fingerprint(decoder: Decoder) -> str | None:
    """What the store depends on; None where images are in no file, whose change nobody can tell."""
    if _sources(decoder, 0) is None:
        return None
    digest = hashlib.sha256()
    form = decoder.form
    about: tuple[object, ...] = (FORMAT, PIL.__version__, form.channels, form.size, form.rule)
    if form.resize != BILINEAR:  # stores made before there was a choice stay valid
        about += (form.resize,)
    digest.update(repr((*about, decoder.task.as_json() if decoder.has_masks else None)).encode())
    stamps: dict[Path, tuple[int, int] | None] = {}
    for index, name in enumerate(decoder.split.ids):
        sources = _sources(decoder, index)
        if sources is None:
            return None
        for path, *place in sources:
            if not place:
                stamp = _stamp(path)
            elif path in stamps:
                stamp = stamps[path]
            else:
                stamp = stamps[path] = _stamp(path)
            digest.update(repr((name, str(path.absolute()), stamp, *place)).encode())
    return digest.hexdigest()


def open_cached(decoder: Decoder, *, in_memory: bool, progress: Progress | None = None) -> Store:
    """The decoder's store from the cache, built there first where it is missing. ``in_memory``:
    read it whole; else it is mapped."""
    key = fingerprint(decoder)
    if key is None:
        raise DataError(f"{decoder.where}: its images are in no files and cannot be cached")
    folder = cache_folder() / "stores" / key
    about = _read_about(folder / ABOUT)
    if about is None:
        about = _build(decoder, folder, progress)
    if about["skipped"] and decoder.on_error == STOP:
        raise DataError(stop_text(next(iter(about["skipped"].values()))))
    shape = tuple(about["shape"])
    images = _mapped(folder / _IMAGES, shape, in_memory)
    masks = _mapped(folder / _MASKS, shape[:3], in_memory) if decoder.has_masks else None
    kept = np.array(about["kept"], np.int64)
    labels = labels_tensor(decoder.split)
    return Store(
        images,
        None if labels is None else labels[torch.from_numpy(kept)],
        tuple(decoder.split.ids[index] for index in kept),
        masks,
        about["skipped"],
    )


def decode_in_memory(decoder: Decoder, progress: Progress | None = None) -> Store:
    """The decoder's store without a file of its own."""
    images, masks = _empty(decoder, lambda shape, _: np.empty(shape, np.uint8))
    kept, skipped = decoder.fill(images, masks, progress)
    labels = labels_tensor(decoder.split)
    return Store(
        torch.from_numpy(images[: len(kept)]),
        None if labels is None else labels[torch.from_numpy(kept)],
        tuple(decoder.split.ids[index] for index in kept),
        None if masks is None else torch.from_numpy(masks[: len(kept)]),
        skipped,
    )


def _empty(
    decoder: Decoder, make: Callable[[tuple[int, ...], str], np.ndarray]
) -> tuple[np.ndarray, np.ndarray | None]:
    assert decoder.form.size is not None
    shape = (len(decoder.split), *decoder.form.size, decoder.form.channels)
    return make(shape, _IMAGES), make(shape[:3], _MASKS) if decoder.has_masks else None


def _build(decoder: Decoder, folder: Path, progress: Progress | None) -> Mapping[str, Any]:
    """Decode into the folder; ``store.json`` comes last, when the rest is durable. Until then a
    file bears the number of this process."""
    try:
        commit.make_folder(folder)
    except StorageError as error:
        raise StorageError(f"{error}; {CACHE_VARIABLE} may name another folder") from error
    marker = folder / f"{commit.TEMPORARY_PREFIX}{os.getpid()}-building"
    try:
        marker.touch()
        kept, skipped, shape = _fill(decoder, folder, progress)
        return _describe(decoder, folder, kept, skipped, shape)
    except OSError as error:
        raise StorageError(
            f"the store of {decoder.where} cannot be written to {str(folder)!r}: "
            f"{(error.strerror or str(error)).lower()}; free some space or set {CACHE_VARIABLE}"
        ) from error
    finally:
        marker.unlink(missing_ok=True)


def _fill(
    decoder: Decoder, folder: Path, progress: Progress | None
) -> tuple[np.ndarray, Mapping[str, str], tuple[int, ...]]:
    """Write the images, and the masks where there are some. Returns which samples were kept, why
    others were not, and the shape of the images."""
    files: dict[str, Path] = {}
    try:

        def make(shape: tuple[int, ...], name: str) -> np.ndarray:
            files[name] = folder / f"{commit.TEMPORARY_PREFIX}{os.getpid()}-{name}"
            return np.memmap(files[name], np.uint8, "w+", shape=shape)

        images, masks = _empty(decoder, make)
        kept, skipped = decoder.fill(images, masks, progress)
        for array, name in ((images, _IMAGES), (masks, _MASKS)):
            if array is not None:
                array.flush()  # type: ignore[attr-defined]
                size = len(kept) * array[0].size
                commit.replace_with(folder / name, functools.partial(_moved, files[name], size))
        return kept, skipped, (len(kept), *images.shape[1:])
    finally:
        for path in files.values():
            path.unlink(missing_ok=True)


def _describe(
    decoder: Decoder,
    folder: Path,
    kept: np.ndarray,
    skipped: Mapping[str, str],
    shape: tuple[int, ...],
) -> Mapping[str, Any]:
    """Write the hashes and, last, what the store is."""
    sources = {
        decoder.split.ids[i]: str(found[0][0].absolute())
        for i in kept.tolist()
        if (found := _sources(decoder, i)) is not None
    }
    hashes = b"".join(one or bytes(32) for one in _hashes(sources.values()))
    commit.write(folder / _HASHES, hashes)
    about = {
        "format": FORMAT,
        "where": decoder.where,
        "shape": list(shape),
        "kept": kept.tolist(),
        "skipped": skipped,
        "sources": sources,
    }
    commit.write(folder / ABOUT, strict_json.dumps(about))
    return about


def _moved(source: Path, size: int, target: Path) -> None:
    os.truncate(source, size)
    source.replace(target)


def _sources(decoder: Decoder, index: int) -> list[tuple[Path] | tuple[Path, str]] | None:
    """The image's file and, for segmentation, its mask's, or a file of many images and the place in
    it. None where there is no file, or none that holds the mask too."""
    path = file_of(decoder.split, index)
    if path is None:
        place = place_of(decoder.split, index)
        return None if place is None or decoder.has_masks else [place]
    mask = file_of(decoder.split, index, "mask_file") if decoder.has_masks else None
    return [(path,)] if mask is None else [(path,), (mask,)]


def _stamp(path: Path) -> tuple[int, int] | None:
    """(size, time of change); None for a file that is not there."""
    try:
        status = path.stat()
    except FileNotFoundError:
        return None
    return status.st_size, status.st_mtime_ns


def _hashes(paths: Iterable[str]) -> Iterator[bytes | None]:
    """sha256 of each file, None where it is gone; one named several times is read once."""
    known: dict[str, bytes | None] = {}
    for path in paths:
        if path not in known:
            known[path] = _sha256(Path(path))
        yield known[path]


def _sha256(path: Path) -> bytes | None:
    if not path.is_file():
        return None
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").digest()


def _mapped(path: Path, shape: tuple[int, ...], in_memory: bool) -> Tensor:
    size = int(np.prod(shape, dtype=np.int64))
    if path.stat().st_size != size:
        raise StorageError(f"store {str(path)!r} is damaged; type: zoo data cache --clear")
    if in_memory:
        return torch.from_numpy(np.fromfile(path, np.uint8).reshape(shape))
    return torch.from_file(str(path), shared=False, size=size, dtype=torch.uint8).view(shape)


def _read_about(path: Path) -> Mapping[str, Any] | None:
    """None for a store that is not there, incomplete, or of another format."""
    if not path.is_file():
        return None
    try:
        data = reading.read(path, _ABOUT_LIMIT)
        about = strict_json.loads(data, str(path), _ABOUT_LIMIT, _ABOUT_LIMIT)
    except StorageError:
        return None
    return about if isinstance(about, dict) and about.get("format") == FORMAT else None
