"""What ``zoo eval`` prints of masks, from their file alone."""

import json

import numpy as np
import pytest

from zoo.predictions import counts
from zoo.predictions.archive import Heading
from zoo.predictions.masks import MaskChunk, MaskPredictions
from zoo.predictions.own_masks import MaskPair
from zoo.tasks import Task

TASK = Task.segmentation(["ground", "thing"], positive="thing")
TABLES = np.array([[[90, 10], [20, 80]], [[120, 0], [0, 80]], [[200, 0], [0, 0]]])


def masks(table):
    """(targets, decisions), 10 by 20 pixels, with these counts, row by row."""
    cells = np.repeat([0, 1, 2, 3], table.reshape(-1)).reshape(10, 20).astype(np.uint8)
    return cells // 2, cells % 2


def written(path, own):
    """Of three images, one without the thing; in their own size each pixel is four."""
    targets, decisions = (np.stack(both) for both in zip(*map(masks, TABLES), strict=True))
    pairs = []
    if own:
        for truth, decided in zip(targets, decisions, strict=True):
            large = [one.repeat(2, 0).repeat(2, 1) for one in (decided, truth)]
            large[0][:, 38:] = 255
            pairs.append(MaskPair(*large))
    chunk = MaskChunk(decisions[:, None] * np.uint8(255), decisions, targets, pairs)
    heading = Heading(TASK, "tools", "test", "f", "c", "runs/a")
    MaskPredictions.write(path, heading, ["x", "y", "z"], [chunk])


@pytest.mark.parametrize("own", [False, True])
def test_tables(own, here, zoo):
    written(here / "p.npz", own)
    code, out, err = zoo("eval", "p.npz", "--draws", "0")
    assert (code, err) == (0, "")
    assert out == (OWN if own else PLAIN) + CLASSES


CLASSES = """\

CLASS   SUPPORT  PRECISION  RECALL  SPECIFICITY  IOU     DICE    HD95
ground      420  0.9535     0.9762  0.8889       0.9318  0.9647  0.3333
thing       180  0.9412     0.8889  0.9762       0.8421  0.9143  0.5000

confusion matrix: rows are the truth, columns what was decided
        ground  thing
ground     410     10
thing       20    160

predictions: p.npz
"""
PLAIN = """\
runs/a on tools, split test, 3 samples

FIGURE             POOLED  MEAN OVER IMAGES  IMAGES
dice               0.9143            0.9211       2
iou                0.8421            0.8636       2
accuracy           0.9500            0.9500       3
balanced_accuracy  0.9325            0.9500       3
precision          0.9412            0.9444       2
recall             0.8889            0.9000       2
specificity        0.9762            0.9667       3
hd95                    -            0.5000       2
dice is undefined for 1: nothing there, and nothing found
"""
OWN = """\
runs/a on tools, split test, 3 samples

FIGURE             POOLED  MEAN OVER IMAGES  IMAGES  OWN SIZE: POOLED  MEAN OVER IMAGES  IMAGES
dice               0.9143            0.9211       2            0.9157            0.9222       2
iou                0.8421            0.8636       2            0.8444            0.8654       2
accuracy           0.9500            0.9500       3            0.9509            0.9509       3
balanced_accuracy  0.9325            0.9500       3            0.9332            0.9509       3
precision          0.9412            0.9444       2            0.9441            0.9471       2
recall             0.8889            0.9000       2            0.8889            0.9000       2
specificity        0.9762            0.9667       3            0.9774            0.9684       3
hd95                    -            0.5000       2                 -            1.0000       2
dice is undefined for 1: nothing there, and nothing found
5.00% of the pixels were cut off before the network, and are not counted
"""


def test_json(here, zoo):
    written(here / "p.npz", own=True)
    code, out, _ = zoo("eval", "p.npz", "--json")
    told = json.loads(out)
    assert (code, told["per_image"]["undefined"], told["labelled"]) == (0, 1, True)
    figures = counts.metrics(TASK, np.array(told["confusion"]))
    assert {name: told[name] for name in TASK.figures} == figures
    assert told["confusion"] == TABLES.sum(0).tolist()
    large = told["own_size"]
    assert np.sum(large["confusion"]) == 3 * 20 * 38
    assert large["unseen"] == pytest.approx(0.05)
    assert large["per_image"]["hd95"] == pytest.approx(2 * told["per_image"]["hd95"], rel=0.2)
