"""What one tensor stands for: the weights in it and how they are packed.

A packed integer counts as the weights in it; scales, zero points and tables stand for none.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from weigh.core.header import Meta
from weigh.core.name import Quant
from weigh.core.tensors import TensorInfo
from weigh.core.value import Value
from weigh.knowledge.dtypes import dtypes
from weigh.knowledge.packings import holders_beside

Tensors = Mapping[str, TensorInfo]
Meaning = tuple[int, Quant | None]
_DIGITS = re.compile(r"(?:int|float|uint|fp)(\d)", re.IGNORECASE)
_WIDTHS = (1, 2, 3, 4, 5, 6, 8)  # bits that packers of integers write


class Given(Value, frozen=True, kw_only=True):
    """What config.json says of the quantisation: a claim, used where the tensors leave it open. `layers`: the weights
    that a layer stands for, by its name.
    """

    method: str | None = None
    bits: int | None = None
    group: int | None = None
    layers: Mapping[str, int] = {}


def given(config: Mapping[str, Meta]) -> Given:
    """From `quantization_config`, or MLX's `quantization`."""
    stated = config.get("quantization_config")
    if not isinstance(stated, Mapping):
        stated = config.get("quantization")
    if not isinstance(stated, Mapping):
        return Given()
    method = stated.get("quant_method")
    weights = _weights_of(stated)
    bits = _small(stated, "bits", "w_bit", "weight_bits", "nbits_per_codebook") or _small(weights, "num_bits", "nbits")
    if bits is None and stated.get("load_in_4bit") is True:
        bits = 4
    if bits is None and stated.get("load_in_8bit") is True:
        bits = 8
    return Given(
        method=method.lower() if isinstance(method, str) else None,
        bits=bits or _bits_in_words(stated),
        group=_small(stated, "group_size", "q_group_size") or _small(weights, "group_size"),
        layers=dict(_layers_of(stated)),
    )


def _bits_in_words(stated: Mapping[str, Meta]) -> int | None:
    """Quanto's `weights: int4`, torchao's class of configuration."""
    match stated:
        case {"weights": str(text)}:
            pass
        case {"quant_type": {"default": {"_type": str(text)}}} | {"quant_type": str(text)}:
            pass
        case _:
            return None
    found = _DIGITS.search(text)
    return int(found[1]) if found is not None else None


def _layers_of(stated: Mapping[str, Meta]) -> Iterator[tuple[str, int]]:
    """VPTQ tells of each layer how many inputs and outputs it has."""
    layers = stated.get("config_for_layers")
    for name, layer in layers.items() if isinstance(layers, Mapping) else ():
        if isinstance(layer, Mapping):
            inputs, outputs = layer.get("in_features"), layer.get("out_features")
            if type(inputs) is int and type(outputs) is int and 0 < inputs < 1 << 31 and 0 < outputs < 1 << 31:
                yield name, inputs * outputs


def _weights_of(stated: Mapping[str, Meta]) -> Mapping[str, Meta]:
    """What compressed-tensors says of its first group of weights, or HQQ of its weights."""
    match stated:
        case {"config_groups": Mapping() as groups}:
            for group in groups.values():
                if isinstance(group, Mapping) and isinstance(weights := group.get("weights"), Mapping):
                    return weights
        case {"quant_config": {"weight_quant_params": Mapping() as weights}}:
            return weights
    return {}


def _small(stated: Mapping[str, Meta], *keys: str) -> int | None:
    values = (stated.get(key) for key in keys)
    return next((value for value in values if type(value) is int and 0 < value <= 4096), None)


def stands_for(tensor: TensorInfo, among: Tensors, said: Given) -> Meaning:
    """The weights in a tensor, and how they are packed; (0, None) for what only accompanies packed weights."""
    name = tensor.name
    stem, _, last = name.rpartition(".")
    dot = f"{stem}." if stem else ""
    if _accompanies(name, dot, last, among):
        return 0, None
    if name.endswith("_blocks") and name.removesuffix("_blocks") + "_scales" in among:
        return tensor.num_elements * 2, Quant(method="MXFP4", scheme="MXFP4", bits=4)
    if tensor.dtype == "U8" and f"{name}_weight_scale" in among:  # fused experts
        return tensor.num_elements * 2, Quant(method="NVFP4", scheme="NVFP4", bits=4)
    if last in _HOLDERS and (meaning := _HOLDERS[last](tensor, _Beside(dot, among), said)) is not None:
        return meaning
    return _plain(tensor)


class _Beside:
    """The tensors under the same stem."""

    __slots__ = ("among", "dot")

    def __init__(self, dot: str, among: Tensors) -> None:
        self.dot = dot
        self.among = among

    def get(self, last: str) -> TensorInfo | None:
        return self.among.get(self.dot + last)

    def __contains__(self, last: str) -> bool:
        return self.dot + last in self.among


def _plain(tensor: TensorInfo) -> Meaning:
    """A parameter is of a type that can be trained; whole numbers that no layout explains are buffers."""
    if tensor.dtype.startswith("F8_"):
        return tensor.num_elements, Quant(method="FP8", scheme="FP8", bits=8)
    known = dtypes().get(tensor.dtype)
    if tensor.dtype in ("I64", "U64") or (known is not None and known.kind == "bool"):
        return 0, None
    return tensor.num_elements, None


def _accompanies(name: str, dot: str, last: str, among: Tensors) -> bool:
    if any(dot + holder in among for holder in holders_beside().get(last, ())):
        return True
    if last in _OF_THE_CACHE:
        return True
    centroids, found, _ = name.partition("centroids.weight")
    if found and any(centroids.removesuffix(part) + "indices" in among for part in ("", "res_", "outlier_")):
        return True
    weight, found, rest = name.partition(".weight.")
    if (
        found
        and f"{weight}.weight" in among
        and (rest.startswith("quant_state.") or "weight." + rest in holders_beside())
    ):
        return True
    if last == "scale" and (holder := among.get(f"{dot}weight")) is not None:
        return holder.dtype.startswith(("F8_", "F4", "I8", "U8"))
    return name.endswith(_SCALES) and any(
        name.endswith(end) and name.removesuffix(end) + of in among for end, of in _ENDS
    )


# Of keys and values as they are cached, wherever a layer keeps them.
_OF_THE_CACHE = frozenset({"k_scale", "v_scale", "q_scale", "kv_scale", "prob_scale", "k_zero_point", "v_zero_point"})
# Beside fused experts the names run on without a dot.
_ENDS = (
    ("_scales", "_blocks"),
    ("_scale_inv", ""),
    ("_weight_scale", ""),
    ("_weight_scale_2", ""),
    ("_input_scale", ""),
)
_SCALES = tuple(end for end, _ in _ENDS)


def _integers(tensor: TensorInfo, beside: _Beside, said: Given) -> Meaning:
    """GPTQ packs along the inputs, AWQ along the outputs; the zero points show how many bits."""
    scales, zeros = beside.get("scales"), beside.get("qzeros")
    bits = said.bits or 4
    if scales and zeros and scales.shape and zeros.shape:
        bits = _width(32 * zeros.shape[-1], scales.shape[-1]) or bits
    awq = said.method == "awq" or (scales is not None and tensor.shape[-1:] != scales.shape[-1:])
    quant = Quant(method="AWQ" if awq else "GPTQ", scheme=f"Int{bits}", bits=bits, group=said.group)
    return tensor.num_elements * 32 // bits, quant


def _compressed(tensor: TensorInfo, beside: _Beside, said: Given) -> Meaning:
    if tensor.dtype == "U8":
        kind = "NVFP4" if "weight_global_scale" in beside else "MXFP4"
        return tensor.num_elements * 2, Quant(method=kind, scheme=kind, bits=4)
    bits, scale = said.bits, beside.get("weight_scale")
    if bits is None and scale is not None and scale.shape and tensor.shape:
        bits = _width(32 * tensor.shape[-1], scale.shape[-1] * (said.group or 128))
    bits = bits or 4
    quant = Quant(method="compressed-tensors", scheme=f"W{bits}A16", bits=bits, group=said.group)
    return tensor.num_elements * 32 // bits, quant


def _exl2(tensor: TensorInfo, beside: _Beside, said: Given) -> Meaning | None:
    """Rows of several widths; one entry of the permutation for each input."""
    inputs = beside.get("q_invperm") or beside.get("q_perm")
    if inputs is None or len(tensor.shape) != 2 or not inputs.num_elements:
        return None
    bits = round(32 * tensor.shape[0] / inputs.num_elements, 2)
    return inputs.num_elements * tensor.shape[1], Quant(method="EXL2", scheme="EXL2", bits=bits)


def _exl3(tensor: TensorInfo, beside: _Beside, said: Given) -> Meaning | None:
    """Tiles of 16 by 16 weights, each 16 times as many 16-bit words as a weight has bits."""
    if len(tensor.shape) != 3 or tensor.shape[2] % 16:
        return None
    bits = tensor.shape[2] // 16
    return tensor.shape[0] * tensor.shape[1] * 256, Quant(method="EXL3", scheme="EXL3", bits=bits)


def _aqlm(tensor: TensorInfo, beside: _Beside, said: Given) -> Meaning | None:
    """Codes (outputs / out group, inputs / in group, books) into codebooks (books, entries, out group, in group)."""
    books = beside.get("codebooks")
    if books is None or len(books.shape) != 4 or len(tensor.shape) != 3:
        return None
    count, entries, rows, columns = books.shape
    bits = round(count * (entries - 1).bit_length() / (rows * columns), 2) if rows * columns else None
    quant = Quant(method="AQLM", scheme=f"{bits:g}bit" if bits else None, bits=bits)
    return tensor.shape[0] * tensor.shape[1] * rows * columns, quant


def _hqq(tensor: TensorInfo, beside: _Beside, said: Given) -> Meaning:
    bits = said.bits or 4
    each = 10 if bits == 3 else max(1, 8 // bits)  # ten of three bits in a 32-bit word, else as many as a byte holds
    return tensor.num_elements * each, Quant(method="HQQ", scheme=f"{bits}bit", bits=bits, group=said.group)


def _quanto(tensor: TensorInfo, beside: _Beside, said: Given) -> Meaning | None:
    """Below `weight`: as they are at eight bits; fewer are packed into bytes, one level deeper, group by group."""
    outer, packed, _ = beside.dot.rpartition("_data.")
    scale = beside.among.get((outer if packed else beside.dot) + "_scale")
    if scale is None:
        return None
    if not packed:
        kind = "FP8" if tensor.dtype.startswith("F8_") else "Int8"
        return tensor.num_elements, Quant(method="Quanto", scheme=kind, bits=8)
    bits = said.bits if said.bits in (2, 4) else 4
    return tensor.num_elements * 8 // bits, Quant(method="Quanto", scheme=f"Int{bits}", bits=bits, group=said.group)


def _torchao(tensor: TensorInfo, beside: _Beside, said: Given) -> Meaning:
    """Whole numbers of four bits lie two in a byte, eight in a word; others as they are."""
    if tensor.dtype.startswith("F8_"):
        return tensor.num_elements, Quant(method="torchao", scheme="FP8", bits=8)
    each = {"I32": 8, "U8": 2}.get(tensor.dtype, 2 if said.bits == 4 else 1)
    bits = 8 if each == 1 else 4
    return tensor.num_elements * each, Quant(method="torchao", scheme=f"Int{bits}", bits=bits, group=said.group)


def _spqr(tensor: TensorInfo, beside: _Beside, said: Given) -> Meaning | None:
    """A 64-bit word for sixteen weights of three bits and what they share; outliers are among them already."""
    if "row_offsets" not in beside:
        return None
    return tensor.num_elements * 16, Quant(method="SpQR", scheme="SpQR", bits=said.bits or 3)


def _vptq(tensor: TensorInfo, beside: _Beside, said: Given) -> Meaning | None:
    """Indices into a table of vectors: how many weights those are, only the configuration says."""
    if "centroids.weight" not in beside:
        return None
    return said.layers.get(beside.dot.removesuffix("."), 0), Quant(method="VPTQ", scheme="VPTQ", bits=said.bits)


def _quip(tensor: TensorInfo, beside: _Beside, said: Given) -> Meaning | None:
    """An index of sixteen bits for eight weights."""
    return (tensor.num_elements * 8, Quant(method="QuIP#", scheme="QuIP#", bits=2)) if "SU" in beside else None


def _weight(tensor: TensorInfo, beside: _Beside, said: Given) -> Meaning | None:
    if tensor.dtype.startswith("F8_"):
        return None
    elements = tensor.num_elements
    four = next((kind for kind in ("nf4", "fp4") if f"weight.quant_state.bitsandbytes__{kind}" in beside), None)
    if four is not None or "weight.absmax" in beside:
        packed = tensor.nbytes if tensor.dtype != "U8" and tensor.nbytes else elements
        return packed * 2, Quant(method="BNB", scheme=(four or "nf4").upper(), bits=4)
    return _whole_numbers(tensor, beside, said)


def _whole_numbers(tensor: TensorInfo, beside: _Beside, said: Given) -> Meaning | None:
    """By the type that holds them, and what lies beside."""
    elements, scale = tensor.num_elements, beside.get("weight_scale")
    match tensor.dtype:
        case "U32" if "scales" in beside:
            return _mlx(tensor, beside, said)
        case "I8":
            return _bytes(tensor, beside)
        case "U8" if scale is not None and said.method == "bitnet":
            return elements * 4, Quant(method="BitNet", scheme="1.58bit", bits=1.58)
        case "U8" if scale is not None:
            kind = "NVFP4" if "weight_scale_2" in beside or scale.dtype == "F8_E4M3" else "MXFP4"
            return elements * 2, Quant(method=kind, scheme=kind, bits=4)
    return None


def _bytes(tensor: TensorInfo, beside: _Beside) -> Meaning | None:
    """A weight a byte, unless the scales are powers of two: those go with two weights of four bits."""
    elements, exponents = tensor.num_elements, beside.get("scale")
    if "SCB" in beside:
        return elements, Quant(method="BNB", scheme="Int8", bits=8)
    if "weight_scale" in beside:
        return elements, Quant(scheme="W8A8", bits=8)
    if "weight_scales" in beside:
        return elements, Quant(method="EETQ", scheme="Int8", bits=8)
    if exponents is not None and exponents.dtype == "F8_E8M0":
        return elements * 2, Quant(method="FP4", scheme="FP4", bits=4)
    return None


def _mlx(tensor: TensorInfo, beside: _Beside, said: Given) -> Meaning:
    """One scale for each group of inputs: the shapes show the bits, which may differ from layer to layer."""
    scales = beside.get("scales")
    bits = None
    if scales is not None and scales.shape and tensor.shape:
        for group in dict.fromkeys((said.group or 64, 64, 32, 128, 16)):
            bits = bits or _width(32 * tensor.shape[-1], scales.shape[-1] * group)
    bits = bits or said.bits or 4
    return tensor.num_elements * 32 // bits, Quant(method="MLX", scheme=f"{bits}bit", bits=bits, group=said.group)


def _width(bits: int, elements: int) -> int | None:
    """Bits an element takes, if that comes out even and is a width that packers write."""
    if not elements or bits % elements:
        return None
    return width if (width := bits // elements) in _WIDTHS else None


_HOLDERS = {
    "qweight": _integers,
    "weight_packed": _compressed,
    "q_weight": _exl2,
    "trellis": _exl3,
    "codes": _aqlm,
    "W_q": _hqq,
    "weight": _weight,
    "_data": _quanto,
    "_weight_qdata": _torchao,
    "dense_weights": _spqr,
    "indices": _vptq,
    "Qidxs": _quip,
}
