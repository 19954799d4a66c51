"""What people say in a card: the texts a publisher gives, and those written into it by hand.

A card is made anew for each version. What somebody writes between its last two lines, which are
comments and so seen in the source only, is taken over into the next one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from zoo.errors import RegistryError, printable
from zoo.registry.record import Draft

BEGIN = "<!-- own text: what stands between these two lines is kept in the next version -->"
END = "<!-- end of own text -->"
CARD_BYTES = 1 << 20
OWN_LETTERS = 50_000
# Not printable by the letter of Unicode, but harmless, and people's texts and emoji have them.
_HARMLESS = "\u00a0\u200c\u200d"


@dataclass(frozen=True)
class CardText:
    """What only a person can say. ``licence``: a Hugging Face or SPDX name where there is one;
    ``own``: Markdown, written into an earlier card by hand."""

    licence: str
    intended_use: str
    not_intended_use: str = ""
    description: str = ""
    authors: Sequence[str] = ()
    own: str = ""

    def cleaned(self) -> CardText:
        """Without characters that move a cursor or reorder a line."""
        return replace(
            self,
            intended_use=_clean(self.intended_use),
            not_intended_use=_clean(self.not_intended_use),
            description=_clean(self.description),
            own=_clean(self.own),
        )


def require_terms(model: str, text: CardText) -> None:
    """Raise :class:`RegistryError` unless the publisher says under which terms it is, and what it
    is for."""
    _require(
        model,
        {
            "a licence": bool(text.licence.strip()),
            "its intended use": bool(text.intended_use.strip()),
        },
    )


def require_complete(draft: Draft, text: CardText) -> None:
    """Raise :class:`RegistryError` unless a card can say what a stranger has to know: terms, use,
    data, and how good it is. Of imported weights zoo has measured nothing, and the card says so."""
    require_terms(draft.model, text)
    imported = draft.source is not None
    _require(
        draft.model,
        {
            "the data it was trained on": bool(draft.data["dataset"].strip()),
            "the samples of its splits": bool(draft.data["splits"]) or imported,
            "measured figures": any(draft.metrics.values()) or imported,
        },
    )


def _require(model: str, given: Mapping[str, bool]) -> None:
    missing = [what for what, there in given.items() if not there]
    if missing:
        raise RegistryError(
            f"model {model!r}: the card of a published model says {' and '.join(missing)}; "
            f"here that is missing"
        )


def own_text(card: str) -> str:
    """What stands between the two lines of ``card``; nothing where it has no such lines. Raises
    :class:`RegistryError` when it has one of them alone, or the text is too long to be copied on
    and on."""
    lines = [line.strip() for line in card.splitlines()]
    if BEGIN not in lines and END not in lines:
        return ""
    if BEGIN not in lines or END not in lines[lines.index(BEGIN) :]:
        there, gone = (BEGIN, END) if BEGIN in lines else (END, BEGIN)
        raise RegistryError(
            f"the card's own text has lost one of its two lines: {there!r} is there; put back "
            f"{gone!r}, or remove both"
        )
    first = lines.index(BEGIN)
    own = "\n".join(card.splitlines()[first + 1 : lines.index(END, first)]).strip()
    if len(own) > OWN_LETTERS:
        raise RegistryError(
            f"the card's own text has {len(own)} letters; expected {OWN_LETTERS} at most"
        )
    return own


def _clean(given: str) -> str:
    lines = given.expandtabs(4).strip().splitlines()
    return "\n".join(
        "".join(letter if letter in _HARMLESS else printable(letter) for letter in line.rstrip())
        for line in lines
    )
