"""The tokens of a vocabulary, from whichever of the files that hold one."""

from __future__ import annotations

import re
from collections.abc import Iterator

import msgspec

from weigh.codecs.gguf_tokenizer import MOST_HEAD, TOKENS
from weigh.codecs.protobuf import Wire
from weigh.codecs.shaped_json import decode_shape
from weigh.core.source import Source

MOST_BYTES = 64 << 20
MOST_TOKENS = 1 << 20

_ARRAY, _STRING = 9, 8  # value types of GGUF
_KEY = (
    len(TOKENS).to_bytes(8, "little") + TOKENS.encode() + _ARRAY.to_bytes(4, "little") + _STRING.to_bytes(4, "little")
)
_PIECE = re.compile(rb'\[\s*"((?:[^"\\]|\\.)*+)"\s*,')


class _Model(msgspec.Struct):
    vocab: msgspec.Raw = msgspec.Raw(b"null")


class _Tokenizer(msgspec.Struct):
    model: _Model


def gguf_tokens(source: Source) -> Iterator[str]:
    """The strings of tokenizer.ggml.tokens, as far as they lie in the head of the file."""
    head = source.read(0, min(source.size, MOST_HEAD))
    start = head.find(_KEY)
    if start < 0:
        return
    at = start + len(_KEY)
    number = min(int.from_bytes(head[at : at + 8], "little"), MOST_TOKENS)
    at += 8
    for _ in range(number):
        length = int.from_bytes(head[at : at + 8], "little")
        if at + 8 + length > len(head):
            return
        yield head[at + 8 : at + 8 + length].decode("utf-8", "replace")
        at += 8 + length


def json_tokens(source: Source) -> Iterator[str]:
    """Those of tokenizer.json: the keys of a table, or the first of each pair of a list. Raises FormatError."""
    if source.size > MOST_BYTES:
        return
    table = decode_shape(source.read(0, source.size), _Tokenizer, path=source.path)
    vocabulary = bytes(table.model.vocab) if table is not None else b""
    if vocabulary.startswith(b"[") and vocabulary.count(b"[") <= MOST_TOKENS:
        yield from (text for one in _PIECE.finditer(vocabulary) if (text := _unquoted(one[1])) is not None)
    elif vocabulary.startswith(b"{") and vocabulary.count(b":") <= MOST_TOKENS:
        yield from decode_shape(vocabulary, dict[str, int], path=source.path) or ()


def piece_tokens(source: Source) -> Iterator[str]:
    """Those of a SentencePiece model. Raises FormatError."""
    if source.size > MOST_BYTES:
        return
    wire = Wire(source)
    for span in wire.whole().spans(1)[:MOST_TOKENS]:
        yield wire.message(span).text(1) or ""


def line_tokens(source: Source) -> Iterator[str]:
    """Those of vocab.txt, one a line."""
    yield from source.read(0, min(source.size, MOST_BYTES)).decode("utf-8", "replace").splitlines()[:MOST_TOKENS]


def _unquoted(text: bytes) -> str | None:
    try:
        return msgspec.json.decode(b'"' + text + b'"', type=str)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return None
