"""The catalog: every installed component by kind and name, and who provides it."""

from __future__ import annotations

import contextlib
import functools
import importlib
import importlib.util
import inspect
import sys
import warnings
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from zoo.errors import ComponentError, PluginError, ZooError, ZooWarning, nearest, reason
from zoo.plugins import families, loading, options, specs


@dataclass(frozen=True)
class Component:
    """One installed component, ready to show its options and to be built."""

    kind: str
    name: str
    spec: specs.Spec | families.Family
    plugin: loading.Plugin

    def __str__(self) -> str:
        return f"{self.kind} {self.name!r} of {self.plugin}"

    @property
    def summary(self) -> str:
        return self.spec.summary

    @property
    def options(self) -> Sequence[options.Option]:
        """Imports the component's module. Raises :class:`PluginError` when it cannot serve."""
        return _options(self)

    def bind(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """``given`` checked and completed. Raises :class:`ComponentError` naming each problem."""
        values, problems = options.bind(self.options, given)
        if problems:
            text = "; ".join(f"{key}: {what}" for key, what in problems.items())
            raise ComponentError(f"{self.kind} {self.name!r}: {text}")
        return values

    def build(self, context: object | None, given: Mapping[str, Any] | None = None) -> Any:
        """Build it from its context and options. What goes wrong inside names the plugin."""
        return self._call(self.spec.build, context, given or {}, "failed to build")

    def missing(self) -> str | None:
        """What to install before it can be built, or None when nothing is missing."""
        module = getattr(self.spec, "requires", "")
        # A mere folder of that name, as a library's own files in the working folder, has no origin.
        found = importlib.util.find_spec(module) if module else None
        if not module or (found is not None and found.origin is not None):
            return None
        extra = f"{self.plugin.distribution}[{self.name}]"
        return f"it needs {module}; install it with: pip install '{extra}'"

    def fetch(
        self, context: object, given: Mapping[str, Any] | None = None
    ) -> Sequence[specs.RemoteFile]:
        """A dataset's published files. Raises :class:`ComponentError` when it names none."""
        fetch = getattr(self.spec, "fetch", None)
        if fetch is None:
            files = getattr(self.spec, "files", "")
            raise ComponentError(
                f"{self.kind} {self.name!r}: zoo knows no files to download"
                + (f"; it needs {files}" if files else "")
            )
        found = self._call(fetch, context, given or {}, "failed to name its files")
        wrong = not isinstance(found, list | tuple) or not found
        if wrong or not all(isinstance(one, specs.RemoteFile) for one in found):
            raise PluginError(f"{self}: fetch returned {found!r}; expected a list of RemoteFile")
        return tuple(found)

    def pretrained(
        self, context: object, given: Mapping[str, Any] | None = None
    ) -> specs.Pretrained:
        """An architecture's published weights. Raises :class:`ComponentError` when it has none."""
        target = getattr(self.spec, "pretrained", None)
        failed = "failed to give its pretrained weights"
        found = None if target is None else self._call(target, context, given or {}, failed)
        if found is None:
            raise ComponentError(
                f"{self.kind} {self.name!r} has no pretrained weights; start from a published "
                f"model or a .safetensors file"
            )
        if not isinstance(found, specs.Pretrained):
            raise PluginError(f"{self}: pretrained returned {found!r}; expected a zoo.Pretrained")
        return found

    def _call(
        self, target: specs.Build, context: object | None, given: Mapping[str, Any], failed: str
    ) -> Any:
        values = self.bind(given)
        if isinstance(self.spec, families.Family):
            _, _, member = self.name.partition("/")
            positional: tuple[object, ...] = (context, member)
        else:
            positional = () if self.spec.context is None else (context,)
        try:
            return resolve(self, target)(*positional, **values)
        except ZooError:
            raise
        except Exception as error:
            raise PluginError(f"{self} {failed}: {reason(error)}") from error


class Catalog:
    """An index over loaded plugins."""

    def __init__(
        self, loaded: Iterable[loading.Loaded], problems: Iterable[loading.Problem] = ()
    ) -> None:
        self.loaded = tuple(loaded)
        self.problems = tuple(problems)
        self._by_kind: dict[str, dict[str, list[Component]]] = {kind: {} for kind in specs.PLURALS}
        # By kind, then by prefix; two distributions may claim a prefix.
        self._families: dict[str, dict[str, list[Component]]] = {kind: {} for kind in specs.PLURALS}
        for one in self.loaded:
            for spec in one.components:
                if isinstance(spec, families.Family):
                    family = Component(spec.kind, spec.prefix, spec, one.plugin)
                    self._families[spec.kind].setdefault(spec.prefix, []).append(family)
                else:
                    component = Component(spec.kind, spec.name, spec, one.plugin)
                    self._by_kind[spec.kind].setdefault(spec.name, []).append(component)

    def names(self, kind: str) -> list[str]:
        """Every name of a kind, families' members included, sorted."""
        return sorted({*self._by_kind[kind], *(one.name for one in self._members_listed(kind))})

    def components(self, kind: str) -> list[Component]:
        """Every component of a kind; one that two distributions provide stands once for each."""
        found = [one for name in self._by_kind[kind] for one in self._by_kind[kind][name]]
        found += self._members_listed(kind)
        return sorted(found, key=lambda one: (one.name, one.plugin.distribution))

    def get(self, kind: str, name: str) -> Component:
        """The component of that name. Raises :class:`ComponentError` when there is none, or two."""
        found = list(self._by_kind[kind].get(name, ()))
        prefix, slash, member = name.partition("/")
        if slash:
            found += [
                Component(kind, name, family.spec, family.plugin)
                for family in self._families[kind].get(prefix, ())
                if member in members(family)
            ]
        if len(found) == 1:
            return found[0]
        plural = specs.PLURALS[kind]
        if found:
            owners = " and ".join(str(one.plugin) for one in found)
            raise ComponentError(
                f"{kind} {name!r} is provided by {owners}: uninstall one, or name the plugins to "
                f"load in {loading.SELECTION_VARIABLE}"
            )
        raise ComponentError(
            f"{kind} {name!r} is not installed{nearest(name, self.names(kind))}; "
            f"see: zoo components list {plural}"
        )

    def _members_listed(self, kind: str) -> list[Component]:
        return [
            Component(kind, f"{family.name}/{member}", family.spec, family.plugin)
            for families in self._families[kind].values()
            for family in families
            for member in _listed(family)
        ]


@functools.cache
def catalog() -> Catalog:
    """The catalog of what is installed, loaded once a process; a bad plugin is one warning."""
    loaded, problems = loading.load_all()
    for problem in problems:
        warnings.warn(str(problem), ZooWarning, stacklevel=2)
    return Catalog(loaded, problems)


def resolve(component: Component, target: Callable[..., Any] | str) -> Callable[..., Any]:
    """``target`` itself, or what ``"package.module:function"`` names."""
    if not isinstance(target, str):
        return target
    module_name, _, attribute = target.partition(":")
    try:
        found = functools.reduce(
            getattr, attribute.split("."), importlib.import_module(module_name)
        )
    except (Exception, SystemExit) as error:  # a module may fail in any way while it is imported
        raise PluginError(f"{component}: {target!r} cannot be imported: {reason(error)}") from error
    if not callable(found):
        raise PluginError(f"{component}: {target!r} is not callable")
    return found


@functools.cache
def _options(component: Component) -> Sequence[options.Option]:
    spec = component.spec
    if not isinstance(spec, families.Family):
        build = resolve(component, spec.build)
        return options.read_options(str(component), build, takes_context=spec.context is not None)
    if spec.options is None:
        return ()
    signature_of = resolve(component, spec.options)
    try:
        signature = signature_of(component.name.partition("/")[2])
    except ZooError:
        raise
    except Exception as error:
        raise PluginError(f"{component}: its options cannot be read: {reason(error)}") from error
    return tuple(
        options.Option(parameter.name, parameter.annotation, parameter.default)
        for parameter in signature.parameters.values()
        if parameter.kind is inspect.Parameter.KEYWORD_ONLY
    )


@functools.cache
def members(family: Component) -> Sequence[str]:
    """Raises :class:`PluginError` when it cannot say its names."""
    assert isinstance(family.spec, families.Family)
    names = family.spec.names
    if isinstance(names, str) or callable(names):
        try:
            with contextlib.redirect_stdout(sys.stderr):  # as while it is loaded
                names = resolve(family, names)()
        except ZooError:
            raise
        except (Exception, SystemExit) as error:
            raise PluginError(f"{family}: its names cannot be read: {reason(error)}") from error
    return tuple(names)


@functools.cache
def _listed(family: Component) -> Sequence[str]:
    """The family's members, for lists: one that cannot say its names is a warning, not the end."""
    try:
        return members(family)
    except ZooError as error:
        warnings.warn(str(error), ZooWarning, stacklevel=2)
        return ()
