"""Masks in the size of each image: kept beside those of the network's size, and distrusted."""

import zipfile
from dataclasses import replace

import numpy as np
import pytest
import torch
from test_masks import LENGTHS, ONE, harmed, said

from zoo.errors import PredictionsError
from zoo.predictions.archive import Heading
from zoo.predictions.file import load_predictions
from zoo.predictions.masks import MaskChunk, MaskPredictions
from zoo.predictions.own_masks import MaskPair

SIZES = [(9, 4), (5, 6), (5, 6), (20, 30), (1, 1), (5, 7), (5, 6)]
FORM = {"size": [5, 6], "fit": "stretch"}


def own(labelled=True, seed=3):
    """Of each image; the second is in its own size what it is in the network's."""
    rng = np.random.default_rng(seed)
    pairs = [
        MaskPair(
            rng.choice([0, 1, 255], size).astype(np.uint8),
            rng.choice([0, 1, 255], size).astype(np.uint8) if labelled else None,
        )
        for size in SIZES
    ]
    logits, masks = next(said(ONE))
    targets = masks[1].byte().numpy() if labelled else None
    pairs[1] = MaskPair(ONE.decisions(logits)[1].byte().numpy(), targets)
    return pairs


def written(path, labelled=True):
    pairs, chunks, first = own(labelled), [], 0
    for logits, masks in said(ONE, labelled):
        chunk = MaskChunk.of(ONE, logits, masks)
        chunks.append(replace(chunk, own=pairs[first : first + len(chunk)]))
        first += len(chunk)
    heading = Heading(ONE, "d", "test", "f", "c", "m@1")
    ids = [f"i{number}" for number in range(sum(LENGTHS))]
    groups = [f"g{number % 3}" for number in range(sum(LENGTHS))]
    return MaskPredictions.write(path, heading, ids, chunks, groups=groups, preprocessing=FORM)


@pytest.mark.parametrize("labelled", [True, False])
def test_both_sizes_come_back(labelled, tmp_path):
    written(tmp_path / "p.npz", labelled)
    found = load_predictions(tmp_path / "p.npz")
    assert found.sizes.tolist() == [list(size) for size in SIZES]
    assert found.preprocessing == FORM
    assert found.groups.tolist()[:4] == ["g0", "g1", "g2", "g0"]
    logits = torch.cat([one for one, _ in said(ONE)])
    for image, pair, answer in zip(found.images(), own(labelled), logits, strict=True):
        assert image.own.equals(pair.decisions, pair.targets)
        assert (image.own.targets is None) == (not labelled)
        assert np.array_equal(image.network.decisions, ONE.decisions(answer[None])[0].numpy())
    with zipfile.ZipFile(tmp_path / "p.npz") as file:
        names = {one for one in file.namelist() if one.startswith("own-")}
    kept = ("decisions", "targets") if labelled else ("decisions",)
    assert names == {f"own-{kind}-{n:06d}.npy" for n in (0, 2, 3, 4, 5, 6) for kind in kept}


def test_a_file_of_the_networks_size_alone_has_no_others(tmp_path):
    heading = Heading(ONE, "d", "test", "f", "c", "m@1")
    chunks = [MaskChunk.of(ONE, *one) for one in said(ONE)]
    MaskPredictions.write(tmp_path / "p.npz", heading, [f"i{n}" for n in range(7)], chunks)
    found = load_predictions(tmp_path / "p.npz")
    assert (found.sizes, found.preprocessing) == (None, {})
    assert [image.own for image in found.images()] == [None] * 7


def member(name, array):
    return lambda arrays: arrays.update({name: array})


def without(name):
    return lambda arrays: arrays.pop(name)


SMALL = np.zeros((9, 4), np.uint8)
HOSTILE = {
    "no sizes of some": (member("sizes", np.ones((3, 2), int)),
                         "sizes has shape (3, 2) and type int64; expected (7, 2)"),
    "a size of 0": (member("sizes", np.zeros((7, 2), int)), "sizes: expected 1 to 65535"),
    "a huge size": (member("sizes", np.full((7, 2), 10**6)), "sizes: expected 1 to 65535"),
    "another size": (member("sizes", np.full((7, 2), 60000)),
                     "own-decisions-000000 has 164 bytes for (60000, 60000)"),
    "not there": (without("own-decisions-000003"), "masks of image 3 are missing in its own size"),
    "no target": (without("own-targets-000003"), "masks of image 3 are missing in its own size"),
    "groups": (member("groups", np.array(["a"])),
               "groups has shape (1,) and type <U1; expected (7,)"),
}  # fmt: skip
IN_PIXELS = {
    "a class that is none": (member("own-decisions-000000", SMALL + 2),
                             "own-decisions-000000 lie outside the classes"),
    "a target that is none": (member("own-targets-000000", SMALL + 254),
                              "own-targets-000000 lie outside the classes"),
    "signed": (member("own-targets-000000", SMALL.astype(np.int8)),
               "own-targets-000000 has shape (9, 4) and type int8; expected (9, 4)"),
    "turned": (member("own-targets-000000", SMALL.T.copy()),
               "own-targets-000000 has shape (4, 9) and type uint8; expected (9, 4)"),
}  # fmt: skip


@pytest.mark.parametrize("case", HOSTILE)
def test_members_that_do_not_fit_are_refused_at_once(case, tmp_path):
    change, message = HOSTILE[case]
    path = tmp_path / "p.npz"
    harmed(path, change, written)
    with pytest.raises(PredictionsError) as caught:
        load_predictions(path)
    assert str(caught.value) == f"predictions {str(path)!r} cannot be used: {message}"


@pytest.mark.parametrize("case", IN_PIXELS)
def test_pixels_that_do_not_fit_are_refused_when_they_are_read(case, tmp_path):
    change, message = IN_PIXELS[case]
    path = tmp_path / "p.npz"
    harmed(path, change, written)
    found = load_predictions(path)
    with pytest.raises(PredictionsError) as caught:
        list(found.images())
    assert str(caught.value) == f"predictions {str(path)!r} cannot be used: {message}"
