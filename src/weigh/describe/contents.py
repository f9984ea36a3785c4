"""What a set of tensors is, told from their names and shapes alone."""

from __future__ import annotations

import math
import re
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping

from weigh.core.model import Contents, ContentsPart
from weigh.core.tensors import TensorInfo
from weigh.knowledge.checkpoints import CheckpointRow, adapters, checkpoints
from weigh.knowledge.packings import packings

MOST_TENSORS = 200_000
MOST_PLACES = 64  # prefixes under which one network is looked for
LEAST_ADAPTED = 0.5  # of the tensors, for the whole to be an adapter
_MAIN = ("unet", "dit")
_ORDER = (*_MAIN, "controlnet", "motion-module", "vae", "text-encoder", "image-encoder")
_ENCODES_TEXT = frozenset({"language-model", "vision-language", "image-text"})  # beside a network that draws
# How an adapter's tensors are called; the first that is found is the method.
_METHODS = (
    ("DoRA", r"\.dora_scale$|\.lora_magnitude_vector(?:\.|$)"),
    ("LoHa", r"\.hada_w[12]_[ab]$|\.hada_t[12]$"),
    ("LoKr", r"\.lokr_(?:w[12](?:_[ab])?|t[12])$"),
    ("IA3", r"\.ia3_l(?:\.|$)|\.on_input$"),
    ("OFT", r"\.oft_(?:blocks|diag|r)(?:\.|$)"),
    ("prompt", r"^prompt_embeddings$|\.prompt_encoder\."),
    (
        "LoRA",
        r"[._]lora(?:_[AB]|_down|_up|_embedding_[AB]|[AB])?(?:\.|_layer\.|$)|\.(?:lora_)?(?:down|up)\.weight$|\.lora[AB]$",
    ),
)  # fmt: skip
_HINTS = ("lora", "hada_", "lokr_", "ia3_", "on_input", "oft_", "dora_", "prompt_e", ".down.weight", ".up.weight")
_WITH_IT = r"\.(?:alpha|diff|diff_b|bias|scale)$"
_INPUT = r"(?:lora_A|lora_down|lora\.down|hada_w1_b|loraA)(?:\.|$)"
_OPTIMIZER = re.compile(r"(?:^|\.)(?:optimizer(?:_states?|_state_dict)?|optim)\.|\.exp_avg(?:_sq)?$")
_EMA = re.compile(r"^(?:model_ema|ema|ema_model|ema_state_dict|state_dict\.model_ema)\.")
_TRAINING = frozenset({"optimizer", "optimizer_states", "optimizer_state_dict", "optim"})
_WIDTHS = {768: "SD 1.x", 1024: "SD 2.x", 1280: "SDXL"}

Among = Mapping[str, TensorInfo]
Shape = tuple[int, ...] | int | None  # packed: how many weights, or nothing that can be told
Shapes = Mapping[str, Shape]


def contents(tensors: Iterable[TensorInfo], keys: Iterable[str] = ()) -> Contents | None:
    """What the tensors are; None where no names are known. `keys` are those of the outermost dict, and metadata's."""
    among = {tensor.name: tensor for tensor in tensors}
    if not among or len(among) > MOST_TENSORS:
        return None
    outermost = frozenset(keys)
    beside = tuple(_beside(among, outermost))
    return _embedding(among) or _adapter(among, beside) or _networks(among, beside) or _training(outermost, beside)


def _networks(among: Among, beside: tuple[str, ...]) -> Contents | None:
    rows = list(_found(_unpacked(among)))
    if any(row.component == "vision-language" for row in rows):  # its language model is a part of it
        rows = [row for row in rows if row.component != "language-model"]
    if not rows:
        return None
    draws = any(row.component in _MAIN for row in rows)
    parts = [_part(row, draws=draws) for row in rows]
    parts.sort(key=lambda part: _ORDER.index(part.component) if part.component in _ORDER else len(_ORDER))
    main = next((row for row in rows if row.component == parts[0].component), rows[0])
    return Contents(
        kind="checkpoint" if len(parts) > 1 else "component",
        family=parts[0].family,
        variant=main.variant if main.family == parts[0].family else None,
        parts=tuple(parts),
        beside=beside,
    )


def _part(row: CheckpointRow, *, draws: bool) -> ContentsPart:
    component = "text-encoder" if draws and row.component in _ENCODES_TEXT else row.component
    return ContentsPart(component=component, family=row.family)


def _unpacked(among: Among) -> dict[str, Shape]:
    """Each tensor's shape; packed weights under the name that they have unpacked."""
    holders = {holder for row in packings().values() for holder in row.holders if holder != "weight"}
    shapes: dict[str, Shape] = {}
    for name, tensor in among.items():
        stem, _, last = name.rpartition(".")
        shapes[name] = tensor.shape if tensor.dtype != "U32" else None
        if f"{name}.absmax" in among:  # of bitsandbytes, a column of bytes, two weights in each
            shapes[name] = tensor.num_elements * 2
        if last in holders:
            shapes.setdefault(f"{stem.removesuffix('._data').removesuffix('.weight')}.weight", None)
    return shapes


def _found(among: Shapes) -> Iterator[CheckpointRow]:
    """Under each prefix, for each slot the row that asks for most and gets it; copies that EMA keeps are left out."""
    turned = sorted(name[::-1] for name in among)
    taken: set[tuple[str, str]] = set()
    for row in checkpoints():
        for prefix in _places(row, turned):
            place = (prefix.removesuffix("text_model."), row.slot or row.component)  # the same by a shorter name
            if place in taken or _EMA.match(prefix) or not _holds(row, prefix, among):
                continue
            taken.add(place)
            yield row


def _places(row: CheckpointRow, turned: list[str]) -> list[str]:
    """The prefixes under which its longest name stands."""
    anchor = max(row.has, key=len)[::-1]
    at = bisect_left(turned, anchor)
    found: list[str] = []
    while at < len(turned) and turned[at].startswith(anchor) and len(found) < MOST_PLACES:
        rest = turned[at][len(anchor) :]
        if rest == "" or rest[0] == ".":
            found.append(rest[::-1])
        at += 1
    return found


def _holds(row: CheckpointRow, prefix: str, among: Shapes) -> bool:
    if any(prefix + name in among for name in row.lacks):
        return False
    return all(prefix + name in among and _begins(among[prefix + name], shape) for name, shape in row.has.items())


def _begins(shape: Shape, wanted: tuple[int | None, ...]) -> bool:
    match shape:
        case _ if not wanted:
            return True
        case tuple():
            pairs = zip(wanted, shape, strict=False)
            return len(shape) >= len(wanted) and all(length is None or length == mine for length, mine in pairs)
        case int(count):
            least = math.prod(length or 1 for length in wanted)
            return count == least if len(wanted) > 1 and None not in wanted else count % least == 0
    return False


def _adapter(among: Among, beside: tuple[str, ...]) -> Contents | None:
    text = "\n".join(among)  # most models have none of these anywhere: then no name need be looked at
    if not any(hint in text for hint in _HINTS):
        return None
    method = next((method for method, pattern in _METHODS if any(re.search(pattern, name) for name in among)), None)
    if method is None:
        return None
    parts = [pattern for _, pattern in _METHODS] + [_WITH_IT]
    adapted = sum(any(re.search(pattern, name) for pattern in parts) for name in among)
    if adapted < LEAST_ADAPTED * len(among):
        return None
    return Contents(kind="adapter", method=method, family=_adapted(among), beside=beside)


def _adapted(among: Among) -> str | None:
    """The family of the model it is for: by what its layers are called, and how wide what they take in is."""
    for row in adapters():
        if row.unless is not None and any(map(re.compile(row.unless).search, among)):
            continue
        pattern = re.compile(row.pattern)
        named = (
            tensor for name, tensor in among.items() if pattern.search(name) and _takes_in(name, tensor, row.width)
        )
        if next(named, None) is not None:
            return row.family
    return None


def _takes_in(name: str, tensor: TensorInfo, width: int | None) -> bool:
    return width is None or (re.search(_INPUT, name) is not None and tensor.shape[-1:] == (width,))


def _embedding(among: Among) -> Contents | None:
    """Textual inversion: a few vectors as wide as a text encoder's tokens."""
    names = set(among)
    if names == {"clip_g", "clip_l"}:
        return Contents(kind="embedding", family="SDXL")
    if len(names) > 8 or not all(name == "emb_params" or name.startswith("string_to_param") for name in names):
        return None
    width = next((tensor.shape[-1] for tensor in among.values() if tensor.shape), None)
    return Contents(kind="embedding", family=_WIDTHS.get(width or 0))


def _training(outermost: frozenset[str], beside: tuple[str, ...]) -> Contents | None:
    """The state of an optimizer alone, or of a trainer."""
    if {"state", "param_groups"} <= outermost or "optimizer" in beside:
        return Contents(kind="training-state", beside=beside)
    return None


def _beside(among: Among, outermost: frozenset[str]) -> Iterator[str]:
    text = "\n".join(among)
    if outermost & _TRAINING or (("optim" in text or "exp_avg" in text) and any(map(_OPTIMIZER.search, among))):
        yield "optimizer"
    if any(key.startswith("ema") for key in outermost) or ("ema" in text and any(map(_EMA.match, among))):
        yield "ema"
    if "pytorch-lightning_version" in outermost:
        yield "lightning"
    if outermost & {"workflow", "prompt"}:
        yield "workflow"
