"""What the Hugging Face Hub says of a file, by its own client, for as long as anybody waits."""

from __future__ import annotations

import queue
import threading
from typing import Any

from zoo.data.download import is_private_address
from zoo.errors import DataError

CONNECT_SECONDS = 3.0
ANSWER_SECONDS = 4.0  # with the look-up of the name, for which no client sets a limit


def ask_hub(url: str) -> Any:
    """What ``huggingface_hub.get_hf_file_metadata`` gives of the file at ``url``: ``etag`` (its
    sha256), ``size`` in bytes, ``commit_hash`` and ``location``.

    Raises :class:`zoo.DataError`, before anything is asked, where HF_ENDPOINT is an http address
    of another machine: token and sha256 could be read and forged. Raises what the client raises,
    and :class:`TimeoutError` within 4 s where nobody answers, as where there is no network."""
    from huggingface_hub import constants, get_hf_file_metadata

    if not is_private_address(url):  # the sha256 comes the same way as the bytes
        raise DataError(
            f"HF_ENDPOINT {constants.ENDPOINT!r}: expected an https address, or an http one of "
            f"this machine"
        )
    answers: queue.Queue[Any] = queue.Queue()

    def ask() -> None:
        try:
            answers.put(get_hf_file_metadata(url, timeout=CONNECT_SECONDS))
        except Exception as error:
            answers.put(error)

    # In a thread: nothing else ends a look-up of a name that never answers.
    threading.Thread(target=ask, daemon=True).start()
    try:
        found = answers.get(timeout=ANSWER_SECONDS)
    except queue.Empty:
        raise TimeoutError(f"no answer within {ANSWER_SECONDS:g} s") from None
    if isinstance(found, Exception):
        raise found
    return found
