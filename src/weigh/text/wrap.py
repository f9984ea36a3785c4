"""Lines broken as Chinese and English are broken: between any two Han characters, else at spaces."""

from __future__ import annotations

import re
from collections.abc import Iterator

from rich.cells import cell_len

# A run without spaces or Han characters stays whole; what closes a clause stays with what is before it.
_PIECE = re.compile(r"\s+|(?:[^\s\u3000-\u303f\u3400-\u9fff\uff00-\uffef]+|.)[，。；：、！？）》”’」』]*")


def wrap(text: str, width: int) -> str:
    """The text with line ends put in so that no line is wider than `width` cells, unless one run is."""
    return "\n".join(line for paragraph in text.split("\n") for line in _lines(paragraph, width))


def _lines(text: str, width: int) -> Iterator[str]:
    line, used = "", 0
    for piece in _PIECE.findall(text):
        size = cell_len(piece)
        if used + size > width and line.strip():
            yield line.rstrip()
            line, used = "", 0
        if line or not piece.isspace():
            line, used = line + piece, used + size
    yield line.rstrip()
