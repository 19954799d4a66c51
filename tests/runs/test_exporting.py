"""Networks as files for others: the same answers, what they are of, and nothing of this machine."""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path

import pytest
import torch
from asked import ensemble
from torch import nn

from zoo.data.preprocessing import Preprocessing
from zoo.errors import ExportError, MissingError
from zoo.plugins.catalog import catalog
from zoo.registry.calibrated import Calibrated
from zoo.registry.loading import build_network
from zoo.runs import export_onnx, exporting
from zoo.runs.exporting import export
from zoo.runs.subjects import Subject
from zoo.tasks import Task

NEEDED = ("onnx", "onnxscript", "onnxruntime")
needs_onnx = pytest.mark.skipif(
    any(find_spec(name) is None for name in NEEDED), reason="needs: pip install 'zoo[onnx]'"
)
BOTH = pytest.mark.parametrize("format", [pytest.param("onnx", marks=needs_onnx), "torch-export"])

DIGITS = Task.multiclass([f"digit {i}" for i in range(10)])
MASKS = Task.segmentation(["ground", "thing"], positive="thing")


def of(network: nn.Module, task: Task, side: int, channels: int = 3) -> Subject:
    mean, std = (0.4,) * channels, (0.2,) * channels
    form = Preprocessing((side, side), channels, mean, std, store_size=(side, side))
    return Subject("net@3", task, form, network.eval(), None, {}, "ab" * 32)


def component(name: str, task: Task, side: int, channels: int, **options) -> Subject:
    made = {"name": name, "options": options, "in_channels": channels, "image_size": [side, side]}
    return of(build_network(made, task, catalog()), task, side, channels)


def resnet18() -> Subject:
    from torchvision.models import resnet18

    return of(resnet18(num_classes=10), DIGITS, 64)


def xception() -> Subject:
    timm = pytest.importorskip("timm")
    return of(timm.create_model("legacy_xception", num_classes=10), DIGITS, 96)


NETWORKS = {
    "simple_cnn": lambda: component("simple_cnn", DIGITS, 28, 1),
    "resnet18": resnet18,
    "xception": xception,
    "unet": lambda: component("unet", MASKS, 64, 3, width=16),
}


_SLOW = ("resnet18", "xception")  # to trace


@pytest.fixture(
    scope="module",
    params=[
        pytest.param(name, marks=[pytest.mark.slow] if name in _SLOW else []) for name in NETWORKS
    ],
)
def network(request):
    torch.manual_seed(0)
    made = NETWORKS[request.param]()
    for module in made.network.modules():  # as if it had been trained
        if isinstance(module, nn.BatchNorm2d):
            nn.init.uniform_(module.running_mean, -0.2, 0.2)
            nn.init.uniform_(module.running_var, 0.5, 1.5)
    return made


@pytest.fixture
def known(monkeypatch):
    def use(subject):
        monkeypatch.setattr(exporting, "open_subject", lambda *_: subject)
        return subject

    return use


def session_of(path: Path):
    import onnxruntime

    return onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])


def answers(path: Path, images: torch.Tensor) -> torch.Tensor:
    if path.suffix == ".onnx":
        said = session_of(path).run(["logits"], {"images": images.numpy()})[0]
        return torch.from_numpy(said)
    return torch.export.load(path).module()(images).detach()


@pytest.mark.timeout(300)
@pytest.mark.filterwarnings("ignore:The given buffer is not writable")  # torch 2.11's own
@BOTH
def test_the_file_answers_as_the_network(format, network, known, here):
    known(network)
    done = export("net", format=format)
    assert done.path == Path("net-3.onnx" if format == "onnx" else "net-3.pt2")
    assert done.difference <= 1e-4
    form = network.preprocessing
    for number in (3, 1, 7):
        images = torch.randn(number, form.channels, *form.size)
        with torch.no_grad():
            expected = network.network(images)
        said = answers(here / done.path, images)
        assert said.shape == expected.shape
        assert float((said - expected).abs().max()) <= 1e-4
    data = (here / done.path).read_bytes()
    for place in (str(Path(torch.__file__).parents[1]), str(Path(__file__).parents[2]), str(here)):
        assert place.encode() not in data


def small(**changes) -> Subject:
    network = nn.Sequential(nn.Flatten(), nn.Linear(16, 10))
    return of(network, DIGITS, 4, 1, **changes)


@needs_onnx
def test_the_file_says_what_it_is(known, here):
    subject = known(small())
    done = export("net", "deep/n.onnx")
    session = session_of(done.path)
    held = session.get_modelmeta().custom_metadata_map
    about = {key: json.loads(value) for key, value in held.items()}
    assert Task.from_json(about["task"]) == DIGITS
    assert Preprocessing.from_json(about["preprocessing"]) == subject.preprocessing
    assert (about["source"], about["weights_sha256"]) == ("net@3", "ab" * 32)
    (images,), (logits,) = session.get_inputs(), session.get_outputs()
    assert (images.name, images.shape) == ("images", ["batch", 1, 4, 4])
    assert (logits.name, logits.shape) == ("logits", ["batch", 10])
    assert [path.name for path in done.path.parent.iterdir()] == ["n.onnx"]
    assert done.path.stat().st_mode & 0o777 == 0o644
    export("net", "n.pt2", format="torch-export")
    extra = {"zoo.json": ""}
    torch.export.load("n.pt2", extra_files=extra)
    assert json.loads(extra["zoo.json"]) == about


class Noisy(nn.Module):
    def forward(self, images):
        return images.mean((1, 2, 3))[:, None] + torch.rand(images.shape[0], 10)


class Branching(nn.Module):
    def forward(self, images):
        return images.flatten(1)[:, :10] * (2 if images.sum() > 0 else 1)


class OfTwo(nn.Module):
    """What it was traced with decides what it can take."""

    def forward(self, images):
        return images.flatten(1)[:, :10] * len(images.chunk(int(images.shape[0])))


@BOTH
def test_a_file_that_answers_differently_is_not_written(format, known, here):
    known(of(Noisy(), DIGITS, 4, 1))
    before = sorted(here.iterdir())
    with pytest.raises(ExportError) as error:
        export("net", format=format)
    assert str(error.value).startswith("'net@3': the exported network's answers differ by 0.")
    assert str(error.value).endswith("; nothing was written")
    assert sorted(here.iterdir()) == before


@BOTH
@pytest.mark.parametrize("network", [Branching, OfTwo])
def test_a_network_that_cannot_be_traced_is_one_line(format, network, known, here):
    known(of(network(), DIGITS, 4, 1))
    before = sorted(here.iterdir())
    with pytest.raises(ExportError) as error:
        export("net", format=format)
    assert str(error.value).startswith("the network of 'net@3' cannot be exported: ")
    assert "\n" not in str(error.value)
    assert sorted(here.iterdir()) == before


@pytest.mark.slow
@needs_onnx
def test_half_a_tolerance_more_is_too_much(known, here, monkeypatch):
    """1e-4 of the largest logit, and not of one."""
    subject = known(small())
    run, off = export_onnx.open_written, [0.0]
    monkeypatch.setattr(export_onnx, "open_written", lambda path: lambda x: run(path)(x) + off[0])
    probe = exporting.make_probe(subject.network, subject.preprocessing)
    largest = float(probe["logits"].abs().max())
    off[0] = 0.8e-4 * largest
    done = export("net")
    assert done.difference == pytest.approx(off[0], rel=0.1)
    off[0] = 1.5e-4 * largest
    with pytest.raises(ExportError, match="differ by"):
        export("net", force=True)


@needs_onnx
def test_a_shape_that_changes_is_told(known, here, monkeypatch):
    known(small())
    monkeypatch.setattr(export_onnx, "open_written", lambda path: lambda images: torch.zeros(4, 9))
    with pytest.raises(ExportError) as error:
        export("net")
    assert str(error.value) == (
        "'net@3': the exported network answers 4 images with shape (4, 9); expected (4, 10)"
    )


@pytest.mark.slow
@needs_onnx
def test_without_onnxruntime_its_own_reference_answers(known, here, monkeypatch):
    known(small())
    monkeypatch.setattr(export_onnx, "_has_onnxruntime", lambda: False)
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    done = export("net")
    assert done.runner.startswith("onnx 1.")
    assert done.difference <= 1e-6


@pytest.mark.parametrize("missing", ["onnx", pytest.param("onnxscript", marks=needs_onnx)])
def test_a_missing_library_is_one_line(missing, known, here, monkeypatch):
    known(small())
    monkeypatch.setitem(sys.modules, missing, None)
    with pytest.raises(MissingError) as error:
        export("net")
    assert str(error.value) == (
        f"export to ONNX needs {missing}; install it with: pip install 'zoo[onnx]'"
    )
    export("net", format="torch-export")


@needs_onnx
@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"format": "onx"},
         "format 'onx' (did you mean 'onnx'?); expected one of onnx, torch-export"),
        ({"output": "net.pt2"}, "output 'net.pt2': expected a name that ends in .onnx"),
    ],
)  # fmt: skip
def test_a_wrong_name_is_refused(given, message, known, here):
    known(small())
    with pytest.raises(ExportError) as error:
        export("net", **given)
    assert str(error.value) == message


@needs_onnx
def test_what_is_there_is_kept(known, here):
    known(small())
    (here / "net-3.onnx").write_text("mine")
    with pytest.raises(Exception, match="exists already; add --force to replace it"):
        export("net")
    assert (here / "net-3.onnx").read_text() == "mine"
    export("net", force=True)
    assert (here / "net-3.onnx").stat().st_size > 100


@needs_onnx
def test_more_than_a_file_holds_is_told(known, here, monkeypatch):
    known(small())
    monkeypatch.setattr(export_onnx, "_MOST", 600)
    with pytest.raises(ExportError) as error:
        export("net")
    assert str(error.value) == (
        "the weights have 680 bytes, and one ONNX file holds 600; choose the format 'torch-export'"
    )


def test_an_ensemble_is_refused(known, here):
    known(ensemble())
    with pytest.raises(ExportError) as error:
        export("net", format="torch-export")
    assert str(error.value) == (
        "'known' is an ensemble, and has no network of its own; export its members"
    )


def test_a_calibrated_network_gives_its_calibrated_logits(known, here):
    plain = small()
    known(replace(plain, network=Calibrated(plain.network, 4.0).eval()))
    done = export("net", format="torch-export")
    images = torch.randn(3, 1, 4, 4)
    expected = plain.network(images).detach() / 4
    torch.testing.assert_close(answers(here / done.path, images), expected)
