"""Writes a few small model files with the standard library alone: `python tools/make_samples.py FOLDER`.

A Llama-shaped folder in safetensors, the same weights as pytorch_model.bin, a GGUF of mixed types, a file whose name
lies, a hostile pickle (inert: it would only print), and a few of the accidents that happen to downloads.
"""

from __future__ import annotations

import json
import random
import struct
import sys
import zipfile
from collections.abc import Iterable
from pathlib import Path

HIDDEN, HEADS, KV_HEADS, FFN, LAYERS = 64, 4, 2, 128, 2
WORDS = ["<unk>", "<s>", "</s>", *"abcdefghijklmnopqrstuvwxyz", "hello", "world", " "]
TEMPLATE = (
    "{% for message in messages %}<s>{{ message['role'] }}: {{ message['content'] }}</s>{% endfor %}"
    "{% if add_generation_prompt %}<s>assistant: {% endif %}"
)

# llama.cpp wants a token for each byte that no other token covers; the types are unknown, control, byte, normal.
PIECES = [*WORDS[:3], *(f"<0x{byte:02X}>" for byte in range(256)), *WORDS[3:-1], "\u2581"]
PIECE_TYPES = [2, 3, 3, *[6] * 256, *[1] * (len(WORDS) - 3)]

Tensor = tuple[str, tuple[int, ...], bytes]


def llama_tensors() -> list[Tensor]:
    """Every weight of the small Llama as float32."""
    chance = random.Random(7)
    shapes: list[tuple[str, tuple[int, ...]]] = [("model.embed_tokens.weight", (len(WORDS), HIDDEN))]
    for layer in range(LAYERS):
        stem = f"model.layers.{layer}"
        shapes += [
            (f"{stem}.input_layernorm.weight", (HIDDEN,)),
            (f"{stem}.mlp.down_proj.weight", (HIDDEN, FFN)),
            (f"{stem}.mlp.gate_proj.weight", (FFN, HIDDEN)),
            (f"{stem}.mlp.up_proj.weight", (FFN, HIDDEN)),
            (f"{stem}.post_attention_layernorm.weight", (HIDDEN,)),
            (f"{stem}.self_attn.k_proj.weight", (HIDDEN * KV_HEADS // HEADS, HIDDEN)),
            (f"{stem}.self_attn.o_proj.weight", (HIDDEN, HIDDEN)),
            (f"{stem}.self_attn.q_proj.weight", (HIDDEN, HIDDEN)),
            (f"{stem}.self_attn.v_proj.weight", (HIDDEN * KV_HEADS // HEADS, HIDDEN)),
        ]
    shapes += [("model.norm.weight", (HIDDEN,)), ("lm_head.weight", (len(WORDS), HIDDEN))]
    return [(name, shape, floats(chance, size(shape), flat=len(shape) == 1)) for name, shape in shapes]


def floats(chance: random.Random, count: int, *, flat: bool) -> bytes:
    values = [1.0] * count if flat else [chance.gauss(0, 0.05) for _ in range(count)]
    return struct.pack(f"<{count}f", *values)


def size(shape: Iterable[int]) -> int:
    product = 1
    for length in shape:
        product *= length
    return product


def safetensors(tensors: list[Tensor]) -> bytes:
    header: dict[str, object] = {"__metadata__": {"format": "pt"}}
    at = 0
    for name, shape, data in tensors:
        header[name] = {"dtype": "F32", "shape": list(shape), "data_offsets": [at, at + len(data)]}
        at += len(data)
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    return struct.pack("<Q", len(text)) + text + b"".join(data for _, _, data in tensors)


def torch_zip(path: Path, tensors: list[Tensor]) -> None:
    """What torch.save writes for a state_dict: opcodes by hand, no pickle module."""
    out = b"\x80\x02ccollections\nOrderedDict\n)R("
    for key, (name, shape, data) in enumerate(tensors):
        strides = [size(shape[axis + 1 :]) for axis in range(len(shape))]
        storage = (
            b"(" + text("storage") + b"ctorch\nFloatStorage\n" + text(str(key)) + text("cpu") + integer(len(data) // 4)
        )
        out += text(name) + b"ctorch._utils\n_rebuild_tensor_v2\n(" + storage + b"tQK\x00"
        out += integers(shape) + integers(strides) + b"\x89ccollections\nOrderedDict\n)RtR"
    out += b"u."
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        archive.writestr("archive/data.pkl", out)
        archive.writestr("archive/byteorder", "little")
        for key, (_, _, data) in enumerate(tensors):
            archive.writestr(f"archive/data/{key}", data)
        archive.writestr("archive/version", "3\n")


def text(word: str) -> bytes:
    return b"X" + struct.pack("<I", len(word.encode())) + word.encode()


def integer(value: int) -> bytes:
    return b"J" + struct.pack("<i", value)


def integers(values: Iterable[int]) -> bytes:
    return b"(" + b"".join(map(integer, values)) + b"t"


# GGUF

F32, F16, Q4_K, Q6_K = 0, 1, 12, 14
BLOCKS = {F32: 1, F16: 1, Q4_K: 256, Q6_K: 256}  # elements in one


def gguf(keys: list[tuple[str, object]], tensors: list[tuple[str, tuple[int, ...], int]]) -> bytes:
    """`tensors`: name, dimensions in the file's order, type; their bytes are blocks of chance with sound scales."""
    chance = random.Random(11)
    blocks = {kind: [block(chance, kind) for _ in range(256)] for kind in BLOCKS}
    head = b"GGUF" + struct.pack("<IQQ", 3, len(tensors), len(keys))
    head += b"".join(string(key) + value(item) for key, item in keys)
    data = b""
    for name, dimensions, kind in tensors:
        head += string(name) + struct.pack("<I", len(dimensions)) + struct.pack(f"<{len(dimensions)}Q", *dimensions)
        head += struct.pack("<IQ", kind, len(data))
        data += b"".join(chance.choices(blocks[kind], k=size(dimensions) // BLOCKS[kind]))
        data += bytes(-len(data) % 32)
    return head + bytes(-len(head) % 32) + data


def block(chance: random.Random, kind: int) -> bytes:
    """One block: any quants do, but a half-precision scale of random bits may be infinite or no number."""
    if kind == F32:
        return struct.pack("<f", 1.0)
    if kind == F16:
        return struct.pack("<e", chance.gauss(0, 0.05))
    if kind == Q4_K:
        return struct.pack("<ee", 0.0005, 0.004) + chance.randbytes(12 + 128)
    return chance.randbytes(128 + 64 + 16) + struct.pack("<e", 0.00002)


def string(word: str) -> bytes:
    return struct.pack("<Q", len(word.encode())) + word.encode()


def value(item: object) -> bytes:
    match item:
        case str(word):
            return struct.pack("<I", 8) + string(word)
        case int(number):
            return struct.pack("<II", 4, number)
        case float(number):
            return struct.pack("<If", 6, number)
        case [str(), *_]:
            assert isinstance(item, list)
            return struct.pack("<IIQ", 9, 8, len(item)) + b"".join(map(string, item))
        case [int(), *_]:
            assert isinstance(item, list)
            return struct.pack(f"<IIQ{len(item)}i", 9, 5, len(item), *item)
    raise TypeError(item)


def llama_keys(name: str, file_type: int) -> list[tuple[str, object]]:
    return [
        ("general.architecture", "llama"),
        ("general.name", name),
        ("general.file_type", file_type),
        ("llama.block_count", 1),
        ("llama.context_length", 2048),
        ("llama.embedding_length", 256),
        ("llama.feed_forward_length", 512),
        ("llama.attention.head_count", 4),
        ("llama.attention.head_count_kv", 2),
        ("llama.attention.layer_norm_rms_epsilon", 1e-5),
        ("tokenizer.ggml.model", "llama"),
        ("tokenizer.ggml.tokens", PIECES),
        ("tokenizer.ggml.token_type", PIECE_TYPES),
        ("tokenizer.chat_template", TEMPLATE),
    ]


def llama_blocks(main: int, better: int) -> list[tuple[str, tuple[int, ...], int]]:
    stem = "blk.0."
    return [
        ("token_embd.weight", (256, len(PIECES)), main),
        (f"{stem}attn_norm.weight", (256,), F32),
        (f"{stem}attn_q.weight", (256, 256), main),
        (f"{stem}attn_k.weight", (256, 128), main),
        (f"{stem}attn_v.weight", (256, 128), better),
        (f"{stem}attn_output.weight", (256, 256), main),
        (f"{stem}ffn_norm.weight", (256,), F32),
        (f"{stem}ffn_gate.weight", (256, 512), main),
        (f"{stem}ffn_up.weight", (256, 512), main),
        (f"{stem}ffn_down.weight", (512, 256), better),
        ("output_norm.weight", (256,), F32),
    ]


def write_folder(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "model.safetensors").write_bytes(safetensors(llama_tensors()))
    config = {
        "architectures": ["LlamaForCausalLM"],
        "model_type": "llama",
        "hidden_size": HIDDEN,
        "intermediate_size": FFN,
        "num_hidden_layers": LAYERS,
        "num_attention_heads": HEADS,
        "num_key_value_heads": KV_HEADS,
        "vocab_size": len(WORDS),
        "max_position_embeddings": 512,
        "rms_norm_eps": 1e-5,
        "tie_word_embeddings": False,
        "dtype": "float32",
    }
    vocabulary = {word: number for number, word in enumerate(WORDS)}
    tokenizer = {
        "version": "1.0",
        "added_tokens": [],
        "pre_tokenizer": {"type": "Whitespace"},
        "model": {"type": "WordLevel", "vocab": vocabulary, "unk_token": "<unk>"},
    }
    tables = {
        "config.json": config,
        "tokenizer.json": tokenizer,
        "tokenizer_config.json": {"tokenizer_class": "PreTrainedTokenizerFast", "chat_template": TEMPLATE},
    }
    for name, table in tables.items():
        (folder / name).write_text(json.dumps(table, indent=2) + "\n")


def write(root: Path) -> None:
    """Everything, below `root`."""
    write_folder(root / "tiny-llama-chat")
    torch_zip(root / "pytorch_model.bin", llama_tensors())
    (root / "tiny-llama-Q4_K_M.gguf").write_bytes(gguf(llama_keys("tiny llama", 15), llama_blocks(Q4_K, Q6_K)))
    (root / "Nova-7B-Instruct-Q8_0.gguf").write_bytes(gguf(llama_keys("nova", 7), llama_blocks(F16, F16)))
    hostile = b"\x80\x02cposix\nsystem\n" + text("echo this would have run") + b"\x85R."
    (root / "hostile.bin").write_bytes(hostile)
    (root / "error-page.gguf").write_text(
        "<!DOCTYPE html><html><head><title>401</title></head><body>Log in</body></html>"
    )
    pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:" + "4d" * 32 + "\nsize 4920733696\n"
    (root / "pointer.safetensors").write_text(pointer)
    whole = safetensors(llama_tensors())
    (root / "cut-short.safetensors").write_bytes(whole[: len(whole) // 2])


if __name__ == "__main__":
    write(Path(sys.argv[1] if len(sys.argv) > 1 else "try"))
