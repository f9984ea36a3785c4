"""GGUF files whose keys, tokenizer or spare bytes are amiss."""

from __future__ import annotations

import struct

from tests.cases.safety import Case
from tests.cases.safety.archives import EVIL, torch_zip

U8, I8, U32, I32, F32, STRING, ARRAY = 0, 1, 4, 5, 6, 8, 9
_CODES = {U8: "B", I8: "b", U32: "I", I32: "i", F32: "f"}


def string(value: str) -> bytes:
    raw = value.encode()
    return struct.pack("<Q", len(raw)) + raw


def scalar(kind: int, value: object) -> bytes:
    return string(str(value)) if kind == STRING else struct.pack("<" + _CODES[kind], value)


def key(name: str, kind: int, value: object) -> bytes:
    """One key; a list is an array of `kind`."""
    if isinstance(value, list):
        body = struct.pack("<IIQ", ARRAY, kind, len(value)) + b"".join(scalar(kind, one) for one in value)
    else:
        body = struct.pack("<I", kind) + scalar(kind, value)
    return string(name) + body


TOKENS = ["<unk>", "<s>", "</s>", *(f"<0x{byte:02X}>" for byte in range(256)), "hello"]
TYPES = [2, 3, 3, *[6] * 256, 1]


def tokenizer(
    tokens: list[str] = TOKENS, *, types: list[int] | None = None, scores: int | None = None, kind: int = I32
) -> list[bytes]:
    """The keys of a tokenizer."""
    types = [*TYPES, *[1] * len(tokens)][: len(tokens)] if types is None else types
    return [
        key("tokenizer.ggml.model", STRING, "llama"),
        key("tokenizer.ggml.tokens", STRING, tokens),
        key("tokenizer.ggml.scores", F32, [0.0] * (len(tokens) if scores is None else scores)),
        key("tokenizer.ggml.token_type", kind, types),
    ]


def gguf(
    *keys: bytes,
    tensors: tuple[tuple[str, int], ...] = (("w", 0),),
    data: bytes = bytes(32),
    version: int = 3,
    kind: int = 0,
) -> bytes:
    """Tensors of eight float32 each, at the given offsets."""
    keys = (key("general.architecture", STRING, "llama"), *keys)
    head = b"GGUF" + struct.pack("<IQQ", version, len(tensors), len(keys)) + b"".join(keys)
    for name, offset in tensors:
        head += string(name) + struct.pack("<IQIQ", 1, 8, kind, offset)
    return head + bytes(-len(head) % 32) + data


def templated(template: str, name: str = "tokenizer.chat_template") -> bytes:
    return gguf(*tokenizer(), key(name, STRING, template))


def _case(title: str, verdict: str, data: bytes) -> Case:
    return Case(f"gguf {title}", verdict, lambda: {"model.gguf": data})


CASES = (
    _case("plain", "clean", gguf(*tokenizer())),
    _case("without a tokenizer", "clean", gguf()),
    _case("byte token below zero", "broken|suspicious|malicious", gguf(*tokenizer([*TOKENS[:4], "<0x-1>", *TOKENS[5:]]))),
    _case("byte token beyond a byte", "broken|suspicious|malicious", gguf(*tokenizer([*TOKENS[:4], "<0x1FF>", *TOKENS[5:]]))),
    _case("byte token that is no number", "broken|suspicious|malicious", gguf(*tokenizer([*TOKENS[:4], "<0xZZ>", *TOKENS[5:]]))),
    _case("narrow token types", "broken|suspicious|malicious", gguf(*tokenizer(kind=I8))),
    _case("fewer types than tokens", "broken|suspicious|malicious", gguf(*tokenizer(types=[1, 1]))),
    _case("fewer scores than tokens", "broken|suspicious|malicious", gguf(*tokenizer(scores=2))),
    _case("tokens that are numbers", "broken|suspicious|malicious", gguf(key("tokenizer.ggml.model", STRING, "llama"), key("tokenizer.ggml.tokens", I32, [1, 2, 3]))),
    _case("key twice", "broken", gguf(key("a", U32, 1), key("a", U32, 2))),
    _case("tensor twice", "broken", gguf(tensors=(("w", 0), ("w", 32)), data=bytes(64))),
    _case("tensors upon each other", "broken", gguf(tensors=(("w", 0), ("v", 0)))),
    _case("tensor outside", "broken", gguf(tensors=(("w", 1 << 40),))),
    _case("unknown type", "broken", gguf(kind=250)),
    _case("version 77", "broken", gguf(version=77)),
    _case("alignment of zero", "broken", gguf(key("general.alignment", U32, 0))),
    _case("alignment of three", "broken", gguf(key("general.alignment", U32, 3))),
    _case("alignment of two gigabytes", "broken", gguf(key("general.alignment", U32, 1 << 31))),
    _case("string of an exabyte", "broken|incomplete", gguf(string("a") + struct.pack("<IQ", STRING, 1 << 60))),
    _case("cut short", "broken", gguf()[:-9]),
    _case("pickle behind it", "malicious|suspicious", gguf() + EVIL),
    _case("zip behind it", "malicious|suspicious", gguf() + torch_zip(EVIL)),
    _case("executable behind it", "malicious|suspicious", gguf() + b"\x7fELF\x02\x01\x01" + bytes(100)),
    _case("pickle between tensors", "malicious|suspicious", gguf(tensors=(("w", 0), ("v", 32 + 96)), data=bytes(32) + EVIL + bytes(96 - len(EVIL) + 32))),
)  # fmt: skip
