"""Keys and values as llmfit, hf-mem and whichllm themselves tell them, beside ours, on what llama.cpp plans.

`python -m bench.fit_peers [--environment DIR]` installs the three into an environment of their own (DIR is kept and
used again) and asks them: llmfit by its command and its own catalogue, the others' functions with every quantity given.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import venv
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from weigh.describe.architecture import from_config
from weigh.fit import llamacpp
from weigh.fit.weights import of_bits

ROWS = Path(__file__).parents[1] / "tests" / "fit" / "rows" / "llamacpp.json"
PEERS = ("llmfit==1.1.17", "hf-mem==0.5.6", "whichllm==0.5.21")
MIB, GIB = 1 << 20, 1 << 30
RUNTIME_GB = 0.5  # what llmfit adds to weights and cache
CATALOGUE = {
    "DeepSeek-V3": "deepseek-ai/DeepSeek-V3",
    "GLM-4.5-Air": "zai-org/GLM-4.5-Air",
    "Llama-3.1-8B": "meta-llama/Llama-3.1-8B-Instruct",
    "Mixtral-8x7B": "mistralai/Mixtral-8x7B-Instruct-v0.1",
    "Qwen2.5-7B": "Qwen/Qwen2.5-7B-Instruct",
    "Qwen3-32B": "Qwen/Qwen3-32B",
    "Qwen3-8B": "Qwen/Qwen3-8B",
    "Qwen3.5-35B-A3B": "Qwen/Qwen3.5-35B-A3B",
    "gemma-3-12b": "google/gemma-3-12b-it",
    "gemma-3-27b": "google/gemma-3-27b-it",
    "gpt-oss-20b": "openai/gpt-oss-20b",
}
# Asked by the peers' own interpreter: rows come in, bytes go out; None where a peer has no answer.
ASKED = """
import json, sys
from hf_mem.safetensors.kv_cache import compute_safetensors_kv_cache_size
from whichllm.engine.vram import estimate_kv_cache
from whichllm.models.types import ModelInfo

def told(call):
    try:
        return call()
    except Exception:
        return None

answers = []
for row in json.load(sys.stdin):
    full = row["full"]
    info = ModelInfo(
        id="x", family_id="x", name="x", parameter_count=row["parameters"], parameter_count_active=row["active"],
        is_moe=row["active"] < 0.9 * row["parameters"], sliding_window=row["window"],
        sliding_window_global_ratio=full if row["window"] else None,
    )
    answers.append({
        "hf-mem": told(lambda: compute_safetensors_kv_cache_size(row["config"], "F16", row["context"])),
        "whichllm": told(lambda: estimate_kv_cache(info, row["context"])),
    })
print(json.dumps(answers))
"""


def installed(folder: Path) -> Path:
    """The folder of an environment's programs, with the peers in it."""
    programs = folder / ("Scripts" if sys.platform == "win32" else "bin")
    if not (programs / "llmfit").exists():
        venv.create(folder, with_pip=True)
        subprocess.run([programs / "python", "-m", "pip", "install", "--quiet", *PEERS], check=True)
    return programs


def rows_of(table: dict[str, Any]) -> list[dict[str, Any]]:
    """One a model and context, with all that a peer may want to know."""
    found = {}
    for row in table["rows"]:
        if (row["kv_type"], row["n_parallel"], row["n_ubatch"]) == ("f16", 1, 512):
            config = table["configs"][row["model"]]
            shape = from_config(config)
            weights = of_bits(shape, 16) if shape is not None else None
            if shape is None or weights is None:
                continue
            windows = [layer.window for layer in shape.layers if layer.window]
            found[row["model"], row["n_ctx"]] = {
                "model": row["model"],
                "context": row["n_ctx"],
                "truth": row["kv_total_mib"] * MIB,
                "weigh": llamacpp.kv_cache(shape, llamacpp.Setting(context_length=row["n_ctx"])),
                "config": {
                    **config,
                    "torch_dtype": "float16",
                    "layer_types": [f"{layer.attention}_attention" for layer in shape.layers],
                },
                "parameters": weights.parameters,
                "active": weights.active_parameters,
                "window": min(windows, default=None),
                "full": 1 - len(windows) / len(shape.layers),
            }
    return list(found.values())


def by_llmfit(programs: Path, row: dict[str, Any]) -> float | None:
    """What its plan takes besides the weights and its flat allowance."""
    command = [programs / "llmfit", "plan", CATALOGUE.get(row["model"], row["model"]), "--json", "--quant", "Q4_K_M"]
    done = subprocess.run([*command, "--context", str(row["context"])], capture_output=True, text=True, check=False)
    if done.returncode:
        return None
    plan = json.loads(done.stdout)
    return (plan["minimum"]["vram_gb"] - plan["disk_size_gb"] - RUNTIME_GB) * GIB


def table_of(rows: Sequence[dict[str, Any]], programs: Path) -> dict[str, list[float]]:
    """Prints a line a row; gives each one's errors."""
    asked = subprocess.run(
        [programs / "python", "-c", ASKED], input=json.dumps(rows), capture_output=True, text=True, check=True
    )
    names = ("llmfit", "hf-mem", "whichllm", "weigh")
    errors: dict[str, list[float]] = {name: [] for name in names}
    print(f"{'':18}{'tokens':>8}{'MiB':>10}" + "".join(f"{name:>14}" for name in names))
    for row, answer in zip(rows, json.loads(asked.stdout), strict=True):
        told = {**answer, "weigh": row["weigh"], "llmfit": by_llmfit(programs, row)}
        line = f"{row['model']:<18}{row['context']:>8}{row['truth'] / MIB:>10.0f}"
        for name in names:
            if told[name] is None:
                line += f"{'no answer':>14}"
                continue
            errors[name].append(told[name] / row["truth"] - 1)
            line += f"{100 * errors[name][-1]:>+12.1f} %"
        print(line)
    return errors


def main() -> None:
    """The table, then the mean and the worst of each."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--environment", type=Path)
    chosen = asked.parse_args().environment
    with tempfile.TemporaryDirectory() as temporary:
        programs = installed((chosen or Path(temporary) / "peers").absolute())
        errors = table_of(rows_of(json.loads(ROWS.read_text("utf-8"))), programs)
    for name, found in errors.items():
        if found:
            mean, worst = statistics.mean(abs(error) for error in found), max(found, key=abs)
            print(f"  {name:<10} {len(found):3} answers, mean {100 * mean:8.2f} %, worst {100 * worst:+9.1f} %")


if __name__ == "__main__":
    main()
