"""What is said of timm's architectures without importing timm, and that it is what timm says."""

from __future__ import annotations

import inspect
import json
import subprocess
import sys

import pytest

from zoo.errors import ComponentError
from zoo.plugins.catalog import catalog
from zoo.plugins.facts import facts_of

pytest.importorskip("timm")
from zoo_timm import facts


def component(name):
    return catalog().get("architecture", f"timm/{name}")


def test_every_name_of_timm_is_there_with_and_without_its_tags():
    import timm

    names = set(facts.names())
    assert len(names) == len(facts.names()) > 3000
    left_out = {*timm.list_models(), *timm.list_pretrained()} - names
    assert names < {*timm.list_models(), *timm.list_pretrained()}
    assert {name.partition(".")[0][-4:] for name in left_out} == {"_enc"}  # give features alone


def test_facts_are_timm_s():
    import timm

    told = facts_of(component("resnet18"))
    assert told.parameters == 11_689_512
    assert told.image_size == (224, 224)
    assert told.pretrained[0] == timm.models.get_pretrained_cfg("resnet18").tag
    assert {*told.pretrained} == {
        name.partition(".")[2] for name in timm.list_pretrained("resnet18.*")
    }
    assert (told.licence, told.source) == ("Apache-2.0", "arXiv:2110.00476")
    tagged = facts_of(component("resnet18.a3_in1k"))
    assert (tagged.pretrained, tagged.image_size) == (("a3_in1k",), (160, 160))
    free = facts_of(component("resnet18.fb_swsl_ig1b_ft_in1k"))
    assert free.licence == "CC-BY-NC-4.0"


def test_parameters_are_known_of_nearly_all():
    entries = facts.table()["architectures"]
    without = [name for name, one in entries.items() if "parameters" not in one]
    assert len(without) <= len(entries) // 50, without


@pytest.mark.parametrize("name", ["test_resnet", "test_vit", "test_efficientnet", "test_convnext"])
def test_parameters_are_counted_right(name):
    import timm

    network = timm.create_model(name)
    assert facts_of(component(name)).parameters == sum(p.numel() for p in network.parameters())


def test_options_are_those_of_timm_s_class_with_the_architecture_s_own_defaults():
    options = {one.name: (one.type_text, one.default) for one in component("resnet18").options}
    rate = "float >= 0, < 1"
    pools = "'avg' | 'max' | 'avgmax' | 'catavgmax' | 'fast'"
    assert options == {
        "drop_rate": (rate, 0.0), "drop_path_rate": (rate, 0.0), "drop_block_rate": (rate, 0.0),
        "global_pool": (pools, "avg"),
    }  # fmt: skip
    swin = {one.name: one.default for one in component("swin_tiny_patch4_window7_224").options}
    assert swin["drop_path_rate"] == 0.1
    vit = {one.name: one.default for one in component("vit_tiny_patch16_224").options}
    assert vit["global_pool"] == "token"
    assert {"proj_drop_rate", "attn_drop_rate", "pos_drop_rate", "patch_drop_rate"} <= set(vit)


def test_a_name_that_is_nearly_right_is_told():
    with pytest.raises(ComponentError) as caught:
        component("resnet-18")
    assert str(caught.value) == (
        "architecture 'timm/resnet-18' is not installed (did you mean 'timm/resnet18'?); see: zoo "
        "components list architectures"
    )


def test_the_names_are_listed_without_timm_or_torch_and_quickly():
    code = (
        "import sys, time\n"
        "from zoo.plugins.catalog import catalog\n"
        "from zoo.plugins.facts import facts_of\n"
        "from zoo_cli.main import main\n"
        "try:\n"
        "    main()\n"
        "finally:\n"
        "    heavy = {'torch', 'timm', 'numpy', 'huggingface_hub'} & {*sys.modules}\n"
        "    print(sorted(heavy), time.process_time(), file=sys.stderr)\n"
    )
    command = [sys.executable, "-c", code, "components", "list", "architectures", "timm/*"]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
    heavy, seconds = done.stderr.strip().rsplit(" ", 1)
    assert heavy == "[]"
    assert len(done.stdout.splitlines()) > 3000
    # The processor's time: half a second of the clock, where nobody else is at work.
    assert float(seconds) < 1.0


@pytest.fixture
def other_timm(monkeypatch, tmp_path):
    """As if another timm were installed, which describes itself in an instant."""
    made = {"timm": "9.9", "architectures": {
        "resnet18": {"size": [64, 64], "class": "ResNet", "options": {"drop_rate": 0.5},
                     "tags": {}},
        "brand_new": {"size": [32, 32], "class": "New", "options": {}, "tags": {}},
    }}  # fmt: skip
    described = []

    def describe():
        described.append(1)
        return json.loads(json.dumps(made))

    monkeypatch.setenv("ZOO_CACHE", str(tmp_path))
    monkeypatch.setattr(facts, "installed_version", lambda: "9.9")
    monkeypatch.setattr("zoo_timm.describing.describe", describe)
    facts.table.cache_clear()
    yield described
    facts.table.cache_clear()


def again():
    facts.table.cache_clear()
    return facts.names()


def test_another_timm_is_described_once_and_kept(other_timm, tmp_path):
    assert again() == ["resnet18", "brand_new"]
    assert again() == ["resnet18", "brand_new"]
    assert len(other_timm) == 1
    assert [one.name[:10] for one in (tmp_path / "timm").iterdir()] == ["facts-9.9-"]
    assert facts.facts("resnet18").parameters == 11_689_512  # as it was in the timm before
    assert facts.facts("brand_new").parameters is None
    assert inspect.signature(lambda *, drop_rate=0.5: 0).parameters.keys() == (
        facts.options("resnet18").parameters.keys()
    )


@pytest.mark.parametrize("damage", [
    lambda data: data[:-10], lambda data: b"", lambda data: data.replace(b"64", b"65"),
    lambda data: b"{}", lambda data: b"\xff" * 100,
])  # fmt: skip
def test_a_damaged_cache_is_made_again(other_timm, tmp_path, damage):
    again()
    kept = next((tmp_path / "timm").iterdir())
    right = kept.read_bytes()
    kept.write_bytes(damage(right))
    assert again() == ["resnet18", "brand_new"]
    assert len(other_timm) == 2
    assert kept.read_bytes() == right


def test_a_cache_that_cannot_be_written_is_no_error(other_timm, tmp_path):
    (tmp_path / "timm").write_text("a file where the folder is to be")
    assert again() == ["resnet18", "brand_new"]


def test_a_timm_that_cannot_be_described_has_the_names_of_the_shipped_one(other_timm, monkeypatch):
    def fail():
        raise RuntimeError("made otherwise")

    monkeypatch.setattr("zoo_timm.describing.describe", fail)
    assert len(again()) > 3000
    monkeypatch.setattr("zoo_timm.describing.describe", None)  # not asked again
    assert len(again()) > 3000


@pytest.mark.slow
def test_the_shipped_file_is_what_the_installed_timm_says():
    from zoo_timm.describing import describe

    shipped = facts._read(facts._SHIPPED.read_bytes())
    if shipped["timm"] != facts.installed_version():
        pytest.skip("another timm is installed")
    told = describe()["architectures"]
    own = ("parameters", "smallest")
    for name, entry in shipped["architectures"].items():
        assert {key: one for key, one in entry.items() if key not in own} == told[name], name
