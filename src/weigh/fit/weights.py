"""Bytes of weights under a quantisation that is not at hand: matrix by matrix, never label times parameters."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from weigh.core.architecture import Architecture, Layer
from weigh.core.value import Value
from weigh.fit.tensors import Matrix, is_tied, matrices
from weigh.knowledge.dtypes import dtypes
from weigh.knowledge.gguf_recipes import Choice, Recipe, When, gguf_recipes

# A row that is no multiple of 256 cannot be cut into a K-quant's blocks: what llama.cpp takes instead.
_INSTEAD = {
    "Q2_K": "Q4_0", "Q3_K": "Q4_0", "Q4_K": "Q5_0", "Q5_K": "Q5_1", "Q6_K": "Q8_0", "IQ4_XS": "IQ4_NL",
    "IQ3_S": "IQ4_NL", "IQ3_XXS": "IQ4_NL", "IQ2_S": "IQ4_NL", "IQ2_XS": "IQ4_NL", "IQ2_XXS": "IQ4_NL",
    "IQ1_S": "IQ4_NL", "IQ1_M": "IQ4_NL", "TQ1_0": "Q4_0", "TQ2_0": "Q4_0",
}  # fmt: skip


class Weights(Value, frozen=True, kw_only=True):
    """Bytes in all; of them those that every token reads (`active`), and those of routed experts (`routed`).

    `repacked`: those that llama.cpp keeps a second time on a processor, in an order of its own.
    """

    total: int
    active: int
    routed: int = 0
    parameters: int
    active_parameters: int
    repacked: int = 0


# Types whose rows are woven together for a processor (ggml/src/ggml-cpu/repack.cpp).
WOVEN = frozenset({"Q4_0", "Q4_K", "Q2_K", "IQ4_NL"})


def of_recipe(architecture: Architecture, label: str) -> Weights | None:
    """As llama.cpp would write it under this label; None for an unknown label or shape."""
    recipe, shape = gguf_recipes().get(label), matrices(architecture)
    if recipe is None or not shape:
        return None
    types = [_type_of(one, recipe, architecture) for one in shape]
    sizes = [_stored(one, dtype) for one, dtype in zip(shape, types, strict=True)]
    woven = sum(
        size
        for one, dtype, size in zip(shape, types, sizes, strict=True)
        if dtype in WOVEN and one.role != "token_embd"
    )
    return msgspec.structs.replace(_weights(architecture, shape, sizes), repacked=woven)


def of_bits(architecture: Architecture, bits: float, *, ends: float = 16.0) -> Weights | None:
    """Matrices inside the layers at so many bits a weight, embeddings and head at `ends`; None for an unknown shape."""
    shape = matrices(architecture)
    if not shape:
        return None
    return _weights(
        architecture, shape, [round(one.elements * (ends if one.layer is None else bits) / 8) for one in shape]
    )


def _weights(architecture: Architecture, shape: Sequence[Matrix], nbytes: Sequence[int]) -> Weights:
    idle = {number: _idle(layer) for number, layer in enumerate(architecture.layers)}
    tied = is_tied(architecture)
    total = active = routed = parameters = used = 0
    for one, size in zip(shape, nbytes, strict=True):
        rests = idle.get(one.layer or 0, 0.0) if one.routed else 0.0
        looked_up = one.role == "token_embd" and not tied  # one row a token
        total, parameters = total + size, parameters + one.elements
        routed += size if one.routed else 0
        active += 0 if looked_up else round(size * (1 - rests))
        used += round(one.elements * (1 - rests))
    return Weights(total=total, active=active, routed=routed, parameters=parameters, active_parameters=used)


def _idle(layer: Layer) -> float:
    """The share of a layer's experts that sit out."""
    return 1 - layer.experts_used / layer.experts if layer.experts and layer.experts_used else 0.0


def _stored(one: Matrix, dtype: str) -> int:
    known = dtypes()[dtype]
    if one.width % known.block:
        known = dtypes()[_INSTEAD.get(dtype, "F16")]
        if one.width % known.block:
            known = dtypes()["F16"]
    return known.nbytes(one.rows * one.width) * one.times


def _type_of(one: Matrix, recipe: Recipe, architecture: Architecture) -> str:
    if one.role == "router":
        return "F32"
    role = "output" if one.role == "token_embd" and is_tied(architecture) else one.role
    if one.routed and recipe.ffn_experts:
        return _chosen(recipe.ffn_experts, one, architecture) or recipe.base
    choice: Choice = getattr(recipe, role, ())
    return _chosen(choice, one, architecture) or recipe.base


def _chosen(choice: Choice, one: Matrix, architecture: Architecture) -> str | None:
    return next((dtype for when, dtype in choice if _holds(when, one.layer or 0, architecture)), None)


def _holds(when: When, layer: int, architecture: Architecture) -> bool:
    count, here = len(architecture.layers), architecture.layers[layer]
    bounds: dict[When, range] = {
        "always": range(count),
        "first_2": range(2),
        "first_4": range(4),
        "first_eighth": range(count // 8),
        "first_sixteenth": range(count // 16),
        "middle": range(count // 8, -(-7 * count // 8)),
        "layers_80": range(count if count == 80 else 0),
        "experts_8": range(count if here.experts == 8 else 0),
    }
    match when:
        case "more_bits":
            eighth = count // 8
            return layer < eighth or layer >= 7 * count // 8 or (layer - eighth) % 3 == 2
        case "shared_4":
            heads = here.num_key_value_heads
            return (here.experts or 0) >= 4 or bool(heads and (architecture.num_attention_heads or 0) >= 4 * heads)
        case _:
            return layer in bounds[when]
