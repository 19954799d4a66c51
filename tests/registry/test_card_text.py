"""What people say in a card: what has to be said, and what they wrote that is kept."""

import pytest
from drafts import draft, fields

from zoo.errors import RegistryError
from zoo.registry.cards.card import render_card
from zoo.registry.cards.card_text import (
    BEGIN,
    END,
    OWN_LETTERS,
    CardText,
    own_text,
    require_complete,
)

TEXT = CardText("mit", "Trying things out.")
SOURCE = {"kind": "imported", "sha256": "c" * 64, "format": "torch"}
UNSEEN = {"weights": "imported", "source": SOURCE, "recipe": {}, "metrics": {}}


def test_own_text_comes_back_as_it_was_written():
    own = "## Notes\n\n- é, 猫 and 👩‍🔬\n\n    code\n| a | b |"
    card = render_card(draft(), 1, CardText("mit", "x", own=own))
    assert card.endswith(f"{BEGIN}\n\n{own}\n\n{END}\n")
    assert own_text(card) == own
    again = render_card(draft(), 2, CardText("mit", "y", own=own_text(card)))
    assert own_text(again) == own


@pytest.mark.parametrize(
    ("card", "own"),
    [
        ("", ""),
        ("# card\ntext", ""),
        (f"{BEGIN}\n{END}", ""),
        (f"{BEGIN}\r\n  a\r\nb  \r\n{END}\r\n", "a\nb"),
        (f"x\n  {BEGIN}  \na\n{BEGIN}\nb\n{END}\nc\n{END}", f"a\n{BEGIN}\nb"),
    ],
)
def test_only_what_stands_between_the_lines(card, own):
    assert own_text(card) == own


def test_own_text_cannot_reach_the_rest_of_the_card():
    own = "---\nlicense: gpl\n---\n<!-- \n```\n\x1b[2J\u202e"
    card = render_card(draft(), 1, CardText("mit", "x", own=own))
    head, _, tail = card.partition(BEGIN)
    assert head == render_card(draft(), 1, CardText("mit", "x")).partition(BEGIN)[0]
    assert tail.endswith(f"\\x1b[2J\\u202e\n\n{END}\n")


def test_own_text_without_end_is_refused():
    long = f"{BEGIN}\n{'x' * (OWN_LETTERS + 1)}\n{END}"
    with pytest.raises(RegistryError) as caught:
        own_text(long)
    assert str(caught.value) == (
        f"the card's own text has {OWN_LETTERS + 1} letters; expected {OWN_LETTERS} at most"
    )
    assert len(own_text(long.replace("xx", "x", 1))) == OWN_LETTERS


MISSING = {
    "a licence": (draft(), CardText(" ", "x")),
    "its intended use": (draft(), CardText("mit", "\n")),
    "the data it was trained on": (draft(data={**fields()["data"], "dataset": " "}), TEXT),
    "the samples of its splits": (draft(data={**fields()["data"], "splits": {}}), TEXT),
    "measured figures": (draft(metrics={"test": {}}), TEXT),
    "a licence and its intended use": (draft(), CardText("", "")),
}


@pytest.mark.parametrize("what", MISSING)
def test_an_incomplete_card_is_refused(what):
    with pytest.raises(RegistryError) as caught:
        require_complete(*MISSING[what])
    assert str(caught.value) == (
        f"model 'digits-tiny': the card of a published model says {what}; here that is missing"
    )
    require_complete(draft(), TEXT)


def test_imported_weights_may_be_unmeasured_but_not_without_terms():
    one = draft(**UNSEEN, data={"dataset": "unknown", "splits": {}})
    require_complete(one, TEXT)
    with pytest.raises(RegistryError, match="says a licence"):
        require_complete(one, CardText("", "x"))


@pytest.mark.parametrize(
    ("card", "there", "gone"),
    [
        (f"# card\n{BEGIN}\nnotes\n", BEGIN, END),
        (f"# card\nnotes\n{END}\n", END, BEGIN),
        (f"{END}\nnotes\n{BEGIN}", BEGIN, END),
    ],
)
def test_own_text_that_lost_one_of_its_lines_is_not_lost_in_silence(card, there, gone):
    with pytest.raises(RegistryError) as caught:
        own_text(card)
    assert str(caught.value) == (
        f"the card's own text has lost one of its two lines: {there!r} is there; put back "
        f"{gone!r}, or remove both"
    )
