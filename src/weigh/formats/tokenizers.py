"""Tokenizers' own files: tokenizer.json, and the lines of tiktoken."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterator

import msgspec

from weigh.codecs.shaped_json import decode_shape
from weigh.codecs.text_observations import observe_vocabulary
from weigh.core.errors import Malformed, OverBudget
from weigh.core.format import Format
from weigh.core.header import Header, Meta
from weigh.core.observation import Observation
from weigh.core.source import Source

HEAD = 1 << 12
MOST_BYTES = 64 << 20
FEWEST_LINES = 16  # of tiktoken's, unless the file is shorter

_JSON = re.compile(rb'\s*\{\s*"version"\s*:\s*"[^"]*"\s*,\s*"truncation"\s*:')
_ADDED = re.compile(rb'"added_tokens"\s*:\s*\[|"normalizer"\s*:|"pre_tokenizer"\s*:|"model"\s*:\s*\{')
# Whisper's vocabulary ends in an empty token, written `=`.
_LINES = re.compile(rb"(?>(?:[A-Za-z0-9+/]++={0,2}|=) [0-9]{1,9}\r?\n)*+")
_KEY = re.compile(rb'"(?:[^"\\]|\\.)*+"\s*+:')  # of a flat table
_PIECE = re.compile(rb'"(?:[^"\\]|\\.)*+"|[\[{]')
_LINE = re.compile(rb"([A-Za-z0-9+/]+={0,2}) (\d{1,9})\r?")


_NOTHING = msgspec.Raw(b"")


class _Model(msgspec.Struct):
    type: str | None = None
    vocab: msgspec.Raw = _NOTHING
    merges: msgspec.Raw = _NOTHING


class _Tokenizer(msgspec.Struct):
    model: _Model
    version: str | None = None
    added_tokens: msgspec.Raw = _NOTHING


def matches_json(source: Source) -> bool:
    """The keys that the tokenizers library writes first."""
    head = source.read(0, HEAD)
    return _JSON.match(head) is not None and _ADDED.search(head) is not None


def read_json(source: Source) -> Header:
    """The kind of model, its vocabulary counted, its version. Raises FormatError."""
    if source.size > MOST_BYTES:
        raise OverBudget("too_long", path=source.path, what="JSON", length=source.size, most=MOST_BYTES)
    found = decode_shape(source.read(0, source.size), _Tokenizer, path=source.path)
    if found is None:
        raise Malformed("tokenizer.model", path=source.path, offset=0)
    metadata: dict[str, Meta] = {}
    if found.model.type is not None:
        metadata["model"] = found.model.type
    for key, items in (
        ("vocab_size", found.model.vocab),
        ("num_merges", found.model.merges),
        ("num_added_tokens", found.added_tokens),
    ):
        if (count := _count(bytes(items))) is not None:
            metadata[key] = count
    return Header(format="tokenizer-json", version=found.version, metadata=metadata)


def matches_tiktoken(source: Source) -> bool:
    """Lines of base64 and a rank that counts up."""
    lines = source.read(0, HEAD).split(b"\n")
    whole = lines[:-1] if source.size > HEAD or lines[-1] == b"" else lines
    found = [_LINE.fullmatch(line) for line in whole[:FEWEST_LINES]]
    if len(found) < min(FEWEST_LINES, 3) or (len(found) < FEWEST_LINES and source.size > HEAD):
        return False
    ranks = [int(match[2]) for match in found if match is not None]
    return (
        len(ranks) == len(found)
        and ranks == list(range(ranks[0], ranks[0] + len(ranks)))
        and all(_is_base64(match[1]) for match in found if match is not None)
    )


def read_tiktoken(source: Source) -> Header:
    """How many tokens, up to which rank. Raises FormatError."""
    if source.size > MOST_BYTES:
        raise OverBudget("too_long", path=source.path, what="tiktoken", length=source.size, most=MOST_BYTES)
    data = source.read(0, source.size).rstrip() + b"\n"
    lines = _LINES.match(data)
    if lines is None or lines.end() < len(data):
        raise Malformed("tokenizer.line", path=source.path, offset=lines and lines.end())
    last = data[data.rfind(b" ") + 1 :]
    return Header(format="tiktoken", metadata={"vocab_size": data.count(b" "), "max_rank": int(last)})


def examine(source: Source, header: Header) -> Iterator[Observation]:
    """A vocabulary does nothing; settings that look like one may."""
    yield from observe_vocabulary(source)


def _count(items: bytes) -> int | None:
    """Entries of a flat table, of a list of strings, or of a list of lists or tables; None for anything else."""
    if items[:1] == b"{":
        return sum(1 for _ in _KEY.finditer(items))
    if items[:1] != b"[":
        return None
    strings = nests = 0
    for piece in _PIECE.finditer(items):
        if piece[0][:1] == b'"':
            strings += 1
        else:
            nests += 1
    return nests - 1 if nests > 1 else strings


def _is_base64(text: bytes) -> bool:
    try:
        return base64.b64decode(text, validate=True) != b""
    except (binascii.Error, ValueError):
        return False


FORMAT = Format(
    name="tokenizer-json",
    suffixes=(".json",),
    matches=matches_json,
    read=read_json,
    examine=examine,
    is_model=False,
)
TIKTOKEN = Format(
    name="tiktoken",
    suffixes=(".tiktoken", ".model"),
    matches=matches_tiktoken,
    read=read_tiktoken,
    examine=examine,
    is_model=False,
)
