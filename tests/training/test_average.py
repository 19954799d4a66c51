"""The running average: each weight once, and only where an update was made."""

import pytest
import torch
from torch import nn

from zoo.training.average import Average

NO, YES = torch.tensor(False), torch.tensor(True)


class Tied(nn.Module):
    def __init__(self):
        super().__init__()
        self.first, self.last = nn.Linear(3, 3, bias=False), nn.Linear(3, 3, bias=False)
        self.last.weight = self.first.weight
        self.register_buffer("seen", torch.tensor(0))


def moved(network, average, value, left_out=None):
    with torch.no_grad():
        for one in network.parameters():
            one.fill_(value)
    average.update(left_out)
    return average.network.state_dict()


@pytest.mark.parametrize("left_out", [None, NO])
def test_tied_weights_are_averaged_once(left_out):
    network = Tied()
    average = Average(network, 0.9)
    average.updates = 1000
    moved(network, average, 0.0)
    average = Average(network, 0.9)
    average.updates = 1000
    found = moved(network, average, 1.0, left_out)
    assert torch.allclose(found["first.weight"], torch.tensor(0.1))
    assert found["first.weight"].data_ptr() == found["last.weight"].data_ptr()


def test_flags_that_are_not_set_change_nothing():
    """Neither the decay of the first updates nor the full one."""
    torch.manual_seed(0)
    networks = [Tied(), Tied()]
    networks[1].load_state_dict(networks[0].state_dict())
    averages = [Average(one, 0.5) for one in networks]
    for step in range(20):
        one = moved(networks[0], averages[0], step)["first.weight"]
        other = moved(networks[1], averages[1], step, NO)["first.weight"]
        assert torch.allclose(one, other, rtol=1e-6)
    assert averages[0].state_dict()["updates"] == averages[1].state_dict()["updates"] == 20


def test_an_update_that_was_left_out_moves_neither_average_nor_count():
    network = Tied()
    average = Average(network, 0.9)
    before = moved(network, average, 1.0, NO)["first.weight"].clone()
    network.seen.fill_(3)
    found = moved(network, average, 5.0, YES)
    assert torch.equal(found["first.weight"], before)
    assert average.state_dict()["updates"] == 1
    assert moved(network, average, 5.0, NO)["first.weight"].min() > before.max()
    assert average.state_dict()["updates"] == 2
    assert found["seen"] == 3


def test_it_goes_on_to_the_same_bits():
    torch.manual_seed(0)
    network = Tied()
    whole, part = Average(network, 0.9), Average(network, 0.9)
    for step in range(4):
        moved(network, whole, step, torch.tensor(step == 1))
        moved(network, part, step, torch.tensor(step == 1))
        again = Average(network, 0.9)
        again.load_state_dict(part.state_dict())
        part = again
    assert torch.equal(whole.network.first.weight, part.network.first.weight)
