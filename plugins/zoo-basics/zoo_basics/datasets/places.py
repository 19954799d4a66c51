"""What all layouts share about places: the root, paths that may not leave it, names of splits."""

from __future__ import annotations

from pathlib import Path

from zoo import DataError, Provenance

# The names people give to splits, and zoo's own.
SPLIT_NAMES = {
    "train": "train",
    "training": "train",
    "val": "val",
    "valid": "val",
    "validation": "val",
    "dev": "val",
    "test": "test",
    "testing": "test",
}
OWN_FILES = Provenance(licence="unknown", how_to_get="the user's own files")


def split_named(name: str) -> str | None:
    """``train``, ``val`` or ``test``, whichever ``name`` means; capitals do not count."""
    return SPLIT_NAMES.get(name.casefold())


def root_folder(layout: str, root: Path | None, holds: str) -> Path:
    """``root``, which must be a folder; ``holds`` says of what."""
    if root is None:
        raise DataError(f"dataset {layout!r} needs the folder of {holds}: give --root FOLDER")
    if not root.is_dir():
        raise DataError(
            f"dataset {layout!r}: root {str(root)!r}: no such folder; give the folder of {holds}: "
            f"--root FOLDER"
        )
    return root


def contained(text: str) -> str | None:
    """``text`` as a path below a folder, parts joined by "/"; None where it would lead out of it.

    A backslash separates parts, as in tables written on Windows. What lies below may still be a
    link to elsewhere: links are made by whoever owns the disk, paths in a table by anybody.
    """
    unified = text.replace("\\", "/")
    parts = [part for part in unified.split("/") if part not in ("", ".")]
    outside = unified.startswith("/") or unified[1:2] == ":" or ".." in parts or "\0" in unified
    return None if outside or not parts else "/".join(parts)


def file_inside(layout: str, root: Path, option: str, name: str) -> Path:
    """The file that ``option`` names, below ``root``."""
    relative = contained(name)
    if relative is None:
        raise DataError(
            f"dataset {layout!r}: {option} {name!r}: expected a file's path below the root, "
            f"{str(root)!r}"
        )
    if not (root / relative).is_file():
        raise DataError(
            f"dataset {layout!r}: {option} {name!r}: no such file in {str(root)!r}; put it there, "
            f"or set dataset.{option}"
        )
    return root / relative


def folder_inside(layout: str, root: Path, option: str, name: str) -> Path:
    """The folder that ``option`` names, below ``root``; ``"."`` is the root itself."""
    relative = "." if name.strip("./\\") == "" and ".." not in name else contained(name)
    if relative is None or Path(name).is_absolute():
        raise DataError(
            f"dataset {layout!r}: {option} {name!r}: expected a folder's path below the root, "
            f"{str(root)!r}"
        )
    if not (root / relative).is_dir():
        raise DataError(
            f"dataset {layout!r}: {option} {name!r}: no such folder in {str(root)!r}; make it, or "
            f"set dataset.{option}"
        )
    return root / relative


def first_of(names: list[str], what: str) -> str:
    """How many there are and the first of them: ``3 files are no images, the first is 'a'``."""
    return f"{len(names)} {what}, the first is {names[0]!r}"
