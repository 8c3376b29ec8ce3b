"""Line charts as inline SVG, for pages that ask nobody for anything; the page gives the numbers in a table beside."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

WIDTH, HEIGHT, EDGE = 480, 320, 44
TICKS = 4
STYLES = (("#1a56a8", ""), ("#a8431e", "6 4"))
"""Colour and dashes: told apart without seeing colours."""


@dataclass(frozen=True)
class Line:
    """Points (x, y) in order, under one name."""

    name: str
    points: tuple[tuple[float, float], ...]


def chart(title: str, lines: Sequence[Line], *, x: str, y: str, most: tuple[float, float], even: bool = False) -> str:
    """The lines over axes from 0 to ``most``; ``even`` adds the diagonal."""

    def place(point: tuple[float, float]) -> str:
        across = EDGE + (WIDTH - EDGE - 10) * point[0] / (most[0] or 1)
        up = HEIGHT - EDGE - (HEIGHT - EDGE - 10) * point[1] / (most[1] or 1)
        return f"{across:.1f},{up:.1f}"

    parts = [f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{escape(title)}" class="chart">']
    for tick in range(TICKS + 1):
        across, up = most[0] * tick / TICKS, most[1] * tick / TICKS
        parts.append(_text(place((across, 0)), f"{across:.2g}", dy=16, anchor="middle"))
        parts.append(_text(place((0, up)), f"{up:.2g}", dx=-6, dy=4, anchor="end"))
        ends = f"M{place((0, up))} L{place((most[0], up))}"
        parts.append(f'<path d="{ends}" stroke="#d9dee6" fill="none"/>')
    if even:
        parts.append(f'<path d="M{place((0, 0))} L{place(most)}" stroke="#8a93a0" stroke-dasharray="2 3" fill="none"/>')
    for line, (colour, dashes) in zip(lines, STYLES, strict=False):
        path = "M" + " L".join(place(point) for point in line.points)
        parts.append(
            f'<path d="{path}" stroke="{colour}" stroke-dasharray="{dashes}" stroke-width="2" fill="none">'
            f"<title>{escape(line.name)}</title></path>"
        )
    for row, (line, (colour, dashes)) in enumerate(zip(lines, STYLES, strict=False)):
        height = 20 + 16 * row
        stroke = f'stroke="{colour}" stroke-dasharray="{dashes}" stroke-width="2"'
        parts.append(f'<path d="M{EDGE + 12},{height} h28" {stroke}/>')
        parts.append(_text(f"{EDGE + 46},{height + 4}", line.name))
    parts.append(_text(f"{(WIDTH + EDGE) / 2},{HEIGHT - 6}", x, anchor="middle"))
    parts.append(
        f'<text transform="translate(12,{(HEIGHT - EDGE) / 2}) rotate(-90)" text-anchor="middle">{escape(y)}</text>'
    )
    return "".join([*parts, "</svg>"])


def _text(place: str, words: str, *, dx: float = 0, dy: float = 0, anchor: str = "start") -> str:
    x, y = place.split(",")
    return f'<text x="{float(x) + dx:.1f}" y="{float(y) + dy:.1f}" text-anchor="{anchor}">{escape(words)}</text>'
