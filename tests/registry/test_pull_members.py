"""An ensemble is pulled with its members; several files come at once."""

from __future__ import annotations

import threading
import time

import endless_faults as endless
import pytest
from drafts import draft, fields, weights
from fault_server import FaultServer
from pull_bench import CARD, MODEL, Bench

from zoo.errors import RegistryError, ZooError
from zoo.registry import pulling
from zoo.registry.at_once import UnwantedError, at_once
from zoo.registry.names import Reference
from zoo.registry.record import Draft
from zoo.registry.store import Registry


def publish(registry, name, **changes):
    return registry.publish(
        draft(model=name, **changes),
        {"model.safetensors": weights(name.encode()), "README.md": CARD},
    )


def combine(registry, name, *members, files=None, digest=None):
    named = [
        {
            "model": one.model,
            "version": one.version,
            "digest": digest or registry.digest(one),
        }
        for one in members
    ]
    plain = fields(model=name, ensemble={"method": "mean", "options": {}, "members": named})
    for key in ("preprocessing", "architecture", "plugin", "weights"):
        del plain[key]
    return registry.publish(Draft.of(**plain), files or {"README.md": b"# " + name.encode()})


@pytest.fixture
def home(tmp_path):
    return Registry.at(tmp_path / "registry")


@pytest.fixture
def served(home, tmp_path):
    home.create()
    server = FaultServer(home.tree.root)
    (tmp_path / "beside").mkdir()
    yield Bench(server, tmp_path / "beside" / "target")
    server.close()


def pulled(served, reference):
    """Into the cache only."""
    return pulling.pull_from(served.registry(), Reference.parse(reference))


def contents(folder):
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and path.name != "record.json"
    }


def test_members_of_members_come_along_each_once(served, home):
    one, two = publish(home, "one"), publish(home, "two")
    pair = combine(home, "pair", one, two, one)
    combine(home, "all", pair, two)
    found = served.pull("all")
    assert [one.record.model for one in found.members] == ["pair", "one", "two"]
    assert contents(served.target) == {
        "README.md": b"# all",
        "members/pair@1/README.md": b"# pair",
        "members/one@1/README.md": CARD,
        "members/one@1/model.safetensors": weights(b"one"),
        "members/two@1/README.md": CARD,
        "members/two@1/model.safetensors": weights(b"two"),
    }
    records = {path.parent.name for path in served.target.rglob("record.json")}
    assert records == {"target", "pair@1", "one@1", "two@1"}
    assert found.members[1].files["model.safetensors"].read_bytes() == weights(b"one")
    served.pull("all")  # it is there already


def test_a_member_that_has_another_number_is_found_by_its_digest(served, home):
    first, second = publish(home, "one"), publish(home, "one", licence="MIT")
    renumbered = second.model_copy(update={"version": 7})
    combine(home, "all", renumbered, digest=home.digest(second))
    found = served.pull("all")
    assert [one.record for one in found.members] == [second]
    assert first != second


def test_a_member_that_is_not_there(served, home):
    combine(home, "all", publish(home, "one"), digest="0" * 64)
    assert served.refused(reference="all") == (
        f"model 'one' has no version with the record sha256:{'0' * 64}"
    )


def test_a_member_without_its_file_leaves_nothing(served, home):
    one = publish(home, "one")
    combine(home, "all", one)
    (home.tree.root / "blobs/sha256" / one.weights_sha256[:2] / one.weights_sha256).unlink()
    assert served.refused(reference="all").endswith("is missing; the registry is damaged")


def chain(home, length):
    record = publish(home, "m0")
    for i in range(1, length):
        record = combine(home, f"m{i}", record)


def test_ensembles_nested_without_end(served, home):
    chain(home, pulling.DEPTH + 2)
    assert len(pulled(served, f"m{pulling.DEPTH}").members) == pulling.DEPTH
    assert served.refused(reference=f"m{pulling.DEPTH + 1}") == (
        "model 'm9' version 1 is made of too much: at most 1000 versions, and ensembles in "
        "ensembles 8 deep, are pulled"
    )


def test_more_versions_than_one_reference_may_lead_to(served, home, monkeypatch):
    monkeypatch.setattr(pulling, "VERSIONS", 2)
    combine(home, "all", *(publish(home, name) for name in ("one", "two", "three")))
    assert "is made of too much: at most 2 versions" in served.refused(reference="all")


def test_one_met_before_counts_where_it_stands_deeper(served, home):
    """An ensemble that names all parts of a chain, the innermost first."""
    parts = [publish(home, "m0")]
    for i in range(1, pulling.DEPTH + 1):
        parts.append(combine(home, f"m{i}", parts[-1]))
    combine(home, "fits", *parts[:-1])
    assert len(pulled(served, "fits").members) == pulling.DEPTH
    combine(home, "deeper", *parts)
    assert "is made of too much" in served.refused(reference="deeper")


def test_a_few_versions_that_answer_a_thousand_times_are_refused(served, home):
    """Each level has four ensembles of all four below it: 4, 16, … networks to build and ask."""
    level = [publish(home, f"net-{letter}") for letter in "abcd"]
    for depth in range(1, 5):
        level = [combine(home, f"level{depth}-{letter}", *level) for letter in "abcd"]
        combine(home, f"all{depth}", *level)
    assert len(pulled(served, "all3").members) == 16
    assert served.refused(reference="all4").startswith("model 'all4' version 1 is made of too much")


class Round(Registry):
    """A registry in which a member is made of what it is a member of. With sha256 nobody can write
    such records, so its digests are made up."""

    def digest(self, record):
        return "0" * 64


def test_what_is_made_of_itself_is_refused(home):
    one = publish(home, "one")
    combine(home, "one", one, digest="0" * 64)
    with pytest.raises(RegistryError) as caught:
        pulling.pull_from(Round(home.tree), Reference.parse("one"))
    assert str(caught.value) == "model 'one' version 2 is made of 'one', which is made of it"


@pytest.mark.parametrize("name", ["record.json", "Record.json", "members/x.json"])
def test_a_file_with_a_name_of_zoos_is_pulled_into_the_cache_only(served, home, name):
    home.publish(draft(), {"model.safetensors": weights(), name: b"mine"})
    assert served.refused(reference=MODEL) == (
        f"model '{MODEL}' version 1 has a file {name!r}, a name that zoo needs for itself; pull it "
        f"without --to"
    )
    found = pulled(served, MODEL)
    assert found.files[name].read_bytes() == b"mine"


# Several at once


def test_files_come_at_once(served, home):
    names = [f"f{i}.txt" for i in range(4)]
    record = home.publish(
        draft(), {"model.safetensors": weights(), **{n: n.encode() for n in names}}
    )
    for file in record.files:
        served.break_(
            f"blobs/sha256/{file['sha256'][:2]}/{file['sha256']}", endless.slow_then_served(0.5)
        )
    started = time.monotonic()
    served.pull()
    assert time.monotonic() - started < 2.0  # 2.5 one after the other


def test_jobs_give_their_results_in_order():
    jobs = [lambda wanted, i=i: time.sleep(0.02 * (5 - i)) or i for i in range(6)]
    assert at_once(jobs) == list(range(6))
    assert at_once([]) == []


def test_the_first_failure_ends_the_others():
    ended, begun = [], []

    def endless(still_wanted):
        begun.append(1)
        try:
            while True:
                still_wanted()
                time.sleep(0.01)
        except UnwantedError:
            ended.append(1)
            raise

    def failing(still_wanted):
        while len(begun) < 3:
            time.sleep(0.01)
        raise ZooError("no")

    with pytest.raises(ZooError, match=r"^no$"):
        at_once([endless, endless, endless, failing, endless, endless])
    assert len(ended) == len(begun) == 3


def test_an_interrupt_does_not_wait_for_a_silent_server():
    over = threading.Event()

    def silent(still_wanted):
        over.wait(30)

    def interrupted(still_wanted):
        raise KeyboardInterrupt

    started = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        at_once([silent, interrupted])
    assert time.monotonic() - started < 3
    over.set()
