"""Publish N versions into FOLDER once a file called ``go`` is beside it; prints their numbers.

Run as ``python publish_many.py FOLDER N [no_locks] [overwriting]``. ``no_locks``: a file system on
which locks do nothing; ``overwriting``: the negative control, a record that is renamed into place.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

from drafts import draft

from zoo.registry.places import folder_tree
from zoo.registry.store import Registry
from zoo.storage import commit


def main() -> None:
    root, count, ways = Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3:]
    if "no_locks" in ways:
        folder_tree.fcntl.flock = lambda descriptor, operation: None
    if "overwriting" in ways:

        def create(path: Path, data: bytes) -> None:
            if path.exists():
                raise FileExistsError
            commit.write(path, data)

        folder_tree.commit.create = create
    while not (root.parent / "go").exists():
        time.sleep(0.001)
    files = {"a": b"same", "README.md": lambda number: b"card of %d" % number}
    registry = Registry.at(root)
    print(json.dumps([registry.publish(draft(), files).version for _ in range(count)]))


if __name__ == "__main__":
    main()
