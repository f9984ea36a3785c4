"""GGML before GGUF: a magic, numbers whose meaning is the family's, a vocabulary, then tensors one after another.

What the numbers mean is not in the file: a family's reading is taken where the vocabulary and the first tensor come out
by it. The families are those of llama.cpp before August 2023, whisper.cpp, rwkv.cpp, bert.cpp and ggml's examples.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

from weigh.codecs.cursor import ByteOrder, Cursor
from weigh.core.errors import FormatError, Malformed
from weigh.core.format import Format
from weigh.core.header import Header, Meta, Problem
from weigh.core.observation import Observation
from weigh.core.saying import Saying
from weigh.core.source import Source
from weigh.core.tensors import TensorInfo
from weigh.core.value import Value
from weigh.knowledge.dtypes import Dtype, ggml_types
from weigh.knowledge.ggml_families import GgmlFamily, ggml_families

MOST_TENSORS = 100_000
MOST_VOCABULARY = 400_000
MOST_NAME = 512
MOST_SIDE = 1 << 31
_MAGICS = {b"lmgg": "ggml", b"fmgg": "ggmf", b"tjgg": "ggjt", b"algg": "ggla", b"nsgg": "ggsn"}
_ALIGNED = frozenset({"ggjt", "ggla"})
_ALIGNMENT = 32
_ONE_FAMILY = frozenset({"ggmf", "ggjt", "ggla"})  # magics that nothing but llama.cpp and rwkv.cpp wrote
_FACTOR = 1000  # the file type carries the version of the blocks so many times over
# Bytes of a block whose scale was a float32 still (before ggjt 3 and version 2 of the blocks).
_OLD_BLOCKS = {"Q4_0": 20, "Q4_1": 24, "Q8_0": 36}


class _Start(Value, frozen=True, kw_only=True):
    """What the file begins with; `version` stands behind the magic of some."""

    magic: str
    version: int
    order: ByteOrder
    offset: int


class _Reading(Value, frozen=True, kw_only=True):
    """One family's reading of the numbers, as far as the first tensor."""

    family: str
    hparams: dict[str, int]
    tensors: int  # where they begin
    num_tokens: int


def matches(source: Source) -> bool:
    """One of the magics; as a word of big-endian files only before a number that no text begins with."""
    head = source.read(0, 8)
    if head[:4] in _MAGICS:
        return True
    return head[3::-1] in _MAGICS and head[:4] != b"ggsn" and len(head) == 8 and head[4] == 0


def read(source: Source) -> Header:
    """The numbers and tensors of a family that is known; of another what can be said. Raises FormatError."""
    start = _start(source)
    version = f"{start.magic} {start.version}" if start.version else start.magic
    order = "big" if start.order == "big" else None
    reading = _reading(source, start)
    if reading is None:
        cursor = Cursor(source, offset=start.offset, order=start.order)
        numbers = tuple(cursor.u32("hparams") for _ in range(min(16, cursor.left // 4)))
        return Header(format="ggml", version=version, byte_order=order, metadata={"numbers": numbers})
    problems: list[Problem] = []
    tensors = tuple(_tensors(source, start, reading, problems))
    metadata: dict[str, Meta] = {"family": reading.family, "hparams": reading.hparams}
    if reading.num_tokens:
        metadata["num_tokens"] = reading.num_tokens
    return Header(
        format="ggml",
        version=version,
        byte_order=order,
        metadata=metadata,
        tensors=tensors,
        problems=tuple(problems),
    )


def examine(source: Source, header: Header) -> Iterator[Observation]:
    """Bytes behind the last tensor."""
    for problem in header.problems:
        if problem.kind == "trailing":
            yield Observation(kind="gap", value="trailing", offset=problem.offset)


def _start(source: Source) -> _Start:
    head = source.read(0, 4)
    order: ByteOrder = "little" if head in _MAGICS else "big"
    magic = _MAGICS.get(head) or _MAGICS[head[::-1]]
    cursor = Cursor(source, offset=4, order=order)
    version = cursor.u32("version") if magic != "ggml" else 0
    return _Start(magic=magic, version=version, order=order, offset=cursor.offset)


def _reading(source: Source, start: _Start) -> _Reading | None:
    """The first family whose reading comes out; None where none does. Raises FormatError where there is but one."""
    why: FormatError | None = None
    for family in ggml_families():
        if start.magic not in family.magics or (family.version or 0) > start.version:
            continue
        try:
            if (reading := _by(family, source, start)) is not None:
                return reading
        except FormatError as error:
            why = error
    if why is not None and start.magic in _ONE_FAMILY:
        raise why
    return None


def _by(family: GgmlFamily, source: Source, start: _Start) -> _Reading | None:
    """What the numbers are if the file is of this family; None or a FormatError where that cannot be."""
    cursor = Cursor(source, offset=start.offset, order=start.order)
    if family.word is not None:
        word = cursor.text(cursor.count(cursor.u32("word"), at_least=1, what="word"), "word")
        if not word.startswith(family.word):
            return None
    hparams = {name: cursor.u32(name) for name in family.hparams}
    floats = set(family.floats)
    if any(value >= MOST_SIDE for name, value in hparams.items() if name not in floats):
        return None
    _repeated(cursor, family, hparams)
    if family.filters:
        cursor.skip(4 * cursor.u32("n_mel") * cursor.u32("n_fft"), "filters")
    if family.windowed is not None:
        cursor.skip(4 * cursor.u32("window"), "window")
        cursor.skip(4 * hparams[family.windowed], family.windowed)
    tokens = _vocabulary(cursor, family, start, hparams)
    reading = _Reading(family=family.id, hparams=hparams, tensors=cursor.offset, num_tokens=tokens)
    if cursor.left == 0:  # a vocabulary alone
        return reading if tokens else None
    return reading if family.filters or _is_tensor(cursor) else None


def _repeated(cursor: Cursor, family: GgmlFamily, hparams: dict[str, int]) -> None:
    """Numbers that stand once for each layer, and those behind them."""
    if family.repeated is None:
        return
    count = cursor.count(hparams[family.repeated], at_least=4, what=family.repeated)
    for name in family.each:
        cursor.skip(4 * count, name)
    for name in family.behind:
        hparams[name] = cursor.u32(name)


def _vocabulary(cursor: Cursor, family: GgmlFamily, start: _Start, hparams: dict[str, int]) -> int:
    """Goes past the tokens; how many they were."""
    if family.vocabulary == "none":
        return 0
    number = hparams["n_vocab"]
    if family.vocabulary == "counted":
        number = cursor.u32("n_vocab")
        if number != hparams["n_vocab"] and not family.filters:  # whisper's leaves its special tokens out
            raise Malformed("ggml.vocabulary", path=cursor.source.path, offset=cursor.offset, count=number)
    scored = family.vocabulary == "scored" or (family.vocabulary == "scored-if-versioned" and start.magic != "ggml")
    if number == 0 or number > MOST_VOCABULARY:
        raise Malformed("ggml.vocabulary", path=cursor.source.path, offset=cursor.offset, count=number)
    cursor.count(number, at_least=8 if scored else 4, what="n_vocab")
    if not scored:
        cursor.skip_strings(number, "token", width=4)
        return number
    for _ in range(number):
        cursor.skip(cursor.u32("token"), "token")
        cursor.skip(4, "score")
    return number


def _is_tensor(cursor: Cursor) -> bool:
    """Does a tensor's description stand here? Leaves the cursor anywhere."""
    dimensions, length, kind = cursor.u32("n_dims"), cursor.u32("name length"), cursor.u32("type")
    if not 0 <= dimensions <= 4 or not 1 <= length <= MOST_NAME or kind not in ggml_types():
        return False
    if not all(0 < cursor.u32("dimension") < MOST_SIDE for _ in range(dimensions)):
        return False
    return cursor.text(length, "name").isprintable()


def _tensors(source: Source, start: _Start, reading: _Reading, problems: list[Problem]) -> Iterator[TensorInfo]:
    """Each with its place; one that reaches past the end is the last."""
    cursor = Cursor(source, offset=reading.tensors, order=start.order)
    old = _has_old_blocks(start, reading)
    for _ in range(MOST_TENSORS):
        if cursor.left < 12:
            break
        dimensions, length, number = cursor.u32("n_dims"), cursor.u32("name length"), cursor.u32("type")
        kind = ggml_types().get(number)
        if not 0 <= dimensions <= 4 or length > MOST_NAME or kind is None:
            raise Malformed("ggml.tensor", path=source.path, offset=cursor.offset - 12)
        shape = tuple(reversed([cursor.u32("dimension") for _ in range(dimensions)]))
        name = cursor.text(length, "name")
        if start.magic in _ALIGNED:
            cursor.align(_ALIGNMENT, "padding")
        nbytes = _nbytes(kind, shape, old=old)
        yield TensorInfo(name=name, dtype=kind.id, shape=shape, nbytes=nbytes, offset=cursor.offset)
        if nbytes > cursor.left:
            detail = Saying("problem.truncated", missing=nbytes - cursor.left, size=source.size)
            problems.append(Problem(kind="truncated", detail=detail, offset=source.size))
            return
        cursor.skip(nbytes, name)
    if cursor.left:
        detail = Saying("problem.trailing", nbytes=cursor.left)
        problems.append(Problem(kind="trailing", detail=detail, offset=cursor.offset))


def _has_old_blocks(start: _Start, reading: _Reading) -> bool:
    if start.magic != "ggml":
        return start.magic in ("ggmf", "ggjt") and start.version < 3
    return reading.hparams.get("ftype", 0) // _FACTOR < 2


def _nbytes(kind: Dtype, shape: tuple[int, ...], *, old: bool) -> int:
    size = _OLD_BLOCKS.get(kind.id, kind.block_bytes) if old else kind.block_bytes
    return -(-math.prod(shape) // kind.block) * size


FORMAT = Format(name="ggml", suffixes=(".bin", ".ggml"), matches=matches, read=read, examine=examine)
