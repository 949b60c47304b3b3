"""A harbor at dawn: a mountain across the bay, a bridge, ships coming in."""

from __future__ import annotations

import math
import random

from brushes import (
    HEIGHT,
    SCALE,
    WIDTH,
    Point,
    closed,
    fill,
    finish,
    glow,
    gradient,
    hex_color,
    mix,
    ridge,
    veil,
)
from PIL import Image, ImageChops, ImageDraw, ImageFilter


def harbor() -> Image.Image:
    """A mountain across the bay, a bridge, ships coming in before sunrise."""
    w, h = WIDTH * SCALE, HEIGHT * SCALE
    horizon = h * 0.665
    sky = [
        (0.0, hex_color("#16305a")), (0.30, hex_color("#47558a")), (0.52, hex_color("#a8708f")),
        (0.74, hex_color("#eb9a7c")), (0.90, hex_color("#f9c690")), (1.0, hex_color("#fde0ae")),
    ]  # fmt: skip
    sea = [
        (0.0, hex_color("#f3c79f")), (0.16, hex_color("#c78f8d")), (0.45, hex_color("#5f6690")),
        (1.0, hex_color("#12284d")),
    ]  # fmt: skip
    canvas = Image.new("RGB", (w, h))
    canvas.paste(gradient((w, round(horizon)), sky), (0, 0))
    canvas.paste(gradient((w, h - round(horizon)), sea), (0, round(horizon)))
    sun = (w * 0.735, horizon - h * 0.085)
    glow(canvas, sun, w * 0.42, hex_color("#ffd9a0"), 0.75)
    _stars(canvas, h * 0.30)
    _cloud_bands(canvas, horizon)
    glow(canvas, sun, w * 0.09, hex_color("#fff3d2"), 0.9)
    radius = h * 0.047
    ImageDraw.Draw(canvas).ellipse(
        (sun[0] - radius, sun[1] - radius, sun[0] + radius, sun[1] + radius), fill="#fff4d8"
    )
    _mountain(canvas, w * 0.37, horizon, w * 0.40, h * 0.455)
    far = ridge(5, w, horizon + 4, h * 0.075, 0.62)
    fill(canvas, closed(far, horizon), [(0, hex_color("#8a6c90")), (1, hex_color("#c08a92"))],
         horizon - h * 0.08, horizon)  # fmt: skip
    near = ridge(12, w, horizon + 10, h * 0.047, 0.66)
    fill(canvas, closed(near, horizon + 2), [(0, hex_color("#59587f")), (1, hex_color("#8f7390"))],
         horizon - h * 0.05, horizon)  # fmt: skip
    _city(canvas, horizon)
    _glitter(canvas, sun[0], horizon)
    _bridge(canvas, horizon)
    _freighter(canvas, w * 0.555, horizon + h * 0.105, 1.0)
    _freighter(canvas, w * 0.90, horizon + h * 0.022, 0.36)
    _sail(canvas, w * 0.165, horizon + h * 0.205, h * 0.115)
    _sail(canvas, w * 0.245, horizon + h * 0.125, h * 0.06)
    return finish(canvas, 23)


def _stars(canvas: Image.Image, depth: float) -> None:
    chance = random.Random(3)

    def dots(draw: ImageDraw.ImageDraw) -> None:
        for _ in range(70):
            x, y = chance.uniform(0, canvas.width), chance.uniform(0, depth) ** 0.97
            size = chance.choice((1.5, 2, 2.6))
            light = int(150 * (1 - y / depth)) + 20
            draw.ellipse((x - size, y - size, x + size, y + size), fill=light)

    veil(canvas, dots, (255, 248, 230))


def _cloud_bands(canvas: Image.Image, horizon: float) -> None:
    chance = random.Random(8)
    for _ in range(11):
        y = horizon * chance.uniform(0.34, 0.86)
        x, length = (
            chance.uniform(-0.1, 0.95) * canvas.width,
            chance.uniform(0.16, 0.42) * canvas.width,
        )
        thick = chance.uniform(5, 17)
        warm = mix(hex_color("#d98f98"), hex_color("#ffe3bd"), y / horizon)
        opacity = chance.randint(60, 120)

        def band(draw: ImageDraw.ImageDraw, x=x, y=y, n=length, t=thick, o=opacity) -> None:
            draw.rounded_rectangle((x, y, x + n, y + t), t / 2, fill=o)
            draw.rounded_rectangle((x + n * 0.2, y - t * 0.9, x + n * 0.7, y + 2), t / 2, fill=o)

        veil(canvas, band, warm)


def _mountain(canvas: Image.Image, x: float, base: float, half: float, height: float) -> None:
    """A volcano's cone: flanks that steepen towards a small crater, and its snow."""
    crater = half * 0.075

    def flank(side: int, share: float) -> Point:
        return x + side * (crater + (half - crater) * share**1.5), base - height * (1 - share)

    steps = [k / 60 for k in range(61)]
    left, right = [flank(-1, s) for s in steps], [flank(1, s) for s in steps]
    rim = [
        (x - crater * 0.45, base - height * 0.986),
        (x + crater * 0.1, base - height * 0.993),
        (x + crater * 0.5, base - height * 0.984),
    ]
    body = [*reversed(left), *rim, *right]
    rock = [
        (0, hex_color("#33477a")), (0.55, hex_color("#6f6a96")), (0.85, hex_color("#b98899")),
        (1, hex_color("#dfa392")),
    ]  # fmt: skip
    fill(canvas, body, rock, base - height, base)
    mask = Image.new("L", canvas.size)
    ImageDraw.Draw(mask).polygon(body, fill=255)
    chance = random.Random(41)
    edge: list[Point] = []
    for index in range(31):
        across = (index / 30 - 0.5) * 2
        deep = (0.36 if index % 2 else 0.19) + chance.uniform(-0.05, 0.07)
        edge.append((x + across * half * 0.34, base - height * (1 - deep)))
    snow = Image.new("L", canvas.size)
    ImageDraw.Draw(snow).polygon(
        [(x - half * 0.4, base - height * 1.1), *edge, (x + half * 0.4, base - height * 1.1)],
        fill=255,
    )
    snow = ImageChops.multiply(snow, mask)
    canvas.paste(hex_color("#f1e4ea"), mask=snow)
    # The morning side: right of a crest that wanders down from the crater.
    crest = [
        (x + crater * 0.3 + half * (0.36 * k / 12 + (0.016 if k % 2 else -0.012)),
         base - height * (1 - k / 12))
        for k in range(13)
    ]  # fmt: skip
    lit = Image.new("L", canvas.size)
    ImageDraw.Draw(lit).polygon(
        [*crest, (x + half * 1.1, base), (x + half, base - height)], fill=255
    )
    lit = lit.filter(ImageFilter.GaussianBlur(5))
    on_snow = ImageChops.multiply(lit, snow).point(lambda value: int(value * 0.72))
    on_rock = ImageChops.multiply(lit, ImageChops.subtract(mask, snow))
    canvas.paste(hex_color("#f2a98c"), mask=on_rock.point(lambda value: int(value * 0.26)))
    canvas.paste(hex_color("#ffc4a0"), mask=on_snow)


def _city(canvas: Image.Image, horizon: float) -> None:
    chance, draw = random.Random(19), ImageDraw.Draw(canvas)
    x = canvas.width * 0.70
    while x < canvas.width + 60:
        tall = (
            chance.uniform(0.02, 0.055)
            + 0.075 * math.exp(-(((x / canvas.width) - 0.885) ** 2) / 0.0035) * chance.random()
        )
        wide = chance.uniform(20, 52)
        tone = mix(hex_color("#6d6288"), hex_color("#a27b90"), chance.random())
        draw.rectangle((x, horizon - tall * canvas.height, x + wide, horizon + 3), fill=tone)
        for _ in range(3):
            lx, ly = (
                x + chance.uniform(5, wide - 8),
                horizon - chance.uniform(8, tall * canvas.height),
            )
            draw.rectangle((lx, ly, lx + 4, ly + 5), fill="#ffdfa6")
        x += wide + chance.uniform(-4, 10)


def _glitter(canvas: Image.Image, x: float, horizon: float) -> None:
    chance = random.Random(77)
    depth = canvas.height - horizon

    def strokes(draw: ImageDraw.ImageDraw) -> None:
        for _ in range(330):
            far = chance.random() ** 1.5
            y = horizon + 8 + far * depth * 0.97
            spread = canvas.width * (0.018 + 0.075 * far)
            center = x + chance.gauss(0, 1) * spread
            half = chance.uniform(12, 60) * (0.45 + 1.5 * far)
            thick = 2 + 5 * far
            draw.rounded_rectangle((center - half, y, center + half, y + thick), thick / 2,
                                   fill=int(215 * (1 - far) ** 0.8) + 18)  # fmt: skip

    veil(canvas, strokes, hex_color("#ffe2b4"))

    def ripples(draw: ImageDraw.ImageDraw) -> None:
        for _ in range(230):
            far = chance.random() ** 0.8
            y, center = horizon + 14 + far * depth, chance.uniform(0, canvas.width)
            half, thick = chance.uniform(22, 90) * (0.4 + 1.5 * far), 2 + 4 * far
            draw.rounded_rectangle((center - half, y, center + half, y + thick), thick / 2, fill=34)

    veil(canvas, ripples, hex_color("#f6d9d2"))


def _bridge(canvas: Image.Image, horizon: float) -> None:
    """A suspension bridge from the left edge out of the picture on the right."""
    w, h = canvas.size
    draw, steel = ImageDraw.Draw(canvas), hex_color("#1b2f57")
    deck, top, foot = horizon - h * 0.062, horizon - h * 0.285, horizon + h * 0.022
    towers = (w * 0.155, w * 0.655)
    ends = (towers[0] - (towers[1] - towers[0]) * 0.62, towers[1] + (towers[1] - towers[0]) * 0.62)

    def cable(x: float) -> float:
        if towers[0] <= x <= towers[1]:
            middle = (towers[0] + towers[1]) / 2
            share = (x - middle) / (towers[1] - middle)
            return deck - h * 0.012 - (deck - h * 0.012 - top) * share**2
        tower, end = (towers[0], ends[0]) if x < towers[0] else (towers[1], ends[1])
        share = min(1.0, (x - tower) / (end - tower))
        return top + (deck - top) * (1 - (1 - share) ** 1.35)

    for x in range(0, w, 26):
        draw.line((x, cable(x), x, deck), fill=mix(steel, hex_color("#8a7c9c"), 0.25), width=2)
    for shift, width in ((0, 9), (-9, 4)):
        line = [(x, cable(x) + shift) for x in range(0, w + 8, 8)]
        draw.line(line, fill=steel, width=width, joint="curve")
    draw.rectangle((0, deck, w, deck + 15), fill=steel)
    draw.rectangle((0, deck - 4, w, deck - 2), fill=hex_color("#e8b08e"))
    for x in range(0, w, 52):
        draw.line((x, deck + 14, x + 26, deck + 27), fill=steel, width=4)
        draw.line((x + 26, deck + 27, x + 52, deck + 14), fill=steel, width=4)
    draw.line((0, deck + 27, w, deck + 27), fill=steel, width=4)
    for tower in towers:
        for side in (-1, 1):
            draw.polygon(
                [(tower + side * 27 - 9, top - 16), (tower + side * 27 + 9, top - 16),
                 (tower + side * 37 + 11, foot), (tower + side * 37 - 11, foot)], fill=steel,
            )  # fmt: skip
        for level in (0.02, 0.25, 0.50, 0.74):
            y = top + (deck - top) * level
            draw.rectangle((tower - 32, y - 6, tower + 32, y + 8), fill=steel)
        draw.rounded_rectangle(
            (tower - 82, foot - 8, tower + 82, foot + 22), 8, fill=mix(steel, (0, 0, 0), 0.18)
        )
        draw.ellipse((tower - 5, top - 32, tower + 5, top - 22), fill="#ffb38a")
        near, far = foot + 22, foot + h * 0.17
        shade = [(tower - 60, near), (tower + 60, near), (tower + 34, far), (tower - 34, far)]
        veil(canvas, lambda draw, outline=shade: draw.polygon(outline, fill=70), steel)


def _freighter(canvas: Image.Image, x: float, y: float, size: float) -> None:
    draw, hull = ImageDraw.Draw(canvas), hex_color("#152748")

    def at(dx: float, dy: float) -> Point:
        return x + dx * size, y + dy * size

    chance = random.Random(6)
    palette = ("#b5533c", "#d98b5f", "#39527f", "#e0b48c", "#50688f", "#8e4a49")
    for column in range(11):
        for row in range(chance.choice((2, 3, 3, 4))):
            left, low = -160 + column * 32, -row * 19
            draw.rectangle(
                (*at(left, low - 19), *at(left + 30, low - 2)), fill=chance.choice(palette)
            )
    draw.rectangle((*at(-238, -96), *at(-176, 0)), fill="#ead9cf")
    draw.rectangle((*at(-246, -110), *at(-168, -94)), fill="#ead9cf")
    draw.rectangle((*at(-240, -106), *at(-174, -99)), fill=hull)
    draw.rectangle((*at(-216, -142), *at(-196, -110)), fill="#b5533c")
    draw.polygon([at(-282, -6), at(270, -6), at(304, -28), at(272, 46), at(-262, 46)], fill=hull)
    draw.line(
        (*at(-270, 36), *at(276, 36)), fill=hex_color("#a3513f"), width=max(2, round(9 * size))
    )
    veil(
        canvas,
        lambda d: d.rounded_rectangle((*at(-280, 48), *at(330, 58)), 5 * size, fill=120),
        hex_color("#f6d9c4"),
    )
    veil(
        canvas,
        lambda d: d.polygon([at(-262, 60), at(272, 60), at(200, 112), at(-210, 112)], fill=95),
        hull,
    )


def _sail(canvas: Image.Image, x: float, y: float, height: float) -> None:
    def at(*points: Point) -> list[Point]:
        return [(x + dx * height, y + dy * height) for dx, dy in points]

    draw = ImageDraw.Draw(canvas)
    draw.polygon(at((0, -1), (0, -0.1), (0.44, -0.1)), fill="#f9e6d2")
    draw.polygon(at((-0.05, -0.86), (-0.05, -0.1), (-0.34, -0.1)), fill="#e7b9a4")
    hull = at((-0.38, -0.06), (0.48, -0.06), (0.32, 0.06), (-0.3, 0.06))
    draw.polygon(hull, fill="#14264a")
    mirrored = at((-0.3, 0.1), (0.34, 0.1), (0.05, 0.6))
    veil(canvas, lambda draw: draw.polygon(mirrored, fill=55), hex_color("#f9e6d2"))
