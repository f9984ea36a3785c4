"""Memory over context as a picture, in SVG or PNG."""

from __future__ import annotations

import importlib
import math
from collections.abc import Iterator, Sequence
from xml.sax.saxutils import escape

from weigh.core.errors import BadReference
from weigh.core.units import in_bytes
from weigh.fit.curve import Curve
from weigh.text import Language, safe, say

WIDTH, HEIGHT = 760, 440
LEFT, TOP, RIGHT, BOTTOM = 80, 40, 20, 60
SCALE = 2  # dots of a PNG to each unit of the drawing
# A drawer of PNG takes the first of these that is there, and of others what it lacks.
FONTS = (
    "DejaVu Sans, Noto Sans CJK SC, Noto Sans SC, Source Han Sans SC, WenQuanYi Micro Hei, Noto Sans, Liberation Sans,"
    " Helvetica Neue, Arial, PingFang SC, Microsoft YaHei, Segoe UI, Ubuntu, Roboto, sans-serif"
)
COLOURS = ("#1f6feb", "#d1242f", "#1a7f37", "#9a6700", "#8250df", "#bf3989")


def picture(path: str, title: str, curves: Sequence[Curve], language: Language) -> bytes:
    """What a file of this name holds. Raises BadReference for other kinds, and without the library that draws PNG.

    In PNG words are drawn with the machine's fonts: in English where these have no others.
    """
    if path.lower().endswith(".svg"):
        return svg(title, curves, language).encode()
    if not path.lower().endswith(".png"):
        raise BadReference("fit.picture", name=path)
    if not _has_font(say("fit.contexts", language)):
        language = "en"
    return _drawn(svg(title, curves, language), SCALE)


def _drawn(markup: str, scale: int) -> bytes:
    """As PNG."""
    try:
        resvg = importlib.import_module("resvg_py")
    except ImportError as error:
        raise BadReference("fit.drawer", extra="weigh[plot]") from error
    return bytes(resvg.svg_to_bytes(svg_string=markup, zoom=scale))


def _has_font(words: str) -> bool:
    """Whether the machine's fonts tell these characters apart; one that they lack is drawn as nothing or as a box."""
    several = sorted({letter for letter in words if letter.isalpha()})[:2]
    head = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 24 24" width="24" height="24" font-family="{FONTS}">'
    drawn = {_drawn(f"{head}{_text(2, 18, letter)}</svg>", 1) for letter in several}
    return len(drawn) == len(several)


def svg(title: str, curves: Sequence[Curve], language: Language) -> str:
    """A line a device, dashed its budget; contexts double from left to right."""
    return "\n".join(_parts(title, curves, language)) + "\n"


def _parts(title: str, curves: Sequence[Curve], language: Language) -> Iterator[str]:
    sides = f'viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" height="{HEIGHT}"'
    yield f'<svg xmlns="http://www.w3.org/2000/svg" {sides} font-family="{FONTS}">'
    yield f'<rect width="{WIDTH}" height="{HEIGHT}" fill="white"/>'
    yield _text(LEFT, 24, safe(title))
    points = [point for curve in curves for point in curve.points]
    if points and all(point.total > 0 for point in points):
        lengths = sorted({point.context_length for point in points})
        span = math.log2(lengths[0]), math.log2(lengths[-1])
        most = 1.08 * max(max(point.total for point in points), min(curve.budget for curve in curves))
        yield from _axes(lengths, span, most)
        for number, curve in enumerate(curves):
            yield from _line(curve, number, span, most)
    yield _text(WIDTH // 2, HEIGHT - 12, say("fit.contexts", language), anchor="middle")
    yield "</svg>"


def _axes(lengths: Sequence[int], span: tuple[float, float], most: float) -> Iterator[str]:
    for length in lengths:
        x = _x(length, span)
        yield f'<path d="M{x} {TOP}V{HEIGHT - BOTTOM}" stroke="#ddd"/>'
        label = f"{length // 1024}k" if length >= 1024 else str(length)
        yield _text(x, HEIGHT - BOTTOM + 18, label, anchor="middle")
    for step in range(6):
        y = _y(most * step / 5, most)
        yield f'<path d="M{LEFT} {y}H{WIDTH - RIGHT}" stroke="#ddd"/>'
        yield _text(LEFT - 8, y + 4, in_bytes(round(most * step / 5)), anchor="end")


def _line(curve: Curve, number: int, span: tuple[float, float], most: float) -> Iterator[str]:
    colour = COLOURS[number % len(COLOURS)]
    path = " ".join(f"{_x(point.context_length, span)},{_y(point.total, most)}" for point in curve.points)
    yield f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2"/>'
    if curve.budget <= most:
        y = _y(curve.budget, most)
        yield f'<path d="M{LEFT} {y}H{WIDTH - RIGHT}" stroke="{colour}" stroke-dasharray="6 4"/>'
    yield _text(LEFT + 10, TOP + 16 * (number + 1), safe(curve.device), colour=colour)


def _x(length: int, span: tuple[float, float]) -> float:
    low, high = span
    share = (math.log2(length) - low) / (high - low) if high > low else 0.5
    return round(LEFT + (WIDTH - LEFT - RIGHT) * share, 1)


def _y(nbytes: float, most: float) -> float:
    return round(HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * nbytes / most, 1)


def _text(x: float, y: float, text: str, *, anchor: str = "start", colour: str = "#222") -> str:
    return f'<text x="{x}" y="{y}" text-anchor="{anchor}" font-size="12" fill="{colour}">{escape(text)}</text>'
