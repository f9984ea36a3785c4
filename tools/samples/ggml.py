"""GGML files before GGUF, by hand from llama.cpp's and whisper.cpp's converters: no wheel writes them any more.

`python -m tools.samples.ggml OUT`
"""

from __future__ import annotations

import math
import struct
from collections.abc import Sequence
from pathlib import Path

from tools.samples.oracles import main, note

# name, type number, shape, bytes of a block, elements of a block
Tensor = tuple[str, int, Sequence[int]]
TYPES = {0: ("F32", 1, 4), 1: ("F16", 1, 2), 2: ("Q4_0", 32, 18), 8: ("Q8_0", 32, 34)}
OLD = {2: 20, 8: 36}
LLAMA: list[Tensor] = [
    ("tok_embeddings.weight", 2, (5, 32)),
    ("norm.weight", 0, (32,)),
    ("layers.0.attention.wq.weight", 8, (32, 32)),
    ("layers.0.feed_forward.w1.weight", 1, (16, 32)),
]
WHISPER: list[Tensor] = [
    ("decoder.positional_embedding", 0, (8, 16)),
    ("encoder.conv1.weight", 1, (16, 4, 3)),
    ("encoder.conv1.bias", 0, (16, 1)),
]
TOKENS = [b"<unk>", b"<s>", b"</s>", b"a", b"\xe4\xbd\xa0"]


def write(folder: Path) -> None:
    llama = numbers(len(TOKENS), 32, 256, 4, 1, 8, 2)
    keep(folder / "llama-ggml.bin", b"lmgg" + llama + words(), LLAMA, "llama", "old")
    keep(folder / "llama-ggmf.bin", b"fmgg" + numbers(1) + llama + words(scored=True), LLAMA, "llama", "old")
    for version in (1, 3):
        head = b"tjgg" + numbers(version) + llama + words(scored=True)
        keep(folder / f"llama-ggjt-{version}.bin", head, LLAMA, "llama", "aligned old" if version < 3 else "aligned")
    audio = numbers(5, 16, 16, 2, 1, 8, 16, 2, 1, 4, 1) + numbers(4, 3) + bytes(4 * 4 * 3)
    keep(folder / "whisper.bin", b"lmgg" + audio + numbers(5) + words(), WHISPER, "whisper")
    keep(folder / "whisper-vocabulary.bin", b"lmgg" + audio + numbers(5) + words(), [], "whisper")
    swapped = struct.pack(">11i", 5, 16, 16, 2, 1, 8, 16, 2, 1, 4, 1) + struct.pack(">2i", 4, 3) + bytes(48)
    vocabulary = struct.pack(">i", 5) + b"".join(struct.pack(">i", len(word)) + word for word in TOKENS)
    keep(folder / "whisper-big-endian.bin", b"ggml" + swapped + vocabulary, WHISPER, "whisper", "big")
    gpt = numbers(5, 64, 32, 4, 1, 0) + numbers(5) + words()
    keep(folder / "gpt-2.bin", b"lmgg" + gpt, [("model/wte", 1, (5, 32)), ("model/ln_f/g", 0, (32,))], "gpt-2")
    lora: list[Tensor] = [
        ("layers.0.attention.wq.weight.loraA", 0, (4, 32)),
        ("layers.0.attention.wq.weight.loraB", 0, (32, 4)),
    ]
    keep(folder / "lora.bin", b"algg" + numbers(1, 4, 8), lora, "lora", "aligned")
    rwkv: list[Tensor] = [("emb.weight", 0, (5, 8)), ("blocks.0.ln1.weight", 0, (8,))]
    keep(folder / "rwkv.bin", b"fmgg" + numbers(101, 5, 8, 1, 0), rwkv, "rwkv")
    vad = numbers(10) + b"silero-16k" + numbers(5, 1, 2, 512, 64, 2, 129, 128, 3, 128, 64, 3, 128, 128, 128, 1)
    silero: list[Tensor] = [("_model.encoder.0.reparam_conv.bias", 0, (8,)), ("_model.decoder.decoder.2.bias", 0, ())]
    keep(folder / "silero.bin", b"lmgg" + vad, silero, "silero-vad")


def keep(path: Path, head: bytes, tensors: list[Tensor], family: str, how: str = "") -> None:
    """`how`: old blocks, aligned tensors, big-endian numbers."""
    data, order = head, ">" if "big" in how else "<"
    for name, kind, shape in tensors:
        _, block, size = TYPES[kind]
        dimensions = struct.pack(f"{order}{len(shape)}i", *reversed(shape))
        data += struct.pack(f"{order}3i", len(shape), len(name), kind) + dimensions + name.encode()
        data += bytes(-len(data) % 32) if "aligned" in how else b""
        data += bytes(math.prod(shape) // block * (OLD.get(kind, size) if "old" in how else size))
    path.write_bytes(data)
    note(path, "ggml", [(name, TYPES[kind][0], list(shape)) for name, kind, shape in tensors], family=family)


def numbers(*values: int) -> bytes:
    return struct.pack(f"<{len(values)}i", *values)


def words(*, scored: bool = False) -> bytes:
    score = struct.pack("<f", -1.0) if scored else b""
    return b"".join(numbers(len(word)) + word + score for word in TOKENS)


if __name__ == "__main__":
    main(write)
