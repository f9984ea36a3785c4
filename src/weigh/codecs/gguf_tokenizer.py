"""The tokenizer that a GGUF brings: what makes its loaders read past an array or take a token for a byte."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from weigh.core.errors import Malformed
from weigh.core.header import LongArray, Meta, Problem
from weigh.core.saying import Saying
from weigh.core.source import Source

MOST_HEAD = 64 << 20
TOKENS = "tokenizer.ggml.tokens"

# As llama.cpp reads them: element type, and whether there must be one for each token.
_BESIDE = {
    "tokenizer.ggml.scores": ("float32",),
    "tokenizer.ggml.token_type": ("int32", "uint32"),
}
_BYTE = re.compile(rb"<0x(?![0-9A-Fa-f]{2}>)[^>\x00]{0,8}>")


def tokenizer_problems(metadata: Mapping[str, Meta]) -> Iterator[Problem]:
    """Tokens that are no strings; arrays beside them of another type or length."""
    tokens = metadata.get(TOKENS)
    count, kind = _measure(tokens)
    if count is None:
        return
    if kind != "string":
        detail = Saying("problem.gguf.array_type", key=TOKENS, type=kind or "-", wanted="string")
        yield Problem(kind="malformed", detail=detail)
        return
    for key, wanted in _BESIDE.items():
        number, kind = _measure(metadata.get(key))
        if number is None:
            continue
        if number != count:
            yield Problem(kind="malformed", detail=Saying("problem.gguf.lengths", key=key, count=number, tokens=count))
        if kind is None and "float32" in wanted:
            kind = "integer"
        if kind is not None and kind not in wanted:
            detail = Saying("problem.gguf.array_type", key=key, type=kind, wanted=wanted[0])
            yield Problem(kind="malformed", detail=detail)


def check_byte_tokens(source: Source, metadata: Mapping[str, Meta], end: int) -> None:
    """Raises Malformed for a token that looks like a byte's and is none: loaders take its digits unchecked."""
    if TOKENS not in metadata:
        return
    head = source.read(0, min(end, MOST_HEAD))
    for found in _BYTE.finditer(head):
        at, length = found.start(), len(found[0])
        if at >= 8 and int.from_bytes(head[at - 8 : at], "little") == length:
            token = found[0].decode("utf-8", "backslashreplace")
            raise Malformed("gguf.byte_token", path=source.path, offset=at, token=token)


def _measure(value: Meta) -> tuple[int | None, str | None]:
    """How many elements, and of which type where that is known."""
    match value:
        case LongArray(type=kind, count=count):
            return count, kind
        case tuple() if value:
            first = value[0]
            if isinstance(first, float):
                return len(value), "float32"
            return len(value), "string" if isinstance(first, str) else None
    return None, None
