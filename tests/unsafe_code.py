"""Finds what runs code from data, or may: by what a file refers to, under whatever name.

Not by what it calls: who hands ``torch.load`` or ``eval`` on has called it somewhere. A module that
has such functions is not handed on either, nor are names of its parts made at run time.
"""

from __future__ import annotations

import ast
import builtins
import fnmatch
import functools
from collections.abc import Iterator, Mapping

MODULES = {
    "pickle", "cPickle", "_pickle", "dill", "cloudpickle", "joblib", "marshal", "shelve", "runpy",
    "imp", "code", "codeop", "tarfile", "builtins", "ctypes", "cffi", "zipimport", "pdb",
}  # fmt: skip
# Dotted names, as patterns.
REFERENCES = (
    "eval", "exec", "compile", "__import__", "globals", "locals", "breakpoint", "__builtins__",
    "torch.load", "torch.save", "torch.hub*", "torch.jit.load", "torch.package*",
    "torch.export.load", "torch.serialization*", "torch.utils.model_zoo*",
    "torch.utils.cpp_extension*",
    "torch.*.load_library", "torch.distributed.*_object*", "torch.distributed.checkpoint*",
    "yaml.load*", "yaml.unsafe*", "yaml.full*", "yaml.*Loader", "numpy.load",
    "numpy.lib.format.read_array", "numpy.lib.format.open_memmap",
    "pandas.read_pickle", "os.system", "os.popen", "os.exec*", "os.spawn*", "os.posix_spawn*",
    "subprocess.getoutput", "subprocess.getstatusoutput", "shutil.unpack_archive",
    "shutil.register_unpack_format", "importlib.__import__", "importlib.reload",
    "importlib.import_module", "importlib.machinery*", "importlib.util.spec_from*",
    "importlib.util.module_from_spec", "pkgutil.resolve_name", "pydoc.locate", "sys.modules",
    "sys.meta_path", "sys.path_hooks", "operator.attrgetter", "operator.methodcaller", "getattr",
)  # fmt: skip
ATTRIBUTES = {
    "extractall", "unpack_archive", "exec_module", "load_module", "__builtins__", "__subclasses__",
    "__import__", "__reduce__", "__reduce_ex__", "__getattribute__",
}  # fmt: skip
# Keywords, and the one value that they may have.
KEYWORDS = {
    "allow_pickle": False, "shell": False, "trust_remote_code": False, "weights_only": True,
    "pickle_module": None,
}  # fmt: skip
# Modules with such functions: only their parts are used, by name.
GUARDED = {
    "torch", "yaml", "numpy", "pandas", "os", "sys", "importlib", "subprocess", "shutil",
    "operator", "pkgutil", "pydoc",
}  # fmt: skip
Sites = Mapping[str, set[str]]


def unsafe(source: str, allowed: Sites | None = None) -> list[str]:
    """What stands in ``source`` and may not. ``allowed``: dotted names by the function in which
    each may stand ("" for the module itself)."""
    return sorted(set(_Look(ast.parse(source), allowed or {}).found()))


class _Look:
    def __init__(self, tree: ast.AST, allowed: Sites) -> None:
        self._tree, self._allowed = tree, allowed
        self._meant = _imported_names(tree)
        self._imported = set(self._meant.values())
        self._parent: dict[ast.AST, ast.AST] = {
            child: node for node in ast.walk(tree) for child in ast.iter_child_nodes(node)
        }

    def found(self) -> Iterator[str]:
        for node in ast.walk(self._tree):
            if isinstance(node, ast.Import | ast.ImportFrom):
                yield from self._import(node)
            elif isinstance(node, ast.Name | ast.Attribute):
                yield from self._reference(node)
            elif isinstance(node, ast.Call):
                yield from self._call(node)

    def _import(self, node: ast.Import | ast.ImportFrom) -> Iterator[str]:
        if isinstance(node, ast.Import):
            modules = [one.name for one in node.names]
        else:
            modules = [f"{node.module or ''}.{one.name}" for one in node.names]
            if any(one.name == "*" for one in node.names):
                yield f"imports everything from {node.module}"
        for module in modules:
            if module.split(".")[0] in MODULES and not getattr(node, "level", 0):
                yield f"imports {module.split('.')[0]}"

    def _reference(self, node: ast.Name | ast.Attribute) -> Iterator[str]:
        if isinstance(node, ast.Attribute) and node.attr in ATTRIBUTES:
            yield f"uses {node.attr}"
        name = self._named(node)
        if name is None or isinstance(node.ctx, ast.Store):
            return
        over = self._parent[node]
        if isinstance(over, ast.Attribute):
            if name in self._imported and over.attr in ("__dict__", "__getattr__"):
                yield f"takes {name} apart"
        elif name in GUARDED and not self._asked_by_name(node, over):
            yield f"hands {name} on"
        if _matches(name) and not self._fine(name, node, over):
            yield f"uses {name}"

    def _call(self, node: ast.Call) -> Iterator[str]:
        called = self._named(node.func)
        for one in node.keywords:
            if one.arg in KEYWORDS and not _is(one.value, KEYWORDS[one.arg]):
                yield f"calls {called or 'something'} with {one.arg}={ast.unparse(one.value)}"
            if one.arg is None and (called or "").split(".")[0] == "subprocess":
                yield f"calls {called} with who knows what"
        if called == "getattr" and len(node.args) >= 2:
            whole = self._named(node.args[0])
            part = node.args[1]
            foreign = whole in self._imported and not (whole or "").startswith("zoo.")
            if foreign and not isinstance(part, ast.Constant):
                if not self._is_allowed("getattr", node):
                    yield f"takes {whole} apart"
            elif whole is not None and isinstance(part, ast.Constant):
                name = f"{whole}.{part.value}"
                if _matches(name):
                    yield f"uses {name}"
        if called == "importlib.import_module" and node.args:
            what = node.args[0]
            if isinstance(what, ast.Constant) and str(what.value).split(".")[0] in MODULES:
                yield f"imports {what.value}"

    def _fine(self, name: str, node: ast.expr, over: ast.AST) -> bool:
        """Whether this one reference is none of those that are meant."""
        called = isinstance(over, ast.Call) and over.func is node
        if self._is_allowed(name, node):
            return True
        if name == "getattr":
            return called
        if not called or not isinstance(over, ast.Call):
            return False
        given = {one.arg: one.value for one in over.keywords}
        if name == "numpy.load":
            return _is(given.get("allow_pickle"), False) and None not in given
        if name == "importlib.import_module":
            return bool(over.args) and isinstance(over.args[0], ast.Constant)
        if name in ("operator.attrgetter", "operator.methodcaller"):
            return bool(over.args) and all(isinstance(one, ast.Constant) for one in over.args)
        return False

    def _is_allowed(self, name: str, node: ast.AST) -> bool:
        if name not in self._allowed.get(self._function(node), ()):
            return False
        if name == "torch.load":  # and even there, of tensors only
            call = self._parent[node]
            given = {one.arg: one.value for one in getattr(call, "keywords", ())}
            return _is(given.get("weights_only"), True) and None not in given
        return True

    def _function(self, node: ast.AST) -> str:
        while node in self._parent:
            node = self._parent[node]
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                return node.name
        return ""

    def _asked_by_name(self, node: ast.AST, over: ast.AST) -> bool:
        return (
            isinstance(over, ast.Call)
            and self._named(over.func) in ("getattr", "hasattr")
            and over.args[0] is node
            and isinstance(over.args[1], ast.Constant)
        )

    def _named(self, node: ast.expr) -> str | None:
        """The dotted name that an expression stands for; None for what is no such name."""
        if isinstance(node, ast.Name):
            known = self._meant.get(node.id)
            own = hasattr(builtins, node.id) or node.id == "__builtins__"
            return known or (node.id if own else None)
        if isinstance(node, ast.Attribute):
            whole = self._named(node.value)
            return whole and f"{whole}.{node.attr}"
        return None


def _imported_names(tree: ast.AST) -> dict[str, str]:
    """What each imported name of a file stands for: ``np`` for ``numpy``."""
    meant: dict[str, str] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for one in node.names:
                first = one.name.split(".")[0]
                meant[one.asname or first] = one.name if one.asname else first
        elif isinstance(node, ast.ImportFrom) and not node.level:
            meant |= {one.asname or one.name: f"{node.module}.{one.name}" for one in node.names}
    return meant


@functools.cache
def _matches(name: str) -> bool:
    return any(fnmatch.fnmatchcase(name, pattern) for pattern in REFERENCES)


def _is(value: ast.expr | None, expected: object) -> bool:
    return isinstance(value, ast.Constant) and value.value is expected
