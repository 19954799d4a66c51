"""Weights that others trained, fitted to an installed architecture and published as a version.

Every tensor has to fit, by name and shape: half a network is no model. zoo has measured nothing of
such weights, and neither record nor card says otherwise.
"""

from __future__ import annotations

import contextlib
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from zoo.data.preprocessing import Preprocessing
from zoo.errors import PluginError, RunError
from zoo.plugins.catalog import Catalog, catalog
from zoo.registry import guards
from zoo.registry.cards.card import UNKNOWN
from zoo.registry.cards.card_text import CardText, require_terms
from zoo.registry.config import open_registry
from zoo.registry.fresh import FreshProcess
from zoo.registry.loading import build_network, network_with
from zoo.registry.names import check_name
from zoo.registry.record import IMPORTED, WEIGHTS, Draft, Record
from zoo.registry.release import release
from zoo.runs.environment import environment, plugin_record
from zoo.runs.import_names import Renames, renamed, suggestion
from zoo.runs.matching import Match, Part, parts
from zoo.storage import foreign, tensors
from zoo.tasks import Task

MATCHED, FILLED, MISSING, MISMATCHED, UNEXPECTED = (
    "matched", "filled", "missing", "mismatched", "unexpected",
)  # fmt: skip
_BATCHES = "num_batches_tracked"  # of batch norm; files older than torch 0.4.1 have none


@dataclass(frozen=True)
class Fit:
    """``weights``: in the network's own names and types; ``parts``: what became of every tensor, in
    few lines; ``counts``: of tensors, by that; ``notes``: what was taken off the names;
    ``renaming``: that would help, OLD=NEW, where one can be guessed."""

    weights: Mapping[str, Tensor]
    parts: tuple[Part, ...]
    counts: Mapping[str, int]
    notes: tuple[str, ...]
    renaming: str = ""

    @property
    def whole(self) -> bool:
        return not any(self.counts[what] for what in (MISSING, MISMATCHED, UNEXPECTED))


@dataclass(frozen=True)
class Import:
    """A file of weights, the network they are to fit, and how its images are prepared.
    ``options``: the architecture's; ``renames``: see :func:`zoo.runs.import_names.renamed`."""

    file: foreign.Foreign
    path: Path
    architecture: str
    options: Mapping[str, Any]
    task: Task
    preprocessing: Preprocessing
    renames: Renames = ()

    @classmethod
    def open(cls, path: Path, **given: Any) -> Import:
        """Read the file. Raises :class:`ZooError` when it cannot be read without running it."""
        return cls(foreign.read(path), path, **given)

    @property
    def what(self) -> str:
        return f"weights {str(self.path)!r}"

    def described(self, installed: Catalog) -> dict[str, Any]:
        """The architecture as a record has it, every option written out."""
        component = installed.get("architecture", self.architecture)
        return {
            "name": self.architecture,
            "options": component.bind(self.options),
            "in_channels": self.preprocessing.channels,
            "image_size": list(self.preprocessing.size),
        }


def fit(given: Import, installed: Catalog | None = None) -> Fit:
    """What of the file fits the network. Raises :class:`ZooError` where that cannot be said: the
    architecture is not installed, or two tensors get one name."""
    installed = installed or catalog()
    named = renamed(given.file.weights, given.renames, given.what)
    expected = _expected(given, installed, named)
    chosen: dict[str, Tensor] = {}
    matches = []
    for name, own in expected.items():
        found = named.get(name)
        what, why = MISSING, ""
        if found is None and name.rpartition(".")[2] == _BATCHES:
            chosen[name] = torch.zeros((), dtype=own.dtype)
            what, why = FILLED, "0, as torch does: files older than its 0.4.1 have none"
        elif found is not None and found.shape != own.shape:
            what, why = MISMATCHED, f"is {_shape(found)}, expected {_shape(own)}"
        elif found is not None and not _convertible(found, own):
            what, why = MISMATCHED, f"is {_dtype(found)}, expected {_dtype(own)}"
        elif found is not None:
            chosen[name] = found.to(own.dtype)
            what, why = MATCHED, "" if found.dtype == own.dtype else f"from {_dtype(found)}"
        matches.append(Match(name, own.numel(), what, why))
    left = [Match(name, one.numel(), UNEXPECTED) for name, one in named.items()
            if name not in expected]  # fmt: skip
    counts = {
        what: sum(one.what == what for one in (*matches, *left))
        for what in (MATCHED, FILLED, MISSING, MISMATCHED, UNEXPECTED)
    }
    tensors.check_finite(chosen, f"{given.what}, converted")
    missing = [one.name for one in matches if one.what == MISSING]
    helping = suggestion(missing, [one.name for one in left])
    return Fit(chosen, (*parts(matches), *parts(left)), counts, given.file.notes, helping)


def require_whole(given: Import, found: Fit) -> None:
    """Raise :class:`RunError` unless every tensor of file and network has its counterpart."""
    if found.whole:
        return
    said = ", ".join(
        f"{found.counts[what]} {what}"
        for what in (MATCHED, MISSING, MISMATCHED, UNEXPECTED)
        if found.counts[what]
    )
    first = next(part for part in found.parts if part.what not in (MATCHED, FILLED))
    why = f" {first.why}" if first.why else f" is {first.what}"
    then = "rename with --map OLD=NEW, or set the architecture with --option KEY=VALUE"
    if found.renaming:
        then = f"try: --map {shlex.quote(found.renaming)}"
    raise RunError(
        f"{given.what} does not fit architecture {given.architecture!r}: {said} tensors; "
        f"{first.name!r}{why}; {then}"
    )


def publish_imported(
    given: Import,
    name: str,
    text: CardText,
    *,
    trained_on: str = UNKNOWN,
    found: Fit | None = None,
    registry: str | None = None,
    fresh: FreshProcess | None = None,
) -> Record:
    """Publish the weights as the next version of the model ``name``. ``trained_on``: what its card
    says of the data; ``found``: what :func:`fit` gave. Raises :class:`ZooError` unless all fit."""
    check_name("model name", name)
    require_terms(name, text)
    installed = catalog()
    found = found or fit(given, installed)
    require_whole(given, found)
    component = installed.get("architecture", given.architecture)
    architecture = given.described(installed)
    network = network_with(found.weights, architecture, given.task, installed, what=given.what)
    draft = Draft.of(
        model=name,
        task=given.task,
        preprocessing=given.preprocessing.as_json(),
        architecture=architecture,
        plugin=plugin_record(component),
        recipe={},
        data={"dataset": trained_on, "splits": {}},
        metrics={},
        licence=text.licence,
        environment=environment(torch.device("cpu")),
        weights=IMPORTED,
        source={"kind": IMPORTED, "sha256": given.file.sha256, "format": given.file.format},
    )
    files = {WEIGHTS: tensors.to_bytes(found.weights, given.what)}
    with contextlib.nullcontext(fresh) if fresh else FreshProcess() as process:
        done = release(open_registry(registry), draft, files, text, network=network, fresh=process)
    return done.record


def _expected(given: Import, installed: Catalog, named: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The network's own tensors, without their values where it can be built so."""
    architecture = given.described(installed)
    with guards.bounded(named, given.what):
        try:
            with torch.device("meta"):
                network: nn.Module = build_network(architecture, given.task, installed)
        except PluginError:
            network = build_network(architecture, given.task, installed)
    guards.refuse_lazy(network, given.what)
    return dict(network.state_dict())


def _convertible(found: Tensor, own: Tensor) -> bool:
    both_real = found.is_floating_point() and own.is_floating_point()
    return found.dtype == own.dtype or both_real


def _shape(tensor: Tensor) -> str:
    return str(tuple(tensor.shape))


def _dtype(tensor: Tensor) -> str:
    return str(tensor.dtype).removeprefix("torch.")
