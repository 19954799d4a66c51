"""Ways to damage a registry, each with the line by which ``zoo registry verify`` tells it.

Of the registry that the fixture of ``test_verify`` makes; ``ROOT`` stands for its folder.
"""

import hashlib
import os
import shutil

from drafts import weights

from zoo.registry import layout
from zoo.registry.derived import RESTORE

MODEL = "models/digits-tiny"
REPAIR = "type: zoo registry repair"
W, A1 = hashlib.sha256(weights()).hexdigest(), hashlib.sha256(b"card 1").hexdigest()


def remove(path):
    return lambda root: (root / path).unlink()


def change(path, old, new):
    def damage(root):
        data = (root / path).read_bytes()
        assert old in data
        (root / path).chmod(0o644)
        (root / path).write_bytes(data.replace(old, new))

    return damage


def put(path, data=b"x"):
    def damage(root):
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        if (root / path).exists():
            (root / path).chmod(0o644)
        (root / path).write_bytes(data)

    return damage


def swap(path, other):
    """Copy one over the other."""
    return lambda root: shutil.copyfile(root / path, root / other)


def link(path):
    def damage(root):
        (root / path).rename(root.parent / "elsewhere")
        (root / path).symlink_to(root.parent / "elsewhere")

    return damage


def blob(digest):
    return layout.blob(digest)


SEVEN = f"it says version 7 and state 4, but the last ones there are 3 and 4; {RESTORE}; "
DAMAGES = {
    # Records.
    "version 1 gone": (
        remove(f"{MODEL}/versions/1.json"),
        f"error: {MODEL}/versions: version 1 is missing, but 2 is there; {RESTORE}",
    ),
    "no JSON": (
        put(f"{MODEL}/versions/2.json", b"{"),
        f"error: {MODEL}/versions/2.json: the record of model 'digits-tiny' version 2 is not the "
        "JSON expected: Expecting property name enclosed in double quotes: line 1 column 2 "
        f"(char 1); {RESTORE}",
    ),
    "a field changed": (
        change(f"{MODEL}/versions/2.json", b'"accuracy":0.75', b'"accuracy":0.99'),
        f"error: {MODEL}/versions/3.json: its prev is not the sha256 of the record before; one of "
        f"the two was changed; {RESTORE}",
    ),
    "the newest changed": (
        change(f"{MODEL}/versions/3.json", b'"accuracy":0.75', b'"accuracy":0.99'),
        f"error: {MODEL}/index/0.json: version 3 is not as it says; {RESTORE}; if nothing is lost, "
        f"{REPAIR}",
    ),
    "another's number": (
        swap(f"{MODEL}/versions/2.json", f"{MODEL}/versions/3.json"),
        f"error: {MODEL}/versions/3.json: it is that of model 'digits-tiny' version 2; {RESTORE}",
    ),
    "another's model": (
        swap("models/other/versions/1.json", f"{MODEL}/versions/1.json"),
        f"error: {MODEL}/versions/1.json: it is that of model 'other' version 1; {RESTORE}",
    ),
    "a later format": (
        change("models/both/versions/1.json", b'"format":1', b'"format":2'),
        "error: models/both/versions/1.json: the record of model 'both' version 1 has format 2, "
        f"this zoo reads 1; type: pip install --upgrade zoo; {RESTORE}",
    ),
    "a record's name": (
        change("models/both/versions/1.json", b'"model":"both"', b'"model":"bo_th"'),
        f"error: models/both/versions/1.json: it is that of model 'bo_th' version 1; {RESTORE}",
    ),
    # States.
    "state 2 gone": (
        remove(f"{MODEL}/state/2.json"),
        f"error: {MODEL}/state: state 2 is missing, but 3 is there; {RESTORE}",
    ),
    "state 2 changed": (
        change(f"{MODEL}/state/2.json", b"T", b"U"),
        f"error: {MODEL}/state/2.json: {MODEL}/state/2.json is not one of zoo's: created: String "
        "should match pattern '^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z$'; "
        f"{RESTORE}",
    ),
    "a history changed": (
        change(f"{MODEL}/state/3.json", b"why not", b"because"),
        f"error: {MODEL}/state/4.json: its prev is not the sha256 of the state before; one was "
        f"changed; {RESTORE}",
    ),
    "a change that is not what it says": (
        change(f"{MODEL}/state/4.json", b'"best":1', b'"best":2'),
        f"error: {MODEL}/state/4.json: its aliases and yanks are not what its change makes of "
        f"those before; {RESTORE}",
    ),
    # Files.
    "a blob gone": (
        remove(blob(W)),
        f"error: {blob(W)}: it is missing; needed by {MODEL}/versions/1.json (model.safetensors) "
        f"and 2 others; {RESTORE}",
    ),
    "a blob short": (
        put(blob(A1), b"card "),
        f"error: {blob(A1)}: it has 5 bytes, not 6; needed by {MODEL}/versions/1.json (README.md); "
        f"{RESTORE}",
    ),
    "a blob a link": (
        link(blob(A1)),
        f"error: {blob(A1)}: it is no regular file; needed by {MODEL}/versions/1.json "
        f"(README.md); {RESTORE}",
    ),
    "a bit": (
        put(blob(A1), b"cars 1"),
        f"error: {blob(A1)}: its sha256 is {hashlib.sha256(b'cars 1').hexdigest()}, so it is "
        f"damaged; needed by {MODEL}/versions/1.json (README.md); {RESTORE}",
    ),
    # What is derived.
    "head damaged": (
        put(f"{MODEL}/head.json", b"[]"),
        f"error: {MODEL}/head.json: {MODEL}/head.json of ROOT: it: Input should be an object; "
        "whoever may write there mends it with: zoo registry repair",
    ),
    "head gone": (
        remove(f"{MODEL}/head.json"),
        f"notice: {MODEL}/head.json: it is missing; {REPAIR}",
    ),
    "head behind": (
        change(f"{MODEL}/head.json", b'"newest":3', b'"newest":2'),
        f"notice: {MODEL}/head.json: it lags behind: version 2 of 3, state 4 of 4; {REPAIR}",
    ),
    "head behind in states": (
        change(f"{MODEL}/head.json", b'"state":4', b'"state":1'),
        f"notice: {MODEL}/head.json: it lags behind: version 3 of 3, state 1 of 4; {REPAIR}",
    ),
    "head ahead": (
        change(f"{MODEL}/head.json", b'"newest":3', b'"newest":7'),
        f"error: {MODEL}/head.json: {SEVEN}if nothing is lost, {REPAIR}",
    ),
    "head's latest yanked": (
        change(f"{MODEL}/head.json", b'"latest":2', b'"latest":3'),
        f"error: {MODEL}/head.json: it says 'digits-tiny' and version 3 as the latest; it is "
        f"'digits-tiny' and 2; {REPAIR}",
    ),
    "index gone": (
        remove(f"{MODEL}/index/0.json"),
        f"notice: {MODEL}/index/0.json: it lags behind: 0 of 3 versions; {REPAIR}",
    ),
    "index wrong": (
        change(f"{MODEL}/index/0.json", b'"created":"2', b'"created":"1'),
        f"error: {MODEL}/index/0.json: version 1 is not as it says; {RESTORE}; if nothing is lost, "
        f"{REPAIR}",
    ),
    "catalog gone": (
        remove("catalog/shards.json"),
        f"notice: {layout.shard('both')}: 'both' is not in the catalog, and 2 more; {REPAIR}",
    ),
    "catalog lists what is not": (
        change(layout.shard("other"), b'["other"]', b'["another","other"]'),
        f"error: {layout.shard('other')}: it lists 'another', which belongs elsewhere; {REPAIR}",
    ),
    "catalog damaged": (
        put("catalog/shards.json", b"{}"),
        "error: catalog/shards.json: catalog/shards.json of ROOT: shards: Field required; whoever "
        "may write there mends it with: zoo registry repair",
    ),
    # The place.
    "no marker": (
        remove("zoo-registry.json"),
        "error: zoo-registry.json: it is missing, so this is no registry; see: zoo registry init",
    ),
    "a look-alike": (
        put("models/Digits-Tiny/versions/1.json"),
        "error: models/Digits-Tiny: it is a look-alike of 'digits-tiny'; nothing of zoo's makes "
        "such a one",
    ),
    "no model": (
        put("models/.x/versions/1.json"),
        "error: models/.x: it is the folder of no model; nothing of zoo's makes such a one",
    ),
    "unfinished": (
        put("models/other/versions/.zoo-tmp-0.json"),
        "notice: models/other/versions: 1 unfinished file of writers that were killed, or are at "
        "work; those that are old go with: zoo registry gc --apply",
    ),
    "a stray": (
        put(f"{MODEL}/versions/04.json"),
        f"notice: {MODEL}/versions/04.json: it is nothing of zoo's; move it elsewhere",
    ),
    "a stray among blobs": (
        put(f"blobs/sha256/00/{W}"),
        f"notice: blobs/sha256/00/{W}: it is nothing of zoo's; move it elsewhere",
    ),
    "a pipe": (
        lambda root: os.mkfifo(root / "tmp" / "pipe"),
        "notice: tmp/pipe: it is nothing of zoo's; move it elsewhere",
    ),
    "trash": (
        put(f"trash/20260102T030405Z/{W}"),
        "notice: trash: 1 file that no version named; after the grace they go with: zoo registry "
        "gc --apply",
    ),
    "a mode": (
        lambda root: (root / blob(W)).chmod(0o600),
        f"notice: {blob(W)}: others, such as a web server, may not read it (mode 600); type: "
        "chmod -R a+rX ROOT",
    ),
}  # fmt: skip
