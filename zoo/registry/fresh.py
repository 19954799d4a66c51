"""The gate in a new process, which knows only what a stranger's would.

In this one a network may work for reasons that no record holds: a module that was imported from the
working folder, a setting, a patched library. The new process sees no working folder, no
``PYTHON…`` variables, and of all plugins the one that the record names. It is started early, for
importing torch takes it seconds in which there is enough to do here.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import IO, TYPE_CHECKING, Self

from zoo.errors import RegistryError, StorageError, clipped
from zoo.registry.record import Draft
from zoo.storage import strict_json

if TYPE_CHECKING:  # with it would come torch, beside whose import the process is to start
    from zoo.registry.members import Handed

SECONDS = 600  # to build a network and send four images through it, however large
_COMMAND = ("-E", "-P", "-m", "zoo.registry.rebuild")
_ANSWER_BYTES = 64 << 10


class FreshProcess:
    """Used by ``with``: the process ends at its end, whatever happens."""

    def __init__(self) -> None:
        self._said: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115 closed at the end
        self._process = subprocess.Popen(
            [sys.executable, *_COMMAND],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._said,
            # Away from the working folder, whose files a library may look for.
            cwd=Path(sys.executable).parent,
            # The network answers on a CPU: starting CUDA would take seconds.
            env={**os.environ, "CUDA_VISIBLE_DEVICES": ""},
            start_new_session=True,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            if hasattr(os, "killpg"):
                os.killpg(self._process.pid, signal.SIGKILL)  # what a plugin started, too
            else:
                self._process.kill()
        for stream in (self._process.stdin, self._process.stdout, self._said):
            if stream is not None:
                with contextlib.suppress(OSError):
                    stream.close()
        self._process.wait()

    def check(
        self,
        draft: Draft,
        files: Mapping[str, Path],
        weights_sha256: str | None = None,
        handed: Handed | None = None,
    ) -> None:
        """:func:`zoo.registry.gate.check_version` there; may be called once. Raises
        :class:`RegistryError` with what was found wrong, or with how the process failed."""
        request = {
            "draft": draft.model_dump(mode="json"),
            "files": {path: str(place.absolute()) for path, place in files.items()},
            "weights_sha256": weights_sha256,
            "handed": None if handed is None else handed.as_json(),
        }
        what = f"model {draft.model!r}"
        try:
            answer, _ = self._process.communicate(strict_json.dumps(request), timeout=SECONDS)
        except subprocess.TimeoutExpired:
            raise RegistryError(
                f"{what}: a new process had not built and tried its network after {SECONDS} s"
            ) from None
        try:
            told = strict_json.loads(answer, "the answer", _ANSWER_BYTES)
            error = told["error"]
        except (StorageError, KeyError, TypeError):
            raise RegistryError(
                f"{what}: a new process, in which it was to be built again, {self._ending()}"
            ) from None
        if error is not None:
            raise RegistryError(f"{error} (in a new process, as others would build it)")

    def _ending(self) -> str:
        """How the process ended, and the last line it left."""
        code = self._process.returncode
        how = f"ended with exit code {code}"
        if code < 0:
            names = {one.value: one.name for one in signal.Signals}
            how = f"was ended by {names.get(-code, f'signal {-code}')}"
        size = self._said.seek(0, os.SEEK_END)
        self._said.seek(max(0, size - 4096))
        lines = self._said.read().decode(errors="replace").strip().splitlines()
        return f"{how}: {clipped(lines[-1], 200)}" if lines else how
