"""Publish N versions into FOLDER once a file called ``go`` is there; prints their numbers."""

import json
import sys
import time
from pathlib import Path

from drafts import draft

from zoo.registry.store import Registry

root, count = Path(sys.argv[1]), int(sys.argv[2])
while not (root.parent / "go").exists():
    time.sleep(0.001)
files = {"model.safetensors": b"w", "README.md": lambda number: b"card of %d" % number}
print(json.dumps([Registry.at(root).publish(draft(), files).version for _ in range(count)]))
