"""A formation over an island chain that is drawn like a chart."""

from __future__ import annotations

import math
import random
from collections.abc import Sequence

from brushes import (
    HEIGHT,
    SCALE,
    WIDTH,
    Color,
    Point,
    finish,
    glow,
    gradient,
    hex_color,
    mix,
    veil,
)
from PIL import Image, ImageDraw


def formation() -> Image.Image:
    """Aircraft above an island chain that is drawn like a chart: contours, courses, a grid."""
    w, h = WIDTH * SCALE, HEIGHT * SCALE
    canvas = gradient(
        (w, h),
        [(0.0, hex_color("#0e2a4a")), (0.45, hex_color("#1d5470")), (0.8, hex_color("#4f8f95")),
         (1.0, hex_color("#a3bfa8"))],
    )  # fmt: skip
    glow(canvas, (w * 0.84, h * 0.05), w * 0.62, hex_color("#ffd9a0"), 0.42)
    _grid(canvas)
    _islands(canvas)
    _courses(canvas)
    _clouds(canvas)
    wing = ((2060, 560), (1700, 482), (1972, 918), (1340, 404), (1884, 1276))  # a V
    for x, y in wing:
        _trail(canvas, x, y, 0.86)
    for x, y in wing:
        _aircraft(canvas, x, y, 0.86)
    return finish(canvas, 24)


def _grid(canvas: Image.Image) -> None:
    """Meridians and parallels, bent as on a conic chart."""
    w, h = canvas.size
    center = (w * 0.62, -h * 2.1)

    def lines(draw: ImageDraw.ImageDraw) -> None:
        for radius in range(round(h * 2.0), round(h * 3.6), round(h * 0.165)):
            draw.arc(
                (center[0] - radius, center[1] - radius, center[0] + radius, center[1] + radius),
                30,
                150,
                fill=42,
                width=3,
            )
        for degrees in range(50, 131, 5):
            angle = math.radians(degrees)
            draw.line(
                (
                    center[0],
                    center[1],
                    center[0] + 4 * h * math.cos(angle),
                    center[1] + 4 * h * math.sin(angle),
                ),
                fill=42,
                width=3,
            )

    veil(canvas, lines, hex_color("#d7ecec"))


def _blob(seed: int, x: float, y: float, rx: float, ry: float, turn: float) -> list[Point]:
    """A coast: an ellipse with seeded bays."""
    chance = random.Random(seed)
    waves = [(k, 0.42 / k**1.05, chance.uniform(0, 6.3)) for k in range(2, 15)]
    outline = []
    for step in range(240):
        angle = step / 240 * 2 * math.pi
        reach = 1 + sum(share * math.sin(k * angle + phase) for k, share, phase in waves) * 0.55
        px, py = rx * reach * math.cos(angle), ry * reach * math.sin(angle)
        outline.append(
            (
                x + px * math.cos(turn) - py * math.sin(turn),
                y + px * math.sin(turn) + py * math.cos(turn),
            )
        )
    return outline


def _islands(canvas: Image.Image) -> None:
    w, h = canvas.size
    levels = ("#2c6f7d", "#4f8d83", "#7ba583", "#a9bd8a", "#d3cf9a", "#efe0b6")
    chain = (
        (31, 0.155, 0.86, 0.125, 0.085, -0.35), (7, 0.335, 0.735, 0.085, 0.075, -0.6),
        (15, 0.565, 0.86, 0.225, 0.095, -0.22), (22, 0.845, 0.600, 0.115, 0.105, -0.95),
        (9, 0.985, 0.265, 0.075, 0.085, -0.9), (4, 0.055, 0.60, 0.036, 0.03, -0.4),
        (51, 0.435, 0.545, 0.022, 0.018, 0.2), (63, 0.735, 0.700, 0.018, 0.016, 0.0),
    )  # fmt: skip
    for seed, x, y, rx, ry, turn in chain:
        shape = (seed, x * w, y * h, rx * w, ry * w * 0.62, turn)
        coast = _blob(*shape)
        for reach, light in ((1.34, 26), (1.18, 36)):
            shoal = [
                (x * w + (px - x * w) * reach, y * h + (py - y * h) * reach) for px, py in coast
            ]
            veil(canvas, lambda d, s=shoal, v=light: d.polygon(s, fill=v), hex_color("#a8e0d6"))
        shadow = [(px + 10, py + 16) for px, py in coast]
        veil(canvas, lambda d, s=shadow: d.polygon(s, fill=90), hex_color("#0a2238"))
        for level, tone in enumerate(levels):
            scale = 1 - level * 0.155
            ring = [
                (x * w + (px - x * w) * scale - level * 5, y * h + (py - y * h) * scale - level * 7)
                for px, py in coast
            ]
            color = hex_color(tone)
            draw = ImageDraw.Draw(canvas)
            draw.polygon(ring, fill=color)
            draw.line([*ring, ring[0]], fill=mix(color, hex_color("#12304f"), 0.24), width=3)


def _courses(canvas: Image.Image) -> None:
    """Dashed great-circle arcs between waypoints, and range rings."""
    w, h = canvas.size

    def rings(draw: ImageDraw.ImageDraw) -> None:
        for radius in (0.06, 0.105, 0.15):
            r = radius * w
            draw.ellipse(
                (w * 0.19 - r, h * 0.285 - r, w * 0.19 + r, h * 0.285 + r), outline=92, width=4
            )
        for degrees in range(0, 360, 30):
            angle = math.radians(degrees)
            inner, outer = (
                (w * 0.19 + reach * w * math.cos(angle), h * 0.285 + reach * w * math.sin(angle))
                for reach in (0.143, 0.157)
            )
            draw.line((*inner, *outer), fill=120, width=4)

    veil(canvas, rings, hex_color("#f4dcb0"))
    legs = (
        ((0.19, 0.285), (0.335, 0.735), 0.10),
        ((0.19, 0.285), (0.845, 0.60), -0.20),
        ((0.335, 0.735), (0.985, 0.265), 0.10),
    )
    draw = ImageDraw.Draw(canvas)
    warm = hex_color("#f6c88a")
    for (x1, y1), (x2, y2), bend in legs:
        cx, cy = (x1 + x2) / 2 + bend * (y2 - y1), (y1 + y2) / 2 + bend * 1.4
        points = [
            (
                ((1 - t) ** 2 * x1 + 2 * t * (1 - t) * cx + t * t * x2) * w,
                ((1 - t) ** 2 * y1 + 2 * t * (1 - t) * cy + t * t * y2) * h,
            )
            for t in (k / 600 for k in range(601))
        ]
        _dashes(draw, points, warm)
        for x, y in ((x1 * w, y1 * h), (x2 * w, y2 * h)):
            draw.ellipse(
                (x - 19, y - 19, x + 19, y + 19), fill=hex_color("#12304f"), outline=warm, width=6
            )
            draw.ellipse((x - 6, y - 6, x + 6, y + 6), fill=warm)


def _dashes(draw: ImageDraw.ImageDraw, points: Sequence[Point], color: Color) -> None:
    """Dashes of one length along a curve, however its points are spaced."""
    walked, last = 0.0, points[0]
    for point in points[1:]:
        if walked % 68 < 38:
            draw.line((last, point), fill=color, width=6)
        walked += math.dist(last, point)
        last = point


def _clouds(canvas: Image.Image) -> None:
    """Flat rounded clouds with a shadow on the chart below."""
    w, h = canvas.size
    chance = random.Random(88)
    for x, y, size in (
        (0.05, 0.105, 0.8),
        (0.36, 0.13, 0.6),
        (0.905, 0.86, 1.15),
        (0.045, 0.985, 0.9),
        (0.80, 0.085, 0.5),
    ):
        puffs = []
        for k in range(9):
            along = (k - 4) * 62 * size
            radius = (96 - abs(k - 4) * 15 + chance.uniform(-14, 14)) * size
            puffs.append((x * w + along, y * h - chance.uniform(0, 16) * size, radius))

        def lobes(draw: ImageDraw.ImageDraw, dx: float, dy: float, fill_: int, puffs=puffs) -> None:
            for px, py, r in puffs:
                draw.ellipse(
                    (px - r + dx, py - r * 0.62 + dy, px + r + dx, py + r * 0.42 + dy), fill=fill_
                )

        veil(canvas, lambda d, f=lobes: f(d, 34, 62, 62), hex_color("#0a2238"))
        veil(canvas, lambda d, f=lobes: f(d, 0, 0, 238), hex_color("#e9f0ea"))
        veil(canvas, lambda d, f=lobes: f(d, 8, -15, 255), hex_color("#fdf8ec"))


def _turned(points: Sequence[Point], x: float, y: float, size: float) -> list[Point]:
    """Place a shape that points up so that it flies to the upper right."""
    turn = math.radians(58)
    return [
        (
            x + size * (px * math.cos(turn) - py * math.sin(turn)),
            y + size * (px * math.sin(turn) + py * math.cos(turn)),
        )
        for px, py in points
    ]


def _trail(canvas: Image.Image, x: float, y: float, size: float) -> None:
    """Two white lines that widen and fade."""

    def lines(draw: ImageDraw.ImageDraw) -> None:
        for side in (-1, 1):
            for step in range(48):
                near, far = 92 + step * 15, 92 + (step + 1) * 15
                at, wide = side * (15 + step * 0.15), 4 + step * 0.22
                ends = [(at - wide, near), (at + wide, near), (at + wide, far), (at - wide, far)]
                draw.polygon(_turned(ends, x, y, size), fill=int(150 * (1 - step / 48) ** 1.2))

    veil(canvas, lines, (255, 250, 238))


def _aircraft(canvas: Image.Image, x: float, y: float, size: float) -> None:
    """A jet of no air force: fuselage, swept wings, twin tails."""
    half = [
        (0, -150), (9, -118), (15, -70), (19, -42), (96, 40), (96, 60),
        (26, 52), (24, 84), (52, 112), (52, 126), (13, 118), (9, 104),
    ]  # fmt: skip
    shape = half + [(-px, py) for px, py in reversed(half)]
    shadow = [(px + 70 * size, py + 128 * size) for px, py in _turned(shape, x, y, size * 0.92)]
    veil(canvas, lambda d: d.polygon(shadow, fill=74), hex_color("#061a2e"))
    draw = ImageDraw.Draw(canvas)
    draw.polygon(_turned(shape, x, y, size), fill="#f5efe2")
    draw.polygon(_turned([*half, (0, 108)], x, y, size), fill="#c9ced0")
    draw.polygon(
        _turned([(0, -108), (7, -84), (7, -58), (0, -46), (-7, -58), (-7, -84)], x, y, size),
        fill="#1b4160",
    )
    draw.polygon(_turned([(92, 38), (98, 43), (98, 60), (92, 60)], x, y, size), fill="#c8643c")
    draw.polygon(_turned([(-92, 38), (-98, 43), (-98, 60), (-92, 60)], x, y, size), fill="#c8643c")
