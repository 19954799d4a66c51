"""How much of one picture another does not explain, once it is laid on top of it.

Shapes: P pairs of thumbnails of S by S pixels.
"""

from __future__ import annotations

import numpy as np

SIDE = 32  # S
SHIFT = 4  # thumbnail pixels, an eighth of the side, by which a copy may be moved
FLATTEST = 1.0  # gray levels of deviation below which a thumbnail is nothing but noise
SLOPE = 0.1  # of a thumbnail's deviation, a pixel: less is plain ground
_FARTHEST = 1.5  # pixels up to which slopes tell how far a picture is moved
_FAINTEST = 0.3  # contrast of a copy, or one over it


def differences(a_PSS: np.ndarray, b_PSS: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """float32 (P,) in [0, 1], 0 for the same picture: the share of a's variance, over its middle,
    that b leaves unexplained when shifted and adapted in brightness and contrast. And float32 (P,),
    by how many pixels it was shifted, down or right, whichever is more.

    A shift by whole pixels comes from the cross-correlation. What it leaves, a fraction of a pixel,
    from linear regression on b and its two slopes (Lucas and Kanade, "An iterative image
    registration technique", IJCAI 1981), which also gives the contrast; where that says more than
    half a pixel, once again from there.
    """
    a, b = _smooth(a_PSS), _smooth(b_PSS)
    layers = np.stack([b, *np.gradient(b, axis=(1, 2))], axis=1)
    shift = _shift(a, b)
    share, moved = _unexplained(a, layers, shift)
    far = np.abs(shift + moved).max(axis=1)
    onward = np.clip(shift + np.rint(moved).astype(np.int64), -SHIFT, SHIFT)
    again = np.flatnonzero((onward != shift).any(axis=1))
    if len(again):
        second, moved = _unexplained(a[again], layers[again], onward[again])
        better = second < share[again]
        far[again] = np.where(better, np.abs(onward[again] + moved).max(axis=1), far[again])
        share[again] = np.where(better, second, share[again])
    return share, far.astype(np.float32)


def textures(thumbs_NSS: np.ndarray) -> np.ndarray:
    """float32 (N,) in [0, 1]: the share of each thumbnail that is not plain ground. A photograph
    has 0.5 to 1; a circle on plain ground, whose outline alone counts, 0.1 to 0.5."""
    found = []
    for start in range(0, len(thumbs_NSS), 1024):
        images = _smooth(thumbs_NSS[start : start + 1024])
        slopes = np.hypot(*np.gradient(images, axis=(1, 2)))
        steep = slopes > SLOPE * images.std(axis=(1, 2), keepdims=True)
        found.append(steep.mean(axis=(1, 2), dtype=np.float32))
    return np.concatenate(found)


def _smooth(images_PSS: np.ndarray) -> np.ndarray:
    """float32: binomial of five, so that what a thumbnail aliased does not count."""
    images = images_PSS.astype(np.float32)
    for axis in (1, 2):
        for _ in range(2):
            padded = np.pad(images, [(int(axis == k),) * 2 for k in range(3)], mode="edge")
            along = np.moveaxis(padded, axis, 0)
            images = np.moveaxis(0.25 * along[:-2] + 0.5 * along[1:-1] + 0.25 * along[2:], 0, axis)
    return np.ascontiguousarray(images)


def _shift(a_PSS: np.ndarray, b_PSS: np.ndarray) -> np.ndarray:
    """int64 (P, 2): down and right, from where b is to be read to lie best on a."""
    side = a_PSS.shape[1]
    window = np.hanning(side + 2)[1:-1].astype(np.float32)
    spectra = [
        np.fft.rfft2((x - x.mean(axis=(1, 2), keepdims=True)) * window[:, None] * window)
        for x in (a_PSS, b_PSS)
    ]
    cross = np.conj(spectra[0]) * spectra[1]
    # Half whitened: left alone, the strong low frequencies make a peak too broad to be placed.
    correlation = np.fft.irfft2(cross / (np.sqrt(np.abs(cross)) + 1e-3), s=(side, side))
    reach = 2 * SHIFT + 1
    around = np.roll(correlation, (SHIFT, SHIFT), axis=(1, 2))[:, :reach, :reach]
    best = around.reshape(len(around), -1).argmax(axis=1)
    return np.stack(np.divmod(best, reach), axis=1) - SHIFT


def _unexplained(
    a_PSS: np.ndarray, layers_P3SS: np.ndarray, shift_P2: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """The share of variance that regression on the shifted layers leaves, (P,), and by how much
    further the picture seems to be moved, (P, 2)."""
    count, side = len(a_PSS), a_PSS.shape[1]
    middle = np.arange(SHIFT, side - SHIFT)
    rows = (shift_P2[:, :1] + middle)[:, None, :, None]
    columns = (shift_P2[:, 1:] + middle)[:, None, None, :]
    pair, layer = np.arange(count)[:, None, None, None], np.arange(3)[:, None, None]
    known = layers_P3SS[pair, layer, rows, columns].reshape(count, 3, -1)
    known -= known.mean(axis=2, keepdims=True)
    wanted = a_PSS[:, SHIFT : side - SHIFT, SHIFT : side - SHIFT].reshape(count, -1, 1)
    wanted = wanted - wanted.mean(axis=1, keepdims=True)
    gram = known @ known.transpose(0, 2, 1)
    # A trace of ridge: where there are no slopes there is nothing to solve for.
    gram += (1e-3 * gram + 1.0) * np.eye(3, dtype=np.float32)
    weights = np.linalg.solve(gram, known @ wanted)
    rest = wanted - known.transpose(0, 2, 1) @ weights
    variance = np.square(wanted).sum(axis=(1, 2))
    share = np.square(rest).sum(axis=(1, 2)) / np.maximum(variance, 1e-6)
    contrast = weights[:, 0]
    moved = weights[:, 1:, 0] / np.maximum(contrast, _FAINTEST)
    other = (
        (contrast[:, 0] < _FAINTEST)
        | (contrast[:, 0] > 1 / _FAINTEST)
        | (np.abs(moved).max(axis=1) > _FARTHEST)
        | (variance < wanted.shape[1] * FLATTEST**2)
    )
    return np.where(other, 1.0, np.minimum(share, 1.0)).astype(np.float32), np.clip(moved, -2, 2)
