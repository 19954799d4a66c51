"""Colour, blur, noise and erasing: what torchvision means by them, and nothing moves."""

import pytest
import torch
from torchvision.transforms.v2 import functional as reference
from zoo_basics import augmentations_filters as filters
from zoo_basics import color

import zoo

B = 64
IMAGES = torch.rand(B, 3, 14, 18, generator=torch.Generator().manual_seed(0))
MASKS = torch.randint(0, 4, (B, 14, 18), generator=torch.Generator().manual_seed(1))


def draws(count=B):
    return zoo.Draws(torch.arange(count), 7, "test")


@pytest.mark.parametrize(
    "adjust, theirs, factors",
    [
        (color.adjust_brightness, reference.adjust_brightness, (0.0, 0.6, 1.7)),
        (color.adjust_contrast, reference.adjust_contrast, (0.0, 0.6, 1.7)),
        (color.adjust_saturation, reference.adjust_saturation, (0.0, 0.6, 1.7)),
        (color.shift_hue, reference.adjust_hue, (-0.5, -0.2, 0.35)),
    ],
)
def test_colour_means_what_torchvision_means(adjust, theirs, factors):
    images = IMAGES[:3].clone()
    images[1] = images[1, :1]  # one without any colour
    changed = adjust(images, torch.tensor(factors)[:, None, None, None])
    for i, factor in enumerate(factors):
        assert torch.allclose(changed[i], theirs(images[i], factor), atol=1e-5)


def test_colour_jitter_stays_within_its_strength_and_differs_by_image():
    gray = torch.full((B, 3, 4, 4), 0.5)
    jitter = color.color_jitter(brightness=0.4, contrast=0.0)
    changed, masks = jitter(gray, MASKS, draws())
    factors = changed[:, 0, 0, 0] / 0.5
    assert factors.min() >= 0.6
    assert factors.max() <= 1.4
    assert factors.max() - factors.min() > 0.6
    assert len(factors.unique()) > B // 2
    assert masks is MASKS


def test_a_colour_draws_the_same_whichever_others_are_on():
    alone, _ = color.color_jitter(brightness=0.0, contrast=0.4)(IMAGES, None, draws())
    gray = IMAGES * 0.5 + 0.25
    both, _ = color.color_jitter(brightness=0.0, contrast=0.4, hue=0.3)(gray, None, draws())
    value = color.color_jitter(brightness=0.0, contrast=0.4)(gray, None, draws())[0].amax(1)
    assert torch.allclose(both.amax(1), value, atol=1e-5)  # a hue keeps the value
    assert not torch.equal(alone, IMAGES)


def test_colour_on_gray_images():
    gray = IMAGES[:, :1]
    jitter = color.color_jitter(brightness=0.3, contrast=0.3)
    assert jitter(gray, None, draws())[0].shape == gray.shape
    with pytest.raises(zoo.ZooError) as caught:
        color.color_jitter(hue=0.1)(gray, None, draws())
    assert str(caught.value) == (
        "color_jitter: saturation 0.0 and hue 0.1 need images of 3 channels, given 1; set both to 0"
    )
    with pytest.raises(zoo.ZooError, match="need images of 1 or 3 channels, given 2"):
        color.color_jitter()(IMAGES[:, :2], None, draws())


@pytest.mark.parametrize("kernel", [(5, 9), (1, 3), (7, 1)])
def test_blur_is_torchvisions(kernel):
    sigmas = torch.linspace(0.1, 4.0, B)
    smooth = filters.blur(IMAGES, sigmas, kernel)
    for i in range(B):
        sigma = [float(sigmas[i])] * 2
        assert torch.allclose(
            smooth[i], reference.gaussian_blur(IMAGES[i], list(kernel), sigma), atol=1e-5
        )


def test_every_image_has_its_own_blur_within_the_range():
    dot = torch.zeros(1, 1, 31, 31)
    dot[0, 0, 15, 15] = 1.0
    blur = filters.gaussian_blur(kernel=[31, 31], sigma=[1.0, 3.0])
    smooth, _ = blur(dot.expand(B, -1, -1, -1), None, draws())
    places = torch.arange(31) - 15.0
    sigmas = (smooth.sum(dim=(1, 2)) * places**2).sum(1).sqrt()
    assert sigmas.min() > 0.95
    assert sigmas.max() < 3.05
    assert sigmas.max() - sigmas.min() > 1.5


def test_noise_has_its_strength_and_is_drawn_for_every_value():
    gray = torch.full((B, 3, 14, 18), 0.5)
    noisy, masks = filters.gaussian_noise(std=0.1)(gray, MASKS, draws())
    noise = (noisy - 0.5).flatten(1)
    assert noise.mean().abs() < 0.002
    assert abs(noise.std() - 0.1) < 0.002
    assert masks is MASKS
    assert (torch.corrcoef(noise) - torch.eye(B)).abs().max() < 0.2
    values = noise.view(B, 3, -1).transpose(0, 1).flatten(1)
    assert (torch.corrcoef(values) - torch.eye(3)).abs().max() < 0.03


def test_erasing_covers_one_box_of_the_area_asked_for():
    large = torch.full((200, 3, 60, 80), 0.5)
    erase = filters.random_erasing(scale=[0.1, 0.3], ratio=[0.5, 2.0], value=1.0, probability=1.0)
    erased, masks = erase(large, None, draws(200))
    assert masks is None
    for image in erased:
        gone = (image == 1.0).all(0)
        rows, columns = gone.any(1).nonzero(), gone.any(0).nonzero()
        height, width = rows[-1] - rows[0] + 1, columns[-1] - columns[0] + 1
        assert gone.sum() == height * width
        assert 0.09 < height * width / 4800 < 0.31
        assert 0.45 < height / width < 2.2
        assert (image[:, ~gone] == 0.5).all()
    middles = (erased == 1.0)[:, 0].float()
    assert (middles.mean(0) > 0).float().mean() > 0.95  # boxes reach everywhere


def test_erasing_with_noise_draws_every_value():
    erase = filters.random_erasing(scale=[0.2, 0.3], value="noise", probability=1.0)
    black = torch.zeros(B, 3, 14, 18)
    erased, masks = erase(black, MASKS, draws())
    noise = erased[erased > 0]
    assert abs(noise.mean() - 0.5) < 0.03
    assert abs(noise.std() - 12**-0.5) < 0.02
    assert masks is MASKS


def test_a_box_that_never_fits_is_not_erased():
    erase = filters.random_erasing(scale=[1.0, 1.0], ratio=[3.0, 3.0], probability=1.0)
    assert torch.equal(erase(IMAGES, None, draws())[0], IMAGES)


@pytest.mark.parametrize(
    "nothing",
    [
        color.color_jitter(brightness=0.0, contrast=0.0),
        filters.gaussian_blur(sigma=[0.0, 0.0]),
        filters.gaussian_noise(std=0.0),
        filters.random_erasing(scale=[0.0, 0.0], probability=1.0),
    ],
)
def test_no_strength_changes_nothing(nothing):
    same, masks = nothing(IMAGES, MASKS, draws())
    assert torch.equal(same, IMAGES)
    assert masks is MASKS


def test_blurs_that_cannot_be():
    for kernel in ([5], [4, 5], [5, -3]):
        with pytest.raises(zoo.ZooError) as caught:
            filters.gaussian_blur(kernel=kernel)
        assert str(caught.value) == (
            f"gaussian_blur: kernel {kernel}: expected [width, height], both odd"
        )
    with pytest.raises(zoo.ZooError) as caught:
        filters.gaussian_blur(kernel=[5, 29])(IMAGES, None, draws())
    assert str(caught.value) == (
        "gaussian_blur: kernel [5, 29] is too large for images of 14x18 pixels; expected each side "
        "at most twice the image's, less one"
    )
    with pytest.raises(zoo.ZooError, match=r"gaussian_blur: sigma \[2.0, 1.0\]: expected"):
        filters.gaussian_blur(sigma=[2.0, 1.0])
