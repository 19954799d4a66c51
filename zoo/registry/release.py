"""A version made whole and published: probe, pictures, card, and the gate in a new process.

What is published may come from a run, from a file of weights that others trained, or from several
models; this is what all of them go through.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from torch import nn

from zoo.data.preprocessing import Preprocessing
from zoo.errors import RegistryError, ZooError, ZooWarning, printable
from zoo.predictions.confusion import DRAWN, draw_confusion
from zoo.registry.cards.card import render_card
from zoo.registry.cards.card_text import CARD_BYTES, CardText, own_text, require_complete
from zoo.registry.ensemble import Combined
from zoo.registry.fresh import FreshProcess
from zoo.registry.gate import check_claims, make_combined_probe, make_probe
from zoo.registry.members import Handed
from zoo.registry.names import Reference
from zoo.registry.private import find_secret, this_machine
from zoo.registry.record import CARD, PROBE, Draft, Record, confusion_file, metrics_file
from zoo.registry.store import Registry
from zoo.storage import strict_json, tensors

Figures = Mapping[str, Mapping[str, Any]]


@dataclass(frozen=True)
class Release:
    """``card``, and ``pictures`` by their path, as they stand in the version."""

    record: Record
    card: bytes
    pictures: Mapping[str, bytes]


def release(
    registry: Registry,
    draft: Draft,
    files: Mapping[str, Path | bytes],
    text: CardText,
    figures: Figures | None = None,
    *,
    network: nn.Module | Combined,
    weights_sha256: str | None = None,
    fresh: FreshProcess,
) -> Release:
    """Publish a version with everything a stranger needs. ``files``: the weights, which are those
    of ``network``; of an ensemble, whose members are in ``registry``, what its rule keeps.
    ``figures``: all
    that was measured, by split; ``weights_sha256``: of the weights that they are of. Returns once
    the version is durable.

    Nothing is written unless all of it holds: the card says what it has to, neither it nor the
    record tells of this machine, and in a new process the network is built again and repeats its
    answer. Own text of the card is ``text``'s, or else that of the version before.
    """
    measured = figures or {}
    require_complete(draft, text)
    if not text.own:
        text = replace(text, own=_own_text_before(registry, draft.model))
    pictures = _pictures(draft, measured)
    cards: list[bytes] = []

    def card(version: int) -> bytes:
        names = {split: confusion_file(split) for split in pictures}
        cards.append(render_card(draft, version, text, measured, names).encode())
        return cards[-1]

    def gate(draft: Draft, copies: Mapping[str, Path]) -> None:
        check_claims(draft, copies)
        fresh.check(draft, copies, weights_sha256, handed)

    handed = None if draft.ensemble is None else Handed.taken(registry, draft)
    _check_card(draft.model, card(1))
    drawn = {confusion_file(split): picture for split, picture in pictures.items()}
    record = registry.publish(
        draft,
        {
            **files,
            **_probe(draft, network),
            CARD: card,
            **{metrics_file(split): strict_json.dumps(one) for split, one in measured.items()},
            **drawn,
        },
        gate,
    )
    return Release(record, cards[-1], drawn)


def _probe(draft: Draft, network: nn.Module | Combined) -> dict[str, bytes]:
    if isinstance(network, Combined):
        return {PROBE: tensors.to_bytes(make_combined_probe(network))}
    probe = make_probe(network, Preprocessing.from_json(draft.preprocessing))
    return {PROBE: tensors.to_bytes(probe)}


def _pictures(draft: Draft, measured: Figures) -> dict[str, bytes]:
    """By split, where there are not too many classes to see any."""
    if len(draft.task.classes) > DRAWN:
        return {}
    return {
        split: draw_confusion(
            draft.task, one["confusion"], f"{printable(split)}, {one['samples']} samples"
        )
        for split, one in measured.items()
        if "confusion" in one
    }


def _check_card(model: str, card: bytes) -> None:
    """Raise when the card tells a secret, or is longer than the next version would read."""
    found = find_secret({"card": card.decode()}, this_machine().home)
    if found is not None:
        raise RegistryError(f"model {model!r}: {found}, which no card may hold")
    if len(card) > CARD_BYTES:
        raise RegistryError(
            f"model {model!r}: its card has {len(card)} bytes; at most {CARD_BYTES} are allowed"
        )


def _own_text_before(registry: Registry, model: str) -> str:
    """The own text in the card of the newest version, whether that is yanked or not."""
    try:
        newest = Reference(model, version=registry.newest(model))
    except RegistryError:  # there is none yet
        return ""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ZooWarning)  # that it was yanked
        record = registry.record(newest)
    try:
        if record.file(CARD)["size"] > CARD_BYTES:
            raise RegistryError(f"it has more than {CARD_BYTES} bytes")
        return own_text(registry.read_file(record, CARD).decode("utf-8"))
    except (ZooError, UnicodeDecodeError) as error:
        warnings.warn(
            f"the card of {record} cannot be read, so its own text, if it has any, is not taken "
            f"over: {error}",
            ZooWarning,
            stacklevel=4,
        )
        return ""
