"""What a bucket refused, as one line that says what to do.

Of obstore's own messages, which quote whole answers, only the status and the word for the error are
taken: an answer may repeat what was sent with the request.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator

from zoo.errors import RegistryError, StorageError
from zoo.registry.tree import UnreachableError

_STATUS = re.compile(r"non-2xx status code: (\d{3})")
_CODE = re.compile(r"<Code>([A-Za-z0-9]{1,64})</Code>")
_NO_BUCKET = "NoSuchBucket"
_CREDENTIALS = {
    "InvalidAccessKeyId", "SignatureDoesNotMatch", "ExpiredToken", "InvalidToken",
    "AuthorizationHeaderMalformed",
}  # fmt: skip
# Where a machine of Amazon's gives out credentials.
_OWN_CREDENTIALS = re.compile(r"/latest/(api/token|meta-data)")
_LATER = "try again later"


@contextlib.contextmanager
def reported(doing: str, place: str, let: type[Exception] | tuple[()] = ()) -> Iterator[None]:
    """Turn an error of obstore inside into a :class:`StorageError` naming ``place``, or an
    :class:`UnreachableError`; but for those of the kind ``let``, and ``FileNotFoundError`` for a
    missing object. A missing bucket is reported."""
    try:
        yield
    except FileNotFoundError as error:
        if _code(error) == _NO_BUCKET:
            raise _error(doing, place, error) from None
        raise
    except let:
        raise
    except Exception as error:
        if not type(error).__module__.startswith("obstore"):
            raise
        raise _error(doing, place, error) from None


def _error(doing: str, place: str, error: Exception) -> StorageError | RegistryError:
    nobody = _nobody(str(error))
    said = f"cannot {doing} {place!r}: {nobody or _what(error)}"
    return UnreachableError(said) if nobody else StorageError(said)


def _nobody(text: str) -> str:
    """What to say when no store answered; empty where one did."""
    if _STATUS.search(text) or _OWN_CREDENTIALS.search(text):
        return ""
    if "kind: Connect" in text:
        return "the store cannot be reached; check the network, and the endpoint in registry.toml"
    if "kind: Timeout" in text or "TimedOut" in text:
        return f"the store does not answer in time; {_LATER}"
    return ""


def _what(error: Exception) -> str:
    text, code = str(error), _code(error)
    match = _STATUS.search(text)
    status = match[1] if match else None
    if code == _NO_BUCKET:
        return "there is no such bucket; make it, or name another one in registry.toml"
    if code in _CREDENTIALS or status == "401":
        return f"the credentials are not accepted ({code or status}); check them, and the region"
    if status == "403":
        return "access denied; check the credentials, and that they may list, read and write there"
    # Amazon's redirect to another region names no address.
    if status in ("301", "307") or "redirect without LOCATION" in text:
        return "the bucket is in another region; name it as region in registry.toml"
    if status in ("429", "500", "502", "503", "504"):
        return f"the store answers with {code or 'an error'} ({status}); {_LATER}"
    if status:
        return f"the store answers with {code or 'an error'} ({status})"
    if _OWN_CREDENTIALS.search(text):
        return (
            "there are no credentials; name their environment variables in registry.toml, or "
            "write anonymous = true for a public bucket"
        )
    if "following redirect" in text:
        return "the store leads on and on, or from https to http; check the endpoint"
    if "BadScheme" in text:
        return "the store is behind http://; write that endpoint in registry.toml to allow it"
    return (
        f"the store does not answer as one that speaks S3 should; check the endpoint, or {_LATER}"
    )


def _code(error: Exception) -> str | None:
    match = _CODE.search(str(error))
    return match[1] if match else None
