"""Bytes of weights: of the files, else of the shape, else of the figure in a name."""

from __future__ import annotations

import re
from collections.abc import Sequence

from weigh.core.architecture import Architecture
from weigh.core.errors import BadReference
from weigh.core.model import Model
from weigh.core.name import Name
from weigh.core.report import Report
from weigh.fit.bases import base_of
from weigh.fit.weights import WOVEN, Weights, of_bits, of_recipe
from weigh.knowledge.gguf_recipes import gguf_recipes
from weigh.knowledge.naming import quantisations

_ROUTED = re.compile(r"_exps\.|\.(?:experts|switch_mlp)\.")
_GROUPED = re.compile(r"(\d)-?BIT")
_OWN_MIX = re.compile(r"(Q\d_K)_(?:XL|XXL|P)$")
_PLAIN = {"F16": 16.0, "BF16": 16.0, "FP16": 16.0, "F32": 32.0, "FP32": 32.0}


def weights_of(report: Report, shape: Architecture | None, quant: str | None, usual: str) -> tuple[Weights, str, bool]:
    """Bytes: of the files, else of the shape, else of the figure in the name. Raises BadReference."""
    model, name = report.model, report.name
    if quant is None and model is not None and (found := _of_files(model)) is not None:
        bits = model.bits_per_weight
        return found, "header", bits is not None and bits.value < 15
    label = (quant or label_of(name) or usual).upper()
    if shape is not None and (found := of_recipe(shape, mix(label))) is not None:
        return found, "config", label not in ("F16", "BF16", "F32")
    bits_each = _bits(label)
    if (grouped := _GROUPED.fullmatch(label)) is not None and is_mlx(report):
        bits_each = int(grouped[1]) + 0.5  # a scale and an offset for each 64
    if bits_each is None:
        raise BadReference("fit.quant", quant=label)
    ends = bits_each if grouped is not None and is_mlx(report) else 16.0
    if shape is not None and (found := of_bits(shape, bits_each, ends=ends)) is not None:
        return found, "config", bits_each < 15
    return _of_name(report, bits_each), "name", bits_each < 15


def largest_part(report: Report) -> int | None:
    """Bytes of the largest of a pipeline's parts, each of which has a folder; None where there are no folders."""
    parts: dict[str, int] = {}
    for file in report.model.files if report.model is not None else ():
        folder, _, _ = file.path.rpartition("/")
        if folder and file.header is not None:
            parts[folder] = parts.get(folder, 0) + sum(tensor.nbytes or 0 for tensor in file.header.tensors)
    return max(parts.values(), default=0) or None


def is_mlx(report: Report) -> bool:
    """Packed for Apple's MLX, which leaves no other mark in a name."""
    return re.search(r"(?<![a-z])mlx(?![a-z])", report.reference.text.lower()) is not None


def mix(label: str) -> str:
    """The recipe that a label goes by: of some makers' own mixes that of the same letter, for they differ by little."""
    plain = label.removeprefix("UD-").removeprefix("I1-")
    if plain in gguf_recipes():
        return plain
    usual = _OWN_MIX.sub(r"\1_M", plain)
    return usual if usual in gguf_recipes() else label


def _of_files(model: Model) -> Weights | None:
    if model.weight_nbytes is None or model.num_parameters is None:
        return None
    total, parameters = model.weight_nbytes.value, model.num_parameters.value
    active = model.num_active_parameters.value if model.num_active_parameters is not None else parameters
    table = _looked_up(model)
    tensors = [tensor for file in model.files if file.header is not None for tensor in file.header.tensors]
    routed = sum(tensor.nbytes or 0 for tensor in tensors if _ROUTED.search(tensor.name))
    shares = [layer for layer in (model.architecture.layers if model.architecture else ()) if layer.experts]
    resting = round(min(routed, total) * (1 - _used(shares))) if shares else 0
    woven = (one.nbytes or 0 for one in tensors if one.dtype in WOVEN and not one.name.startswith("token_embd"))
    return Weights(
        total=total,
        active=max(total - table - resting, 0),
        routed=min(routed, total),
        parameters=parameters,
        active_parameters=active,
        repacked=min(sum(woven), total),
    )


def _used(layers: Sequence[object]) -> float:
    """The share of the experts that a token uses, on average."""
    shares = [getattr(layer, "experts_used", 0) / getattr(layer, "experts", 1) for layer in layers]
    return sum(shares) / len(shares)


def _looked_up(model: Model) -> int:
    """Bytes of the table of which a token reads one row, where the head is another."""
    tensors = [tensor for file in model.files if file.header is not None for tensor in file.header.tensors]
    names = {tensor.name for tensor in tensors}
    if not names & {"output.weight", "lm_head.weight"}:
        return 0
    tables = ("token_embd.weight", "model.embed_tokens.weight", "transformer.wte.weight", "embed_tokens.weight")
    return sum(tensor.nbytes or 0 for tensor in tensors if tensor.name in tables)


def label_of(name: Name | None) -> str | None:
    return name.quant.scheme or name.quant.method if name is not None and name.quant is not None else None


def _bits(label: str) -> float | None:
    """Real bits a weight of a label, from the table of quantisations; the digit in it where the table has none."""
    if label in _PLAIN:
        return _PLAIN[label]
    rows = [row for row in quantisations() if label in {(row.scheme or "").upper(), row.id.upper()}]
    real = next((row.bits_per_weight for row in rows if row.bits_per_weight is not None), None)
    nominal = next((row.bits for row in rows if row.bits is not None), None)
    methods = [row for row in quantisations() if (row.method or "").upper() == label]
    return real or (nominal * 1.06 if nominal is not None else None) or (4.25 if methods else None)


def _of_name(report: Report, bits: float) -> Weights:
    size = report.name.size if report.name is not None else None
    base = base_of(report.name) if report.name is not None else None
    total = base.parameters_b if base is not None else size.total_b if size is not None else None
    if size is not None and total is None and size.experts and size.expert_b:
        total = size.experts * size.expert_b * 0.83  # what is not experts counts once: 8x7B is 46.7 B
    if total is None:
        total = size.effective_b if size is not None else None
    if not total:
        raise BadReference("fit.sizeless", text=report.reference.text)
    active = (size.active_b if size is not None else None) or total
    nbytes = round(total * 1e9 * bits / 8)
    share = min(active / total, 1.0)
    return Weights(
        total=nbytes,
        active=round(nbytes * share),
        routed=round(nbytes * (1 - share)) if share < 1 else 0,
        parameters=round(total * 1e9),
        active_parameters=round(active * 1e9),
    )
