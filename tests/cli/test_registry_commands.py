"""``zoo registry``: ``init``, ``list``, ``alias``, ``yank``, ``verify``, ``repair``, ``gc``."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from zoo.registry.places.folder_tree import FolderTree
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
            "s3://",
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


@pytest.mark.filterwarnings("always::zoo.errors.ZooWarning")
def test_an_address_that_is_none_leaves_the_others_in_the_list(
    zoo: Zoo, here: Path, publish: Publish
) -> None:
    publish(1)
    (here / "registry.toml").write_text(
        '[registry.a]\nurl = "registry"\n[registry.b]\nurl = "s3://Bad_Bucket/x"\n'
    )
    code, out, err = zoo("registry", "list", "--json")
    assert [(row["name"], row["models"]) for row in json.loads(out)] == [("a", 1), ("b", None)]
    assert (code, err) == (
        0,
        "zoo: warning: registry 's3://Bad_Bucket/x': expected s3://bucket or s3://bucket/folder, "
        "of letters, digits, '.', '-' and '_'\n",
    )


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
    long = zoo("registry", "yank", "digits-tiny@2", "--reason", "a\nb")
    assert long[::2] == (
        1, "zoo: error: reason 'a\\nb': expected one line of at most 500 letters\n",
    )  # fmt: skip
    code, out, _ = zoo("registry", "yank", "digits-tiny@2", "--undo", "--json")
    assert (code, json.loads(out)) == (0, {"model": "digits-tiny", "version": 2, "yanked": {}})
    assert registry.latest("digits-tiny") == 2
    assert zoo("registry", "yank", "digits-tiny@3")[2] == (
        "zoo: error: model 'digits-tiny' has no version 3; the newest is 2; see: zoo models show "
        "digits-tiny\n"
    )


def test_verify_and_repair(zoo: Zoo, here: Path, publish: Publish) -> None:
    registry = publish(1)
    zoo("registry", "init")
    where = f"registry 'local' ({here}/registry)"
    whole = "1 model, 1 version, 0 states, 1 file of 1 byte"
    assert zoo("registry", "verify") == (0, f"{where}: {whole}; 0 errors, 0 notices\n", "")
    (here / "registry/models/digits-tiny/head.json").write_bytes(b"{}")
    code, out, err = zoo("registry", "verify", "--fast")
    assert (code, err) == (1, "")
    assert out.splitlines() == [
        f"error: models/digits-tiny/head.json: models/digits-tiny/head.json of {here}/registry: "
        "model: Field required; whoever may write there mends it with: zoo registry repair",
        f"{where}: {whole}, not hashed; 1 error, 0 notices",
    ]
    code, out, _ = zoo("registry", "verify", "--json")
    assert (code, json.loads(out)["findings"][0]["severity"]) == (1, "error")
    said = f"{where}: head, index and catalog of 1 model are made anew\n"
    assert zoo("registry", "repair") == (0, said, "")
    assert zoo("registry", "verify")[0] == 0
    record = here / "registry/models/digits-tiny/versions/1.json"
    record.write_bytes(b"{}")
    code, out, err = zoo("registry", "repair", "--json")
    assert (code, err, json.loads(out)["left"][0]["path"]) == (1, "", "models/digits-tiny")
    assert zoo("registry", "repair")[0] == 1
    assert registry.versions("digits-tiny") == [1]


def test_gc_tells_and_then_does(zoo: Zoo, here: Path, publish: Publish) -> None:
    registry = publish(1)
    zoo("registry", "init")
    where = f"registry 'local' ({here}/registry)"
    assert zoo("registry", "gc") == (0, f"{where}: 0 bytes\n", "")
    tree = registry.tree
    assert isinstance(tree, FolderTree)
    tree.keep(tree.stage(b"spare"))
    assert zoo("registry", "gc")[1] == f"{where}: 0 bytes; 1 more is younger than 7d\n"
    assert zoo("registry", "gc", "--grace", "0", "--registry", "local")[1].splitlines() == [
        "1 file that no version names: would be moved to the trash",
        f"{where}: 5 bytes",
        "nothing was changed; to do it, type: zoo registry gc --registry local --grace 0 --apply",
    ]
    assert not (here / "registry/trash").exists()
    assert zoo("registry", "gc", "--grace", "0", "--apply")[1].splitlines() == [
        "1 file that no version names: moved to the trash", f"{where}: 5 bytes",
    ]  # fmt: skip
    code, out, _ = zoo("registry", "gc", "--grace", "0", "--apply", "--json")
    assert (code, len(json.loads(out)["deleted"])) == (0, 1)
    assert zoo("registry", "gc", "--grace", "soon") == (
        1, "", "zoo: error: grace 'soon': expected a time such as '7d', '12h', '90m' or '0'\n",
    )  # fmt: skip


@pytest.mark.parametrize("grace", ["", "7", "d", "-1d", "1w", "1.5d", "7 d", "1000000d0"])
def test_a_grace_is_a_time(zoo: Zoo, publish: Publish, grace: str) -> None:
    publish(0)
    zoo("registry", "init")
    assert zoo("registry", "gc", f"--grace={grace}")[::2] == (
        1, f"zoo: error: grace {grace!r}: expected a time such as '7d', '12h', '90m' or '0'\n",
    )  # fmt: skip


def test_gc_and_repair_want_a_registry(zoo: Zoo, here: Path) -> None:
    (here / "registry.toml").write_text('[registry.local]\nurl = "nowhere"\n')
    for command in (("gc", "--apply"), ("repair",)):
        assert zoo("registry", *command)[::2] == (
            1, f"zoo: error: registry 'local' ({here}/nowhere) is no registry: it has no "
            "zoo-registry.json\n",
        )  # fmt: skip
    assert not (here / "nowhere").exists()


def test_what_can_only_be_read_is_said(zoo: Zoo, here: Path) -> None:
    (here / "registry.toml").write_text('[registry.web]\nurl = "http://127.0.0.1:1/x"\n')
    web = "registry 'web' (http://127.0.0.1:1/x)"
    assert zoo("registry", "gc")[2] == (
        f"zoo: error: {web} can only be read; collect where it can be written\n"
    )
    assert zoo("registry", "repair")[2] == (
        f"zoo: error: {web} can only be read; repair it where it can be written\n"
    )
    code, out, err = zoo("registry", "verify")
    assert (code, out, err.count("\n")) == (1, "", 1)


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
