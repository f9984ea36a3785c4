"""Counting what the tensors of a network stand for."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from weigh.core.header import Meta
from weigh.core.name import Quant
from weigh.core.tensors import TensorInfo
from weigh.core.value import Value
from weigh.describe.packing import Given, Meaning, given, stands_for
from weigh.knowledge.dtypes import dtypes

# Buffers that PyTorch saves beside parameters, and llama.cpp's tables of rotary frequencies.
_BUFFERS = frozenset(
    {
        "running_mean",
        "running_var",
        "num_batches_tracked",
        "position_ids",
        "inv_freq",
        "masked_bias",
        "relative_position_index",
        "e_score_correction_bias",
    }
)
_ROTARY = frozenset({"rope_freqs.weight", "rope_factors_long.weight", "rope_factors_short.weight"})
_MASK = re.compile(r"(?:attn|attention)\.bias$")  # GPT-2's and GPT-NeoX's triangle of ones: (1, 1, n, n)
_OPTIMIZER = re.compile(r"^(?:optimizer(?:_states?|_weights)?|opt|lr_schedulers?|ema_state)(?:[./]|$)")
_EXPERT = re.compile(r"(?:^|\.)(?:experts|switch_mlp)\.|_exps\.|^blk\.\d+\.ffn_(?:gate|up|down)\.\d+\.")
_INPUTS = frozenset({"embed_tokens", "tok_embeddings", "word_embeddings", "wte", "embed_in", "token_embd", "shared"})
_OUTPUTS = frozenset({"lm_head", "embed_out"})
_SENSES = re.compile(
    r"^(?:v|a|mm)\.|(?:^|\.)(?:visual|vision|vision_model|vision_tower|vit|image_encoder|multi_modal_projector|"
    r"mm_projector|audio_tower)\."
)
MOST_ELEMENTS = 1 << 63  # of one tensor; nothing larger can be addressed
LEAST_PACKED = 0.05  # of all weights: below this a stray packed tensor does not make a quantised model
MOST_LEFT = 8  # layers that are named
LEAST_SIDE = 8  # a convolution over time is shaped (channels, 1, 4), never like a matrix for each expert


class Count(Value, frozen=True, kw_only=True):
    """`parameters` the tensors stand for; of these, those in routed experts, in token embeddings (input and output)
    and in parts that see or hear. `nbytes` all weights take; `dtypes` stored bytes by dtype, largest first. `left`:
    where the others are packed, what the layers are called whose matrices are not, largest first.
    """

    parameters: int
    expert_parameters: int
    embedding_parameters: int
    sense_parameters: int
    nbytes: int
    num_tensors: int
    dtypes: Mapping[str, int]
    quant: Quant | None = None
    left: tuple[str, ...] = ()


def count(tensors: Iterable[TensorInfo], config: Mapping[str, Meta], *, experts: int | None = None) -> Count:
    """Count what belongs to the network; a name that stands twice counts once. `experts`: how many a layer has."""
    among = {tensor.name: tensor for tensor in tensors if not _is_beside_the_network(tensor)}
    said = given(config)
    stands = {name: stands_for(tensor, among, said) for name, tensor in among.items()}
    if _is_tied(config) and any(_is_input(name) for name in among):
        stands |= {name: (0, None) for name in among if _is_output(name)}
    by_dtype: dict[str, int] = {}
    for tensor in among.values():
        by_dtype[tensor.dtype] = by_dtype.get(tensor.dtype, 0) + (tensor.nbytes or 0)
    total = sum(elements for elements, _ in stands.values())

    def sum_of(names: Iterable[str]) -> int:
        return sum(stands[name][0] for name in names)

    return Count(
        parameters=total,
        expert_parameters=sum_of(name for name in among if _is_routed(among[name], experts)),
        embedding_parameters=sum_of(name for name in among if _is_input(name) or _is_output(name)),
        sense_parameters=sum_of(name for name in among if _SENSES.search(name)),
        nbytes=sum(by_dtype.values()),
        num_tensors=len(among),
        dtypes=dict(sorted(by_dtype.items(), key=lambda item: (-item[1], item[0]))),
        quant=_quant([meaning for meaning in stands.values() if meaning[1] is not None], said, by_dtype, total),
        left=tuple(_left(among, stands)),
    )


def _left(among: Mapping[str, TensorInfo], stands: Mapping[str, Meaning]) -> list[str]:
    """The last part of each layer's name, without its number."""
    if not any(quant is not None for _, quant in stands.values()):
        return []
    sizes: dict[str, int] = {}
    for name, tensor in among.items():
        elements, quant = stands[name]
        if elements and quant is None and len(tensor.shape) > 1 and tensor.dtype in _PLAIN:
            parts = [part for part in name.split(".")[:-1] if not part.isdigit()]
            layer = parts[-1] if parts else name
            sizes[layer] = sizes.get(layer, 0) + elements
    return sorted(sizes, key=lambda layer: -sizes[layer])[:MOST_LEFT]


def distinct(tensors: Iterable[TensorInfo]) -> list[TensorInfo]:
    """The tensors of one file without second views of the same bytes; storages are named anew in each file."""
    kept, seen = [], set()
    for tensor in tensors:
        view = (tensor.storage, tensor.offset, tensor.shape)
        if tensor.storage is None or view not in seen:
            kept.append(tensor)
        seen.add(view)
    return kept


def _is_beside_the_network(tensor: TensorInfo) -> bool:
    """Buffers, an optimizer's tensors, strings and handles, and shapes that no tensor can have."""
    name = tensor.name
    if (known := dtypes().get(tensor.dtype)) is not None and known.kind == "other":
        return True
    if min(tensor.shape, default=0) < 0 or tensor.num_elements >= MOST_ELEMENTS:
        return True
    if len(tensor.shape) == 4 and tensor.shape[:2] == (1, 1) and _MASK.search(name):
        return True
    return name.rpartition(".")[2] in _BUFFERS or name in _ROTARY or _OPTIMIZER.match(name) is not None


def _is_tied(config: Mapping[str, Meta]) -> bool:
    """As transformers reads it: the input's table serves as the output's, whatever else is saved."""
    tied = config.get("tie_word_embeddings")
    inner = config.get("text_config")
    if tied is None and isinstance(inner, Mapping):
        tied = inner.get("tie_word_embeddings")
    return tied is True


def _is_input(name: str) -> bool:
    """The table of token embeddings."""
    stem, _, last = name.rpartition(".")
    return last in ("weight", "qweight") and stem.rpartition(".")[2] in _INPUTS


def _is_output(name: str) -> bool:
    """The same on the way out; GGUF's lies at the root, where others have no `output`."""
    stem, _, last = name.rpartition(".")
    return last in ("weight", "qweight") and (stem == "output" or stem.rpartition(".")[2] in _OUTPUTS)


def _is_routed(tensor: TensorInfo, experts: int | None) -> bool:
    """By its name, or as one matrix for each expert."""
    if _EXPERT.search(tensor.name):
        return True
    fused = experts is not None and experts > 1 and len(tensor.shape) == 3 and tensor.shape[0] == experts
    return fused and min(tensor.shape[1:]) >= LEAST_SIDE


_PLAIN: Mapping[str, int] = {"BF16": 16, "F16": 16, "F32": 32, "F64": 64}


def _quant(
    packed: list[tuple[int, Quant | None]], said: Given, by_dtype: Mapping[str, int], total: int
) -> Quant | None:
    """The packing that holds the most weights; where next to nothing is packed, the dtype of the most bytes."""
    found: dict[tuple[str | None, str | None, float | None], int] = {}
    for elements, quant in packed:
        if quant is not None:
            key = (quant.method, quant.scheme, quant.bits)
            found[key] = found.get(key, 0) + elements
    if found and sum(found.values()) >= LEAST_PACKED * total:
        method, scheme, bits = max(found, key=lambda key: found[key])
        return Quant(method=method, scheme=scheme, bits=bits, group=said.group)
    main = max(by_dtype, key=lambda dtype: by_dtype[dtype], default=None)
    if main is None:
        return None
    if main in _PLAIN:
        return Quant(method="none", scheme=main, bits=_PLAIN[main])
    known = dtypes().get(main)
    return Quant(scheme=main, bits=round(known.bits, 2) if known else None)
