"""Answers of models that are no running text: vectors, scores, labels, segments."""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence

from weigh.core.work import Array, Label, Segment, Vectors
from weigh.text import safe

NPY_MAGIC = b"\x93NUMPY\x01\x00"


def rows(vectors: Vectors) -> list[list[float]]:
    """As numbers."""
    width = vectors.dimensions * 4
    form = f"<{vectors.dimensions}f"
    return [list(struct.unpack(form, vectors.data[at : at + width])) for at in range(0, len(vectors.data), width)]


def npy(vectors: Vectors) -> bytes:
    """A .npy file of version 1.0. Source: https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html"""
    number = len(vectors.data) // (vectors.dimensions * 4)
    head = f"{{'descr': '<f4', 'fortran_order': False, 'shape': ({number}, {vectors.dimensions}), }}"
    padded = head + " " * (-(len(NPY_MAGIC) + 2 + len(head) + 1) % 64) + "\n"
    return NPY_MAGIC + struct.pack("<H", len(padded)) + padded.encode("ascii") + vectors.data


def ranking(scores: Sequence[float], documents: Sequence[str]) -> list[tuple[int, float, str]]:
    """Position, score and text, the best first; equals keep their order."""
    order = sorted(range(len(scores)), key=lambda at: -scores[at])
    return [(at, scores[at], documents[at]) for at in order]


def srt(segments: Sequence[Segment]) -> str:
    """SubRip; what has no times stands where the one before it ends."""
    cues = enumerate(_cues(segments), 1)
    return "\n".join(f"{number}\n{_clock(start)} --> {_clock(end)}\n{text}\n" for number, (start, end, text) in cues)


def vtt(segments: Sequence[Segment]) -> str:
    """WebVTT, the same."""
    cues = (f"{_clock(start, '.')} --> {_clock(end, '.')}\n{text}\n" for start, end, text in _cues(segments))
    return "\n".join(("WEBVTT\n", *cues))


def label_line(label: Label) -> str:
    """`0.983  cat  [12 40 300 280]`."""
    box = f"  [{' '.join(f'{side:.0f}' for side in label.box)}]" if label.box is not None else ""
    return f"{label.score:.3f}  {safe(label.label)}{box}"


def array_line(array: Array) -> str:
    """`logits  float32 [1, 3]`."""
    return f"{safe(array.name)}  {safe(array.dtype)} {list(array.shape)}"


def _cues(segments: Sequence[Segment]) -> Iterator[tuple[float, float, str]]:
    before = 0.0
    for segment in segments:
        start = segment.start if segment.start is not None else before
        before = segment.end if segment.end is not None else start
        yield start, before, safe(segment.text.strip(), longest=2000)


def _clock(seconds: float, mark: str = ",") -> str:
    """`00:01:02,345`.

    >>> _clock(62.345)
    '00:01:02,345'
    """
    whole = round(seconds * 1000)
    return f"{whole // 3_600_000:02}:{whole // 60_000 % 60:02}:{whole // 1000 % 60:02}{mark}{whole % 1000:03}"
