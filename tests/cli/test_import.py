"""``zoo import``, as it is typed."""

import json

import pytest
import torch

from zoo.plugins.catalog import catalog
from zoo.registry.loading import build_network
from zoo.storage import tensors
from zoo.tasks import Task

KNOWN = ["--architecture", "linear", "--name", "m", "--classes", "a,b,c", "--size", "4x5",
         "--channels", "1", "--mean", "0.5", "--std", "0.25", "--licence", "mit",
         "--intended-use", "a test"]  # fmt: skip


@pytest.fixture(autouse=True)
def _registry(here):
    (here / "registry.toml").write_text('default = "local"\n[registry.local]\nurl = "reg"\n')


@pytest.fixture
def weights():
    component = catalog().get("architecture", "linear")
    architecture = {"name": "linear", "options": component.bind({}), "in_channels": 1,
                    "image_size": [4, 5]}  # fmt: skip
    torch.manual_seed(0)
    return dict(
        build_network(architecture, Task.multiclass(["a", "b", "c"]), catalog()).state_dict()
    )


def test_the_whole_way(here, zoo, weights):
    torch.save({"state_dict": {f"module.{k}": v for k, v in weights.items()}}, here / "net.pt")
    code, out, err = zoo("import", "net.pt", *KNOWN, "--trained-on", "letters")
    assert (code, err) == (0, "")
    lines = out.splitlines()
    assert lines[:2] == ["net.pt: taken from 'state_dict'", "net.pt: 'module.' taken off the names"]
    assert lines[2].split() == ["PART", "TENSORS", "VALUES", "WHAT"]
    assert lines[3].endswith("matched")
    assert "published: m@1" in lines
    code, out, _ = zoo("models", "show", "m", "--json")
    shown = json.loads(out)
    assert (shown["weights"], shown["data"]["dataset"]) == ("imported", "letters")
    assert zoo("models", "list")[0] == 0
    code, _, err = zoo("eval", "m")
    assert code == 1 and err.endswith("add --dataset NAME\n")


def test_json_is_all_there_is_on_stdout(here, zoo, weights):
    tensors.save(here / "net.safetensors", weights)
    code, out, err = zoo("import", "net.safetensors", *KNOWN, "--json")
    told = json.loads(out)
    assert (code, err, told["version"]) == (0, "", 1)
    assert told["counts"]["matched"] == len(weights) and told["notes"] == []


def test_what_does_not_fit_is_shown_and_ends_with_one_line(here, zoo, weights):
    renamed = {f"net.{name}": value for name, value in weights.items()}
    tensors.save(here / "net.safetensors", {**renamed, "net.more": torch.ones(1)})
    code, out, err = zoo("import", "net.safetensors", *KNOWN)
    assert code == 1 and "missing" in out and "unexpected" in out
    assert err.count("\n") == 1 and err.endswith("; try: --map net=\n")
    code, out, err = zoo("import", "net.safetensors", *KNOWN, "--map", "net=", "--json")
    assert (code, out) == (1, "") and "1 unexpected tensors; 'more' is unexpected" in err
    assert not (here / "reg").exists()


def test_a_dry_run_publishes_nothing(here, zoo, weights):
    tensors.save(here / "net.safetensors", weights)
    code, out, err = zoo("import", "net.safetensors", *KNOWN, "--dry-run")
    assert (code, err) == (0, "") and "matched" in out and "published" not in out
    code, out, _ = zoo("import", "net.safetensors", *KNOWN, "--dry-run", "--json")
    assert json.loads(out)["counts"]["missing"] == 0
    assert not (here / "reg").exists()


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["none.pt", *KNOWN], 1, "weights 'none.pt': no such file or folder"),
        (["net.bin", *KNOWN], 1, "weights 'net.bin': expected a file that ends in .safetensors"),
        (["net.safetensors", *KNOWN, "--option", "x"], 1, "--option 'x': expected KEY=VALUE"),
        (["net.safetensors", *KNOWN, "--task", "multiclas"], 2, "did you mean 'multiclass'"),
        (["net.safetensors", *KNOWN, "--licence", ""], 1, "the card of a published model says a"),
        (["net.safetensors", *KNOWN, "--name", "M"], 1, "model name 'M': expected"),
        (["net.safetensors", *KNOWN, "--classes", "a,b"], 1, "does not fit architecture 'linear'"),
        (["net.safetensors", *KNOWN[2:]], 2, "missing option '--architecture'"),
    ],
)
def test_every_wrong_turn_is_one_line(here, zoo, weights, arguments, code, said):
    tensors.save(here / "net.safetensors", weights)
    status, _, err = zoo("import", *arguments)
    assert status == code and said in err
    assert "Traceback" not in err
    assert not (here / "reg/models/m/versions").exists()
