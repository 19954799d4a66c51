"""Names of foreign tensors: renamed by their beginnings, and what renaming might help."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence

from torch import Tensor

from zoo.errors import RunError, nearest

Renames = Sequence[tuple[str, str]]
_TRIED, _GUESSES = 3, 20  # names that are compared with all others, and renamings that are tried


def renamed(weights: Mapping[str, Tensor], renames: Renames, what: str) -> dict[str, Tensor]:
    """``weights`` by other names. ``renames``: (old, new) beginnings, whole parts of a name; "" for
    none; the first that fits counts. Raises :class:`RunError`, naming ``what``, when one of them
    fits no name, or two tensors get the same."""
    used: set[tuple[str, str]] = set()
    named: dict[str, Tensor] = {}
    for name, value in weights.items():
        new = name
        for old, put in renames:
            if (rest := _rest(name, old)) is not None:
                new = ".".join(filter(None, (put, rest)))
                used.add((old, put))
                break
        if new in named:
            raise RunError(f"{what}: by --map two of its tensors get the name {new!r}")
        named[new] = value
    for old, put in renames:
        if (old, put) in used:
            continue
        if any(_rest(name, old) is not None for name in weights):
            raise RunError(
                f"--map {old}={put}: whatever begins with {old!r} is renamed by a --map before it"
            )
        raise RunError(
            f"--map {old}={put}: no tensor of {what} has a name that begins with {old!r}"
            f"{nearest(old, _beginnings(weights))}"
        )
    return named


def suggestion(missing: Collection[str], unexpected: Collection[str]) -> str:
    """``OLD=NEW`` that would turn most of ``unexpected`` into ``missing``; empty where none turns
    half of them."""
    guesses = Counter(
        _difference(other, name)
        for name in sorted(missing)[:_TRIED]
        for other in unexpected
        if other.rpartition(".")[2] == name.rpartition(".")[2]
    )
    turned = {pair: _turned(pair, missing, unexpected) for pair, _ in guesses.most_common(_GUESSES)}
    best = max(turned, key=lambda pair: (turned[pair], -len(pair[0])), default=None)
    return "" if best is None or 2 * turned[best] < len(missing) else "=".join(best)


def _turned(pair: tuple[str, str], missing: Collection[str], unexpected: Collection[str]) -> int:
    old, put = pair
    rests = (_rest(name, old) for name in unexpected)
    made = {".".join(filter(None, (put, rest))) for rest in rests if rest is not None}
    return len(made & set(missing))


def _difference(one: str, other: str) -> tuple[str, str]:
    """What is left of two names without the parts at their end that are the same."""
    ours, theirs = one.split("."), other.split(".")
    while ours and theirs and ours[-1] == theirs[-1]:
        ours.pop()
        theirs.pop()
    return ".".join(ours), ".".join(theirs)


def _rest(name: str, old: str) -> str | None:
    """What of ``name`` comes after the whole parts ``old``; None where it does not begin so."""
    if not old or name == old:
        return name if not old else ""
    return name[len(old) + 1 :] if name.startswith(f"{old}.") else None


def _beginnings(names: Collection[str]) -> set[str]:
    parts = (name.split(".") for name in names)
    return {".".join(one[:depth]) for one in parts for depth in range(1, len(one) + 1)}
