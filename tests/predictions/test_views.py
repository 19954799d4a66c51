"""Views of an image: each turned there and back, and the mean of what is said of them."""

import pytest
import torch
from torch import nn

from zoo.errors import PredictionsError
from zoo.predictions.views import VIEWS, Views, _turned, check_views, mean_logits
from zoo.tasks import Task

FOUR = Task.multiclass(list("abcd"))
TASKS = [FOUR, Task.binary(["a", "b"], positive="a"), Task.multilabel(list("abc"))]
THING = Task.segmentation(["ground", "thing"], positive="thing")
EXPECTED = {
    "hflip": ["same", "left-right"],
    "flips": ["same", "left-right", "top-bottom", "half a turn"],
    "rot90": ["same", "a quarter", "half a turn", "three quarters"],
}


def shown(image):
    """The name of what was done to ``[[0, 1], [2, 3]]``."""
    square = torch.arange(4).reshape(2, 2)
    names = {
        "same": square, "left-right": square.flip(1), "top-bottom": square.flip(0),
        "half a turn": square.flip(0, 1), "a quarter": square.rot90(1), "three quarters":
        square.rot90(3), "transposed": square.T, "other diagonal": square.T.flip(0, 1),
    }  # fmt: skip
    return next((name for name, one in names.items() if torch.equal(one, image)), "else")


@pytest.mark.parametrize("name", VIEWS)
def test_views_are_what_they_are_called_and_turn_back(name):
    square, wide = torch.arange(4).reshape(2, 2), torch.arange(12).reshape(1, 1, 3, 4)
    turns = [_turned(*one) for one in VIEWS[name]]
    seen = [shown(there(square)) for there, _ in turns]
    assert seen[0] == "same"
    assert len(set(seen)) == len(seen) == {"hflip": 2, "dihedral": 8}.get(name, 4)
    assert "else" not in seen
    assert sorted(EXPECTED.get(name, seen)) == sorted(seen)
    for there, back in turns:
        assert torch.equal(back(there(wide)), wide)


class Position(nn.Module):
    """What is said depends on where a bright pixel is."""

    def __init__(self, masks=False):
        super().__init__()
        self.weight = nn.Parameter(torch.arange(16.0).reshape(4, 4))
        self.masks = masks

    def forward(self, images):
        spread = images[:, 0] * self.weight
        return spread[:, None] - 3 if self.masks else spread.reshape(-1, 4, 4).sum(2)


@pytest.mark.parametrize("name", VIEWS)
def test_a_mask_is_turned_back_before_the_mean(name):
    images = torch.rand(5, 1, 4, 4, generator=torch.Generator().manual_seed(0))
    network = Position(masks=True)
    found = Views(network, THING, name, (4, 4))(images)
    expected = torch.stack(
        [back(network(there(images))).sigmoid() for there, back in map(_of, VIEWS[name])]
    ).mean(0)
    assert torch.allclose(found.sigmoid(), expected, atol=1e-6)


def _of(one):
    return _turned(*one)


@pytest.mark.parametrize("name", VIEWS)
def test_an_answer_does_not_depend_on_how_the_image_lies(name):
    """A view of the image has the same views, so the same mean."""
    images = torch.rand(5, 1, 4, 4, generator=torch.Generator().manual_seed(1))
    asked = Views(Position(), FOUR, name, (4, 4))
    plain = asked(images)
    for there, _ in map(_of, VIEWS[name]):
        assert torch.allclose(asked(there(images)), plain, atol=1e-5)
    assert not torch.allclose(Position()(images.flip(-1)), Position()(images))


@pytest.mark.parametrize("task", TASKS, ids=str)
def test_the_mean_is_that_of_the_probabilities(task):
    said = 3 * torch.randn(4, 50, task.outputs, generator=torch.Generator().manual_seed(2))
    mean = torch.stack([task.probabilities(one) for one in said]).mean(0)
    assert torch.allclose(task.probabilities(mean_logits(task, said)), mean, atol=1e-6)


def test_certainty_stays_finite():
    for task in TASKS:
        said = 200 * torch.ones(2, 3, task.outputs)
        assert mean_logits(task, said).isfinite().all()
        assert mean_logits(task, -said).isfinite().all()


def test_what_cannot_be_asked():
    with pytest.raises(PredictionsError) as caught:
        Views(Position(), FOUR, "rot90", (4, 6))
    assert str(caught.value) == (
        "tta 'rot90' turns images on their side, and this network takes 4x6; choose 'flips'"
    )
    Views(Position(), FOUR, "flips", (4, 6))
    with pytest.raises(PredictionsError) as caught:
        check_views("rot")
    assert str(caught.value) == (
        "tta 'rot' (did you mean 'rot90'?): expected one of hflip, flips, rot90, dihedral"
    )
