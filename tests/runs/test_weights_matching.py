"""Which tensors of other weights are loaded, adapted or left new, and how that is told."""

import pytest
import torch
from networks import cnn
from torch import nn

from zoo.errors import StorageError, ZooError
from zoo.runs import initialize, matching
from zoo.runs.progress import initialized_lines
from zoo.tasks import Task

DIGITS = Task.multiclass([str(digit) for digit in range(10)])
FIVE = Task.multiclass(list("abcde"))
TEN_OTHERS = Task.multiclass(list("abcdefghij"))


def source(weights, task=None, init="a.safetensors"):
    return initialize.Source(init, weights, "0" * 64, task=task)


def start(network, weights, task=DIGITS, channels=1, theirs=None):
    """The network's state before and after, and what is said of it."""
    before = {name: one.clone() for name, one in network.state_dict().items()}
    event = initialize.initialize(network, source(weights, theirs), task, channels)
    return before, network.state_dict(), event


def said(event):
    return [(part["name"], part["what"], part["why"]) for part in event.parts]


def test_the_same_network_is_loaded_whole_buffers_included():
    theirs = cnn()
    with torch.no_grad():
        for one in theirs.state_dict().values():
            one.add_(1)
    network = cnn().to(memory_format=torch.channels_last)
    _, after, event = start(network, theirs.state_dict(), theirs=DIGITS)
    assert all(torch.equal(after[name], one) for name, one in theirs.state_dict().items())
    assert network.mid.weight.is_contiguous(memory_format=torch.channels_last)
    assert event.counts == {"loaded": 13, "adapted": 0, "new": 0, "unused": 0}
    assert said(event) == [("conv … out", "loaded", "")]


def test_the_head_stays_new_where_there_are_other_classes():
    weights = cnn(outputs=5).state_dict()
    before, after, event = start(cnn(), weights)
    assert torch.equal(after["out.weight"], before["out.weight"])
    assert torch.equal(after["hidden.weight"], weights["hidden.weight"])
    assert said(event) == [
        ("conv … hidden", "loaded", ""),
        ("out", "new", "the head: the source has 5 outputs"),
    ]


def test_the_head_stays_new_also_where_as_many_classes_are_others():
    weights = {name: one + 1 for name, one in cnn().state_dict().items()}
    before, after, event = start(cnn(), weights, theirs=TEN_OTHERS)
    assert torch.equal(after["out.weight"], before["out.weight"])
    assert said(event)[-1] == ("out", "new", "the head: the classes are others")
    # The control: of the same classes it is loaded, and so it is where nobody knows them.
    for theirs in (DIGITS, None):
        before, after, _ = start(cnn(), weights, theirs=theirs)
        assert torch.equal(after["out.weight"], weights["out.weight"])


@pytest.mark.parametrize(("given", "wanted"), [(3, 1), (1, 3), (4, 3), (2, 3)])
def test_the_first_convolution_answers_grey_images_as_before(given, wanted):
    weights = cnn(given).state_dict()
    network = cnn(wanted)
    _, after, event = start(network, weights, channels=wanted)
    assert event.counts["adapted"] == 1
    assert said(event)[0] == (
        "conv.weight", "adapted", f"from {given} to {wanted} channels",
    )  # fmt: skip
    assert torch.equal(after["conv.bias"], weights["conv.bias"])
    if given in (1, 3):
        grey = torch.rand(2, 1, 4, 4)
        old = nn.functional.conv2d(grey.expand(-1, given, -1, -1), weights["conv.weight"])
        new = nn.functional.conv2d(grey.expand(-1, wanted, -1, -1), after["conv.weight"])
        assert torch.allclose(old, new, atol=1e-6)


def test_only_channels_are_adapted_and_only_in_the_first_convolution():
    weight = torch.rand(4, 2, 1, 1)
    assert torch.equal(matching.adapted(weight, 3), weight[:, [0, 1, 0]] * (2 / 3))
    other_kernel = cnn(3).state_dict() | {"conv.weight": torch.rand(4, 3, 5, 5)}
    _, _, event = start(cnn(1), other_kernel)
    assert said(event)[0] == (
        "conv.weight", "new", "of shape (4, 1, 3, 3), the source has (4, 3, 5, 5)",
    )  # fmt: skip
    later = cnn().state_dict() | {"mid.weight": torch.rand(4, 3, 1, 1)}
    assert start(cnn(), later)[2].counts["adapted"] == 0


def test_what_does_not_fit_is_listed():
    weights = cnn(side=3).state_dict()
    del weights["mid.bias"]
    weights |= {"aux.weight": torch.rand(2), "aux.bias": torch.rand(3)}
    before, after, event = start(cnn(), weights)
    assert said(event) == [
        ("conv … mid.weight", "loaded", ""),
        ("mid.bias", "new", "the source has none"),
        ("hidden.weight", "new", "of shape (6, 16), the source has (6, 36)"),
        ("hidden.bias … out", "loaded", ""),
        ("aux", "unused", "not in the network"),
    ]
    assert event.counts == {"loaded": 11, "adapted": 0, "new": 2, "unused": 2}
    assert torch.equal(after["mid.bias"], before["mid.bias"])


def test_the_table():
    event = start(cnn(3, 5), cnn().state_dict(), task=FIVE, channels=3)[2]
    assert initialized_lines(event) == [
        "weights from a.safetensors: 10 loaded, 1 adapted, 2 new tensors",
        "  part                tensors       values",
        "  conv.weight               1          108  adapted: from 1 to 3 channels",
        "  conv.bias … hidden       10          143  loaded",
        "  out                       2           35  new: the head: the source has 10 outputs",
    ]
    event = initialize.initialize(
        cnn(), source(cnn().state_dict() | {"\x1b[2J" + "x" * 600: torch.rand(1)}), DIGITS, 1
    )
    assert all(len(line) < 140 and line.isprintable() for line in initialized_lines(event))


def test_little_is_told():
    state = cnn().state_dict()
    _, _, event = start(cnn(), {name: state[name] for name in ("mid.weight", "mid.bias")})
    assert initialize.little(event) == (
        "only 20 of 249 weights come from transfer.init, the others begin anew; expected weights "
        "of the same architecture"
    )
    assert initialize.little(start(cnn(), {"conv.weight": state["conv.weight"]})[2]) == ""
    assert initialize.little(None) == ""


def test_a_large_head_that_is_to_stay_new_is_not_little():
    """The control: where the classes are the same, a head that is missing counts."""
    body = {name: one for name, one in cnn().state_dict().items() if not name.startswith("out")}
    head = {"out.weight": torch.rand(900, 6), "out.bias": torch.rand(900)}
    many = Task.multiclass([str(number) for number in range(900)])
    network = cnn(outputs=900)
    _, _, event = start(network, body | cnn(outputs=5).state_dict(), task=many)
    assert event.counts["new"] == 2 and initialize.little(event) == ""
    assert initialize.little(start(network, body, task=many)[2]).startswith("only 179 of 6,479 ")
    assert initialize.little(start(network, body | head, task=many)[2]) == ""


def test_half_precision_is_converted_and_said():
    weights = {
        name: one.half() if one.is_floating_point() else one
        for name, one in cnn().state_dict().items()
    }
    _, after, event = start(cnn(), weights)
    assert after["out.weight"].dtype == torch.float32
    assert torch.equal(after["out.weight"], weights["out.weight"].float())
    assert ("mid … out", "loaded", "from float16") in said(event)


def test_numbers_that_are_no_weights_are_left():
    weights = cnn().state_dict() | {"out.bias": torch.ones(10, dtype=torch.int64)}
    before, after, event = start(cnn(), weights)
    assert torch.equal(after["out.bias"], before["out.bias"])
    assert said(event)[-1] == ("out.bias", "new", "the source has int64")


def test_nothing_fits():
    with pytest.raises(ZooError) as caught:
        start(cnn(), {"w": torch.rand(2, 3)})
    assert str(caught.value) == (
        "transfer.init 'a.safetensors': none of its 1 tensors fits the network: it begins with 'w' "
        "(2, 3), the network with 'conv.weight' (4, 1, 3, 3); expected weights of the same "
        "architecture"
    )
    # Biases mean nothing without the weights that they belong to.
    state = cnn().state_dict()
    biases = {name: one for name, one in state.items() if one.ndim == 1} | {"w": torch.rand(2, 3)}
    network = cnn()
    with pytest.raises(ZooError) as caught:
        start(network, {name: one + 1 for name, one in biases.items()})
    assert str(caught.value) == (
        "transfer.init 'a.safetensors': of its 9 tensors only biases and norms fit the network "
        "(6, such as 'conv.bias'), not one weight of a layer; expected weights of the same "
        "architecture"
    )
    assert torch.equal(network.conv.bias, state["conv.bias"])
    start(network, biases | {"mid.weight": state["mid.weight"]})
    # A counter of batches alone is no weight.
    with pytest.raises(ZooError, match="none of its 1 tensors fits"):
        start(cnn(), {"norm.num_batches_tracked": torch.tensor(3)})


def test_too_large_for_the_networks_type_is_refused_and_changes_nothing():
    weights = cnn().state_dict() | {"out.bias": torch.full((10,), 1e300, dtype=torch.float64)}
    network = cnn()
    before = network.conv.weight.clone()
    with pytest.raises(StorageError, match=r"converted: tensor 'out.bias' holds numbers that are"):
        start(network, {name: one + 1 for name, one in weights.items()})
    assert torch.equal(network.conv.weight, before)
