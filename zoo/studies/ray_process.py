"""A worker that ends with whoever started it, at once: ``python -m zoo.studies.ray_process PIPE``.

The run of a worker that is lost begins elsewhere. One that lived on, to save first, would write in
the same folder.
"""

from __future__ import annotations

import os
import signal
import sys
import threading

from zoo.studies import worker


def main() -> int:
    """``PIPE``: a descriptor that can be read when nobody holds its other end any more."""
    threading.Thread(target=_end_with, args=(int(sys.argv[1]),), daemon=True).start()
    return worker.main()


def _end_with(lifeline: int) -> None:
    os.read(lifeline, 1)
    os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    sys.exit(main())
