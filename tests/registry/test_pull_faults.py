"""Whatever a server does wrong, what is pulled is what was published, or nothing is, and one line
says why. Nothing leaves loopback: beyond it there is no socket (tests/registry/conftest.py)."""

from __future__ import annotations

import contextlib
import hashlib
import re
import time
from pathlib import Path

import endless_faults as endless
import faults as f
import pytest
from pull_bench import BLOB, HEAD, PAGE, RECORD, SHA, WEIGHTS

import zoo as library
from zoo.errors import ZooError
from zoo.registry.places import cache
from zoo.registry.tree import LATER

SIZE = len(WEIGHTS)
BLOCK = 1 << 18
OTHER = bytes(255 - byte for byte in WEIGHTS)
# What is survived: the path, and what the server does with one request after the other.
SURVIVED = {
    "dropped before the first byte": (BLOB, f.dropped_at(0), f.serve),
    "dropped after 1 byte": (BLOB, f.dropped_at(1), f.serve),
    "dropped after a block": (BLOB, f.dropped_at(BLOCK), f.serve),
    "dropped in the second block": (BLOB, f.dropped_at(BLOCK + 7), f.serve),
    "dropped before the last byte": (BLOB, f.dropped_at(SIZE - 1), f.serve),
    "dropped twice": (BLOB, f.dropped_at(BLOCK), f.dropped_at(BLOCK), f.serve),
    "dropped without an etag": (BLOB, f.dropped_at(9, None), f.dropped_at(BLOCK, None), f.serve),
    "dropped without a length": (BLOB, f.dropped_without_length(BLOCK), f.serve),
    "dropped in a chunk": (BLOB, f.dropped_chunk(BLOCK), f.serve),
    "dropped before the headers": (BLOB, f.dropped_before_headers, f.serve),
    "dropped in the headers": (BLOB, f.dropped_in_headers, f.serve),
    "a head dropped": (HEAD, f.dropped_at(5), f.serve),
    "a page dropped before the headers": (PAGE, f.dropped_before_headers, f.serve),
    "a record dropped": (RECORD, f.dropped_at(100), f.dropped_at(200), f.serve),
    "in chunks": (BLOB, f.in_chunks),
    "a head in chunks": (HEAD, f.in_chunks),
    "more than its length": (BLOB, f.more_than_its_length),
    "a head with more than its length": (HEAD, f.more_than_its_length),
    "leaving without a word": (HEAD, f.leaving),
    "200 to a range": (BLOB, f.dropped_at(BLOCK), f.whole_to_a_range),
    "416 to a range": (BLOB, f.dropped_at(BLOCK), f.not_satisfiable),
    "another range": (BLOB, f.dropped_at(BLOCK), f.wrong_range, f.serve),
    "a range of a longer file": (BLOB, f.dropped_at(BLOCK), f.range_of_a_longer_file, f.serve),
    "changed, and said so by 200": (BLOB, f.another('"2"', BLOCK), f.serve),
    "changed, and said so by its etag": (BLOB, f.dropped_at(BLOCK), f.another('"2"'), f.serve),
    "fell silent, then served": (BLOB, endless.silent_after(BLOCK), f.serve),
    "busy, then served": (BLOB, f.status("503 Busy"), f.serve),
    "busy, come in 2 s": (HEAD, f.status("429 Slow", retry_after="2"), f.serve),
    "busy until a date that has passed": (
        HEAD, f.status("503 Busy", retry_after="Mon, 01 Jan 2001 00:00:00 GMT"), f.serve,
    ),
    "busy three times": (PAGE, *[f.status("502 Bad gateway")] * 3, f.serve),
}  # fmt: skip


@pytest.mark.parametrize("name", SURVIVED)
def test_what_is_survived(bench, name):
    path, *given = SURVIVED[name]
    bench.break_(path, *given)
    bench.pull()
    bench.assert_whole()
    assert bench.server.encodings == {"identity"}


def test_what_came_is_not_asked_for_again(bench):
    bench.break_(BLOB, f.dropped_at(BLOCK), f.serve)
    bench.pull()
    assert bench.server.answers.count(206) == 1
    assert bench.server.asked(BLOB) == 2
    assert bench.slept == []  # it had got on


def test_a_busy_server_is_given_the_time_it_asks_for(bench):
    bench.break_(HEAD, f.status("429 Slow", retry_after="7"), f.status("503 Busy"), f.serve)
    bench.pull()
    assert bench.slept == [7.0, 4.0]


BROKE = f"{{url}}: the connection broke off: %s; {LATER}"
SLOW = f"{{url}}: nothing, or too little, came within 0.4 s; {LATER}"
SIZED = "{url} has %s bytes; expected 700000 bytes, as its record says"
LONG = "{url} is longer than %d bytes; that is no registry file of zoo's"
LENGTHS = "{url}: the server says no one length of its answer"
PACKED = (
    "{url}: the server sent it as 'gzip', unasked; expected the bytes as they are; switch "
    "compression off there"
)
WEB_PAGE = (
    "{url} is a web page, no file of a registry: the address is that of a site for people, or asks "
    "for a login; correct the url, or name a token_env, in registry.toml"
)
STATUS = f"{{url}}: the server answered %s; {LATER}"
DENIED = (
    "{url}: the server answered %s; if it wants a token, name a variable that holds one as "
    "token_env in registry.toml"
)
HUNDRED = "HTTPException: got more than 100 headers"
LINE = "LineTooLong: got more than 65536 bytes when reading header line"
CUT = "RemoteDisconnected: Remote end closed connection without response"


def damaged(body: bytes) -> str:
    return (
        "model.safetensors of model 'digits-tiny' version 1, from {root}: the sha256 "
        f"{hashlib.sha256(body).hexdigest()} came; expected {SHA}, as its record says: it was "
        f"damaged there or on its way; {LATER}"
    )


def with_flipped(bit: int) -> bytes:
    body = bytearray(WEIGHTS)
    body[bit // 8] ^= 1 << bit % 8
    return bytes(body)


# What is refused: the path, what the server does (the last for ever), and the whole line.
REFUSED = {
    # Bodies that end early
    "dropped always": (BLOB, [f.dropped_at(1000)], BROKE % "it ended after 3000 of 700000 bytes"),
    "dropped before a byte": (BLOB, [f.dropped_at(0)], BROKE % "it ended after 0 of 700000 bytes"),
    "dropped always without a length": (
        BLOB, [f.dropped_without_length(BLOCK)], BROKE % "it ended after 262144 of 700000 bytes",
    ),
    "dropped always in a chunk": (
        BLOB, [f.dropped_chunk(BLOCK)], BROKE % "it ended after 262144 of 700000 bytes",
    ),
    "dropped always before the headers": (BLOB, [f.dropped_before_headers], BROKE % CUT),
    "dropped always in the headers": (
        BLOB, [f.dropped_in_headers], f"{{url}}: the connection broke off; {LATER}",
    ),
    "a head dropped always": (HEAD, [f.dropped_at(5)], BROKE % "it ended after 5 of 67 bytes"),
    "a page dropped before the headers": (PAGE, [f.dropped_before_headers], BROKE % CUT),
    "shorter": (BLOB, [f.shorter], SIZED % 699999),
    "shorter in chunks": (
        BLOB, [f.shorter_in_chunks], BROKE % "it ended after 699999 of 700000 bytes",
    ),
    # Too much
    "longer": (BLOB, [f.longer], SIZED % 700001),
    "longer without a length": (BLOB, [f.longer_without_length], SIZED % "more than 700000"),
    "endless": (BLOB, [endless.endless], SIZED % "more than 700000"),
    "endless chunks": (BLOB, [endless.endless_chunks], SIZED % "more than 700000"),
    "an endless head": (HEAD, [endless.endless], LONG % 4096),
    "an endless record in chunks": (RECORD, [endless.endless_chunks], LONG % (1 << 20)),
    "a head of 5 kB": (HEAD, [f.with_body(b" " * 5000)], LONG % 4096),
    "endless headers": (BLOB, [endless.endless_headers], BROKE % HUNDRED),
    "an endless line of headers": (BLOB, [endless.endless_header_line], BROKE % LINE),
    "endless continues": (BLOB, [endless.endless_continues], SLOW),
    "endless trailers": (BLOB, [endless.endless_trailers], SLOW),
    # Lengths that lie
    "a length too small": (BLOB, [f.length_lies(10)], SIZED % 10),
    "a length too large": (BLOB, [f.length_lies(SIZE + 1)], SIZED % 700001),
    "a length that is no number": (BLOB, [f.length_lies("many")], LENGTHS),
    "a length below zero": (BLOB, [f.length_lies(-5)], LENGTHS),
    "a length with an underscore": (BLOB, [f.length_lies("700_000")], LENGTHS),
    "two lengths": (BLOB, [f.two_lengths], LENGTHS),
    "a head's length too large": (
        HEAD, [f.length_lies(4000)], BROKE % "it ended after 67 of 4000 bytes",
    ),
    "a chunk of no number": (BLOB, [f.chunk_of_no_number], BROKE % "it ended early"),
    # Bytes that are others
    "the first bit flipped": (BLOB, [f.flipped(0)], damaged(with_flipped(0))),
    "the last bit flipped": (
        BLOB, [f.flipped(8 * SIZE - 1)], damaged(with_flipped(8 * SIZE - 1)),
    ),
    "another content": (BLOB, [f.another(None)], damaged(OTHER)),
    "changed in the middle": (
        BLOB, [f.dropped_at(BLOCK, None), f.another(None)],
        damaged(WEIGHTS[:BLOCK] + OTHER[BLOCK:]),
    ),
    "a range that lies": (BLOB, [f.dropped_at(BLOCK), f.lying_range], SIZED % "more than 700000"),
    "changed each time": (
        BLOB, [f.another('"1"', BLOCK), f.another('"2"')] * 4, BROKE % "it changed meanwhile",
    ),
    "another range each time": (
        BLOB, [f.dropped_at(BLOCK), f.wrong_range] * 4, BROKE % "it changed meanwhile",
    ),
    "416 each time": (
        BLOB, [f.dropped_at(BLOCK), f.not_satisfiable] * 4,
        BROKE % "the server would not go on with it",
    ),
    "gzip unasked": (BLOB, [f.zipped], PACKED),
    "a head in gzip": (HEAD, [f.zipped], PACKED),
    "gzip as a transfer": (BLOB, [f.zipped_transfer], PACKED),
    # Too slow
    "silent": (BLOB, [endless.silent], SLOW),
    "a silent head": (HEAD, [endless.silent], SLOW),
    "silent after the headers": (BLOB, [endless.silent_after_headers], SLOW),
    "silent always": (BLOB, [endless.silent_after(BLOCK)], SLOW),
    "dripping": (BLOB, [endless.dripping], SLOW),
    "dripping headers": (BLOB, [endless.dripping_headers], SLOW),
    "a dripping head": (HEAD, [endless.dripping], SLOW),
    # Other answers
    "garbage": (BLOB, [endless.garbage], BROKE % "BadStatusLine: SSH-2.0-OpenSSH_9.6"),
    "a web page": (BLOB, [f.page], WEB_PAGE),
    "a web page in chunks": (BLOB, [f.page_in_chunks], WEB_PAGE),
    "a web page of the file's size": (BLOB, [f.page_of_that_size], damaged(f.page_like(WEIGHTS))),
    "a head that is a web page": (HEAD, [f.page], WEB_PAGE),
    "a page that is a web page": (PAGE, [f.page_in_chunks], WEB_PAGE),
    "a record that is a web page": (RECORD, [f.page], WEB_PAGE),
    "missing": (BLOB, [f.status("404 Not Found")], "{url} is missing; the registry is damaged"),
    "a head that is missing": (
        HEAD, [f.status("404 Not Found")],
        "model 'digits-tiny' is not in registry 'site' ({root}); see: zoo models list",
    ),
    "a record that is gone": (
        RECORD, [f.status("410 Gone")],
        f"{RECORD} of {{root}}: it is missing; whoever may write there mends it with: zoo registry "
        "repair",
    ),
    "a part nobody asked for": (
        BLOB, [f.status("206 Partial Content", b"x")], STATUS % "206 Partial Content",
    ),
    "500": (BLOB, [f.status("500 Oops")], STATUS % "500 Oops"),
    "204": (HEAD, [f.status("204 No Content")], STATUS % "204 No Content"),
    "304 unasked": (HEAD, [f.status("304 Not Modified")], STATUS % "304 Not Modified"),
    "a status in red": (HEAD, [f.status("500 \x1b[31mred")], STATUS % "500 \\x1b[31mred"),
    "403": (HEAD, [f.status("403 Forbidden")], DENIED % "403 Forbidden"),
    "busy always": (BLOB, [f.status("503 Busy")], STATUS % "503 Busy"),
    "busy for an hour": (
        BLOB, [f.status("503 Busy", retry_after="3600")],
        STATUS % "503 Busy, and wants to be asked again in 3600 s",
    ),
    "busy 20 s each time": (
        HEAD, [f.status("429 Slow", retry_after="20")],
        STATUS % "429 Slow, and wants to be asked again in 20 s",
    ),
    "a redirect to nowhere": (BLOB, [f.status("302 Found")], STATUS % "302 Found"),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_refused(bench, name):
    path, given, expected = REFUSED[name]
    bench.break_(path, *given)
    started = time.monotonic()
    with pytest.raises(ZooError) as caught:
        bench.pull()
    assert time.monotonic() - started < 10
    root = bench.server.url
    assert str(caught.value) == expected.format(url=repr(f"{root}/{path}"), root=root)
    bench.assert_nothing()
    assert sum(bench.slept) <= 60


@pytest.mark.parametrize("name", ["the first bit flipped", "changed in the middle"])
def test_without_the_digest_wrong_bytes_are_accepted(bench, monkeypatch, name):
    """The negative control."""
    monkeypatch.setattr(cache, "_compare", lambda *given: None)
    monkeypatch.setattr(cache, "holds", lambda *given: None)
    path, given, _ = REFUSED[name]
    bench.break_(path, *given)
    with contextlib.suppress(ZooError):  # the copy into the target compares once more
        bench.pull()
    with pytest.raises(AssertionError):
        bench.assert_no_wrong_bytes()


def test_the_docs_say_how_many_there_are():
    page = (Path(library.__file__).parents[1] / "docs/reliability.md").read_text(encoding="utf-8")
    rows = page.partition("## Pull\n")[2].partition("| redirects")[0]
    survived, *refused = [int(count) for count in re.findall(r"\| (\d+) \|", rows)]
    assert (survived, sum(refused)) == (len(SURVIVED), len(REFUSED))
