"""All memory held against logs and measurements, term by term: each within 5 % or 300 MiB, figures printed with -s."""

from __future__ import annotations

import sys

import pytest

from weigh.core.architecture import Architecture
from weigh.describe.architecture import from_config
from weigh.fit import llamacpp
from weigh.fit.bases import base_of, shape_of
from weigh.fit.case import Case, graph_on, memory
from weigh.fit.weights import Weights, of_bits, of_recipe
from weigh.names.decode import decode

MIB, GIB = 1 << 20, 1 << 30
# https://github.com/XiongjieDai/GPU-Benchmarks-on-LLM-Inference: what llama.cpp printed in 2023, on cards and a Mac.
LOADED = """\
LLaMA-2-7B   Q4_0  3.56   256
LLaMA-2-7B   F16   12.55  256
LLaMA-2-13B  Q4_0  6.86   400
LLaMA-2-13B  F16   24.24  400
"""


def shape(name: str) -> Architecture:
    base = base_of(decode(name))
    assert base is not None
    found = shape_of(base)
    assert found is not None
    return found


def told(what: str, found: float, logged: float) -> None:
    sys.stdout.write(f"{what:<48} {found:10.1f} MiB, logged {logged:10.1f}  {100 * (found / logged - 1):+6.2f} %\n")


@pytest.mark.parametrize("line", LOADED.splitlines())
def test_weights_and_cache_are_those_that_llama_cpp_printed(line: str) -> None:
    name, quant, gibibytes, mebibytes = line.split()
    network = shape(name)
    weights = of_recipe(network, quant)
    assert weights is not None
    cache = llamacpp.kv_cache(network, llamacpp.Setting(context_length=512))
    told(f"{name} {quant} weights", weights.total / MIB, float(gibibytes) * 1024)
    told(f"{name} {quant} keys and values", cache / MIB, float(mebibytes))
    assert weights.total / GIB == pytest.approx(float(gibibytes), rel=0.01)
    assert cache / MIB == pytest.approx(float(mebibytes), rel=1e-3)


# One small network in a process of its own, on a processor: its weights, a second copy in another order, what the
# process held at the end. The mapped weights count as held: all had been read.
MEASURED = """\
Q4_0   4096  f16   on   90.24  90.14  272.0
F16   16384  f16   on  383.1    0     615.9
F16   16384  q8_0  on  383.1    0     526.1
F16   16384  f16   off 383.1    0     617.4
"""
SMALL = {
    "model_type": "llama", "num_hidden_layers": 12, "hidden_size": 1024, "intermediate_size": 2816, "vocab_size": 32000,
    "num_attention_heads": 16, "num_key_value_heads": 4, "head_dim": 64, "tie_word_embeddings": False,
}  # fmt: skip


@pytest.mark.parametrize("line", MEASURED.splitlines())
def test_a_process_holds_what_is_told(line: str) -> None:
    quant, context, kv, flash, mapped, woven, held = line.split()
    network = from_config(SMALL)
    assert network is not None
    weights = Weights(
        total=round(float(mapped) * MIB),
        active=0,
        parameters=1,
        active_parameters=1,
        repacked=round(float(woven) * MIB),
    )
    case = Case(
        name="small", weights=weights, packed=quant != "F16", basis="header", architecture=network,
        context_length=int(context), kv=kv, flash_attention=flash == "on",
    )  # fmt: skip
    need = memory(case, "llama.cpp", gpu=False)
    # Of the graph's buffer what was never written is never held: it lies between none and all of it.
    most, least = need.total + weights.repacked, need.total + weights.repacked - need.compute
    told(f"held, {quant} {kv} flash attention {flash}", most / MIB, float(held))
    assert least / MIB - 300 <= float(held) <= most / MIB * 1.05
    assert abs(min(max(float(held) * MIB, least), most) - float(held) * MIB) <= max(0.05 * float(held) * MIB, 1)


# https://github.com/ollama/ollama/issues/6160: a 22 B model with 48 k tokens on one card, and nvidia-smi at the end.
def test_a_card_is_filled_as_nvidia_smi_says() -> None:
    network = shape("Mistral-Small-2409-22b")
    nbytes = round(17295.4 * MIB)
    weights = Weights(total=nbytes, active=nbytes, parameters=22_200_000_000, active_parameters=22_200_000_000)
    case = Case(
        name="x", weights=weights, packed=True, basis="header", architecture=network, context_length=49152, kv="q8_0"
    )
    need, graph = memory(case, "llama.cpp", gpu=True), graph_on(case, "llama.cpp", gpu=True)
    assert graph is not None
    found = (need.total - need.output) / MIB
    told("keys and values", need.kv_cache / MIB, 5712)
    told("compute buffer, typical", need.compute / MIB, 192)
    told("all of the card", found, 23508)
    assert need.kv_cache == 5712 * MIB
    assert graph.low <= 192 * MIB <= graph.high
    assert abs(found - 23508) <= max(0.05 * 23508, 300)


# Qwen3-30B-A3B in F16 with its experts on the processor, 4 k tokens, a build that reserved logits for a whole batch:
# its compute buffer on the card was 898 MiB, of which 384 MiB held one layer's experts on their way.
def test_a_cards_graph_lies_inside_its_interval() -> None:
    network = shape("Qwen3-30B-A3B")
    weights = of_bits(network, 16)
    assert weights is not None
    case = Case(name="x", weights=weights, packed=False, basis="name", architecture=network, context_length=4096)
    graph = graph_on(case, "llama.cpp", gpu=True)
    assert graph is not None
    told("compute buffer, the most", graph.high / MIB, 898 - 384)
    assert graph.low <= (898 - 384) * MIB <= graph.high * 1.05


# vLLM, https://github.com/vllm-project/vllm/issues/10517 and 13061: GPUs, weights in GiB, KV in GiB, tokens of a trial
# run, what torch peaked at and others took in GiB; each of one GPU.
VLLM = """\
Llama-3.1-8B                  1  14.99  3.81  20000  2.07  0.35
Llama-3.1-8B                  1  14.99  2.89  29000  2.99  0.35
"""


@pytest.mark.parametrize("line", VLLM.splitlines())
def test_a_gpu_under_vllm_is_filled_as_its_log_adds_up(line: str) -> None:
    name, gpus, logged_weights, cache, tokens, peak, beside = line.split()
    from weigh.fit import vllm

    network = shape(name)
    weights = of_bits(network, 16)
    assert weights is not None
    setting = vllm.Setting(context_length=int(tokens), batched_tokens=int(tokens))
    found = (weights.total + vllm.activations(network, setting) + vllm.NON_TORCH) / MIB + float(cache) * 1024
    logged = 1024 * (float(logged_weights) + float(cache) + float(peak) + float(beside))
    told(f"{name} on {gpus}, {tokens} tokens of trial", found, logged)
    assert abs(found - logged) <= max(0.05 * logged, 300)
