"""Which registries there are."""

from pathlib import Path

import pytest

from zoo.errors import RegistryError, ZooError
from zoo.registry import config

REPOSITORY = Path(__file__).parents[2]
NAMED = (
    "expected the name of an environment variable that holds the secret and begins with ZOO_, such "
    "as ZOO_TOKEN; others are taken from OWN alone"
)
URLS = "a folder, or an address that begins with https://, http:// or s3://"


@pytest.fixture(autouse=True)
def elsewhere(tmp_path, monkeypatch):
    """No user's folder is looked into."""
    monkeypatch.setenv("ZOO_CONFIG_DIR", str(tmp_path / "config"))
    monkeypatch.setattr("platformdirs.user_data_dir", lambda name: str(tmp_path / "data" / name))
    (tmp_path / "project" / "deep").mkdir(parents=True)
    monkeypatch.chdir(tmp_path / "project" / "deep")


def write(path, text):
    path.parent.mkdir(exist_ok=True)
    path.write_text(text)
    return path


def test_built_in(tmp_path):
    found = config.registries()
    assert (found.default, found.source) == ("local", None)
    assert config.open_registry().tree.root == tmp_path / "data" / "zoo" / "registry"
    assert not (tmp_path / "data").exists()


def test_upward_before_the_users(tmp_path):
    write(tmp_path / "config" / "registry.toml", '[registry.mine]\nurl = "/somewhere"\n')
    assert config.open_registry().tree.root == Path("/somewhere")
    text = 'default = "b"\n[registry.a]\nurl = "x"\n[registry.b]\nurl = "/y"\n'
    path = write(tmp_path / "project" / "registry.toml", text)
    found = config.registries()
    assert found.source == path
    assert config.open_registry().tree.root == Path("/y")
    opened = config.open_registry("a")
    assert (opened.name, opened.tree.root) == ("a", tmp_path / "project" / "x")


def test_the_shipped_file():
    found = config.read_file(REPOSITORY / "registry.toml")
    assert (found.default, found.places["local"].folder) == ("local", REPOSITORY / "registry")


def test_home(monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path))
    path = write(tmp_path / "project" / "registry.toml", '[registry.a]\nurl = "~/zoo"\n')
    assert config.read_file(path).places["a"].folder == tmp_path / "zoo"


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("default = ?", "PATH is not TOML: Invalid value (at line 1, column 11)"),
        ("", 'PATH names no registry; write [registry.local] and url = "registry"'),
        ("registry = 3", 'PATH names no registry; write [registry.local] and url = "registry"'),
        (
            "defalt = 'a'\n[registry.a]\nurl='x'",
            "PATH: unknown key 'defalt' (did you mean 'default'?); expected default, registry",
        ),
        (
            "[registry.a]\nurl='x'\ntoken='y'",
            "PATH: registry.a: unknown key 'token'; expected url",
        ),
        (
            "default=[]\n[registry.a]\nurl='x'",
            "PATH: default: [] is not one of its registries; expected one of a",
        ),
        ("[registry.a]", f"PATH: registry.a.url: None: expected {URLS}"),
        ("[registry.a]\nurl=3", f"PATH: registry.a.url: 3: expected {URLS}"),
        ("[registry]\na=3", "PATH: registry.a: 3: expected a table with url"),
        (
            "default='lokal'\n[registry.local]\nurl='x'",
            "PATH: default: 'lokal' is not one of its registries (did you mean 'local'?); "
            "expected one of local",
        ),
        *(
            (f"[registry.a]\nurl='{url}'", f"PATH: registry.a.url: '{url}': expected {URLS}")
            for url in ("hf://me/zoo", "file:///x", "https:///x", "https://a/?x", "s3://b/c#d")
        ),
        (
            "[registry.a]\nurl='https://me:secret@example.org/zoo'",
            "PATH: registry.a.url: a user or password stands in it, for all to read; remove it, "
            "and name the environment variable that holds the secret",
        ),
        (
            "[registry.a]\nurl='https://example.org/zoo'\ntoken_env='hf_a-secret'",
            f"PATH: registry.a.token_env: {NAMED}",
        ),
        (
            "[registry.a]\nurl='https://example.org/zoo'\ntoken_env='AWS_SECRET_ACCESS_KEY'",
            f"PATH: registry.a.token_env: {NAMED}",
        ),
        (
            "[registry.a]\nurl='s3://bucket'\nendpoint='https://example.org'",
            "PATH: registry.a.endpoint: expected access_key_env and secret_key_env, or anonymous = "
            "true, beside it: credentials for another store are not tried on this one",
        ),
        (
            "[registry.a]\nurl='s3://bucket'\npath_style='yes'",
            "PATH: registry.a.path_style: 'yes': expected true or false",
        ),
        (
            "[registry.a]\nurl='s3://bucket'\nregion=3",
            "PATH: registry.a.region: 3: expected a text",
        ),
    ],
)
def test_wrong_files(tmp_path, text, what):
    path = write(tmp_path / "project" / "registry.toml", text)
    with pytest.raises(RegistryError) as caught:
        config.registries()
    own = repr(str(tmp_path / "config" / "registry.toml"))
    assert str(caught.value) == what.replace("PATH", repr(str(path))).replace("OWN", own)


def test_the_users_own_file_may_name_any_variable(tmp_path):
    text = "[registry.a]\nurl='s3://bucket'\nendpoint='https://example.org'\nregion='x'\n"
    write(tmp_path / "config" / "registry.toml", text)
    write(tmp_path / "config" / "registry.toml", f"{text}session_token_env='TEAM_TOKEN'\n")
    assert config.registries().places["a"].options["session_token_env"] == "TEAM_TOKEN"


@pytest.mark.parametrize("name", ["A", "../x", "a b", "con"])
def test_wrong_registry_names(tmp_path, name):
    write(tmp_path / "project" / "registry.toml", f'[registry."{name}"]\nurl = "x"\n')
    with pytest.raises(RegistryError, match="registry name"):
        config.registries()


def test_hostile_files(tmp_path):
    path = write(tmp_path / "project" / "registry.toml", "")
    for data in (b"\xff", b"\xef\xbb\xbfx=1", b"a=" + b"[" * 100_000, b"a" * (2 << 20)):
        path.write_bytes(data)
        with pytest.raises(ZooError):
            config.registries()


def test_an_unknown_registry(tmp_path):
    path = write(tmp_path / "project" / "registry.toml", '[registry.local]\nurl = "x"\n')
    with pytest.raises(RegistryError) as caught:
        config.open_registry("locl")
    assert str(caught.value) == (
        f"registry 'locl' is not named in {str(path)!r} (did you mean 'local'?); "
        f"registries: local; name it in a registry.toml"
    )
