"""Published encoders from a stand-in of the Hub: the very weights, or one line and nothing kept."""

import io
import time

import pytest
import timm_hub as stand_in
import torch
from safetensors.torch import save

import zoo
from zoo.plugins.catalog import catalog

pytest.importorskip("segmentation_models_pytorch")
import timm
from segmentation_models_pytorch.encoders import encoders, get_encoder
from zoo_smp import hub, weights

NUCLEI = zoo.Task.segmentation(["tissue", "nucleus"], positive="nucleus")
REPOSITORY = "smp-hub/mobilenet_v2.imagenet"
REVISION = encoders["mobilenet_v2"]["pretrained_settings"]["imagenet"]["revision"]


@pytest.fixture
def folders(monkeypatch, tmp_path):
    from huggingface_hub import constants

    monkeypatch.setenv("ZOO_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("ZOO_WEIGHTS", raising=False)
    monkeypatch.delenv("ZOO_WEIGHTS_MIRROR", raising=False)
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "hf"))
    return tmp_path


@pytest.fixture
def web(monkeypatch, folders):
    with stand_in.serving() as one:
        stand_in.hub_server.use(monkeypatch, one.hub.url)
        yield one


@pytest.fixture
def published(web):
    """The library's encoder, published with random weights."""
    encoder = get_encoder("mobilenet_v2", weights=None)
    put(web, REPOSITORY, REVISION, save(encoder.state_dict()))
    return encoder


def put(web, name, revision, data):
    files = {hub.FILE: data}
    web.hub.repositories[name] = stand_in.hub_server.Repository(branches={revision: files})


def context(tag="", size=64, channels=3):
    return zoo.ArchitectureContext(channels, (size, size), 1, NUCLEI, tag)


def given(name="unet", tag="", size=64, **options):
    component = catalog().get("architecture", f"smp/{name}")
    return component.pretrained(context(tag, size), options)


def refusal(**options):
    with pytest.raises(zoo.ZooError) as caught:
        given(**{"encoder": "mobilenet_v2", **options})
    assert "\n" not in str(caught.value)
    return str(caught.value)


def kept(folders):
    return [path for path in folders.rglob("*") if path.is_file()]


def loaded(name, found, size, **options):
    network = catalog().get("architecture", f"smp/{name}").build(context(size=size), options)
    own = {key for key in network.state_dict() if key.startswith("encoder.")}
    assert set(found.weights) == own
    network.load_state_dict({**network.state_dict(), **found.weights})
    return network.encoder.eval()


def test_they_are_the_library_s_encoder_s(web, published):
    found = given(encoder="mobilenet_v2")
    assert (found.tag, found.mean) == ("imagenet", (0.485, 0.456, 0.406))
    encoder = loaded("unet", found, 64, encoder="mobilenet_v2")
    images = torch.randn(2, 3, 64, 64)
    for one, other in zip(encoder(images), published.eval()(images), strict=True):
        assert torch.equal(one, other)
    asked = len(web.hub.asked)
    given(encoder="mobilenet_v2", name="fpn")  # kept
    assert len(web.hub.asked) == asked


@pytest.mark.parametrize(
    "decoder, name, size",
    [("unet", "test_resnet.r160_in1k", 64), ("dpt", "test_vit.r160_in1k", 96)],
)
def test_they_are_timm_s(web, decoder, name, size):
    """Renamed, and resized to other images, by timm itself."""
    torch.manual_seed(2)
    sized = {"img_size": size} if "vit" in name else {}
    theirs = timm.create_model(name, pretrained=False)
    data = save(theirs.state_dict())
    put(web, f"timm/{name}", "main", data)
    found = given(decoder, size=size, encoder=f"tu-{name.partition('.')[0]}")
    assert found.tag == name.partition(".")[2]
    assert found.image_size == (160, 160)
    encoder = loaded(decoder, found, size, encoder=f"tu-{name}")
    again = timm.create_model(
        name, pretrained=True, pretrained_cfg_overlay={"state_dict": theirs.state_dict()}, **sized
    ).eval()
    images = torch.randn(2, 3, size, size)
    last = encoder(images)[0][-1] if decoder == "dpt" else encoder(images)[-1]
    blocks = again.forward_intermediates(images, intermediates_only=True)
    assert torch.equal(last, blocks[-1])


def test_what_somebody_put_there_needs_no_network(folders, monkeypatch):
    encoder = get_encoder("mobilenet_v2", weights=None)
    own = folders / "own"
    own.mkdir()
    (own / "mobilenet_v2.imagenet.safetensors").write_bytes(save(encoder.state_dict()))
    monkeypatch.setenv("ZOO_WEIGHTS", str(own))
    found = given(encoder="mobilenet_v2")
    assert torch.equal(
        found.weights["encoder.features.0.0.weight"], encoder.state_dict()["features.0.0.weight"]
    )


def advice(folders, url):
    place = folders / "cache" / "weights" / "mobilenet_v2.imagenet.safetensors"
    return (
        f"get {url}/{REPOSITORY}/resolve/{REVISION}/model.safetensors by other means and put it "
        f"here as {str(place)!r} or into a folder that ZOO_WEIGHTS names"
    )


def test_without_a_network_it_says_what_to_do_in_time(folders, monkeypatch):
    stand_in.hub_server.use(monkeypatch, "http://127.0.0.1:9")
    started = time.monotonic()
    said = refusal()
    assert time.monotonic() - started < 5 + 5  # a busy machine takes its own time
    assert said.startswith(
        "'smp-hub/mobilenet_v2.imagenet' of the Hub cannot be had from '127.0.0.1:9': "
    )
    assert said.endswith(
        f"; {advice(folders, 'http://127.0.0.1:9')}, or set HF_ENDPOINT to a mirror's address"
    )


def test_a_hub_over_plain_http_elsewhere_is_not_asked(folders, monkeypatch):
    """Whoever is on the way would read the token, and forge the sha256 with the bytes."""
    stand_in.hub_server.use(monkeypatch, "http://192.0.2.1:80")
    monkeypatch.setattr("huggingface_hub.get_hf_file_metadata", None)  # a call would raise
    assert refusal() == (
        "HF_ENDPOINT 'http://192.0.2.1:80': expected an https address, or an http one of this "
        "machine"
    )


def test_offline_the_hub_is_not_asked(web, published, folders, monkeypatch):
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    assert refusal() == (
        f"'{REPOSITORY}' of the Hub is not in the cache {str(folders / 'hf')!r}, and "
        f"HF_HUB_OFFLINE is set; unset it, or {advice(folders, web.hub.url)}"
    )
    assert web.hub.asked == []


@pytest.mark.parametrize(
    "fault, says",
    [
        (stand_in.other_bytes, "it is not the published file"),
        (stand_in.cut_short, "ended after"),
        (stand_in.too_much, "it is not the published file"),
        (stand_in.web_page, "it is not the published file"),
    ],
)
def test_other_files_are_refused_and_not_kept(web, published, folders, fault, says):
    web.bodies = fault
    assert says in refusal()
    assert kept(folders) == []


def test_a_file_without_tensors_is_refused_and_timm_fetches_nothing_instead(web, folders):
    own = folders / "cache" / "weights" / "test_resnet.r160_in1k.safetensors"
    own.parent.mkdir(parents=True)
    own.write_bytes(save({}))
    assert refusal(encoder="tu-test_resnet") == f"weights {str(own)!r} holds no tensors"
    assert web.hub.asked == []


def test_a_pickle_in_its_place_runs_nothing(web, folders, capfd):
    class Hostile:
        def __reduce__(self):
            return (print, ("it ran",))

    stream = io.BytesIO()
    torch.save({"features.0.0.weight": Hostile()}, stream)
    torch.load(io.BytesIO(stream.getvalue()), weights_only=False)
    assert capfd.readouterr().out == "it ran\n"
    put(web, REPOSITORY, REVISION, stream.getvalue())
    refusal()
    assert capfd.readouterr().out == ""


def test_what_is_damaged_afterwards_is_got_again(web, published, folders):
    given(encoder="mobilenet_v2")
    path = next((folders / "cache" / "weights").glob("mobilenet_v2.imagenet-*.safetensors"))
    data = path.read_bytes()
    path.write_bytes(data[:-1] + b"!")
    given(encoder="mobilenet_v2")
    assert path.read_bytes() == data


def test_another_commit_is_another_file(web, published, monkeypatch):
    """A newer release of the library may name one."""
    given(encoder="mobilenet_v2")
    settings = encoders["mobilenet_v2"]["pretrained_settings"]["imagenet"]
    monkeypatch.setitem(settings, "revision", "f" * 40)
    files = web.hub.repositories[REPOSITORY].branches
    other = get_encoder("mobilenet_v2", weights=None)
    files["f" * 40] = {hub.FILE: save(other.state_dict())}
    found = given(encoder="mobilenet_v2").weights["encoder.features.0.0.weight"]
    assert torch.equal(found, other.state_dict()["features.0.0.weight"])


def test_tags():
    assert refusal(tag="imagenett") == (
        "architecture 'smp/unet': encoder 'mobilenet_v2' has no pretrained weights 'imagenett' "
        "(did you mean 'imagenet'?); expected one of imagenet"
    )
    assert "has no pretrained weights 'x'" in refusal(encoder="tu-resnet18", tag="x")


def test_none_where_nobody_published_any():
    with pytest.raises(zoo.ZooError, match=r"'smp/unet' has no pretrained weights"):
        given(encoder=unpublished())


def unpublished():
    known = {one.partition(".")[0] for one in timm.list_pretrained()}
    return "tu-" + next(one for one in timm.list_models("resnet*") if one not in known)


@pytest.mark.parametrize(
    "encoder, tag, mean",
    [("dpn68", "imagenet", 124 / 255), ("xception", "imagenet", 0.5), ("mit_b0", "imagenet", 0.485),
     ("efficientnet-b0", "advprop", 0.5), ("efficientnet-b0", "imagenet", 0.485)],
)  # fmt: skip
def test_what_they_were_shown(encoder, tag, mean):
    assert weights._normalization(encoder, tag)[0][0] == mean
