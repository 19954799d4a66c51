"""Compare the catalog with the models that are there."""

from __future__ import annotations

from typing import TypeVar

from zoo.errors import ZooError
from zoo.registry import derived, layout, names
from zoo.registry.derived import RESTORE, Shard, Shards
from zoo.registry.tree import Tree
from zoo.registry.upkeep.findings import REPAIR, Report
from zoo.registry.upkeep.verify_derived import Verified

_Form = TypeVar("_Form", Shard, Shards)


class Catalog:
    """The catalog as it was before models were looked at."""

    def __init__(self, tree: Tree, report: Report) -> None:
        self.listed: dict[str, str] = {}  # by folded name
        self._damaged = False
        shards = self._form(tree, layout.SHARDS, Shards, report)
        for key, count in shards.shards.items() if shards else ():
            path = f"{layout.CATALOG}/{key}.json"
            shard = self._form(tree, path, Shard, report)
            if shard is not None or not self._damaged:
                self._take(path, key, shard.models if shard else [], count, report)

    def _form(self, tree: Tree, path: str, form: type[_Form], report: Report) -> _Form | None:
        try:
            return derived.read_form(tree, path, form, layout.SHARD_BYTES)
        except ZooError as error:
            report.error(path, error)
            self._damaged = True
            return None

    def _take(self, path: str, key: str, models: list[str], count: int, report: Report) -> None:
        if len(models) != count:
            what = f"it lists {len(models)} models, {layout.SHARDS} says {count}"
            report.notice(path, f"{what}; type: {REPAIR}")
        for name in models:
            if layout.shard_key(name) != key:
                report.error(path, f"it lists {name!r}, which belongs elsewhere; type: {REPAIR}")
            elif (other := self.listed.setdefault(names.fold(name), name)) != name:
                report.error(path, f"{name!r} is too like {other!r}; type: {REPAIR}")

    def compare(self, found: dict[str, Verified], report: Report) -> None:
        for folder, name in self.listed.items():
            one = found.get(folder)
            if one is None or not one.newest:
                what = f"it lists {name!r}, of which no version is here; {RESTORE}; if nothing"
                report.error(layout.shard(name), f"{what} is lost, type: {REPAIR}")
            elif one.records and one.name != name:
                what = f"it lists {name!r}, which is {one.name!r}"
                report.error(layout.shard(name), f"{what}; type: {REPAIR}")
        missing = [one.name for folder, one in found.items()
                   if one.newest and folder not in self.listed]  # fmt: skip
        if missing and not self._damaged:
            what = f"{missing[0]!r} is not in the catalog" + (
                f", and {len(missing) - 1} more" if len(missing) > 1 else ""
            )
            report.notice(layout.shard(missing[0]), f"{what}; type: {REPAIR}")
