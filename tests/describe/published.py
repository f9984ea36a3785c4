"""Repositories in the published layouts: real configurations, the shapes their classes have, headers without weights."""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import torch
import transformers

SIZES = {"F64": 8, "I64": 8, "F32": 4, "I32": 4, "U32": 4, "BF16": 2, "F16": 2, "I16": 2}  # others take one byte


class Tensor(NamedTuple):
    name: str
    dtype: str
    shape: tuple[int, ...]


Layout = Callable[[str, int, int], Iterator[Tensor]]  # a linear layer's stem, its outputs, its inputs


def shapes(model_class: str, config: Any, *, fused: bool = False) -> dict[str, tuple[int, ...]]:
    """Every parameter as the class lays it out, its fused experts taken apart unless they are published `fused`."""
    with torch.device("meta"):
        model = getattr(transformers, model_class)(config)
    found: dict[str, tuple[int, ...]] = {}
    for name, parameter in model.named_parameters():
        shape = tuple(parameter.shape)
        found |= {name: shape} if fused else taken_apart(name, shape)
    return found


def taken_apart(name: str, shape: tuple[int, ...]) -> dict[str, tuple[int, ...]]:
    stem, _, last = name.rpartition(".experts.")
    if not stem or last not in ("gate_up_proj", "down_proj") or len(shape) != 3:
        return {name: shape}
    experts, rows, columns = shape
    if last == "down_proj":
        return {f"{stem}.experts.{number}.down_proj.weight": (rows, columns) for number in range(experts)}
    return {
        f"{stem}.experts.{number}.{part}.weight": (rows // 2, columns)
        for number in range(experts)
        for part in ("gate_proj", "up_proj")
    }


def plain(dtype: str = "BF16") -> Callable[[dict[str, tuple[int, ...]]], list[Tensor]]:
    return lambda found: [Tensor(name, dtype, shape) for name, shape in found.items()]


Published = Callable[[dict[str, tuple[int, ...]]], list[Tensor]]
KEPT = ("lm_head", "embed", "norm", ".gate.weight", "router")


def packed(layout: Layout, *, rest: str = "BF16", keep: tuple[str, ...] = KEPT) -> Published:
    """Every linear layer in a layout, the rest as it is."""

    def lay_out(found: dict[str, tuple[int, ...]]) -> list[Tensor]:
        rows: list[Tensor] = []
        for name, shape in found.items():
            if len(shape) == 2 and name.endswith(".weight") and not any(part in name for part in keep):
                rows += layout(name.removesuffix(".weight"), *shape)
            else:
                rows.append(Tensor(name, rest, shape))
        return rows

    return lay_out


def gptq(bits: int, group: int) -> Layout:
    def lay_out(stem: str, outputs: int, inputs: int) -> Iterator[Tensor]:
        yield Tensor(f"{stem}.g_idx", "I32", (inputs,))
        yield Tensor(f"{stem}.qweight", "I32", (inputs * bits // 32, outputs))
        yield Tensor(f"{stem}.qzeros", "I32", (inputs // group, outputs * bits // 32))
        yield Tensor(f"{stem}.scales", "F16", (inputs // group, outputs))

    return lay_out


def awq(stem: str, outputs: int, inputs: int) -> Iterator[Tensor]:
    yield Tensor(f"{stem}.qweight", "I32", (inputs, outputs // 8))
    yield Tensor(f"{stem}.qzeros", "I32", (inputs // 128, outputs // 8))
    yield Tensor(f"{stem}.scales", "F16", (inputs // 128, outputs))


def nf4(stem: str, outputs: int, inputs: int) -> Iterator[Tensor]:
    blocks = outputs * inputs // 64
    yield Tensor(f"{stem}.weight", "U8", (outputs * inputs // 2, 1))
    yield Tensor(f"{stem}.weight.absmax", "U8", (blocks,))
    yield Tensor(f"{stem}.weight.nested_absmax", "F32", (-(-blocks // 256),))
    yield Tensor(f"{stem}.weight.nested_quant_map", "F32", (256,))
    yield Tensor(f"{stem}.weight.quant_map", "F32", (16,))
    yield Tensor(f"{stem}.weight.quant_state.bitsandbytes__nf4", "U8", (91,))


def llm_int8(stem: str, outputs: int, inputs: int) -> Iterator[Tensor]:
    yield Tensor(f"{stem}.weight", "I8", (outputs, inputs))
    yield Tensor(f"{stem}.SCB", "F32", (outputs,))
    yield Tensor(f"{stem}.weight_format", "U8", ())


def fp8_block(stem: str, outputs: int, inputs: int) -> Iterator[Tensor]:
    yield Tensor(f"{stem}.weight", "F8_E4M3", (outputs, inputs))
    yield Tensor(f"{stem}.weight_scale_inv", "F32", (-(-outputs // 128), -(-inputs // 128)))


def fp8_channel(stem: str, outputs: int, inputs: int) -> Iterator[Tensor]:
    yield Tensor(f"{stem}.weight", "F8_E4M3", (outputs, inputs))
    yield Tensor(f"{stem}.weight_scale", "BF16", (outputs, 1))


def fp8_tensor(stem: str, outputs: int, inputs: int) -> Iterator[Tensor]:
    yield Tensor(f"{stem}.weight", "F8_E4M3", (outputs, inputs))
    yield Tensor(f"{stem}.weight_scale", "F32", ())
    yield Tensor(f"{stem}.input_scale", "F32", ())


def fbgemm(stem: str, outputs: int, inputs: int) -> Iterator[Tensor]:
    yield Tensor(f"{stem}.weight", "F8_E4M3", (outputs, inputs))
    yield Tensor(f"{stem}.weight_scale", "F32", (outputs, 1))
    yield Tensor(f"{stem}.input_scale_ub", "F32", (1,))


def nvfp4(stem: str, outputs: int, inputs: int) -> Iterator[Tensor]:
    yield Tensor(f"{stem}.weight", "U8", (outputs, inputs // 2))
    yield Tensor(f"{stem}.weight_scale", "F8_E4M3", (outputs, inputs // 16))
    yield Tensor(f"{stem}.weight_scale_2", "F32", ())
    yield Tensor(f"{stem}.input_scale", "F32", ())


def nvfp4_packed(stem: str, outputs: int, inputs: int) -> Iterator[Tensor]:
    yield Tensor(f"{stem}.weight_packed", "U8", (outputs, inputs // 2))
    yield Tensor(f"{stem}.weight_scale", "F8_E4M3", (outputs, inputs // 16))
    yield Tensor(f"{stem}.weight_global_scale", "F32", (1,))
    yield Tensor(f"{stem}.input_global_scale", "F32", (1,))


def w4a16(stem: str, outputs: int, inputs: int) -> Iterator[Tensor]:
    yield Tensor(f"{stem}.weight_packed", "I32", (outputs, inputs // 8))
    yield Tensor(f"{stem}.weight_scale", "BF16", (outputs, inputs // 128))
    yield Tensor(f"{stem}.weight_shape", "I64", (2,))


def w8a8(stem: str, outputs: int, inputs: int) -> Iterator[Tensor]:
    yield Tensor(f"{stem}.weight", "I8", (outputs, inputs))
    yield Tensor(f"{stem}.weight_scale", "BF16", (outputs, 1))


def mlx(bits: int, group: int = 64) -> Layout:
    def lay_out(stem: str, outputs: int, inputs: int) -> Iterator[Tensor]:
        yield Tensor(f"{stem}.weight", "U32", (outputs, inputs * bits // 32))
        yield Tensor(f"{stem}.scales", "BF16", (outputs, inputs // group))
        yield Tensor(f"{stem}.biases", "BF16", (outputs, inputs // group))

    return lay_out


def mlx_mixed(stem: str, outputs: int, inputs: int) -> Iterator[Tensor]:
    """Six bits where it matters most, four elsewhere."""
    yield from mlx(6 if "v_proj" in stem or "down_proj" in stem else 4)(stem, outputs, inputs)


def hqq(stem: str, outputs: int, inputs: int) -> Iterator[Tensor]:
    groups = outputs * inputs // 64
    yield Tensor(f"{stem}.W_q", "U8", (groups * 64 // 2 // 64, 64))
    yield Tensor(f"{stem}.scale", "F16", (groups, 1))
    yield Tensor(f"{stem}.zero", "F16", (groups, 1))
    for name in ("nbits", "group_size", "axis", "shape"):
        yield Tensor(f"{stem}.{name}", "I64", (2,) if name == "shape" else ())


def exl2(stem: str, outputs: int, inputs: int) -> Iterator[Tensor]:
    yield Tensor(f"{stem}.q_weight", "I32", (inputs * 4 // 32, outputs))
    yield Tensor(f"{stem}.q_invperm", "I32", (inputs,))
    yield Tensor(f"{stem}.q_scale", "I32", (inputs // 128, outputs // 8))
    yield Tensor(f"{stem}.q_scale_max", "F16", (inputs // 128,))
    yield Tensor(f"{stem}.q_groups", "I16", (inputs // 64,))


def exl3(stem: str, outputs: int, inputs: int) -> Iterator[Tensor]:
    yield Tensor(f"{stem}.trellis", "I16", (inputs // 16, outputs // 16, 16 * 4))
    yield Tensor(f"{stem}.suh", "F16", (inputs,))
    yield Tensor(f"{stem}.svh", "F16", (outputs,))


def aqlm(stem: str, outputs: int, inputs: int) -> Iterator[Tensor]:
    yield Tensor(f"{stem}.codes", "I16", (outputs, inputs // 8, 1))
    yield Tensor(f"{stem}.codebooks", "F16", (1, 65536, 1, 8))
    yield Tensor(f"{stem}.scales", "F16", (outputs, 1, 1, 1))


def quanto(stem: str, outputs: int, inputs: int) -> Iterator[Tensor]:
    yield Tensor(f"{stem}.weight._data._data", "U8", (outputs * inputs // 128 // 2, 128))
    yield Tensor(f"{stem}.weight._scale", "BF16", (outputs * inputs // 128, 1))
    yield Tensor(f"{stem}.weight._shift", "BF16", (outputs * inputs // 128, 1))
    yield Tensor(f"{stem}.input_scale", "BF16", ())
    yield Tensor(f"{stem}.output_scale", "BF16", ())


def torchao(stem: str, outputs: int, inputs: int) -> Iterator[Tensor]:
    yield Tensor(f"{stem}._weight_qdata", "I8", (outputs, inputs))
    yield Tensor(f"{stem}._weight_scale", "BF16", (outputs, 1))


def spqr(stem: str, outputs: int, inputs: int) -> Iterator[Tensor]:
    yield Tensor(f"{stem}.dense_weights", "I64", (outputs * inputs // 16,))
    yield Tensor(f"{stem}.row_offsets", "I32", (outputs + 1,))
    yield Tensor(f"{stem}.col_vals", "I32", (outputs * inputs // 100,))
    yield Tensor(f"{stem}.in_perm", "I16", (inputs,))


def vptq(stem: str, outputs: int, inputs: int) -> Iterator[Tensor]:
    yield Tensor(f"{stem}.indices", "I32", (1, outputs // 8, inputs * 20 // 32))
    yield Tensor(f"{stem}.centroids.weight", "F16", (1, 65536 * 8))
    yield Tensor(f"{stem}.res_centroids.weight", "F16", (1, 256 * 8))
    for name in ("weight_scale", "weight_bias"):
        yield Tensor(f"{stem}.{name}", "F16", (inputs,))
    yield Tensor(f"{stem}.perm", "I16", (inputs,))


def vptq_config(found: dict[str, tuple[int, ...]]) -> dict[str, Any]:
    """Of each layer its inputs and outputs, which the indices do not show."""
    layers = {
        name.removesuffix(".weight"): {"in_features": shape[1], "out_features": shape[0], "vector_lens": [-1, 8]}
        for name, shape in found.items()
        if len(shape) == 2 and not any(part in name for part in KEPT)
    }
    return {"quant_method": "vptq", "config_for_layers": layers}


def mxfp4(found: dict[str, tuple[int, ...]]) -> list[Tensor]:
    """gpt-oss: fused experts as blocks of 32 and their exponents, all else in bfloat16."""
    rows: list[Tensor] = []
    for name, shape in found.items():
        if len(shape) == 3 and name.endswith(("gate_up_proj", "down_proj")):
            experts, inputs, outputs = shape
            rows.append(Tensor(f"{name}_blocks", "U8", (experts, outputs, inputs // 32, 16)))
            rows.append(Tensor(f"{name}_scales", "U8", (experts, outputs, inputs // 32)))
        else:
            rows.append(Tensor(name, "BF16", shape))
    return rows


def write(folder: Path, config: dict[str, Any], tensors: Iterable[Tensor], *, shards: int = 1) -> None:
    """The folder as a hub has it; behind each header lies a hole as long as the tensors."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "config.json").write_bytes(msgspec.json.encode(config))
    rows = list(tensors)
    if shards == 1:
        safetensors(folder / "model.safetensors", rows)
        return
    step = -(-len(rows) // shards)
    weight_map: dict[str, str] = {}
    for number in range(shards):
        part = rows[number * step : (number + 1) * step]
        path = folder / f"model-{number + 1:05}-of-{shards:05}.safetensors"
        safetensors(path, part)
        weight_map |= {one.name: path.name for one in part}
    total = sum(nbytes(one) for one in rows)
    index = {"metadata": {"total_size": total}, "weight_map": weight_map}
    (folder / "model.safetensors.index.json").write_bytes(msgspec.json.encode(index))


def nbytes(tensor: Tensor) -> int:
    size = SIZES.get(tensor.dtype, 1)
    for length in tensor.shape:
        size *= length
    return size


def safetensors(path: Path, tensors: list[Tensor]) -> None:
    header: dict[str, Any] = {"__metadata__": {"format": "pt"}}
    at = 0
    for tensor in tensors:
        end = at + nbytes(tensor)
        header[tensor.name] = {"dtype": tensor.dtype, "shape": tensor.shape, "data_offsets": [at, end]}
        at = end
    text = msgspec.json.encode(header)
    with path.open("wb") as file:
        file.write(struct.pack("<Q", len(text)) + text)
        file.truncate(8 + len(text) + at)
