"""``zoo data cache``: the stores of decoded images on disk: list, verify, clear."""

from __future__ import annotations

from .tables import show_json, show_table


def run(verify: bool, clear: bool, json: bool) -> None:
    from zoo.data.caching import cache_folder, stores
    from zoo.errors import DataError

    found = stores()
    if clear:
        size = sum(one.bytes for one in found)
        for one in found:
            one.remove()
        print(f"removed {len(found)} stores, {size / 1e6:.1f} MB, from {cache_folder()}")
        return
    changed = {one.folder.name: one.changed() if verify else [] for one in found}
    if json:
        keys = ("where", "shape")
        show_json(
            [
                {
                    "folder": str(one.folder),
                    "bytes": one.bytes,
                    **{key: one.about[key] for key in keys},
                    "changed": changed[one.folder.name],
                }
                for one in found
            ]
        )
    else:
        show_table(
            ("store", "what", "images", "MB"),
            [
                (one.folder.name[:12], one.about["where"], one.about["shape"][0], one.bytes / 1e6)
                for one in found
            ],
            empty=f"no stores in {cache_folder()}",
        )
    wrong = {name: ids for name, ids in changed.items() if ids}
    if wrong:
        name, ids = next(iter(wrong.items()))
        raise DataError(
            f"{len(wrong)} stores no longer match their files, such as {ids[0]!r} of {name[:12]}; "
            f"type: zoo data cache --clear"
        )
