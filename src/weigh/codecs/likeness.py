"""What a file without a magic of its own is like: by the shape of its first bytes, by the members of an archive."""

from __future__ import annotations

import re
import struct
from collections.abc import Callable, Iterable

from weigh.codecs.spread import spread_of
from weigh.core.source import Source
from weigh.knowledge.likenesses import Likeness, likenesses

HEAD = 256
MOST_LAYERS = 4096
# Fields 1 (name) and 2 (operator) of a network; of the operator 1 and 2 (blobs), 3 (name), 4 (type).
_NET = re.compile(
    rb"(?:\x0a[\x01-\x7f][\w./-]{1,127})?\x12(?:[\x08-\x7f]|[\x80-\xff]{1,3}[\x01-\x7f])"
    rb"(?:[\x0a\x12][\x01-\x7f][\w./:-]{1,127}){1,8}(?:\x1a[\0-\x7f][\w./:-]{0,127})?\x22[\x02-\x40][A-Z]\w{1,63}"
)
# A Dictionary of version 1, its first entry's name, a value of version 1 behind it.
_DICTIONARY = re.compile(
    rb"\x08\x01\x12(?:[\x08-\x7f]|[\x80-\xff]{1,4}[\x01-\x7f])\x0a[\x01-\x7f][A-Za-z_]\w{0,126}"
    rb"\x12(?:[\x02-\x7f]|[\x80-\xff]{1,4}[\x01-\x7f])\x08\x01[\x10\x28]"
)
_NAME = re.compile(rb"[A-Za-z_][A-Za-z0-9_./:-]*")


def likeness_of(source: Source) -> Likeness | None:
    """The row whose shape the first bytes have."""
    head = source.read(0, HEAD)
    return next((likenesses()[id] for id, fits in _SHAPES.items() if fits(head, source)), None)


def likeness_of_members(names: Iterable[str]) -> Likeness | None:
    """The row all of whose members are among these, below one folder or none."""
    held = {name.replace("\\", "/").removeprefix("./") for name in names}
    inner = held | {name.partition("/")[2] for name in held}
    return next((row for row in likenesses().values() if row.members and inner.issuperset(row.members)), None)


def _words(head: bytes, count: int) -> tuple[int, ...]:
    return struct.unpack_from(f"<{count}I", head.ljust(4 * count, b"\xff"))


def _is_barracuda(head: bytes, source: Source) -> bool:
    """A version of 64 bits, how many inputs, the first one's name."""
    version, more, inputs, length = _words(head, 4)
    name = head[16 : 16 + length]
    return 8 <= version <= 32 and more == 0 and 0 < inputs <= 64 and 0 < length <= 64 and _is_name(name)


def _is_caffe2(head: bytes, source: Source) -> bool:
    """A NetDef: its name or none, an operator with its type behind what goes in and out."""
    return _NET.match(head) is not None


def _is_cntk(head: bytes, source: Source) -> bool:
    """A Dictionary of the second version."""
    return _DICTIONARY.match(head) is not None


def _is_ctranslate2(head: bytes, source: Source) -> bool:
    """A version; since its second the kind of model, before how many variables; a name ended by a zero."""
    version = _words(head, 1)[0]
    start = 4 if version > 1 else 8
    length = int.from_bytes(head[start : start + 2], "little")
    text = head[start + 2 : start + 2 + length]
    return 0 < version <= 32 and 2 < length <= 128 and text[-1:] == b"\0" and _is_name(text[:-1])


def _is_darknet(head: bytes, source: Source) -> bool:
    """Three numbers of a version, how many images were seen, weights."""
    major, minor, revision, _ = _words(head, 4)
    return major == 0 and minor in (1, 2) and revision < 16 and spread_of(source).kind == "floats"


def _is_kmodel(head: bytes, source: Source) -> bool:
    """Version 3, flags, a K210, layers, two bounds of memory, outputs; where the first one lies, its bytes."""
    version, flags, target, layers, _, _, outputs, first, size = _words(head, 9)
    fits = version == 3 and flags < 2 and target == 0 and 0 < layers < MOST_LAYERS and 0 < outputs <= 64
    return fits and first < 1 << 24 and 0 < size < 1 << 24


def _is_tengine(head: bytes, source: Source) -> bool:
    """Version 2, and a root that lies at the very end."""
    root = _words(head, 3)[2]
    return head.startswith(b"\2\0\0\0\0\0") and root % 4 == 0 and 12 <= source.size - root <= 32


def _is_table(head: bytes, source: Source) -> bool:
    """A first table with entries, whose first key is a word of letters or a number."""
    kind, index, count, key, length = _words(head, 5)
    named = key == 2 and 0 < length <= 128 and _is_name(head[20 : 20 + length])
    numbered = key == 1 and head[16:24] == struct.pack("<d", 1.0)
    return kind == 3 and index == 1 and 0 < count < 1 << 20 and (named or numbered)


def _is_torchsharp(head: bytes, source: Source) -> bool:
    """How many tensors; the first one's name, its type, its rank, all as numbers of seven bits a byte."""
    count, at = _short(head, 0)
    length, at = _short(head, at)
    name = head[at : at + length]
    dtype, at = _short(head, at + length)
    rank, _ = _short(head, at)
    return 0 < count < 1 << 16 and 2 < length <= 128 and len(name) == length and _is_name(name) and dtype < 16 > rank


def _short(head: bytes, at: int) -> tuple[int, int]:
    """The number and where the next one begins; more than 28 bits are none of these."""
    number = 0
    for place, byte in enumerate(head[at : at + 4]):
        number |= (byte & 0x7F) << 7 * place
        if byte < 0x80:
            return number, at + place + 1
    return 1 << 28, at


def _is_name(text: bytes) -> bool:
    return _NAME.fullmatch(text) is not None


_SHAPES: dict[str, Callable[[bytes, Source], bool]] = {
    "barracuda": _is_barracuda,
    "caffe2": _is_caffe2,
    "cntk-2": _is_cntk,
    "ctranslate2": _is_ctranslate2,
    "tengine": _is_tengine,
    "torch7-table": _is_table,
    "kmodel-3": _is_kmodel,
    "torchsharp": _is_torchsharp,
    "darknet": _is_darknet,
}
