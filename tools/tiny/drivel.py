"""A language model of 160 million random parameters as a GGUF file: it speaks drivel, at the pace of its size."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import gguf
    import numpy

HIDDEN, LAYERS, HEADS, FEED_FORWARD, CONTEXT = 768, 16, 12, 3072, 8192
SPECIAL = ("<|endoftext|>", "<|im_start|>", "<|im_end|>")
WORDS = 8_000
TEMPLATE = (
    "{% for message in messages %}<|im_start|>{{ message['role'] }}\n{{ message['content'] }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)


def write(path: Path) -> int:
    """In F16; returns the number of its parameters."""
    import gguf

    tokens = [*SPECIAL, *_letters(), *(f"w{number}x" for number in range(WORDS))]
    writer = gguf.GGUFWriter(path, "qwen2")
    _shape(writer)
    _vocabulary(writer, tokens)
    count = 0
    for name, weights in _tensors(len(tokens)):
        count += weights.size
        writer.add_tensor(name, weights)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return count


def _shape(writer: gguf.GGUFWriter) -> None:
    import gguf

    writer.add_block_count(LAYERS)
    writer.add_context_length(CONTEXT)
    writer.add_embedding_length(HIDDEN)
    writer.add_feed_forward_length(FEED_FORWARD)
    writer.add_head_count(HEADS)
    writer.add_head_count_kv(HEADS)
    writer.add_rope_freq_base(10000.0)
    writer.add_layer_norm_rms_eps(1e-6)
    writer.add_file_type(gguf.LlamaFileType.MOSTLY_F16)


def _vocabulary(writer: gguf.GGUFWriter, tokens: list[str]) -> None:
    import gguf

    control, normal = gguf.TokenType.CONTROL, gguf.TokenType.NORMAL
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("qwen2")
    writer.add_token_list(tokens)
    writer.add_token_types([control if token in SPECIAL else normal for token in tokens])
    writer.add_token_merges(["Ġ a"])
    writer.add_eos_token_id(2)
    writer.add_pad_token_id(0)
    writer.add_chat_template(TEMPLATE)


def _letters() -> list[str]:
    """Of byte-level BPE: printable bytes stand for themselves, the rest for letters from 256 on."""
    printable = [*range(33, 127), *range(161, 173), *range(174, 256)]
    rest = [byte for byte in range(256) if byte not in printable]
    return [chr(byte) for byte in printable] + [chr(256 + at) for at in range(len(rest))]


def _tensors(vocabulary: int) -> Iterator[tuple[str, numpy.ndarray]]:
    """What is no word has no chance: its row of the output is nought, so that the model never ends by itself."""
    import numpy

    random = numpy.random.default_rng(0)

    def drawn(*shape: int) -> numpy.ndarray:
        return (random.standard_normal(shape, dtype="float32") * 0.05).astype("float16")

    yield "token_embd.weight", drawn(vocabulary, HIDDEN)
    for layer in range(LAYERS):
        stem = f"blk.{layer}"
        for name in ("attn_norm", "ffn_norm"):
            yield f"{stem}.{name}.weight", numpy.ones(HIDDEN, "float32")
        for name in ("attn_q", "attn_k", "attn_v"):
            yield f"{stem}.{name}.weight", drawn(HIDDEN, HIDDEN)
            yield f"{stem}.{name}.bias", numpy.zeros(HIDDEN, "float32")
        yield f"{stem}.attn_output.weight", drawn(HIDDEN, HIDDEN)
        yield f"{stem}.ffn_gate.weight", drawn(FEED_FORWARD, HIDDEN)
        yield f"{stem}.ffn_up.weight", drawn(FEED_FORWARD, HIDDEN)
        yield f"{stem}.ffn_down.weight", drawn(HIDDEN, FEED_FORWARD)
    yield "output_norm.weight", numpy.ones(HIDDEN, "float32")
    output = drawn(vocabulary, HIDDEN)
    output[: vocabulary - WORDS] = 0
    yield "output.weight", output
