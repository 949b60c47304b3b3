"""Brushes for flat illustration: gradients, glow, ridges, veils, grain. Deterministic."""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Sequence
from itertools import pairwise

from PIL import Image, ImageChops, ImageDraw, ImageFilter

Color = tuple[int, int, int]
Point = tuple[float, float]
Stops = Sequence[tuple[float, Color]]

WIDTH, HEIGHT = 1656, 932  # of the file: 1.5 times what the edition carries
SCALE = 2  # drawn this much larger, for smooth edges


def hex_color(text: str) -> Color:
    return int(text[1:3], 16), int(text[3:5], 16), int(text[5:7], 16)


def mix(first: Color, second: Color, share: float) -> Color:
    """*share* of the second color."""
    red, green, blue = (round(a + (b - a) * share) for a, b in zip(first, second, strict=True))
    return red, green, blue


def gradient(size: tuple[int, int], stops: Stops) -> Image.Image:
    """Vertical gradient through *stops* (position from 0 to 1, color)."""
    column = Image.new("RGB", (1, size[1]))
    for y in range(size[1]):
        at = y / (size[1] - 1)
        (low, first), (high, second) = next(pair for pair in pairwise(stops) if at <= pair[1][0])
        column.putpixel((0, y), mix(first, second, (at - low) / (high - low)))
    return column.resize(size)


def glow(canvas: Image.Image, center: Point, radius: float, color: Color, power: float) -> None:
    """Lay soft light round *center*; *power* from 0 to 1."""
    disc = ImageChops.invert(Image.radial_gradient("L")).point(
        lambda value: int(255 * power * max(0.0, (value - 74) / 181) ** 2)
    )
    side = round(2 * radius)
    mask = Image.new("L", canvas.size)
    mask.paste(
        disc.resize((side, side), Image.Resampling.BICUBIC),
        (round(center[0] - radius), round(center[1] - radius)),
    )
    canvas.paste(color, mask=mask)


def fill(
    canvas: Image.Image, outline: Sequence[Point], stops: Stops, top: float, bottom: float
) -> None:
    """Fill a polygon with a vertical gradient that runs from *top* to *bottom*."""
    mask = Image.new("L", canvas.size)
    ImageDraw.Draw(mask).polygon(list(outline), fill=255)
    band = gradient((canvas.width, max(2, round(bottom - top))), stops)
    layer = Image.new("RGB", canvas.size, stops[-1][1])
    layer.paste(band, (0, round(top)))
    canvas.paste(layer, mask=mask)


def veil(canvas: Image.Image, draw_on: Callable[[ImageDraw.ImageDraw], None], color: Color) -> None:
    """Draw with a mask whose gray is the opacity of *color*."""
    mask = Image.new("L", canvas.size)
    draw_on(ImageDraw.Draw(mask))
    canvas.paste(color, mask=mask)


def ridge(
    seed: int, width: float, base: float, height: float, roughness: float = 0.5
) -> list[Point]:
    """A skyline of hills: sums of sines with seeded phases."""
    chance = random.Random(seed)
    waves = [(2**k, roughness**k, chance.uniform(0, 6.3)) for k in range(1, 8)]
    total = sum(share for _, share, _ in waves)

    def level(x: float) -> float:
        return sum(share * math.sin(f * x / width * 3 + phase) for f, share, phase in waves)

    return [
        (x, base - height * (0.5 + level(x) / 2 / total)) for x in range(0, round(width) + 8, 6)
    ]


def closed(line: list[Point], bottom: float) -> list[Point]:
    return [(line[0][0], bottom), *line, (line[-1][0], bottom)]


def finish(canvas: Image.Image, seed: int) -> Image.Image:
    """Scale down, darken the corners a little, add grain."""
    picture = canvas.resize((WIDTH, HEIGHT), Image.Resampling.LANCZOS)
    corners = (
        Image.radial_gradient("L")
        .resize(picture.size)
        .point(lambda value: int(max(0, value - 120) * 0.34))
    )
    picture.paste((8, 16, 34), mask=corners)
    noise = Image.frombytes("L", picture.size, random.Random(seed).randbytes(WIDTH * HEIGHT))
    noise = noise.filter(ImageFilter.GaussianBlur(0.9)).point(lambda v: 128 + int((v - 128) * 0.16))
    return ImageChops.overlay(picture, Image.merge("RGB", (noise, noise, noise)))
