"""Header-only GGUF files of many architectures, written with the gguf library: all tensors named, none stored."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import gguf
import numpy as np

D, F, H, K, HD, V, L = 2048, 5632, 16, 4, 128, 32000, 4
E, USED, FE = 16, 4, 768
Tensors = Iterator[tuple[str, tuple[int, ...]]]

COMMON: dict[str, Any] = {
    "block_count": L, "context_length": 65536, "embedding_length": D, "feed_forward_length": F,
    "attention.head_count": H, "attention.head_count_kv": K, "attention.key_length": HD, "attention.value_length": HD,
    "attention.layer_norm_rms_epsilon": 1e-5, "attention.layer_norm_epsilon": 1e-5, "rope.dimension_count": HD,
}  # fmt: skip
MOE = {"expert_count": E, "expert_used_count": USED, "expert_feed_forward_length": FE}
MLA = {
    "attention.head_count_kv": 1, "attention.q_lora_rank": 768, "attention.kv_lora_rank": 512,
    "attention.key_length": 576, "attention.value_length": 512, "attention.key_length_mla": 192,
    "attention.value_length_mla": 128, "rope.dimension_count": 64, "expert_shared_count": 1,
    "leading_dense_block_count": 1, "expert_weights_scale": 2.5, "expert_gating_func": 2, "expert_weights_norm": True,
}  # fmt: skip
DELTA = {
    "ssm.conv_kernel": 4, "ssm.state_size": 128, "ssm.group_count": 16, "ssm.time_step_rank": 32, "ssm.inner_size": 4096,
    "attention.key_length": 256, "attention.value_length": 256, "rope.dimension_count": 64, "full_attention_interval": 4,
}  # fmt: skip


def ends(*, tied: bool = False, norm_bias: bool = False, output_bias: bool = False) -> Tensors:
    yield "token_embd.weight", (V, D)
    yield "output_norm.weight", (D,)
    if norm_bias:
        yield "output_norm.bias", (D,)
    if not tied:
        yield "output.weight", (V, D)
    if output_bias:
        yield "output.bias", (V,)


def attention(p: str, *, heads: int = H, kv: int = K, hd: int = HD, norms: int = 0, bias: bool = False) -> Tensors:
    yield p + "attn_norm.weight", (D,)
    for name, width in (("q", heads * hd), ("k", kv * hd), ("v", kv * hd)):
        yield p + f"attn_{name}.weight", (width, D)
        if bias:
            yield p + f"attn_{name}.bias", (width,)
    if norms:
        yield p + "attn_q_norm.weight", (norms if norms in (HD, hd) else heads * hd,)
        yield p + "attn_k_norm.weight", (norms if norms in (HD, hd) else kv * hd,)
    yield p + "attn_output.weight", (D, heads * hd)


def dense(p: str, ffn: int = F) -> Tensors:
    yield p + "ffn_norm.weight", (D,)
    yield p + "ffn_gate.weight", (ffn, D)
    yield p + "ffn_up.weight", (ffn, D)
    yield p + "ffn_down.weight", (D, ffn)


def experts(p: str, *, shared: int = 0, fe: int = FE, norm: str = "ffn_norm") -> Tensors:
    yield p + f"{norm}.weight", (D,)
    yield p + "ffn_gate_inp.weight", (E, D)
    yield p + "ffn_gate_exps.weight", (E, fe, D)
    yield p + "ffn_up_exps.weight", (E, fe, D)
    yield p + "ffn_down_exps.weight", (E, D, fe)
    if shared:
        yield p + "ffn_gate_shexp.weight", (shared, D)
        yield p + "ffn_up_shexp.weight", (shared, D)
        yield p + "ffn_down_shexp.weight", (D, shared)


def post_norms(p: str) -> Tensors:
    yield p + "post_attention_norm.weight", (D,)
    yield p + "post_ffw_norm.weight", (D,)


def latent(p: str) -> Tensors:
    yield p + "attn_norm.weight", (D,)
    yield p + "attn_q_a.weight", (768, D)
    yield p + "attn_q_a_norm.weight", (768,)
    yield p + "attn_q_b.weight", (H * 192, 768)
    yield p + "attn_kv_a_mqa.weight", (576, D)
    yield p + "attn_kv_a_norm.weight", (512,)
    yield p + "attn_k_b.weight", (H, 512, 128)
    yield p + "attn_v_b.weight", (H, 128, 512)
    yield p + "attn_output.weight", (D, H * 128)


def ssm(p: str, *, inner: int = 4096, heads: int = 64, groups: int = 1, state: int = 128) -> Tensors:
    yield p + "ssm_in.weight", (2 * inner + 2 * groups * state + heads, D)
    yield p + "ssm_conv1d.weight", (inner + 2 * groups * state, 4)
    yield p + "ssm_conv1d.bias", (inner + 2 * groups * state,)
    yield p + "ssm_dt.bias", (heads,)
    yield p + "ssm_a", (heads, 1)
    yield p + "ssm_d", (heads, 1)
    yield p + "ssm_norm.weight", (groups, inner // groups)
    yield p + "ssm_out.weight", (D, inner)


def delta(p: str) -> Tensors:
    yield p + "attn_norm.weight", (D,)
    yield p + "attn_qkv.weight", (2 * 2048 + 4096, D)
    yield p + "attn_gate.weight", (4096, D)
    yield p + "ssm_conv1d.weight", (8192, 4)
    yield p + "ssm_dt.bias", (32,)
    yield p + "ssm_a", (32,)
    yield p + "ssm_norm.weight", (128,)
    yield p + "ssm_out.weight", (D, 4096)


def hybrid(number: int, p: str) -> Tensors:
    if number % 4 == 3:
        yield p + "attn_norm.weight", (D,)
        yield p + "attn_q.weight", (2 * H * 256, D)
        yield p + "attn_k.weight", (K * 256, D)
        yield p + "attn_v.weight", (K * 256, D)
        yield p + "attn_q_norm.weight", (256,)
        yield p + "attn_k_norm.weight", (256,)
        yield p + "attn_output.weight", (D, H * 256)
    else:
        yield from delta(p)
    yield p + "post_attention_norm.weight", (D,)


def without_norm(tensors: Tensors, name: str) -> Tensors:
    return ((one, shape) for one, shape in tensors if name not in one)


def layers(*parts: Callable[[int, str], Tensors]) -> Tensors:
    for number in range(L):
        for part in parts:
            yield from part(number, f"blk.{number}.")


def _gpt_oss(number: int, p: str) -> Tensors:
    yield from attention(p, bias=True)
    yield p + "attn_output.bias", (D,)
    yield p + "attn_sinks.weight", (H,)
    yield from experts(p, norm="post_attention_norm")
    yield p + "ffn_gate_inp.bias", (E,)
    yield p + "ffn_gate_exps.bias", (E, FE)
    yield p + "ffn_up_exps.bias", (E, FE)
    yield p + "ffn_down_exps.bias", (E, D)


def _phi3(number: int, p: str) -> Tensors:
    yield p + "attn_norm.weight", (D,)
    yield p + "attn_qkv.weight", ((H + 2 * K) * HD, D)
    yield p + "attn_output.weight", (D, H * HD)
    yield p + "ffn_norm.weight", (D,)
    yield p + "ffn_up.weight", (2 * F, D)
    yield p + "ffn_down.weight", (D, F)


def _starcoder2(number: int, p: str) -> Tensors:
    yield from attention(p, bias=True)
    yield p + "attn_norm.bias", (D,)
    yield p + "attn_output.bias", (D,)
    yield p + "ffn_norm.weight", (D,)
    yield p + "ffn_norm.bias", (D,)
    yield p + "ffn_up.weight", (F, D)
    yield p + "ffn_up.bias", (F,)
    yield p + "ffn_down.weight", (D, F)
    yield p + "ffn_down.bias", (D,)


def _glm4moe(number: int, p: str) -> Tensors:
    yield from attention(p, bias=True)
    yield p + "post_attention_norm.weight", (D,)
    if number == 0:
        yield from without_norm(dense(p), "ffn_norm")
        return
    yield from without_norm(experts(p, shared=FE), "ffn_norm")
    yield p + "exp_probs_b.bias", (E,)


WINDOW = {"attention.sliding_window": 1024}
# What each is called here, the architecture it is, keys that differ, tensors outside the layers and in each.
HEADS: dict[str, tuple[str, dict[str, Any], Callable[[], Tensors], tuple[Callable[[int, str], Tensors], ...]]] = {
    "llama": ("llama", {}, ends, (lambda n, p: attention(p), lambda n, p: dense(p))),
    "mixtral": (
        "llama",
        {"expert_count": E, "expert_used_count": 2, "feed_forward_length": 3584},
        ends,
        (lambda n, p: attention(p), lambda n, p: experts(p, fe=3584)),
    ),
    "granite": (
        "granite",
        {"logit_scale": 8.0, "residual_scale": 0.2, "embedding_scale": 12.0, "attention.scale": 0.0078},
        ends,
        (lambda n, p: attention(p), lambda n, p: dense(p)),
    ),
    "qwen2": ("qwen2", {}, ends, (lambda n, p: attention(p, bias=True), lambda n, p: dense(p))),
    "qwen3": ("qwen3", {}, ends, (lambda n, p: attention(p, norms=HD), lambda n, p: dense(p))),
    "qwen3moe": ("qwen3moe", MOE, ends, (lambda n, p: attention(p, norms=HD), lambda n, p: experts(p))),
    "gemma2": (
        "gemma2",
        WINDOW,
        lambda: ends(tied=True),
        (lambda n, p: attention(p), lambda n, p: dense(p), lambda n, p: post_norms(p)),
    ),
    "gemma3": (
        "gemma3",
        WINDOW,
        lambda: ends(tied=True),
        (lambda n, p: attention(p, norms=HD), lambda n, p: dense(p), lambda n, p: post_norms(p)),
    ),
    "phi3": ("phi3", {}, ends, (_phi3,)),
    "deepseek2": (
        "deepseek2",
        MOE | MLA,
        ends,
        (lambda n, p: latent(p), lambda n, p: dense(p) if n == 0 else experts(p, shared=FE)),
    ),
    "glm4moe": (
        "glm4moe",
        MOE | {"leading_dense_block_count": 1, "expert_shared_count": 1, "expert_weights_norm": True},
        ends,
        (_glm4moe,),
    ),
    "gpt-oss": ("gpt-oss", MOE | {"attention.sliding_window": 128}, ends, (_gpt_oss,)),
    "command-r": (
        "command-r",
        {"logit_scale": 0.06},
        lambda: ends(tied=True),
        (lambda n, p: attention(p), lambda n, p: without_norm(dense(p), "ffn_norm")),
    ),
    "cohere2": (
        "cohere2",
        WINDOW | {"logit_scale": 0.06},
        lambda: ends(tied=True),
        (lambda n, p: attention(p), lambda n, p: without_norm(dense(p), "ffn_norm")),
    ),
    "olmo2": (
        "olmo2",
        {},
        ends,
        (
            lambda n, p: without_norm(attention(p, norms=1), "attn_norm"),
            lambda n, p: without_norm(dense(p), "ffn_norm"),
            lambda n, p: post_norms(p),
        ),
    ),
    "starcoder2": ("starcoder2", {}, lambda: ends(norm_bias=True), (_starcoder2,)),
    "internlm2": ("internlm2", {}, ends, (lambda n, p: attention(p), lambda n, p: dense(p))),
    "qwen3next": (
        "qwen3next",
        MOE | DELTA | {"expert_shared_feed_forward_length": FE},
        ends,
        (hybrid, lambda n, p: _next_experts(n, p)),
    ),
    "qwen35": ("qwen35", DELTA | {"rope.dimension_sections": [11, 11, 10, 0]}, ends, (hybrid, lambda n, p: _delta_gates(n, p), lambda n, p: without_norm(dense(p), "ffn_norm"))),
    "mamba2": (
        "mamba2",
        {
            "ssm.conv_kernel": 4, "ssm.state_size": 128, "ssm.group_count": 1, "ssm.time_step_rank": 64,
            "ssm.inner_size": 4096, "feed_forward_length": 0, "attention.head_count": 0, "attention.head_count_kv": 0,
        },
        ends,
        (lambda n, p: iter([(p + "attn_norm.weight", (D,))]), lambda n, p: ssm(p)),
    ),
    "falcon-h1": (
        "falcon-h1",
        {
            "ssm.conv_kernel": 4, "ssm.state_size": 128, "ssm.group_count": 1, "ssm.time_step_rank": 64,
            "ssm.inner_size": 4096,
        },
        ends,
        (lambda n, p: attention(p), lambda n, p: ssm(p), lambda n, p: _renamed(dense(p))),
    ),
}  # fmt: skip


def _next_experts(number: int, p: str) -> Tensors:
    if number % 4 != 3:
        yield p + "ssm_ba.weight", (64, D)
    yield from without_norm(experts(p, shared=FE), "ffn_norm")
    yield p + "ffn_gate_inp_shexp.weight", (D,)


def _renamed(tensors: Tensors) -> Tensors:
    return ((name.replace("ffn_norm.weight", "ffn_norm"), shape) for name, shape in tensors)


def _delta_gates(number: int, p: str) -> Tensors:
    if number % 4 != 3:
        yield p + "ssm_beta.weight", (32, D)
        yield p + "ssm_alpha.weight", (32, D)


def write(path: Path, name: str) -> bytes:
    """The file's head; its tensors would take what `whole` says."""
    architecture, keys, outer, inner = HEADS[name]
    writer = gguf.GGUFWriter(path, architecture)
    for key, value in (COMMON | keys).items():
        kinds: dict[type, Callable[[str, Any], None]] = {
            bool: writer.add_bool, int: writer.add_uint32, float: writer.add_float32, list: writer.add_array,
        }  # fmt: skip
        kinds[type(value)](f"{architecture}.{key}", value)
    writer.add_tokenizer_model("no_vocab")
    writer.add_vocab_size(V)
    for tensor, shape in (*outer(), *layers(*inner)):
        plain = len(shape) == 1 or "ssm_conv" in tensor or tensor.endswith(("ssm_a", "ssm_d", "gate_inp.weight"))
        dtype = np.dtype("float32" if plain or "norm" in tensor else "float16")
        writer.add_tensor_info(tensor, shape, dtype, int(np.prod(shape)) * dtype.itemsize)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_ti_data_to_file()
    writer.close()
    return path.read_bytes()


def whole(head: bytes, name: str) -> int:
    """Enough bytes for all tensors."""
    _, _, outer, inner = HEADS[name]
    shapes = [shape for _, shape in (*outer(), *layers(*inner))]
    return len(head) + sum(int(np.prod(shape)) * 4 + 64 for shape in shapes)
