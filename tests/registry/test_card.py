"""The card, as the Hub reads it and as people do."""

import subprocess
import sys
from pathlib import Path

import pytest
from drafts import METRICS, draft, fields
from huggingface_hub import ModelCard

from zoo.errors import RegistryError
from zoo.registry.cards import card
from zoo.registry.cards.card import render_card
from zoo.registry.cards.card_text import BEGIN, END, CardText
from zoo.registry.record import Draft, division
from zoo.tasks import Task

ENSEMBLE = {
    "method": "mean",
    "options": {},
    "members": [{"model": "one", "version": 2, "digest": "b" * 64}],
}
TEXT = CardText("Apache-2.0", "Trying things out.", authors=["A. Author"])


def test_metadata_come_from_the_record():
    data = ModelCard(render_card(draft(), 3, TEXT)).data
    assert data.license == "apache-2.0"
    assert data.library_name == "zoo"
    assert data.pipeline_tag == "image-classification"
    assert data.datasets == ["digits"]
    assert data.metrics == ["accuracy"]
    assert data.tags == ["zoo", "multiclass", "tiny"]
    assert data.model_name == "digits-tiny"
    results = {(one.dataset_split, one.metric_type): one.metric_value for one in data.eval_results}
    assert results == {("test", "accuracy"): 0.75, ("val", "accuracy"): 0.8}


def test_text():
    text = render_card(draft(), 3, TEXT)
    assert 'zoo.load("digits-tiny@3")' in text
    assert "pip install zoo-fake==1.2" in text
    assert "Trying things out." in text
    assert "A. Author" in text
    assert "| figure | val | test |\n| --- | --- | --- |\n| accuracy | 0.8000 | 0.7500 |" in text
    assert "| split | samples | fingerprint |\n| --- | --- | --- |\n| train | 80 | t |" in text
    assert "| truth, decided as | cat | dog | a\\|b |" in text
    assert "| cat | 3 | 1 | 0 |" in text
    assert "| a\\|b | 2 | – |" in text
    assert "resized to 4 by 5 pixels" in text
    assert '```toml\n[dataset]\nname = "digits"\n\n[optimizer]\nlr = 0.001\n```' in text
    assert "## Not intended\n\nIts publisher names no case. Measure it on " in text
    assert "None" not in text
    assert text.endswith(f"```\n\n{BEGIN}\n\n{END}\n")


def test_optional_text():
    text = CardText("my own terms", "This.", "Not that.", "A *fine* model.", ())
    rendered = render_card(draft(), 1, text)
    assert "## Not intended\n\nNot that.\n" in rendered and "names no case" not in rendered
    assert "A *fine* model." in rendered
    data = ModelCard(rendered).data
    assert (data.license, data.license_name) == ("other", "my own terms")


def test_without_figures_and_with_many_classes():
    assert "Not measured." in render_card(draft(metrics={}), 1, TEXT)
    many = Task.multiclass([f"c{i}" for i in range(21)])
    metrics = {"test": {"accuracy": 0.5, "confusion": [[0] * 21] * 21}}
    rendered = render_card(draft(task=many, metrics=metrics), 1, TEXT)
    assert "Confusion" not in rendered
    assert "| accuracy | 0.5000 |" in rendered


def test_binary_and_multilabel():
    binary = Task.binary(["no", "yes"], positive="yes")
    rendered = render_card(draft(task=binary, metrics={}), 1, TEXT)
    assert "positive class: yes; chosen above a probability of 0.5" in rendered
    labels = Task.multilabel(["a", "b"])
    metrics = {"test": {"f1": 0.5, "confusion": [[[1, 2], [3, 4]], [[5, 6], [7, 8]]]}}
    rendered = render_card(draft(task=labels, metrics=metrics), 1, TEXT)
    assert (
        "| class | true negative | false positive | false negative | true positive |\n"
        "| --- | --- | --- | --- | --- |\n| a | 1 | 2 | 3 | 4 |"
    ) in rendered


def test_segmentation():
    task = Task.segmentation(["ground", "thing"], positive="thing")
    per_image = {"dice": 0.7, "iou": None, "images": {"dice": 4, "iou": 0}, "undefined": 3}
    figures = {"accuracy": 0.9, "f1": 0.8, "iou": 0.6, "dice": 0.8}
    own = {"per_image": {"hd95": 3.5, "dice": 0.75, "images": {"hd95": 4, "dice": 4}}}
    row = {"class": "thing", "support": 11, "dice": 0.8, "mcc": 0.7}
    whole = {"test": {**figures, "per_image": per_image, "own_size": own, "per_class": [row],
                      "confusion": [[5, 1], [2, 9]]}}  # fmt: skip
    rendered = render_card(draft(task=task, metrics={"test": figures}), 1, TEXT, whole)
    assert "| dice | 0.8000 |\n| iou | 0.6000 |\n| accuracy | 0.9000 |" in rendered
    title = "### Mean over images, test\n\n| figure | mean | of images |\n| --- | --- | --- |\n"
    assert f"{title}| dice | 0.7000 | 4 |\n| iou | – | 0 |\n" in rendered
    large = title.replace(", test", " in their own size, test")
    assert f"{large}| dice | 0.7500 | 4 |\n| hd95 | 3.5000 | 4 |\n" in rendered
    assert "| class | support | dice |\n| --- | --- | --- |\n| thing | 11 | 0.8000 |" in rendered
    assert "| thing | 2 | 9 |" in rendered
    assert "\n\nOf all pixels together, at the size of the network's input; " in rendered
    assert "result.masks[0].shape" in rendered and "result.classes" not in rendered
    data = ModelCard(rendered).data
    assert (data.pipeline_tag, data.metrics) == ("image-segmentation", sorted(figures))
    assert "Of all pixels" not in render_card(draft(), 1, TEXT)


def test_foreign_text_stays_text():
    evil = "x|y\n---\n<script>![](http://e)`\u202e"
    task = Task.multiclass([evil, "b", "c"])
    data = {**draft().data, "dataset": "d: [x]", "citation": evil}
    recipe = {"note": "````\n---\nlicense: mit"}
    rendered = render_card(draft(task=task, data=data, recipe=recipe), 1, TEXT)
    escaped = "x\\|y\\\\n---\\\\n\\<script\\>\\!\\[\\](http://e)\\`\\\\u202e"
    assert f"| {escaped} | 3 | 1 | 0 |" in rendered
    assert "<script>" not in rendered
    assert "\u202e" not in rendered
    assert "`````toml" in rendered
    assert ModelCard(rendered).data.datasets == ["d: [x]"]


def test_prose_cannot_become_metadata():
    text = CardText("mit", "---\nlicense: gpl\n---", description="a\x1b[31m\nb")
    rendered = render_card(draft(), 1, text)
    assert ModelCard(rendered).data.license == "mit"
    assert "a\\x1b[31m\nb" in rendered


def test_a_card_that_does_not_come_back_is_refused(monkeypatch, tmp_path):
    template = card.TEMPLATE.read_text().replace("{{ metadata }}", "license: gpl")
    (tmp_path / "card.md.jinja").write_text(template)
    monkeypatch.setattr(card, "TEMPLATE", tmp_path / "card.md.jinja")
    with pytest.raises(RegistryError, match="do not come back as they were written"):
        render_card(draft(), 1, TEXT)


def test_intervals_stand_beside_the_figures():
    intervals = {"test": {"accuracy": [0.7, 0.8123, 0.95]}}
    rendered = render_card(draft(intervals=intervals), 1, TEXT)
    assert "| accuracy | 0.8000 | 0.7500 (0.7000 to 0.8123) |" in rendered
    assert "\n\nIn brackets: an interval; 95 % of such intervals hold the true value.\n" in rendered
    assert "brackets" not in render_card(draft(), 1, TEXT)


def test_a_picture_stands_above_its_table():
    rendered = render_card(draft(), 1, TEXT, pictures={"test": "confusion-test.png"})
    assert (
        "### Confusion matrix, test\n\n![Confusion matrix, test](confusion-test.png)\n\n"
        "| truth, decided as |" in rendered
    )
    many = Task.multiclass([f"c{i}" for i in range(21)])
    metrics = {"test": {"accuracy": 0.5, "confusion": [[0] * 21] * 21}}
    shown = render_card(
        draft(task=many, metrics=metrics), 1, TEXT, pictures={"test": "confusion-test.png"}
    )
    assert "![Confusion matrix, test](confusion-test.png)" in shown and "decided as" not in shown


def test_lineage_division_and_calibration():
    parent = {"kind": "initialized_from", "model": "big", "version": 3, "digest": "a" * 64}
    data = draft().data
    one = draft(
        parents=[parent],
        calibration={"method": "temperature", "temperature": 1.5},
        data={**data, "division": division(data["splits"])},
    )
    rendered = render_card(one, 1, TEXT)
    assert f"| initialized from | big@3 | sha256:{'a' * 64} |" in rendered
    assert "outputs are divided by a temperature of 1.5." in rendered
    assert f"Models with the division {division(data['splits'])[:16]} were" in rendered
    assert "made with" not in render_card(draft(), 1, TEXT)


def test_an_ensemble():
    given = fields(ensemble=ENSEMBLE)
    for key in ("preprocessing", "architecture", "plugin", "weights"):
        given.pop(key)
    rendered = render_card(Draft.of(**given), 1, TEXT)
    assert "- architecture: ensemble of 1 (mean)" in rendered
    assert f"| member | one@2 | sha256:{'b' * 64} |" in rendered
    assert "Preprocessing" not in rendered and "pip install" not in rendered
    assert ModelCard(rendered).data.tags == ["zoo", "multiclass", "ensemble"]


def test_imported_weights():
    source = {"kind": "imported", "sha256": "c" * 64, "format": "torch"}
    data = {"dataset": "unknown", "splits": {}}
    one = draft(weights="imported", source=source, data=data, recipe={}, metrics={})
    rendered = render_card(one, 1, TEXT)
    assert "Not measured." in rendered and "Dataset unknown.\n" in rendered
    assert f"imported from a torch file, sha256 `{'c' * 64}`. zoo has\nseen neither" in rendered
    assert "toml" not in rendered and "fingerprint" not in rendered
    assert ModelCard(rendered).data.datasets is None
    assert "imported" in ModelCard(rendered).data.tags


def test_numbers_of_a_stranger_are_escaped():
    one = draft(preprocessing={**draft().preprocessing, "mean": ["<b>", 0.5], "channels": "*1*"})
    rendered = render_card(one, 1, TEXT)
    assert "with mean \\<b\\>, 0.5 and" in rendered and "to \\*1\\* channels" in rendered


def test_only_figures_become_results():
    metrics = {"test": {**METRICS["test"], "weights_sha256": "a" * 64, "sure": True}}
    data = ModelCard(render_card(draft(metrics=metrics), 1, TEXT)).data
    assert [one.metric_type for one in data.eval_results] == ["accuracy"]


def test_no_network_is_touched():
    code = f"""
import sys
sys.path.insert(0, {str(Path(__file__).parent)!r})
def audit(event, arguments):
    # ctypes asks ldconfig for a library, where some package that httpx knows of is installed.
    if event == "subprocess.Popen" and arguments[0] == "/sbin/ldconfig":
        return
    if event in ("socket.connect", "socket.getaddrinfo", "subprocess.Popen", "os.system"):
        raise SystemExit(f"touched: {{event}} {{arguments}}")
sys.addaudithook(audit)
import socket
if "control" in sys.argv:
    socket.getaddrinfo("127.0.0.1", 80)
from drafts import draft
from zoo.registry.cards.card import render_card
from zoo.registry.cards.card_text import CardText
assert "torch" not in sys.modules and "huggingface_hub" not in sys.modules
render_card(draft(), 1, CardText("mit", "x"))
assert "torch" not in sys.modules
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    control = subprocess.run(
        [sys.executable, "-c", code, "control"], capture_output=True, text=True, check=False
    )
    assert "touched: socket.getaddrinfo" in control.stderr
