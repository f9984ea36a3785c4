"""The command line that starts a model as it was planned."""

from __future__ import annotations

import shlex
from collections.abc import Iterator

from weigh.core.hardware import Device
from weigh.fit.case import Case
from weigh.fit.vllm import split


def command(case: Case, engine: str, device: Device, *more: str) -> str | None:
    """To start it so; None where nothing is typed."""
    name = shlex.quote(case.name)
    if not case.speaks:
        return None
    match engine:
        case "ollama":
            return _ollama(case, name)
        case "vllm":
            return " ".join(["vllm", "serve", name, *_vllm(case, device)])
        case "transformers":
            return f"transformers chat {name}"
        case "mlx":
            return f"mlx_lm.chat --model {name}"
    layers = () if "-ngl" in more or device.device_class == "cpu" else ("-ngl", "99")
    values = case.kv_values or case.kv
    cache = () if case.kv == values == "f16" else ("-ctk", case.kv, "-ctv", values)
    parallel = () if case.parallel == 1 else ("-np", str(case.parallel))
    rest = (() if case.ubatch == 512 else ("-ub", str(case.ubatch)), () if case.flash_attention else ("-fa", "off"))
    whole = ("llama-server", "-m", name, "-c", str(case.context_length), *layers, *more, *cache, *parallel)
    return " ".join([*whole, *rest[0], *rest[1], *case.beside])


def _vllm(case: Case, device: Device) -> Iterator[str]:
    """Its arguments: how the GPUs share it, and how much of them it may fill where that is more than it would."""
    yield f"--max-model-len {case.context_length}"
    tensor, stages = split(case.architecture, device.count)
    if tensor > 1:
        yield f"--tensor-parallel-size {tensor}"
    if stages > 1:
        yield f"--pipeline-parallel-size {stages}"
    if case.kv in ("fp8", "q8_0"):
        yield "--kv-cache-dtype fp8"
    if case.parallel > 1:
        yield f"--max-num-seqs {case.parallel}"


def _ollama(case: Case, name: str) -> str:
    """Its server takes the context and the cache's type from the environment, and splits layers by itself."""
    settings = [f"OLLAMA_CONTEXT_LENGTH={case.context_length}", f"OLLAMA_NUM_PARALLEL={case.parallel}"]
    if case.kv != "f16":
        settings.append(f"OLLAMA_KV_CACHE_TYPE={case.kv}")
    serve = " ".join([*settings, "ollama serve"])
    if case.name.lower().endswith(".gguf"):
        label = shlex.quote(case.name.rsplit("/", 1)[-1][:-5].lower())
        return f"{serve} & echo FROM {name} > Modelfile && ollama create {label} && ollama run {label}"
    return f"{serve} & ollama run {name}"
