"""The one style of all figures: made to be read at half a page's width.

84 mm wide, no letter below 7 points, and colours that differ for eyes that do not tell red from
green (Okabe and Ito, "Color Universal Design", 2008). What two lines are is told by dashes and
markers too, for a print without colours.
"""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, ParamSpec

from zoo.predictions.lettering import quiet_matplotlib

if TYPE_CHECKING:
    from matplotlib.figure import Figure

P = ParamSpec("P")

WIDTH = 84.0  # mm
WIDE = 174.0  # mm, of a figure of several panels
SMALLEST, TEXT = 7.0, 7.5  # points
INK, FAINT, LINE, PAPER = "#1d2126", "#59636e", "#dde1e6", "#ffffff"
BLUE, VERMILLION, GREEN, PURPLE, ORANGE, SKY = (
    "#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9",
)  # fmt: skip
# (colour, dashes, marker) of the first, second, ... of several lines.
SERIES = (
    (BLUE, "-", "o"),
    (VERMILLION, (0, (4, 1.5)), "s"),
    (GREEN, (0, (1.2, 1.2)), "^"),
    (PURPLE, (0, (5, 1.5, 1.2, 1.5)), "D"),
    (ORANGE, "-", "v"),
    (SKY, (0, (4, 1.5)), "P"),
    (INK, (0, (1.2, 1.2)), "X"),
)
_LAYOUTS = 2
MILLIMETRE = 1 / 25.4  # inches

SETTINGS: dict[str, Any] = {
    "font.family": "DejaVu Sans",
    "font.size": TEXT,
    "axes.labelsize": TEXT,
    "axes.titlesize": TEXT,
    "legend.fontsize": SMALLEST,
    "xtick.labelsize": SMALLEST,
    "ytick.labelsize": SMALLEST,
    "text.color": INK,
    "text.parse_math": False,  # a class may well be called "$x$"
    "axes.labelcolor": INK,
    "axes.edgecolor": FAINT,
    "axes.linewidth": 0.6,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "axes.labelpad": 2.5,
    "axes.formatter.useoffset": False,
    "grid.color": LINE,
    "grid.linewidth": 0.5,
    "xtick.color": FAINT,
    "ytick.color": FAINT,
    "xtick.labelcolor": INK,
    "ytick.labelcolor": INK,
    "xtick.major.size": 2.0,
    "ytick.major.size": 2.0,
    "xtick.major.width": 0.6,
    "ytick.major.width": 0.6,
    "xtick.minor.size": 0.0,
    "ytick.minor.size": 0.0,
    "lines.linewidth": 1.3,
    "lines.markersize": 3.0,
    "legend.frameon": False,
    "legend.handlelength": 2.2,
    "legend.borderaxespad": 0.2,
    "legend.columnspacing": 1.2,
    "figure.facecolor": PAPER,
    "axes.facecolor": "none",
    "figure.constrained_layout.use": True,
    "figure.constrained_layout.h_pad": 0.03,
    "figure.constrained_layout.w_pad": 0.03,
    "savefig.dpi": 300,
    "svg.fonttype": "none",
    "svg.hashsalt": "zoo",  # else the names of parts differ from picture to picture
}


@contextlib.contextmanager
def styled() -> Iterator[None]:
    """matplotlib in this style, whatever the user's settings are."""
    import matplotlib

    with quiet_matplotlib():
        matplotlib.rcParams.update(SETTINGS)  # type: ignore[arg-type]
        yield


def in_style(draw: Callable[P, Figure]) -> Callable[P, Figure]:
    """Of a function that draws a figure."""

    @functools.wraps(draw)
    def drawn(*given: P.args, **named: P.kwargs) -> Figure:
        with styled():
            figure = draw(*given, **named)
            # The layout moves a little each time that it is computed; so once and for all.
            for _ in range(_LAYOUTS):
                figure.draw_without_rendering()
            figure.set_layout_engine("none")
            return figure

    return drawn


def new_figure(height: float, width: float = WIDTH) -> Figure:
    """An empty one, ``height`` mm high."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width * MILLIMETRE, height * MILLIMETRE))
    FigureCanvasAgg(figure)
    return figure


def near(value: float) -> str:
    """Three decimals, and never 0 or 1 for what is only near it."""
    if 0 < value < 0.0005:
        return "<0.001"
    return ">0.999" if 0.9995 <= value < 1 else f"{value:.3f}"


def plain(value: float, _: object = None) -> str:
    """A number on an axis, without the mathematics that a browser cannot set: ``0.002``,
    ``2e-05``, ``12,000``."""
    if 10_000 <= abs(value) < 10_000_000:
        return f"{value:,.0f}"
    return f"{value:g}".replace("e-0", "e-").replace("e+0", "e").replace("e+", "e")
