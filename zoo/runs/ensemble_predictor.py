"""What an ensemble that is not published says of images: its members and its rule, in memory."""

from __future__ import annotations

import torch

from zoo.errors import RunError, clipped
from zoo.predictions.combining.rules import Mean
from zoo.registry.ensemble import Combined
from zoo.registry.model import Predictor
from zoo.runs.ensemble import Ensembled
from zoo.runs.ensemble_members import Member


def predictor_of(made: Ensembled, device: torch.device) -> Combined:
    """Raises :class:`RunError` for a member that is a predictions file, or asked about views."""
    what = f"ensemble {made.folder.name!r}"
    if made.wanted.tta is not None:
        raise RunError(f"{what} asks about views of each image: publish it, and ask the model")
    members = [_member(one, device) for one in made.members.values()]
    return Combined(made.task, members, made.rule, what, device)


def _member(member: Member, device: torch.device) -> Predictor:
    if member.folds:
        folds = [_member(one, device) for one in member.folds]
        return Combined(folds[0].task, folds, Mean.of(len(folds)), member.name, device)
    if member.subject is None:
        raise RunError(
            f"member {clipped(member.name)!r} is a predictions file, which has no network to ask"
        )
    return member.subject.predictor(device)
