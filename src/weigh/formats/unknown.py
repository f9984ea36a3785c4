"""What no format of ours opens, and what can be said of it: its name if it is known, how its bytes are spread."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import islice

from weigh.codecs.magic import magic_of
from weigh.codecs.zip import is_zip
from weigh.core.errors import Malformed
from weigh.core.format import Format
from weigh.core.header import Header, Meta
from weigh.core.observation import Observation
from weigh.core.source import Source
from weigh.knowledge.signatures import Signature

SAMPLE = 1 << 16
MOST_STRINGS = 8
CLOSED = frozenset({"archive", "encrypted", "model"})
_STRINGS = re.compile(rb"[\x20-\x7e]{6,64}")
_WORD = re.compile(r"[A-Za-z_]{5}")  # what printable bytes by chance rarely hold
# Words by which makers of accelerators sign what their compilers write.
_DEVICES = re.compile(
    rb"(?i)(?<![a-z])(ascend|cambricon|rknn|rockchip|hailo|edgetpu|kneron|hobot|horizon|sophgo|bitmain|cvitek|qnn|"
    rb"snpe|hexagon|amlogic|ambarella|kendryte|axera|blaize|movidius|tensorrt|mindspore|paddle|kunlun|mlu\d{3})"
)


def matches(source: Source) -> bool:
    """Always: it is asked last."""
    return True


def matches_closed(source: Source) -> bool:
    """A known format that is not opened here: one device's, an encryption's, a rarer archive's."""
    row = magic_of(source)
    return row is not None and row.kind in CLOSED


def read(source: Source) -> Header:
    """First bytes, strings, devices named in them, and how the bytes are spread. Raises Malformed for no bytes."""
    if source.size == 0:
        raise Malformed("empty", path=source.path, offset=0)
    return Header(format="unknown", metadata=_said(source))


def private(signature: Signature) -> Format:
    """A company's own format: told by its bytes, never opened."""

    def read_private(source: Source) -> Header:
        own: dict[str, Meta] = {"id": signature.id, "en": signature.says.en}
        own |= {"zh": signature.says.zh} if signature.says.zh is not None else {}
        own |= {"tool": signature.tool} if signature.tool is not None else {}
        return Header(format="unknown", metadata={"private": own, **_said(source)})

    magic, offset = signature.bytes, signature.offset
    return Format(
        name="unknown",
        suffixes=(),
        matches=lambda source: source.read(offset, len(magic)) == magic,
        read=read_private,
        examine=examine,
    )


def examine(source: Source, header: Header) -> Iterator[Observation]:
    """A zip at its end, which some readers would take; what is not opened is not examined, and a Skip says so."""
    if is_zip(source):
        yield Observation(kind="embedded", value="zip")


def _said(source: Source) -> dict[str, Meta]:
    from weigh.codecs.likeness import likeness_of  # what is asked last is loaded for many files, and read for few
    from weigh.codecs.spread import spread_of

    sample = source.read(0, SAMPLE)
    spread = spread_of(source)
    said: dict[str, Meta] = {}
    if (row := magic_of(source)) is not None:
        said |= {"looks_like": row.id, "kind": row.kind}
        said |= {"tool": row.tool} if row.tool is not None else {}
    elif (like := likeness_of(source)) is not None:
        said |= {"looks_like": like.id, "kind": "model", "tool": like.tool}
    devices = tuple(sorted({match.decode("ascii").lower() for match in _DEVICES.findall(sample)}))
    said |= {"first_bytes": sample[:16].hex(), "entropy": spread.entropy, "spread": spread.kind}
    said |= {"devices": devices} if devices else {}
    strings = (match.decode("ascii") for match in _STRINGS.findall(sample))
    said["strings"] = tuple(islice((text for text in strings if _WORD.search(text)), MOST_STRINGS))
    return said


CLOSED_FORMAT = Format(name="unknown", suffixes=(), matches=matches_closed, read=read, examine=examine)
FORMAT = Format(name="unknown", suffixes=(), matches=matches, read=read, examine=examine)
