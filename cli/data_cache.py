"""``zoo data cache``: the stores of decoded images on disk: list, verify, clear."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from .tables import show_json, show_table

if TYPE_CHECKING:
    from zoo.data.caching import Cached


def run(verify: bool, clear: bool, json: bool) -> None:
    """Ends with an error when stores were found to differ from their files, and still do."""
    from zoo.data.caching import stores
    from zoo.errors import DataError

    found = stores()
    changed = {one.folder.name: one.changed() for one in found} if verify else None
    if clear:
        _clear([one for one in found if changed is None or changed[one.folder.name]], verify, json)
        return
    _show(found, changed, json)
    wrong = {name: ids for name, ids in (changed or {}).items() if ids}
    if wrong:
        name, ids = next(iter(wrong.items()))
        raise DataError(
            f"{_count(len(wrong))} of {len(found)} no longer hold what is in their files, such as "
            f"{ids[0]!r} of {name[:12]}; type: zoo data cache --verify --clear"
        )


def _clear(stores: Sequence[Cached], verify: bool, json: bool) -> None:
    """Remove them; all stores: what a killed process left behind too."""
    import shutil

    from zoo.data.leftovers import leftovers
    from zoo.storage.cache_folder import cache_folder

    size = sum(one.bytes for one in stores)
    for one in stores:
        one.remove()
    unfinished = [] if verify else leftovers()
    for folder in unfinished:
        size += sum(path.stat().st_size for path in folder.iterdir())
        shutil.rmtree(folder)
    if json:
        removed = [str(one.folder) for one in stores] + [str(folder) for folder in unfinished]
        show_json({"removed": removed, "bytes": size, "cache": str(cache_folder())})
        return
    what = _count(len(stores)) + (f" and {len(unfinished)} unfinished" if unfinished else "")
    print(f"removed {what}, {_bytes(size)}, from {cache_folder()}")


def _show(found: Sequence[Cached], changed: Mapping[str, Sequence[str]] | None, json: bool) -> None:
    from zoo.storage.cache_folder import cache_folder

    if json:
        show_json(
            [
                {
                    "folder": str(one.folder),
                    "bytes": one.bytes,
                    "where": one.about["where"],
                    "shape": one.about["shape"],
                    "changed": None if changed is None else list(changed[one.folder.name]),
                }
                for one in found
            ]
        )
        return
    columns = (
        "store",
        "what",
        "images",
        "pixels",
        "size",
        *(() if changed is None else ("state",)),
    )
    rows = [
        (
            one.folder.name[:12],
            one.about["where"],
            one.about["shape"][0],
            "{1}x{2}x{3}".format(*one.about["shape"]),
            _bytes(one.bytes),
            *(() if changed is None else (_state(changed[one.folder.name]),)),
        )
        for one in found
    ]
    show_table(columns, rows, empty=f"no stores in {cache_folder()}")
    if found:
        total = sum(one.bytes for one in found)
        print(f"\n{_count(len(found))}, {_bytes(total)}, in {cache_folder()}")


def _state(changed: Sequence[str]) -> str:
    return f"{len(changed)} changed" if changed else "as its files"


def _count(stores: int) -> str:
    return f"{stores} store{'' if stores == 1 else 's'}"


def _bytes(size: int) -> str:
    for unit, limit in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if size >= limit:
            return f"{size / limit:.1f} {unit}"
    return f"{size} bytes"
