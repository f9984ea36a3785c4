"""Keys and values by the rules of other estimators and by ours, on what llama.cpp plans; and twenty devices timed.

The rules are re-written from what their programs compute, given every quantity: llmfit (all layers see everything, MLA
as if each head were kept), hf-mem (its GGUF and its safetensors way), whichllm (megabytes a billion parameters).
"""

from __future__ import annotations

import json
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from weigh.app.fit import Wish, fits
from weigh.app.weigh import weigh
from weigh.core.architecture import Architecture
from weigh.describe.architecture import from_config
from weigh.fit import llamacpp
from weigh.fit.devices import device
from weigh.fit.weights import of_bits

ROWS = Path(__file__).parents[1] / "tests" / "fit" / "rows" / "llamacpp.json"
MIB = 1 << 20
MLA_HEAD = 128
# fmt: off
DEVICES = (
    "RTX 3060", "RTX 3090", "RTX 4060", "RTX 4070 Ti", "RTX 4080", "RTX 4090", "RTX 5080", "RTX 5090", "2x RTX 4090",
    "A100 80GB", "H100", "8x H100", "L40S", "RX 7900 XTX", "MI300X", "M1", "M2 Ultra", "M4 Max 64GB", "昇腾910B", "T4",
)
# fmt: on

Rule = Callable[[Architecture, int, dict[str, Any]], float]


def llmfit(shape: Architecture, context: int, config: dict[str, Any]) -> float:
    """2 x layers x key-value heads x head size x 2 bytes a token, whatever a layer is."""
    first = next((layer for layer in shape.layers if layer.num_key_value_heads), None)
    heads = first.num_key_value_heads if first is not None else config["num_key_value_heads"]
    width = first.head_dim if first is not None else MLA_HEAD
    return 2 * len(shape.layers) * (heads or 0) * (width or 0) * 2 * context


def hf_mem_gguf(shape: Architecture, context: int, config: dict[str, Any]) -> float:
    """The same with heads as wide as hidden size over heads; a GGUF of an MLA network says one key-value head."""
    first = next((layer for layer in shape.layers if layer.num_key_value_heads), None)
    heads = first.num_key_value_heads if first is not None else 1
    width = (shape.hidden_size or 0) // (shape.num_attention_heads or 1)
    return 2 * len(shape.layers) * (heads or 1) * width * 2 * context


def hf_mem_safetensors(shape: Architecture, context: int, config: dict[str, Any]) -> float:
    """Windows are honoured; layers that keep a state are not."""
    first = next((layer for layer in shape.layers if layer.num_key_value_heads), None)
    if first is None:
        width = (shape.hidden_size or 0) // (shape.num_attention_heads or 1)
        return 2 * len(shape.layers) * config["num_key_value_heads"] * width * 2 * context
    each = 2 * (first.num_key_value_heads or 0) * (first.head_dim or 0) * 2
    return sum(each * min(layer.window or context, context) for layer in shape.layers)


def whichllm(shape: Architecture, context: int, config: dict[str, Any]) -> float:
    """3.5 MiB a billion parameters and thousand tokens; of a mixture four times its active ones."""
    weights = of_bits(shape, 16)
    if weights is None:
        return 0.0
    routed = weights.active_parameters < 0.9 * weights.parameters
    billions = (4 * weights.active_parameters if routed else weights.parameters) / 1e9
    return 3.5 * MIB * billions * context / 1024


RULES: dict[str, Rule] = {
    "llmfit": llmfit,
    "hf-mem (GGUF)": hf_mem_gguf,
    "hf-mem (safetensors)": hf_mem_safetensors,
    "whichllm": whichllm,
    "weigh": lambda shape, context, config: llamacpp.kv_cache(shape, llamacpp.Setting(context_length=context)),
}


def main() -> None:
    """Errors by model, worst and mean by rule, then milliseconds."""
    table = json.loads(ROWS.read_text("utf-8"))
    plain = {
        (row["model"], row["n_ctx"]): row
        for row in table["rows"]
        if (row["kv_type"], row["n_parallel"], row["n_ubatch"]) == ("f16", 1, 512)
    }
    errors: dict[str, list[float]] = {name: [] for name in RULES}
    print("keys and values against llama.cpp's own account")
    print(f"{'':28}{'tokens':>8}" + "".join(f"{name:>22}" for name in RULES))
    for row in plain.values():
        config = table["configs"][row["model"]]
        shape = from_config(config)
        if shape is None:
            continue
        line = f"{row['model']:<28}{row['n_ctx']:>8}"
        for name, rule in RULES.items():
            error = rule(shape, row["n_ctx"], config) / MIB / row["kv_total_mib"] - 1
            errors[name].append(error)
            line += f"{100 * error:>+20.1f} %"
        print(line)
    for name, found in errors.items():
        mean = statistics.mean(abs(error) for error in found)
        print(f"  {name:<22} mean {100 * mean:8.2f} %   worst {100 * max(found, key=abs):+9.1f} %")
    _twenty()


def _twenty() -> None:
    report, devices = weigh("Qwen3-30B-A3B-Q4_K_M"), [device(text) for text in DEVICES]
    taken = []
    for _ in range(5):
        start = time.perf_counter()
        fits(report, devices, Wish())
        taken.append(time.perf_counter() - start)
    print(f"one model on {len(devices)} devices: {1000 * statistics.median(taken):.1f} ms")


if __name__ == "__main__":
    main()
