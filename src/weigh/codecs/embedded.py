"""Files inside bytes that should hold none: known by their first bytes, as they are or in base64."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterator

from weigh.codecs.pickle import MOST_OPCODES, is_plausible, run
from weigh.codecs.pickle_nodes import Stream
from weigh.codecs.pickle_observations import observe
from weigh.core.errors import FormatError, OverBudget
from weigh.core.observation import Observation
from weigh.core.source import Source
from weigh.sources.memory import MemorySource

MOST_TRIED = 20_000  # opcodes by which bytes are known to be a pickle
MOST_ARCHIVES = 4
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


class Inside:
    """A search through one file: how much of what lies inside it may still be followed."""

    __slots__ = ("archives", "opcodes", "path")

    def __init__(self, path: str) -> None:
        self.path = path
        self.opcodes, self.archives = MOST_OPCODES, MOST_ARCHIVES

    def file(self, source: Source, where: str) -> Iterator[Observation]:
        """What these bytes hold if they are a file of their own; pickles in it are followed. Raises OverBudget."""
        head = source.read(0, 16)
        kind = next((name for magic, name in _MAGIC if head.startswith(magic)), None)
        if kind is None and self._is_pickle(source, head):
            kind = "pickle"
        if kind is None:
            return
        yield Observation(kind="embedded", value=kind, where=where)
        if kind == "zip":
            self.archives -= 1
            if self.archives < 0:
                raise OverBudget("too_many", path=self.path, what="zip", count=MOST_ARCHIVES + 1, most=MOST_ARCHIVES)
        if kind in ("pickle", "zip"):
            yield from self.pickles(source, where)

    def text(self, text: str, where: str) -> Iterator[Observation]:
        """The same for a string: its own bytes, or those that it stands for in base64."""
        data = text.encode("utf-8", "surrogatepass")
        if unpacked(data) is not None:
            yield from self.base64(text, where)
        elif len(data) >= SHORTEST and (data[0] > 127 or not text[:16].isprintable() or "\n" in text[:256]):
            yield from self.file(MemorySource(data, path=self.path), where)

    def base64(self, text: str, where: str) -> Iterator[Observation]:
        """The same for what the string stands for in base64 alone."""
        packed = unpacked(text.encode("utf-8", "surrogatepass"))
        if packed is not None:
            yield from self.file(MemorySource(packed, path=self.path), where)

    def pickles(self, source: Source, where: str) -> Iterator[Observation]:
        """Those of the source, said to be at `where`; what breaks off there is told and goes no further."""
        try:
            for seen in observe(source, follow=self.follow):
                inside = f"{where}!/{seen.where}" if seen.where else where
                yield Observation(kind=seen.kind, value=seen.value, where=inside, offset=seen.offset)
        except OverBudget:
            raise
        except FormatError as error:
            yield Observation(kind="stream_error", value=error.saying.key, where=where, offset=error.offset)

    def follow(self, source: Source, *, offset: int = 0, end: int | None = None, most: int = MOST_OPCODES) -> Stream:
        """As `run`, out of what is left for the whole search. Raises OverBudget."""
        if self.opcodes <= 0:
            raise OverBudget("pickle.opcodes", path=self.path, offset=offset, most=MOST_OPCODES)
        stream = run(source, offset=offset, end=end, most=min(most, self.opcodes))
        self.opcodes -= stream.num_opcodes + 1
        return stream

    def _is_pickle(self, source: Source, head: bytes) -> bool:
        if source.size < SHORTEST or not (head[:1] == b"\x80" or b"\n" in source.read(0, 256)):
            return False
        stream = self.follow(source, most=MOST_TRIED)
        if head[:1] == b"\x80" and 2 <= head[1] <= 5 and stream.num_opcodes > 2:
            return stream.error is None or isinstance(stream.error, OverBudget) or bool(stream.imports)
        return bool(stream.imports) and is_plausible(stream, source)


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
