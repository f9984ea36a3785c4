"""Memory held against published logs: tokens in vLLM's cache, caches and totals of llama.cpp on cards."""

from __future__ import annotations

import pytest

from weigh.core.architecture import Architecture
from weigh.fit import llamacpp, vllm
from weigh.fit.bases import base_of, shape_of
from weigh.fit.case import Case, memory
from weigh.fit.weights import of_bits
from weigh.names.decode import decode

MIB, GIB = 1 << 20, 1 << 30


def shape(name: str) -> Architecture:
    base = base_of(decode(name))
    assert base is not None
    found = shape_of(base)
    assert found is not None
    return found


# The budget that the log gives to the cache, GPUs that share it, tokens that it says go in.
# https://github.com/vllm-project/vllm/issues
TOKENS = """\
Llama-3.1-8B-Instruct          3.81  1   31232
Llama-3.1-8B-Instruct          2.89  1   23648
"""


@pytest.mark.parametrize("line", TOKENS.splitlines())
def test_vllm_has_room_for_as_many_tokens(line: str) -> None:
    name, budget, gpus, tokens = line.split()
    setting = vllm.Setting(context_length=4096, tensor_parallel=int(gpus))
    found = vllm.tokens_in(round(float(budget) * GIB), shape(name), setting)
    assert found == pytest.approx(int(tokens), rel=0.02)


def test_the_smaller_of_two_gpus_decides() -> None:
    """One of two logged 8.69 GiB; both together hold what the one with less room holds: 81536 tokens."""
    setting = vllm.Setting(context_length=4096, tensor_parallel=2)
    found = vllm.tokens_in(round(8.69 * GIB), shape("DeepSeek-R1-Distill-Qwen-14B"), setting)
    assert found is not None
    assert found >= 81536


# Weights in GiB, the longest prompt of the trial run, what torch peaked at in GiB.
@pytest.mark.parametrize(("tokens", "peak"), [(20_000, 17.06), (29_000, 17.98)])
def test_a_trial_run_peaks_as_logged(tokens: int, peak: float) -> None:
    setting = vllm.Setting(context_length=tokens, batched_tokens=tokens)
    found = vllm.activations(shape("Llama-3.1-8B"), setting) / GIB
    assert 14.99 + found == pytest.approx(peak, rel=0.01)


# Model, tokens of context, type of the cache, its MiB as logged.
CACHES = """\
LLaMA-2-7B                  512    f16   256
LLaMA-2-13B                 512    f16   400
Mistral-Small-2409-22b      49152  q8_0  5712
Llama-3.1-8B                1024   f16   128
Llama-3.1-8B                131072 f16   16384
"""


@pytest.mark.parametrize("line", CACHES.splitlines())
def test_llama_cpps_cache_is_the_logged_one(line: str) -> None:
    name, context, kv, mebibytes = line.split()
    setting = llamacpp.Setting(context_length=int(context), kv=kv)
    assert llamacpp.kv_cache(shape(name), setting) / MIB == pytest.approx(float(mebibytes), rel=1e-3)


def test_a_card_is_filled_as_nvidia_smi_says() -> None:
    """A 22 B model with 48 k tokens packed, on one card: 23508 MiB."""
    architecture = shape("Mistral-Small-2409-22b")
    weights = of_bits(architecture, 4.85)
    assert weights is not None
    case = Case(
        name="x", weights=weights, packed=True, basis="header", architecture=architecture, context_length=49152, kv="q8_0"
    )  # fmt: skip
    need = memory(case, "llama.cpp", gpu=True)
    found = (need.total - need.weights - need.output) / MIB + 17295.4
    assert found == pytest.approx(23508, rel=0.05)
