"""Files inside bytes that should hold none: known by their first bytes, as they are or in base64."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterator

from weigh.codecs.pickle import is_plausible, run
from weigh.codecs.pickle_observations import observe
from weigh.core.errors import FormatError, OverBudget
from weigh.core.observation import Observation
from weigh.core.source import Source
from weigh.sources.memory import MemorySource

MOST_OPCODES = 20_000
SHORTEST = 8
SHORTEST_BASE64 = 32
MOST_BASE64 = 64 << 20

_MAGIC = (
    (b"PK\x03\x04", "zip"),
    (b"\x89HDF\r\n\x1a\n", "hdf5"),
    (b"GGUF", "gguf"),
    (b"\x7fELF", "elf"),
    (b"MZ\x90\0", "exe"),
    (b"\xcf\xfa\xed\xfe", "mach-o"),
    (b"\x93NUMPY", "npy"),
    (b"\x1f\x8b\x08", "gzip"),
    (b"#!/", "script"),
)
_CODE = (b"\xe3", b"\x63")  # how marshal begins a code object
_BASE64 = re.compile(rb"[A-Za-z0-9+/\s]+={0,2}\s*")


def observe_inside(source: Source, where: str) -> Iterator[Observation]:
    """What these bytes hold if it is a file of its own; pickles in it are followed."""
    head = source.read(0, 16)
    kind = next((name for magic, name in _MAGIC if head.startswith(magic)), None)
    if kind is None and _is_pickle(source, head):
        kind = "pickle"
    if kind is None:
        return
    yield Observation(kind="embedded", value=kind, where=where)
    if kind in ("pickle", "zip"):
        yield from placed(source, where)


def observe_text(text: str, where: str, *, path: str) -> Iterator[Observation]:
    """The same for a string: its own bytes, or those that it stands for in base64."""
    data = text.encode("utf-8", "surrogatepass")
    if len(data) < SHORTEST:
        return
    packed = unpacked(data)
    if packed is not None:
        yield from observe_inside(MemorySource(packed, path=path), where)
    elif data[0] > 127 or not text[:16].isprintable() or "\n" in text[:256]:
        yield from observe_inside(MemorySource(data, path=path), where)


def unpacked(data: bytes) -> bytes | None:
    """What long base64 stands for; None for anything else."""
    if not SHORTEST_BASE64 <= len(data) <= MOST_BASE64 or _BASE64.fullmatch(data) is None:
        return None
    try:
        return base64.b64decode(data)
    except (binascii.Error, ValueError):
        return None


def is_code(data: bytes) -> bool:
    """Does a marshalled code object begin here?"""
    return len(data) > 64 and data.startswith(_CODE) and data[1:4] in (b"\0\0\0", data[1:2] + b"\0\0")


def placed(source: Source, where: str) -> Iterator[Observation]:
    """The pickles of the source, said to be at `where`; what breaks off there is told and goes no further."""
    try:
        for seen in observe(source):
            inside = f"{where}!/{seen.where}" if seen.where else where
            yield Observation(kind=seen.kind, value=seen.value, where=inside, offset=seen.offset)
    except OverBudget:
        raise
    except FormatError as error:
        yield Observation(kind="stream_error", value=error.saying.key, where=where, offset=error.offset)


def _is_pickle(source: Source, head: bytes) -> bool:
    if source.size < SHORTEST or not (head[:1] == b"\x80" or b"\n" in source.read(0, 256)):
        return False
    stream = run(source, most=MOST_OPCODES)
    if head[:1] == b"\x80" and 2 <= head[1] <= 5 and stream.num_opcodes > 2:
        return stream.error is None or bool(stream.imports)
    return bool(stream.imports) and is_plausible(stream, source)
