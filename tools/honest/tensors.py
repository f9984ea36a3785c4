"""safetensors and GGUF with all that their writers let them hold."""

# ruff: noqa: E501  # tables of cases are lines of text
from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import torch

from tools.honest import Honest

_TENSORS = {"a.weight": torch.ones(4, 4), "b": torch.zeros(0, 3), "c": torch.tensor(1.0)}


def _safetensors(name: str, tensors: dict[str, torch.Tensor] | None = None, **metadata: str) -> Honest:
    def write(folder: Path) -> Path:
        from safetensors.torch import save_file

        save_file(tensors or _TENSORS, folder / name, metadata or None)
        return folder / name

    return Honest(name, write)


def _by_numpy(folder: Path) -> Path:
    from safetensors.numpy import save_file

    save_file({"x": np.ones(3), "y": np.arange(4, dtype=np.int32)}, folder / "numpy.safetensors")
    return folder / "numpy.safetensors"


def _gguf(name: str, architecture: str, kind: str = "F32", **values: object) -> Honest:
    def write(folder: Path) -> Path:
        import gguf

        writer = gguf.GGUFWriter(folder / name, architecture)
        for key, value in values.items():
            _add(writer, key.replace("__", "."), value)
        data, quant = np.ones((4, 256), dtype=np.float32), getattr(gguf.GGMLQuantizationType, kind)
        packed = data if kind == "F32" else gguf.quants.quantize(data, quant)
        writer.add_tensor("token_embd.weight", packed, raw_dtype=None if kind == "F32" else quant)
        writer.add_tensor("output_norm.weight", np.ones(256, dtype=np.float32))
        writer.write_header_to_file()
        writer.write_kv_data_to_file()
        writer.write_tensors_to_file()
        writer.close()
        return folder / name

    return Honest(name, write)


def _add(writer: object, key: str, value: object) -> None:
    adders = {bool: "bool", int: "uint32", float: "float32", str: "string", list: "array"}
    getattr(writer, f"add_{adders[type(value)]}")(key, value)


_KOHYA = {
    "ss_network_module": "networks.lora", "ss_network_dim": "32", "ss_training_comment": "run eval() then os.system? no",
    "ss_tag_frequency": json.dumps({"10_cat": {"cat": 10, "exec": 2}}), "ss_bucket_info": json.dumps({"buckets": {}}),
    "modelspec.sai_model_spec": "1.0.0", "modelspec.architecture": "stable-diffusion-xl-v1-base/lora",
}  # fmt: skip
_DESCRIBED = {
    "general__description": "Import os? No: `subprocess` and eval() are words of this card. See https://example.com/a.",
    "general__license": "apache-2.0", "general__tags": ["text-generation", "code"], "general__size_label": "7B",
    "llama__block_count": 1, "llama__context_length": 4096, "llama__embedding_length": 256, "llama__rope__freq_base": 1e6,
    "llama__attention__head_count": 4, "llama__attention__head_count_kv": [4], "general__languages": ["en", "zh"],
}  # fmt: skip

CASES: tuple[Honest, ...] = (
    _safetensors("plain.safetensors"),
    _safetensors("pt.safetensors", format="pt"),
    _safetensors("kohya.safetensors", **_KOHYA),
    _safetensors("odd.safetensors", **{"": "", "你好": "过秤", "long": "x" * 20_000, "json": '{"a": [1]}', "prompt": "{{char}} says {hi|hello} __colour__ 100%", "template": "{{ messages }}"}),
    _safetensors("workflow.safetensors", prompt=json.dumps({"3": {"class_type": "KSampler", "inputs": {"seed": 1}}}), workflow=json.dumps({"nodes": []})),
    _safetensors("dtypes.safetensors", {str(kind): torch.zeros(8, dtype=kind) for kind in (torch.float16, torch.bfloat16, torch.float64, torch.int8, torch.uint8, torch.int16, torch.int64, torch.bool, torch.float8_e4m3fn, torch.float8_e5m2, torch.uint16)}),
    _safetensors("adapter_model.safetensors", {f"base_model.model.layers.{index}.q_proj.lora_{side}.weight": torch.ones(4, 8) for index in range(3) for side in "AB"}, format="pt"),
    Honest("numpy.safetensors", _by_numpy),
    _gguf("bare.gguf", "llama"),
    _gguf("described.gguf", "llama", **_DESCRIBED),
    *(_gguf(f"{kind.lower()}.gguf", "qwen2", kind) for kind in ("F16", "BF16", "Q8_0", "Q4_0", "Q4_1", "Q5_0", "Q5_1")),
    _gguf("projector.gguf", "clip", clip__has_vision_encoder=True, clip__projector_type="mlp"),
    _gguf("whole_license.gguf", "llama", general__license__text="MIT License\n" * 400, general__source__url="https://example.com/model"),
)  # fmt: skip
