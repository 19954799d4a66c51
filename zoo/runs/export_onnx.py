"""ONNX: written by torch's exporter into one file, without traces of this machine, and run again.

Shapes: B images, C channels, H by W pixels, O outputs.
"""

from __future__ import annotations

import importlib.util
import json
from collections.abc import Callable, Mapping
from importlib import metadata
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from zoo.errors import ExportError
from zoo.runs.extras import needed

SUFFIX = ".onnx"
INPUT, OUTPUT = "images", "logits"
_MOST = (1 << 31) - (1 << 24)  # bytes of weights: a file of ONNX's ends at 2 GiB


def require() -> None:
    """Raise :class:`zoo.errors.MissingError` where a library is missing."""
    for module in ("onnx", "onnxscript"):
        needed(module, "onnx", "export to ONNX")


def write(network: nn.Module, images: Tensor, about: Mapping[str, Any], path: Path) -> None:
    """``images``: float32 (B, C, H, W), two at least. ``about`` goes into the file's metadata, each
    value as JSON."""
    held = sum(one.nbytes for one in network.state_dict().values())
    if held > _MOST:
        raise ExportError(
            f"the weights have {held:,} bytes, and one ONNX file holds {_MOST:,}; choose the "
            f"format 'torch-export'"
        )
    batch = torch.export.Dim("batch", min=1)
    program = torch.onnx.export(
        network,
        (images,),
        input_names=[INPUT],
        output_names=[OUTPUT],
        dynamic_shapes=({0: batch},),
        dynamo=True,
        verbose=False,
    )
    assert program is not None
    model: Any = program.model
    _forget_the_machine(model)
    model.metadata_props.update({key: json.dumps(value) for key, value in about.items()})
    program.save(path, external_data=False)


def open_written(path: Path) -> Callable[[Tensor], Tensor]:
    """The file as a function of float32 (B, C, H, W): by onnxruntime where it is installed, else by
    ONNX's own reference implementation, which is slow."""
    if _has_onnxruntime():
        import onnxruntime

        session: Any = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    else:
        from onnx.reference import ReferenceEvaluator

        session = ReferenceEvaluator(str(path))
    return lambda images: torch.from_numpy(session.run(None, {INPUT: images.numpy()})[0])


def runner() -> str:
    name = "onnxruntime" if _has_onnxruntime() else "onnx"
    return f"{name} {metadata.version(name)}"


def _has_onnxruntime() -> bool:
    return importlib.util.find_spec("onnxruntime") is not None


def _forget_the_machine(model: Any) -> None:
    """torch notes the lines of code that each node comes from, with their files' paths."""
    graphs = [model.graph, *model.functions.values()]
    for graph in graphs:
        graph.metadata_props.clear()
        for value in (*graph.inputs, *graph.outputs, *getattr(graph, "initializers", {}).values()):
            value.metadata_props.clear()
        for node in graph.all_nodes():
            node.metadata_props.clear()
            node.doc_string = None
            for value in node.outputs:
                value.metadata_props.clear()
