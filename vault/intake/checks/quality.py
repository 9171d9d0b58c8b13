"""Whether a page is straight, written on, and whole, judged on a small grey picture of it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from vault.intake.checks.model import CheckPolicy, Notes

SIDE_PIXELS = 640
_DARK_SHARE_BLANK = 0.0006
_EDGE_SHARE = 0.006
_EDGE_DARK_SHARE = 0.25
_POINTS_MAX = 2_000
_ANGLE_MAX = 6.0

Grey = NDArray[np.uint8]


def small_grey(image: Image.Image) -> Grey:
    """The page in grey with at most `SIDE_PIXELS` a side; `image` should be decoded small already."""
    factor = max(1, round(max(image.size) / SIDE_PIXELS))
    if image.mode not in {"L", "1"}:
        image = image.convert("L")
    if image.mode == "1":
        image = image.convert("L")
    if factor > 1:
        image = image.reduce(factor)
    return np.asarray(image, dtype=np.uint8)


@dataclass(frozen=True)
class Judgement:
    """What a page looks like."""

    is_blank: bool
    clipped_edge: str | None
    skew_degrees: float


def judge(grey: Grey, page: int, policy: CheckPolicy, notes: Notes) -> Judgement:
    """Notes what is wrong with the page, and says what it looks like."""
    paper = float(_paper(grey))
    dark = grey < max(paper - 60.0, paper * 0.6)
    if float(dark.mean()) < _DARK_SHARE_BLANK:
        notes.warn("blank-page", page)
        return Judgement(True, None, 0.0)
    edge = clipped_edge(dark)
    if edge is not None:
        notes.warn("clipped", page, edge=edge)
    degrees = skew_degrees(dark)
    if abs(degrees) > policy.skew_degrees_max:
        notes.warn("skewed", page, degrees=f"{degrees:.1f}")
    return Judgement(False, edge, degrees)


def _paper(grey: Grey) -> int:
    """The grey that nine tenths of the page do not exceed: paper, not ink."""
    sample = grey[::2, ::2]
    counts = np.bincount(sample.ravel(), minlength=256)
    return int(np.searchsorted(np.cumsum(counts), 0.9 * sample.size))


def clipped_edge(dark: NDArray[np.bool_]) -> str | None:
    """The edge that writing runs over, or nothing. A dark border all round is the scanner's, not the slip's."""
    height, width = dark.shape
    band_y, band_x = max(1, int(height * _EDGE_SHARE)), max(1, int(width * _EDGE_SHARE))
    shares = {
        "top": float(dark[:band_y].mean()),
        "bottom": float(dark[-band_y:].mean()),
        "left": float(dark[:, :band_x].mean()),
        "right": float(dark[:, -band_x:].mean()),
    }
    over = [name for name, share in shares.items() if _EDGE_DARK_SHARE < share < 0.9]
    return over[0] if 0 < len(over) < 4 else None


def skew_degrees(dark: NDArray[np.bool_]) -> float:
    """The angle by which lines of writing and rules lean, between -6 and 6 degrees.

    The angle whose horizontal projection has the sharpest peaks (Postl's projection method), coarse and then fine,
    on a sample of the dark points.
    """
    points = np.flatnonzero(dark)
    if len(points) < 200:
        return 0.0
    y, x = np.divmod(points[:: max(1, len(points) // _POINTS_MAX)], dark.shape[1])
    coarse = _sharpest(y, x, np.arange(-_ANGLE_MAX, _ANGLE_MAX + 0.5, 1.0))
    return _sharpest(y, x, np.arange(coarse - 0.75, coarse + 0.8, 0.25))


def _sharpest(y: NDArray[np.int64], x: NDArray[np.int64], angles: NDArray[np.float64]) -> float:
    """The angle along which the points fall into the fewest rows; all angles are counted in one pass."""
    rows = (y - np.tan(np.radians(angles))[:, np.newaxis] * x).astype(np.int32)
    rows -= rows.min()
    height = int(rows.max()) + 1
    rows += (np.arange(len(angles), dtype=np.int32) * height)[:, np.newaxis]
    counts = np.bincount(rows.ravel(), minlength=len(angles) * height).reshape(len(angles), height)
    return float(angles[np.einsum("ij,ij->i", counts, counts).argmax()])
