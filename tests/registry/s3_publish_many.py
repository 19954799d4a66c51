"""Publish N versions to the bucket URL behind ENDPOINT, at the same time as another process: each
waits until the object ``go`` is there. Prints their numbers."""

import json
import sys
import time

from drafts import draft

from zoo.registry.places.s3_tree import S3Tree
from zoo.registry.store import Registry

url, endpoint, count = sys.argv[1], sys.argv[2], int(sys.argv[3])
keys = {"access_key_env": "ZOO_KEY", "secret_key_env": "ZOO_SECRET"}
tree = S3Tree(url, endpoint=endpoint, region="us-east-1", **keys)
files = {"model.safetensors": b"w", "README.md": lambda number: b"card of %d" % number}
print("ready", flush=True)
while not tree.exists("go"):
    time.sleep(0.005)
registry = Registry(tree, "bucket")
print(json.dumps([registry.publish(draft(), files).version for _ in range(count)]))
