"""What a record may make a network do while it is built from it.

A record's options are a stranger's: they may ask for a million layers. So a network may register
no more than fits the weights that the version brings.
"""

from __future__ import annotations

import contextlib
import threading
import weakref
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from torch import Tensor, nn
from torch.nn.modules import module as hooks
from torch.nn.parameter import is_lazy
from torch.overrides import TorchFunctionMode

from zoo.errors import PluginError, RegistryError

# Networks make parts that they drop again, such as the head of a backbone: hence the factors. The
# largest networks for images have some 10,000 parts; to make 50,000 takes seconds.
_PARTS, _FREE_PARTS, _MOST_PARTS = 20, 10_000, 50_000
_BYTES, _FREE_BYTES = 4, 128 << 20
# They change the values of their first argument and return it.
_FILLING = {
    Tensor.uniform_, Tensor.normal_, Tensor.random_, Tensor.bernoulli_, Tensor.exponential_,
    Tensor.fill_, Tensor.zero_,
    nn.init.uniform_, nn.init.normal_, nn.init.trunc_normal_, nn.init.constant_, nn.init.ones_,
    nn.init.zeros_, nn.init.xavier_uniform_, nn.init.xavier_normal_, nn.init.kaiming_uniform_,
    nn.init.kaiming_normal_,
}  # fmt: skip


@contextlib.contextmanager
def bounded(weights: Mapping[str, Tensor], what: str) -> Iterator[None]:
    """Raise :class:`RegistryError`, naming ``what``, as soon as networks built inside make and
    register far more modules and tensors than there are ``weights``, or far more bytes; and when
    their modules are nested deeper than Python calls functions."""
    most = min(_FREE_PARTS + _PARTS * len(weights), _MOST_PARTS)
    most_bytes = _FREE_BYTES + _BYTES * sum(one.nbytes for one in weights.values())
    ours, parts, size = threading.get_ident(), 0, 0

    def count(module: nn.Module, name: str = "", part: Any = None) -> None:
        nonlocal parts, size
        if threading.get_ident() != ours:
            return
        parts += 1
        # Counted before it is filled: memory that nobody has written to costs nothing yet.
        if isinstance(part, Tensor) and not is_lazy(part) and not part.is_meta:
            size += part.nbytes
        if parts > most or size > most_bytes:
            raise RegistryError(
                f"{what}: its options make a network far larger than its {len(weights)} tensors of "
                f"weights; the record is damaged, or not to be trusted"
            )

    handles = [
        hooks.register_module_module_registration_hook(count),
        hooks.register_module_parameter_registration_hook(count),
        hooks.register_module_buffer_registration_hook(count),
    ]
    try:
        with _made_known_to(count):
            yield
    except RecursionError:
        raise RegistryError(
            f"{what}: its options make a network whose layers are nested too deep; the record is "
            f"damaged, or not to be trusted"
        ) from None
    finally:
        for handle in handles:
            handle.remove()


_told: list[Callable[[nn.Module], None]] = []
_telling, _init = threading.Lock(), nn.Module.__init__


@contextlib.contextmanager
def _made_known_to(count: Callable[[nn.Module], None]) -> Iterator[None]:
    """Tell ``count`` of each module made, by any thread. torch tells of one when it is put into
    another, and a million may be made before that."""
    with _telling:
        if not _told:
            nn.Module.__init__ = _telling_init  # type: ignore[method-assign, assignment]
        _told.append(count)
    try:
        yield
    finally:
        with _telling:
            _told.remove(count)
            if not _told:
                nn.Module.__init__ = _init  # type: ignore[method-assign]


def _telling_init(module: nn.Module, *given: Any, **named: Any) -> None:
    for one in tuple(_told):
        one(module)
    _init(module, *given, **named)


def refuse_lazy(network: nn.Module, what: str) -> None:
    """Raise :class:`PluginError` when a shape is left open until an image has been seen: nothing
    could be compared with the weights, or allocated for them."""
    for name, tensor in (*network.named_parameters(), *network.named_buffers()):
        if is_lazy(tensor):
            raise PluginError(
                f"{what}: the network leaves the shape of {name!r} open (a lazy layer), so its "
                f"weights could not be loaded again; the plugin has to give that layer its sizes"
            )


class Traces(TorchFunctionMode):
    """Remembers each tensor made inside, as long as somebody holds it. Filling one that has no
    values, with random numbers or others, is left out: it would do nothing, and takes three
    quarters of the time in which a large network is built."""

    def __init__(self) -> None:
        super().__init__()
        self._made: list[weakref.ref[Tensor]] = []

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        if func in _FILLING:
            filled = args[0] if args else kwargs.get("tensor")
            if isinstance(filled, Tensor) and filled.is_meta:
                return filled
        made = func(*args, **kwargs)
        self.add(made if isinstance(made, list | tuple) else [made])
        return made

    def add(self, tensors: Iterable[Any]) -> None:
        self._made += [weakref.ref(one) for one in tensors if isinstance(one, Tensor)]

    def empty(self) -> bool:
        """Whether no tensor without values is left: in a network, a cache, or anywhere else."""
        held = (made() for made in self._made)
        return not any(one is not None and one.is_meta for one in held)
