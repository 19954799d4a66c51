"""What a report says of a version that is an ensemble: its members, and that it was not trained."""

from types import SimpleNamespace

import numpy as np
import pytest

from zoo.reports.blocks import Missing, Table
from zoo.reports.sections.provenance import provenance
from zoo.reports.sections.resources import _speed
from zoo.reports.sections.training import training
from zoo.reports.subject import VERSION

MEMBERS = [{"model": f"m{k}", "version": k, "digest": str(k) * 64} for k in (1, 2)]


def version(options):
    about = {"ensemble": {"method": "greedy", "members": MEMBERS, "options": options}}
    return SimpleNamespace(about=about, digest="", kind=VERSION, events=None)


@pytest.mark.parametrize(
    ("options", "how"),
    [
        ({"weights": [0.75, 0.25]}, ["member, weight 0.7500", "member, weight 0.2500"]),
        ({"weights": [0.75]}, ["member, weight 0.7500", "member"]),
        ({"weights": [0.5, 0.25, 0.25]}, ["member, weight 0.5000", "member, weight 0.2500"]),
        ({"weights": ["<b>", 1e300]}, ["member", "member"]),
        ({"weights": 3}, ["member", "member"]),
        ({}, ["member", "member"]),
    ],
)
def test_members_and_their_weights(options, how):
    section = provenance(version(options), SimpleNamespace(said=None))
    (table,) = [one for one in section.blocks if isinstance(one, Table)]
    assert [list(row) for row in table.rows] == [
        [f"m{k}@{k}", one, str(k) * 64] for k, one in zip((1, 2), how, strict=True)
    ]


def test_it_was_not_trained():
    section = training(version({}), None)
    (missing,) = [one for one in section.blocks if isinstance(one, Missing)]
    assert missing.why == "An ensemble is not trained; a report of a member's run has its training:"


def test_a_slow_speed_is_no_whole_number():
    assert [_speed(one) for one in (0.449, 9.96, 10.4, 1234.5)] == [
        "0.4 samples a second", "10.0 samples a second", "10 samples a second",
        "1,234 samples a second",
    ]  # fmt: skip
    assert _speed(float(np.float32(3))) == "3.0 samples a second"
