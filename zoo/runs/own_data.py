"""Whether data are those that something was trained with: figures on others are not its own."""

from __future__ import annotations

from pathlib import Path

from zoo.data.splits import TRAIN, ids_fingerprint
from zoo.data.store import array_of
from zoo.data.tiers import Keeping
from zoo.runs.environment import cores
from zoo.runs.opening import Opened
from zoo.runs.subjects import Subject


def difference(
    subject: Subject, opened: Opened, split: str, content: str, root: str | None
) -> str | None:
    """What tells a split, whose fingerprint is ``content``, from the one of that name that
    ``subject`` was trained with; None when nothing does.

    The ids are always compared. Ids may be mere numbers, so the content is too: with what was noted
    when the split was first measured. Before that, the training split is compared, where that costs
    little (arrays) or is called for (another ``root``, or what others published).
    """
    known = subject.data["splits"].get(split)
    if subject.trained_on is None:
        return f"{subject.name!r} was trained elsewhere"
    if opened.name != subject.trained_on.name or known is None:
        return f"{subject.name!r} was trained without it"
    if known.get("fingerprint") != ids_fingerprint(opened.split(split)):
        return "its ids differ"
    noted = subject.data.get("fingerprint") if split == TRAIN else known.get("content")
    if noted is not None:
        return None if noted == content else "its images or labels differ"
    others = subject.run is None or is_elsewhere(subject, root)
    if (others or array_of(opened.split(TRAIN)) is not None) and not _trained_on(subject, opened):
        return "the images or labels of its training split differ"
    return None


def is_elsewhere(subject: Subject, root: str | None) -> bool:
    """Whether ``root`` is another folder than the recipe's."""
    if root is None:
        return False
    own = subject.trained_on.root if subject.trained_on else None
    return own is None or Path(root).expanduser().resolve() != Path(own).expanduser().resolve()


def _trained_on(subject: Subject, opened: Opened) -> bool:
    # Skipping: an image that cannot be decoded was either left out then, or was not there.
    keeping = Keeping(on_error="skip", threads=cores())
    held = opened.hold(TRAIN, subject.preprocessing.form, keeping)
    return held.fingerprint() == subject.data.get("fingerprint")
