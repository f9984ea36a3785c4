"""Counting: what tensors stand for, not what holds them.

A packed integer counts as the weights in it; scales, zero points and lookup tables count as bytes only.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from weigh.core.header import Meta
from weigh.core.name import Quant
from weigh.core.tensors import TensorInfo
from weigh.core.value import Value
from weigh.knowledge.dtypes import dtypes

# Buffers that PyTorch saves beside parameters.
_BUFFER = re.compile(r"(?:^|\.)(?:running_mean|running_var|num_batches_tracked|position_ids|inv_freq|masked_bias)$")
_OPTIMIZER = re.compile(r"^(?:optimizer(?:_states?)?|opt|lr_schedulers?|ema_state)(?:\.|$)")
_EXPERT = re.compile(r"(?:^|\.)experts\.|_exps\.")
# What accompanies packed weights of the same stem.
_BESIDE = [
    "qzeros",
    "scales",
    "g_idx",
    "biases",
    "weight_scale",
    "weight_scale_inv",
    "weight_scale_2",
    "weight_shape",
    "weight_zero_point",
    "weight_g_idx",
    "input_scale",
    "input_global_scale",
    "weight_global_scale",
    "input_zero_point",
    "k_scale",
    "v_scale",
    "SCB",
    "weight_format",
    "weight.absmax",
    "weight.quant_map",
    "weight.nested_absmax",
    "weight.nested_quant_map",
    "weight.quant_state.bitsandbytes__nf4",
    "weight.quant_state.bitsandbytes__fp4",
]
_HOLDERS = ("qweight", "weight_packed", "weight")


class Count(Value, frozen=True, kw_only=True):
    """`parameters` the tensors stand for, `expert_parameters` of them in routed experts; `nbytes` all weights take."""

    parameters: int
    expert_parameters: int
    nbytes: int
    num_tensors: int
    dtypes: Mapping[str, int]
    quant: Quant | None = None


def count(tensors: Iterable[TensorInfo], config: Mapping[str, Meta]) -> Count:
    """Count what belongs to the network; tensors that share their bytes count once."""
    weights = _distinct(tensors)
    by_name = {tensor.name: tensor for tensor in weights}
    given = _given(config)
    total = experts = 0
    by_dtype: dict[str, int] = {}
    found: dict[tuple[str | None, str | None, float | None], int] = {}
    for tensor in weights:
        by_dtype[tensor.dtype] = by_dtype.get(tensor.dtype, 0) + (tensor.nbytes or 0)
        elements, quant = _stands_for(tensor, by_name, given)
        total += elements
        experts += elements if _EXPERT.search(tensor.name) else 0
        if quant is not None:
            key = (quant.method, quant.scheme, quant.bits)
            found[key] = found.get(key, 0) + elements
    return Count(
        parameters=total,
        expert_parameters=experts,
        nbytes=sum(by_dtype.values()),
        num_tensors=len(weights),
        dtypes=dict(sorted(by_dtype.items(), key=lambda item: (-item[1], item[0]))),
        quant=_quant(found, given, by_dtype),
    )


def _distinct(tensors: Iterable[TensorInfo]) -> list[TensorInfo]:
    kept, seen = [], set()
    for tensor in tensors:
        if _BUFFER.search(tensor.name) or _OPTIMIZER.match(tensor.name):
            continue
        view = (tensor.storage, tensor.offset, tensor.shape)
        if tensor.storage is not None and view in seen:
            continue
        seen.add(view)
        kept.append(tensor)
    return kept


class _Given(Value, frozen=True, kw_only=True):
    """What config.json says of the quantisation."""

    method: str | None = None
    bits: int | None = None
    group: int | None = None
    format: str | None = None


def _given(config: Mapping[str, Meta]) -> _Given:
    stated = config.get("quantization_config")
    if not isinstance(stated, Mapping):
        stated = config.get("quantization")  # MLX
        if not isinstance(stated, Mapping):
            return _Given()
        return _Given(method="mlx", bits=_small(stated.get("bits")), group=_small(stated.get("group_size")))
    method = stated.get("quant_method")
    bits = _small(stated.get("bits") or stated.get("w_bit") or stated.get("weight_bits"))
    if bits is None and stated.get("load_in_4bit") is True:
        bits = 4
    if bits is None and stated.get("load_in_8bit") is True:
        bits = 8
    form = stated.get("format") or stated.get("fmt") or stated.get("quant_algo")
    return _Given(
        method=method.lower() if isinstance(method, str) else None,
        bits=bits,
        group=_small(stated.get("group_size") or stated.get("q_group_size")),
        format=form if isinstance(form, str) else None,
    )


def _small(value: Meta) -> int | None:
    return value if type(value) is int and 0 < value <= 4096 else None


def _stands_for(tensor: TensorInfo, by_name: Mapping[str, TensorInfo], given: _Given) -> tuple[int, Quant | None]:
    """The weights in a tensor, and how they are packed; (0, None) for what only accompanies packed weights."""
    name = tensor.name
    if _accompanies(name, by_name):
        return 0, None
    stem, _, last = name.rpartition(".")
    dot = f"{stem}." if stem else ""
    if last == "qweight":
        return _gptq_or_awq(tensor, by_name, dot, given)
    if last == "weight_packed":
        return _compressed(tensor, given)
    if name.endswith("_blocks") and name.removesuffix("_blocks") + "_scales" in by_name:
        return tensor.num_elements * 2, Quant(method="MXFP4", scheme="MXFP4", bits=4)
    if last == "weight":
        return _weight(tensor, by_name, dot, given)
    return tensor.num_elements, None


def _accompanies(name: str, by_name: Mapping[str, TensorInfo]) -> bool:
    if name.endswith("_scales") and name.removesuffix("_scales") + "_blocks" in by_name:
        return True
    for suffix in _BESIDE:
        if name.endswith("." + suffix) or name == suffix:
            stem = name[: len(name) - len(suffix)]
            return any(stem + holder in by_name for holder in _HOLDERS)
    return name.endswith("_scale_inv") and name.removesuffix("_scale_inv") in by_name


def _gptq_or_awq(tensor: TensorInfo, by_name: Mapping[str, TensorInfo], dot: str, given: _Given) -> tuple[int, Quant]:
    scales, zeros = by_name.get(f"{dot}scales"), by_name.get(f"{dot}qzeros")
    bits = given.bits
    if scales and zeros and scales.shape and zeros.shape and scales.shape[-1]:
        seen = 32 * zeros.shape[-1] // scales.shape[-1]
        bits = seen if seen in (2, 3, 4, 8) else bits
    bits = bits or 4
    awq = given.method == "awq" or (scales is not None and tensor.shape[-1:] != scales.shape[-1:])
    quant = Quant(method="AWQ" if awq else "GPTQ", scheme=f"Int{bits}", bits=bits, group=given.group)
    return tensor.num_elements * 32 // bits, quant


def _compressed(tensor: TensorInfo, given: _Given) -> tuple[int, Quant]:
    if tensor.dtype == "U8":
        return tensor.num_elements * 2, Quant(method="NVFP4", scheme="NVFP4", bits=4)
    bits = given.bits or 4
    return tensor.num_elements * 32 // bits, Quant(method="compressed-tensors", scheme=f"W{bits}A16", bits=bits)


def _weight(tensor: TensorInfo, by_name: Mapping[str, TensorInfo], dot: str, given: _Given) -> tuple[int, Quant | None]:
    elements = tensor.num_elements
    four = next((kind for kind in ("nf4", "fp4") if f"{dot}weight.quant_state.bitsandbytes__{kind}" in by_name), None)
    if tensor.dtype == "U8" and (four is not None or f"{dot}weight.absmax" in by_name):
        return elements * 2, Quant(method="BNB", scheme=(four or "nf4").upper(), bits=4)
    if tensor.dtype == "I8" and f"{dot}SCB" in by_name:
        return elements, Quant(method="BNB", scheme="Int8", bits=8)
    if tensor.dtype == "U8" and f"{dot}weight_scale_2" in by_name:
        return elements * 2, Quant(method="NVFP4", scheme="NVFP4", bits=4)
    if tensor.dtype == "U32" and f"{dot}scales" in by_name and f"{dot}biases" in by_name:
        bits = given.bits or 4
        return elements * 32 // bits, Quant(method="MLX", scheme=f"{bits}bit", bits=bits, group=given.group)
    if tensor.dtype.startswith("F8_"):
        return elements, Quant(method="FP8", scheme="FP8", bits=8)
    if tensor.dtype == "I8" and f"{dot}weight_scale" in by_name:
        return elements, Quant(scheme="W8A8", bits=8)
    return elements, None


_PLAIN: Mapping[str, int] = {"BF16": 16, "F16": 16, "F32": 32, "F64": 64}


def _quant(
    found: Mapping[tuple[str | None, str | None, float | None], int], given: _Given, by_dtype: Mapping[str, int]
) -> Quant | None:
    """The packing that holds the most weights; where nothing is packed, the dtype that holds the most bytes."""
    if found:
        method, scheme, bits = max(found, key=lambda key: found[key])
        return Quant(method=method, scheme=scheme, bits=bits, group=given.group)
    main = max(by_dtype, key=lambda dtype: by_dtype[dtype], default=None)
    if main is None:
        return None
    if main in _PLAIN:
        return Quant(method="none", scheme=main, bits=_PLAIN[main])
    known = dtypes().get(main)
    return Quant(scheme=main, bits=round(known.bits, 2) if known else None)
