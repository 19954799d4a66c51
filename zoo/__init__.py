"""zoo: train, measure, publish and re-use image models whose every part comes from a plugin.

The names below are the whole public interface; plugins import nothing else. Each is loaded on
first use (PEP 562), so that ``import zoo`` costs neither torch nor numpy.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from zoo.data.asking_hub import ask_hub as ask_hub
    from zoo.data.datasets import ArraySplit as ArraySplit
    from zoo.data.datasets import Dataset as Dataset
    from zoo.data.datasets import FileSplit as FileSplit
    from zoo.data.datasets import Provenance as Provenance
    from zoo.data.datasets import Split as Split
    from zoo.data.decoding import open_image as open_image
    from zoo.data.download import is_private_address as is_private_address
    from zoo.data.draws import Draws as Draws
    from zoo.data.published_weights import fetch_weights as fetch_weights
    from zoo.data.published_weights import read_torch_weights as read_torch_weights
    from zoo.errors import DataError as DataError
    from zoo.errors import PausedError as PausedError
    from zoo.errors import TrainingError as TrainingError
    from zoo.errors import ZooError as ZooError
    from zoo.errors import ZooWarning as ZooWarning
    from zoo.plugins.checks import check_plugin as check_plugin
    from zoo.plugins.contexts import ArchitectureContext as ArchitectureContext
    from zoo.plugins.contexts import DatasetContext as DatasetContext
    from zoo.plugins.contexts import LossContext as LossContext
    from zoo.plugins.contexts import OptimizerContext as OptimizerContext
    from zoo.plugins.contexts import SamplerContext as SamplerContext
    from zoo.plugins.contexts import SchedulerContext as SchedulerContext
    from zoo.plugins.contexts import TrackerContext as TrackerContext
    from zoo.plugins.families import ArchitectureFamily as ArchitectureFamily
    from zoo.plugins.families import DatasetFamily as DatasetFamily
    from zoo.plugins.families import LossFamily as LossFamily
    from zoo.plugins.families import OptimizerFamily as OptimizerFamily
    from zoo.plugins.hookspecs import hookimpl as hookimpl
    from zoo.plugins.specs import ArchitectureSpec as ArchitectureSpec
    from zoo.plugins.specs import AugmentationSpec as AugmentationSpec
    from zoo.plugins.specs import DatasetSpec as DatasetSpec
    from zoo.plugins.specs import Facts as Facts
    from zoo.plugins.specs import LossSpec as LossSpec
    from zoo.plugins.specs import OptimizerSpec as OptimizerSpec
    from zoo.plugins.specs import Pretrained as Pretrained
    from zoo.plugins.specs import RemoteFile as RemoteFile
    from zoo.plugins.specs import SamplerSpec as SamplerSpec
    from zoo.plugins.specs import SchedulerSpec as SchedulerSpec
    from zoo.plugins.specs import TrackerSpec as TrackerSpec
    from zoo.registry.hub.push import push as push
    from zoo.registry.loading import load as load
    from zoo.registry.pulling import pull as pull
    from zoo.reports.building import report as report
    from zoo.reports.explaining import explain as explain
    from zoo.runs.comparing import compare as compare
    from zoo.runs.ensemble import ensemble as ensemble
    from zoo.runs.evaluate import evaluate as evaluate
    from zoo.runs.exporting import export as export
    from zoo.runs.predicting import predict as predict
    from zoo.runs.publish import publish as publish
    from zoo.runs.resume import resume as resume
    from zoo.runs.train import train as train
    from zoo.storage.cache_folder import cache_folder as cache_folder
    from zoo.studies.studying import study as study
    from zoo.tasks import Task as Task

__version__ = "0.1.0"

_HOMES = {
    "zoo.data.asking_hub": ("ask_hub",),
    "zoo.data.download": ("is_private_address",),
    "zoo.data.datasets": ("ArraySplit", "Dataset", "FileSplit", "Provenance", "Split"),
    "zoo.data.decoding": ("open_image",),
    "zoo.data.draws": ("Draws",),
    "zoo.data.published_weights": ("fetch_weights", "read_torch_weights"),
    "zoo.errors": ("DataError", "PausedError", "TrainingError", "ZooError", "ZooWarning"),
    "zoo.plugins.checks": ("check_plugin",),
    "zoo.plugins.contexts": (
        "ArchitectureContext",
        "DatasetContext",
        "LossContext",
        "OptimizerContext",
        "SamplerContext",
        "SchedulerContext",
        "TrackerContext",
    ),
    "zoo.plugins.families": (
        "ArchitectureFamily",
        "DatasetFamily",
        "LossFamily",
        "OptimizerFamily",
    ),
    "zoo.plugins.hookspecs": ("hookimpl",),
    "zoo.plugins.specs": (
        "ArchitectureSpec",
        "AugmentationSpec",
        "DatasetSpec",
        "Facts",
        "LossSpec",
        "OptimizerSpec",
        "Pretrained",
        "RemoteFile",
        "SamplerSpec",
        "SchedulerSpec",
        "TrackerSpec",
    ),
    "zoo.registry.hub.push": ("push",),
    "zoo.registry.loading": ("load",),
    "zoo.registry.pulling": ("pull",),
    "zoo.runs.ensemble": ("ensemble",),
    "zoo.reports.building": ("report",),
    "zoo.reports.explaining": ("explain",),
    "zoo.runs.comparing": ("compare",),
    "zoo.runs.evaluate": ("evaluate",),
    "zoo.runs.exporting": ("export",),
    "zoo.runs.predicting": ("predict",),
    "zoo.runs.publish": ("publish",),
    "zoo.runs.resume": ("resume",),
    "zoo.runs.train": ("train",),
    "zoo.studies.studying": ("study",),
    "zoo.storage.cache_folder": ("cache_folder",),
    "zoo.tasks": ("Task",),
}
_HOME = {name: module for module, names in _HOMES.items() for name in names}
__all__ = list(_HOME)


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'zoo' has no attribute {name!r}")
    value = getattr(importlib.import_module(_HOME[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return [*__all__, "__version__"]
