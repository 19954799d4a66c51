"""Every component of zoo-basics keeps the plugin contract, and listing them stays light."""

import subprocess
import sys

import zoo
from zoo.plugins.catalog import catalog

COMPONENTS = {
    "dataset": {"digits", "mnist"},
    "architecture": {"linear", "mlp", "simple_cnn"},
    "loss": {"cross_entropy", "bce"},
    "sampler": {"shuffle", "weighted", "sequential"},
    "augmentation": {"horizontal_flip", "vertical_flip", "rotation", "color_jitter"},
    "optimizer": {"sgd", "adam", "adamw", "nadam", "adagrad"},
    "scheduler": {"none", "plateau", "cosine", "step"},
}


def test_every_component_keeps_the_contract():
    checked = zoo.check_plugin("zoo-basics")
    found = {(one.kind, one.name) for one in checked}
    assert found == {(kind, name) for kind, names in COMPONENTS.items() for name in names}
    assert [one.name for one in checked if one.note] == ["mnist"]


def test_listing_imports_nothing_heavy():
    code = (
        "import sys, zoo_basics\n"
        "hooks = [name for name in dir(zoo_basics) if name.startswith('register_')]\n"
        "assert sum(len(getattr(zoo_basics, hook)()) for hook in hooks) == 23\n"
        "print([name for name in ('torch', 'numpy', 'sklearn') if name in sys.modules])"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout.strip() == "[]"


def test_every_option_has_a_default_and_a_type_people_can_read():
    for kind, names in COMPONENTS.items():
        for name in names:
            for option in catalog().get(kind, name).options:
                assert not option.required, (name, option)
                assert "typing" not in option.type_text, (name, option)
