"""torch.export: an archive that torch reads without the code that built the network.

Shapes: B images, C channels, H by W pixels, O outputs.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

SUFFIX = ".pt2"
ABOUT = "zoo.json"  # among the archive's extra files


def write(network: nn.Module, images: Tensor, about: Mapping[str, Any], path: Path) -> None:
    """``images``: float32 (B, C, H, W), two at least. ``about`` is the archive's :data:`ABOUT`."""
    batch = torch.export.Dim("batch", min=1)
    program = torch.export.export(network, (images,), dynamic_shapes=({0: batch},))
    for module in program.graph_module.modules():
        for node in module.graph.nodes if isinstance(module, torch.fx.GraphModule) else ():
            node.meta.pop("stack_trace", None)  # paths of this machine
    torch.export.save(program, path, extra_files={ABOUT: json.dumps(about)})


def open_written(path: Path) -> Callable[[Tensor], Tensor]:
    """The file as a function of float32 (B, C, H, W). Only for what was written here."""
    module = torch.export.load(path).module()

    def run(images: Tensor) -> Tensor:
        with torch.no_grad():
            said: Tensor = module(images)
        return said

    return run


def runner() -> str:
    return f"torch {torch.__version__}"
