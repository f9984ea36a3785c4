"""Bytes that nothing refers to, looked through for another file."""

from __future__ import annotations

import re
from collections.abc import Iterator

from weigh.codecs.pickle import is_plausible, run
from weigh.codecs.pickle_observations import observe
from weigh.codecs.zip import Window
from weigh.core.errors import FormatError, OverBudget
from weigh.core.header import Header
from weigh.core.observation import Observation
from weigh.core.source import Source

MOST_LOOKED_THROUGH = 1 << 20
MOST_TRIED = 64
MOST_OPCODES = 100_000

_MAGIC = (
    (re.compile(rb"PK\x03\x04"), "zip"),
    (re.compile(rb"\x7fELF[\x01\x02][\x01\x02]\x01"), "elf"),
    (re.compile(rb"MZ(?:\x90\x00|[\x00-\xff]{58}[\x40-\xff]\x00\x00\x00)"), "exe"),
    (re.compile(rb"\xcf\xfa\xed\xfe|\xca\xfe\xba\xbe\x00\x00\x00"), "mach-o"),
    (re.compile(rb"#!/(?:usr/)?bin/"), "script"),
    (re.compile(rb"GGUF[\x02\x03]\x00\x00\x00"), "gguf"),
    (re.compile(rb"\x89HDF\r\n\x1a\n"), "hdf5"),
)
_PICKLE = re.compile(rb"\x80[\x02-\x05][\x28-\x95]|\(?c[a-z_][\w.]*\n[A-Za-z_][\w.]*\n")


def observe_hidden(source: Source, start: int, end: int) -> Iterator[Observation]:
    """What a gap holds that is a file of its own; pickles in it are followed. Never raises FormatError."""
    data = source.read(start, min(end - start, MOST_LOOKED_THROUGH))
    if not data.strip(b"\x00 "):
        return
    where = f"gap {start}"
    for pattern, kind in _MAGIC:
        if (found := pattern.search(data)) is not None:
            yield Observation(kind="embedded", value=kind, where=where, offset=start + found.start())
            if kind == "zip":
                yield from _inside(source, start + found.start(), end, where)
    yield from _pickles(source, data, start, end)


def gaps(header: Header, size: int) -> Iterator[tuple[int, int]]:
    """Where the header's gaps begin and end, by what its tensors leave."""
    starts = sorted(tensor.offset for tensor in header.tensors if tensor.offset is not None)
    for problem in header.problems:
        if problem.kind in ("gap", "trailing") and problem.offset is not None:
            yield problem.offset, next((at for at in starts if at > problem.offset), size)


def _pickles(source: Source, data: bytes, start: int, end: int) -> Iterator[Observation]:
    for number, found in enumerate(_PICKLE.finditer(data)):
        if number == MOST_TRIED:
            return
        at = start + found.start()
        window = Window(source, at, end - at, path=source.path)
        stream = run(window, most=MOST_OPCODES)
        if stream.num_opcodes > 1 and is_plausible(stream, window) and (stream.imports or stream.error is None):
            yield Observation(kind="embedded", value="pickle", where=f"gap {start}", offset=at)
            yield from _inside(source, at, end, f"gap {start}")
            return


def _inside(source: Source, start: int, end: int, where: str) -> Iterator[Observation]:
    """What pickles there name, placed in the whole file; that they break off is no fault of the file."""
    try:
        for seen in observe(Window(source, start, end - start, path=source.path)):
            if seen.kind not in ("gap", "stream_error"):
                offset = None if seen.offset is None else start + seen.offset
                yield Observation(kind=seen.kind, value=seen.value, where=where, offset=offset)
    except OverBudget:
        raise
    except FormatError:
        return
