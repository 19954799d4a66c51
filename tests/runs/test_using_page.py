"""The page on using a model: its code is run, as it stands there."""

from __future__ import annotations

import re
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest
from PIL import Image
from sklearn.datasets import load_digits

import zoo

PAGE = Path(zoo.__file__).parents[1] / "docs/using.md"
CODE = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.S)


@pytest.fixture
def published(run, here):
    zoo.publish(run, "digits")
    scan = (load_digits().images[3] * 15.9).astype("uint8")
    Image.fromarray(scan).save(here / "three.png")
    return here


@pytest.mark.skipif(
    find_spec("onnxscript") is None or find_spec("onnxruntime") is None,
    reason="needs: pip install 'zoo[onnx]'",
)
def test_the_exported_file_is_used_without_zoo(published):
    zoo.export("digits@1")
    (code,) = [one for one in CODE if "onnxruntime" in one]
    no_zoo = "import sys\nsys.modules['zoo'] = sys.modules['torch'] = None\n"
    done = subprocess.run(
        [sys.executable, "-c", no_zoo + code], capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == zoo.load("digits@1").predict("three.png").classes == ["3"]


def test_the_lines_that_predict(published):
    (code,) = [one for one in CODE if "model.predict" in one]
    (published / "scans").mkdir()
    (published / "three.png").rename(published / "scans/three.png")
    names = {"zoo": zoo, "array": load_digits().images[3].astype("uint8")}
    names["pil_image"] = Image.fromarray(names["array"])
    lines = code.replace("digits@3", "digits@1").replace('"three.png"', '"scans/three.png"')
    exec(lines, names)
    assert names["said"].probabilities.shape == (3, 10)
    (code,) = [one for one in CODE if one.startswith("zoo.predict(")]
    exec(code, names)
    assert (published / "digits.csv").read_text().splitlines()[1].startswith("scans/three.png,3,")
