"""Carry one action out on FOLDER, which is prepared; for those who kill this process from outside.

Run as ``python act_once.py FOLDER ACTION``. ``begin`` and ``end`` of the action show in a trace as
calls of ``umask``, which nothing else makes.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

from actions import ACTIONS

from zoo.registry.store import Registry

registry, action = Registry.at(Path(sys.argv[1])), ACTIONS[sys.argv[2]]
os.umask(0o022)
action.act(registry)
os.umask(0o022)
