"""The other side of :mod:`zoo.registry.fresh`: ``python -E -P -m zoo.registry.rebuild``.

Reads what is to be published as one JSON text on its input, puts it through the gate with the
record's own plugin and no other, and answers with one JSON text. What takes long, importing torch,
is done before anything is asked.
"""

from __future__ import annotations

import os
import sys
import warnings
from pathlib import Path
from typing import Any

from zoo.errors import ZooError, reason
from zoo.plugins.catalog import catalog
from zoo.plugins.loading import SELECTION_VARIABLE
from zoo.registry.gate import check_version
from zoo.registry.members import Handed
from zoo.registry.record import Draft
from zoo.storage import limits, strict_json

_REQUEST_BYTES = limits.RECORD_BYTES + (1 << 20)


def main() -> None:
    # What a plugin prints is no answer.
    answers = os.dup(1)
    os.dup2(2, 1)
    request = sys.stdin.buffer.read(_REQUEST_BYTES)
    if request:  # else whoever wanted to ask has gone
        os.write(answers, strict_json.dumps({"error": _refusal(request)}))


def _refusal(request: bytes) -> str | None:
    """Why the version is not to be published; None when nothing speaks against it."""
    try:
        asked: dict[str, Any] = strict_json.loads(request, "the request", _REQUEST_BYTES)
        draft = Draft.of(**asked["draft"])
        handed = None if asked["handed"] is None else Handed.of(asked["handed"])
        entries = {draft.plugin["entry"]} if draft.ensemble is None else set()
        entries |= handed.entries if handed is not None else set()
        os.environ[SELECTION_VARIABLE] = ",".join(sorted(entries))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # told by what fails for it, or by nobody
            found = catalog()
        if found.problems:
            return str(found.problems[0])
        files = {path: Path(place) for path, place in asked["files"].items()}
        measured = asked["weights_sha256"]
        check_version(draft, files, found, weights_sha256=measured, handed=handed)
    except ZooError as error:
        return str(error)
    except Exception as error:
        return reason(error)
    return None


if __name__ == "__main__":
    main()
    os._exit(0)  # taking torch down takes half a second, in which somebody waits
