"""``zoo registry init``, ``list``, ``alias``, ``yank``."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from zoo.registry.store import Registry

Zoo = Callable[..., tuple[int, str, str]]
Publish = Callable[[int], Registry]


@pytest.fixture
def publish(here: Path, monkeypatch: pytest.MonkeyPatch) -> Publish:
    """Publish that many versions of digits-tiny into the folder ``registry``."""
    monkeypatch.syspath_prepend(str(Path(__file__).parents[1] / "registry"))
    from drafts import draft

    def run(count: int) -> Registry:
        registry = Registry.at(here / "registry")
        for number in range(count):
            registry.publish(draft(), {"a": b"%d" % number})
        return registry

    return run


def test_init_makes_a_registry_and_names_it_once(zoo: Zoo, here: Path) -> None:
    code, out, err = zoo("registry", "init")
    assert (code, err) == (0, "")
    assert out == (
        f"made: local (registry)\nnamed in: {here}/registry.toml\n"
        "try next:\n  zoo publish RUN --name NAME\n"
    )
    text = 'default = "local"\n\n[registry.local]\nurl = "registry"\n'
    assert (here / "registry.toml").read_text() == text
    marker = (here / "registry" / "zoo-registry.json").read_bytes()
    for again in ((), ("local",), ("registry",), (str(here / "registry"),)):
        code, out, err = zoo("registry", "init", *again)
        assert (code, err) == (0, "")
        assert out.startswith("was a registry already: local (registry)\ntry next")
    assert (here / "registry.toml").read_text() == text
    assert (here / "registry" / "zoo-registry.json").read_bytes() == marker


def test_init_extends_a_file_and_keeps_all_that_stands_in_it(zoo: Zoo, here: Path) -> None:
    text = '# ours\n[registry.a]   # first\nurl = "x"\n\n\n'
    (here / "registry.toml").write_text(text)
    (here / "deep").mkdir()
    assert zoo("registry", "init", "deep/My Models")[0] == 0
    assert (
        zoo("registry", "init", str(here.parent / "elsewhere"), "--name", "b.c", "--json")[0] == 0
    )
    assert (here / "registry.toml").read_text() == (
        '# ours\n[registry.a]   # first\nurl = "x"\n\n'
        '[registry.my-models]\nurl = "deep/My Models"\n\n'
        f'[registry."b.c"]\nurl = "{here.parent}/elsewhere"\n'
    )
    assert (here / "deep" / "My Models" / "zoo-registry.json").is_file()


def test_init_extends_the_users_file_rather_than_hide_what_it_names(zoo: Zoo, here: Path) -> None:
    (here / "config").mkdir()
    (here / "config" / "registry.toml").write_text('[registry.a]\nurl = "/x"\n')
    code, out, _ = zoo("registry", "init", "mine")
    assert (code, out.splitlines()[1]) == (0, f"named in: {here}/config/registry.toml")
    assert not (here / "registry.toml").exists()
    assert f'url = "{here}/mine"' in (here / "config" / "registry.toml").read_text()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (
            ("new", "--name", "a"),
            "registry 'a' is in 'HERE/registry.toml' already, at 'x'; give the new one another "
            "name with --name",
        ),
        (("/", "--name", "B"), "registry name 'B': expected"),
        (("7", ), "no name can be made of 'HERE/7'; give one with --name"),
        (
            ("https://127.0.0.1:1/x",),
            "registry 'x' (https://127.0.0.1:1/x) can only be read; choose one in a folder or on "
            "s3:// with --to",
        ),
        (("gopher://x",), "'HERE/registry.toml': registry.x.url: 'gopher://x': expected a folder"),
    ],
)  # fmt: skip
def test_init_refuses_in_one_line_and_writes_nothing(
    zoo: Zoo, here: Path, arguments: tuple[str, ...], said: str
) -> None:
    (here / "registry.toml").write_text('[registry.a]\nurl = "x"\n')
    code, out, err = zoo("registry", "init", *arguments)
    assert (code, out, err.count("\n")) == (1, "", 1)
    assert err.startswith(f"zoo: error: {said.replace('HERE', str(here))}")
    assert sorted(path.name for path in here.iterdir()) == ["registry.toml"]
    assert (here / "registry.toml").read_text() == '[registry.a]\nurl = "x"\n'


@pytest.mark.filterwarnings("always::zoo.errors.ZooWarning")
def test_list(zoo: Zoo, here: Path, publish: Publish) -> None:
    publish(1)
    (here / "registry.toml").write_text(
        'default = "b"\n[registry.a]\nurl = "registry"\n[registry.b]\nurl = "none-yet"\n'
        '[registry.c]\nurl = "http://127.0.0.1:1/x"\n'
    )
    code, out, err = zoo("registry", "list", "--json")
    rows = [tuple(row.values()) for row in json.loads(out)]
    assert rows == [
        ("a", "registry", False, 1, True),
        ("b", "none-yet", True, 0, True),
        ("c", "http://127.0.0.1:1/x", False, None, False),
    ]
    assert (code, err.count("\n")) == (0, 1)
    assert err.startswith("zoo: warning: '127.0.0.1:1' cannot be reached")
    assert not (here / "none-yet").exists()
    assert zoo("registry", "list")[1].splitlines()[0].split() == [
        "NAME", "URL", "DEFAULT", "MODELS", "WRITABLE"
    ]  # fmt: skip


def test_alias_is_set_moved_compared_removed_and_remembered(zoo: Zoo, publish: Publish) -> None:
    registry = publish(3)
    zoo("registry", "init")
    model = "digits-tiny"
    assert zoo("registry", "alias", f"{model}@2", "best") == (0, f"{model}: alias best = 2\n", "")
    assert zoo("registry", "alias", f"{model}@3", "best", "--if", "1") == (
        1, "", "zoo: error: alias 'best' of model 'digits-tiny' points to version 2, not to "
        "version 1; somebody moved it: look again\n",
    )  # fmt: skip
    assert zoo("registry", "alias", f"{model}@3", "best", "--if", "none")[0] == 1
    assert zoo("registry", "alias", model, "best", "--if", "2")[1] == (
        f"{model}: alias best = 3 (it was 2)\n"
    )
    assert registry.record(f"{model}@best").version == 3
    assert zoo("registry", "alias", f"{model}@1", "first", "--if", "none")[0] == 0
    assert zoo("registry", "alias", model)[1] == "ALIAS  VERSION\nbest         3\nfirst        1\n"
    assert json.loads(zoo("registry", "alias", model, "--json")[1])["aliases"] == {
        "best": 3, "first": 1
    }  # fmt: skip
    assert zoo("registry", "alias", model, "best", "--remove")[1] == (
        f"{model}: alias best removed (it was 3)\n"
    )
    changes = [line.split(maxsplit=3)[3] for line in
               zoo("registry", "alias", model, "--history")[1].splitlines()[1:]]  # fmt: skip
    assert changes == [
        "alias best = 2", "alias best = 3 (it was 2)", "alias first = 1",
        "alias best removed (it was 3)",
    ]  # fmt: skip


def test_yank_and_undo(zoo: Zoo, publish: Publish) -> None:
    registry = publish(2)
    zoo("registry", "init")
    assert zoo("registry", "yank", "digits-tiny@2", "--reason", "leak")[1] == (
        "digits-tiny: yank 2: leak\n"
    )
    assert registry.latest("digits-tiny") == 1
    code, out, _ = zoo("registry", "yank", "digits-tiny@2", "--undo", "--json")
    assert (code, json.loads(out)) == (0, {"model": "digits-tiny", "version": 2, "yanked": {}})
    assert registry.latest("digits-tiny") == 2
    assert zoo("registry", "yank", "digits-tiny@3")[2] == (
        "zoo: error: model 'digits-tiny' has no version 3; the newest is 2; see: zoo models show "
        "digits-tiny\n"
    )


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("yank", "digits-tiny"), "invalid value for model: 'digits-tiny'; say which version, such "
         "as digits-tiny@1; see: zoo registry yank --help"),
        (("alias", "digits-tiny", "--remove"), "invalid value for alias: --remove needs an alias"),
        (("alias", "digits-tiny", "--if", "1"), "invalid value for alias: --if needs an alias"),
        (("alias", "digits-tiny", "best", "--history"), "invalid value for --history: shows all"),
        (("alias", "digits-tiny", "best", "--if", "x"), "invalid value for --if: 'x'; expected a "
         "version's number, such as 3, or none"),
        (("init", "a", "b"), "got unexpected extra argument(s) (b)"),
    ],
)  # fmt: skip
def test_wrong_use(zoo: Zoo, publish: Publish, arguments: tuple[str, ...], said: str) -> None:
    publish(1)
    zoo("registry", "init")
    code, out, err = zoo("registry", *arguments)
    assert (code, out) == (2, "")
    assert err.lower().startswith(f"zoo: error: {said}".lower())
