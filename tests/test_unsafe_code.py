"""Nothing in the tree runs code from data, and the ban cannot be got round by another name."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest
from unsafe_code import unsafe

import zoo

ROOT = Path(zoo.__file__).parents[1]
TREE = sorted(
    path
    for pattern in ("zoo/**/*.py", "cli/**/*.py", "plugins/*/*/**/*.py")
    for path in ROOT.glob(pattern)
    if "build" not in path.parts
)
# Where each may stand, by file and function, and why that reads no name from data.
ALLOWED: Mapping[str, Mapping[str, set[str]]] = {
    "zoo/__init__.py": {"__getattr__": {"importlib.import_module", "globals"}},  # its own table
    "zoo/plugins/catalog.py": {"resolve": {"importlib.import_module", "getattr"}},  # a plugin's
    "zoo/runs/extras.py": {"needed": {"importlib.import_module"}},  # named where it is called
    # What torch.save wrote is read here alone, in a process of its own, and nothing of it is run.
    "zoo/storage/torch_file.py": {"weights_in": {"torch.load"}},
    "zoo/runs/export_torch.py": {"open_written": {"torch.export.load"}},  # written just before
    "cli/lazy.py": {"_load": {"importlib.import_module"}},  # the table of commands
    "cli/checks_versions.py": {"libraries": {"importlib.import_module"}},  # its own list
    "cli/checks_machine.py": {"devices": {"sys.modules"}, "memory": {"sys.modules"}},
    "cli/endings.py": {"": {"sys.modules"}},  # where typer keeps its errors
    "plugins/zoo-basics/zoo_basics/augmentations_apply.py": {
        "_built": {"importlib.import_module"},  # a table of augmentations, by a recipe's name
    },
    "plugins/zoo-pretrainedmodels/zoo_pretrainedmodels/networks.py": {
        "_maker": {"getattr"},  # its own table
    },
    "plugins/zoo-torchvision/zoo_torchvision/datasets.py": {"_made": {"getattr"}},  # its own table
}  # fmt: skip


def of_file(path: Path) -> list[str]:
    allowed = ALLOWED.get(path.relative_to(ROOT).as_posix())
    return unsafe(path.read_text(encoding="utf-8"), allowed)


def test_the_tree_is_clean() -> None:
    assert len(TREE) > 200
    found = {path.relative_to(ROOT).as_posix(): of_file(path) for path in TREE}
    assert {path: what for path, what in found.items() if what} == {}


@pytest.mark.parametrize("path", ALLOWED)
def test_every_exception_is_needed(path: str) -> None:
    """One that stands for nothing any more would let in what comes later."""
    source = (ROOT / path).read_text(encoding="utf-8")
    for function, names in ALLOWED[path].items():
        for name in names:
            others = {
                key: value - {name} if key == function else value
                for key, value in ALLOWED[path].items()
            }
            assert unsafe(source, others), f"{function or path}: {name}"


ONE_SITE = {"weights_in": {"torch.load"}}
VIOLATIONS = {
    "import pickle": "imports pickle",
    "def f():\n    from pickle import loads": "imports pickle",
    "import _pickle as json": "imports _pickle",
    "from joblib import load": "imports joblib",
    "import dill.source": "imports dill",
    "import marshal, json": "imports marshal",
    "import builtins": "imports builtins",
    "import tarfile": "imports tarfile",
    "from os import *": "imports everything from os",
    "eval('1')": "uses eval",
    "list(map(eval, texts))": "uses eval",
    "run = exec": "uses exec",
    "def f(run=eval): ...": "uses eval",
    "compile(text, 'x', 'exec')": "uses compile",
    "__import__('os')": "uses __import__",
    "globals()['ev' + 'al']": "uses globals",
    "__builtins__['eval']": "uses __builtins__",
    "().__class__.__base__.__subclasses__()": "uses __subclasses__",
    "import torch\ntorch.load('x')": "uses torch.load",
    "import torch\ntorch.load('x', weights_only=True)": "uses torch.load",
    "import torch as t\nt.load('x', weights_only=True)": "uses torch.load",
    "from torch import load as read\nread('x')": "uses torch.load",
    "import torch\nread = torch.load": "uses torch.load",
    "import torch\ndef f(read=torch.load): ...": "uses torch.load",
    "import torch\ngetattr(torch, 'load')('x')": "uses torch.load",
    "import torch\ngetattr(torch, 'lo' + 'ad')('x')": "takes torch apart",
    "import torch\ngetattr(torch, name)('x')": "takes torch apart",
    "import torch\nvars(torch)['load']": "hands torch on",
    "import torch\ntorch.__dict__['load']": "takes torch apart",
    "import torch\nt = torch\nt.load('x')": "hands torch on",
    "import torch\ndef f(t=torch): ...": "hands torch on",
    "import torch\nf(torch)": "hands torch on",
    "import torch.serialization as s\ns.load('x')": "uses torch.serialization",
    "from torch import serialization\nserialization.load('x')": "uses torch.serialization",
    "from torch.serialization import add_safe_globals as a\na([x])": "uses torch.serialization",
    "import torch\ntorch.hub.load('x', 'y')": "uses torch.hub",
    "from torch.hub import load_state_dict_from_url as f\nf(x)": "uses torch.hub",
    "import torch\ntorch.jit.load('x')": "uses torch.jit.load",
    "import torch\ntorch.distributed.broadcast_object_list(x)": "uses torch.distributed.broad",
    "import torch\ntorch.save(x, 'y')": "uses torch.save",
    "import yaml\nyaml.load(text)": "uses yaml.load",
    "from yaml import load as read\nread(text)": "uses yaml.load",
    "import yaml\nyaml.unsafe_load(text)": "uses yaml.unsafe_load",
    "import yaml\ny = yaml": "hands yaml on",
    "archive.extractall('x')": "uses extractall",
    "extract = archive.extractall": "uses extractall",
    "import shutil\nshutil.unpack_archive('x')": "uses shutil.unpack_archive",
    "import numpy as np\nnp.load('x', allow_pickle=True)": "allow_pickle=True",
    "import numpy as np\nnp.load('x', allow_pickle=flag)": "allow_pickle=flag",
    "import numpy as np\nnp.load('x')": "uses numpy.load",
    "import numpy as np\nnp.load('x', **given)": "uses numpy.load",
    "import numpy as np\nread = np.load": "uses numpy.load",
    "from numpy import load\nload('x')": "uses numpy.load",
    "import numpy\nf(numpy)": "hands numpy on",
    "from numpy.lib.format import read_array\nread_array(f)": "uses numpy.lib.format.read_array",
    "import pandas as pd\npd.read_pickle('x')": "uses pandas.read_pickle",
    "import os\nos.system('ls')": "uses os.system",
    "import os\nos.execvp('ls', [])": "uses os.execvp",
    "from os import popen as p\np('ls')": "uses os.popen",
    "import subprocess\nsubprocess.run('ls', shell=True)": "shell=True",
    "import subprocess\nsubprocess.run('ls', shell=flag)": "shell=flag",
    "import subprocess\nsubprocess.run('ls', **given)": "who knows what",
    "import subprocess\nsubprocess.getoutput('ls')": "uses subprocess.getoutput",
    "import importlib\nimportlib.import_module(record['module'])": "uses importlib.import_module",
    "from importlib import import_module as i\ni(name)": "uses importlib.import_module",
    "import importlib\nimportlib.import_module(f'zoo.{name}')": "uses importlib.import_module",
    "import importlib\nimportlib.import_module('pickle')": "imports pickle",
    "import importlib\nload = importlib.import_module": "uses importlib.import_module",
    "import importlib.util\nimportlib.util.spec_from_file_location('x', p)": "uses importlib.util",
    "loader.exec_module(m)": "uses exec_module",
    "import sys\nsys.modules['torch'].load": "uses sys.modules",
    "import functools, torch\nfunctools.reduce(getattr, ['load'], x)": "uses getattr",
    "import operator\noperator.attrgetter(name)": "uses operator.attrgetter",
    "import pkgutil\npkgutil.resolve_name(name)": "uses pkgutil.resolve_name",
    "make(x, trust_remote_code=True)": "trust_remote_code=True",
    "read(x, weights_only=False)": "weights_only=False",
}


@pytest.mark.parametrize("source", VIOLATIONS)
def test_a_violation_is_caught(source: str) -> None:
    found = unsafe(source, ONE_SITE)
    assert any(VIOLATIONS[source] in one for one in found), found


@pytest.mark.parametrize(
    "call",
    [
        "torch.load(x)", "torch.load(x, weights_only=False)", "torch.load(x, weights_only=flag)",
        "torch.load(x, **given)", "torch.load(x, weights_only=True, pickle_module=p)",
        "torch.load(x, weights_only=True, **given)", "torch.save(x, y)", "eval(x)",
    ],
)  # fmt: skip
def test_the_one_site_may_do_the_one_thing(call: str) -> None:
    head = "import torch\ndef weights_in(x):\n    "
    assert unsafe(f"{head}torch.load(x, map_location='cpu', weights_only=True)", ONE_SITE) == []
    assert unsafe(f"{head}{call}", ONE_SITE)


@pytest.mark.parametrize(
    "source",
    [
        "import numpy as np\nnp.load('x', allow_pickle=False)",
        "network.eval()\nimport json\njson.load(file)\nentry.load()",
        "import re\nre.compile('x')\nimport torch\ntorch.compile(network)",
        "import os\ngetattr(os, 'O_BINARY', 0)\nhasattr(os, 'link')",
        "import importlib\nimportlib.import_module('zoo.errors')",
        "getattr(record, name)\nvars(record)\nrecord.__dict__",
        "import yaml\nyaml.safe_load(text)",
        "import subprocess\nsubprocess.run(['ls'], shell=False)",
        "from . import pickle",
    ],
)
def test_what_is_safe_is_not_caught(source: str) -> None:
    assert unsafe(source) == []


def test_weights_of_torch_are_read_in_one_place() -> None:
    texts = {path.relative_to(ROOT).as_posix(): path.read_text(encoding="utf-8") for path in TREE}
    found = {
        path: count
        for path, text in texts.items()
        if "torch" in text and "load" in text  # else there is nothing to look for
        if (count := unsafe(text).count("uses torch.load"))
    }
    assert found == {"zoo/storage/torch_file.py": 1}
    assert (ROOT / "zoo/storage/torch_file.py").read_text().count("torch.load(") == 1
