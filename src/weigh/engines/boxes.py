"""A picture with what was detected drawn over it."""

from __future__ import annotations

import io
from collections.abc import Sequence

from weigh.core.errors import EngineError
from weigh.core.work import Label

_COLOURS = ("#e6194b", "#3cb44b", "#4363d8", "#f58231", "#911eb4", "#008080", "#9a6324", "#800000")


def drawn(image: bytes, labels: Sequence[Label]) -> bytes:
    """As PNG; one colour a label. Raises EngineError without Pillow."""
    try:
        from PIL import Image, ImageDraw
    except ImportError as error:
        raise EngineError("run.missing", engine="Pillow", extra="weigh[diffusers]") from error
    with Image.open(io.BytesIO(image)) as opened:
        picture = opened.convert("RGB")
    pen = ImageDraw.Draw(picture)
    colours: dict[str, str] = {}
    for label in labels:
        if label.box is None:
            continue
        colour = colours.setdefault(label.label, _COLOURS[len(colours) % len(_COLOURS)])
        left, top, right, bottom = label.box
        pen.rectangle((min(left, right), min(top, bottom), max(left, right), max(top, bottom)), outline=colour, width=2)
        pen.text((left + 3, top + 1), f"{label.label} {label.score:.2f}", fill=colour)
    into = io.BytesIO()
    picture.save(into, "PNG")
    return into.getvalue()
