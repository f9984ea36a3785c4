"""The way through a name's items: each becomes a part, and what it says is kept."""

from __future__ import annotations

import functools

from weigh.core.name import Part, Shard
from weigh.core.saying import Saying
from weigh.knowledge.naming import NamingFamily, Suffix
from weigh.names.brands import own_name
from weigh.names.draft import UNKNOWN, Draft, Said, has
from weigh.names.figures import figures
from weigh.names.items import Item
from weigh.names.lexicon import shadowed
from weigh.names.quants import Label, real_bits
from weigh.names.sizes import read_figure

EXTENSIONS = {
    "gguf": "gguf", "ggml": "ggml", "safetensors": "safetensors", "onnx": "onnx", "pth": "pytorch", "pt": "pytorch",
    "mlx": "mlx",
}  # fmt: skip
FILES = frozenset(
    [
        *("bin", "ckpt", "engine", "h5", "json", "keras", "llamafile", "mlmodel", "model", "nemo", "npy", "npz", "pb"),
        *("pickle", "pkl", "tar", "tflite", "xml", "zip"),
    ]
)
_AUTOROUND = "ar"  # Arabic, unless it stands behind how weights are packed
_SIZED_ENCODERS = frozenset(["embedding", "rerank", "vision"])


def walk(draft: Draft, first: int) -> int:
    """Adds a part for each item and each separator; returns how many characters are covered."""
    index = done = 0
    own = own_name(draft) if draft.family is not None else None
    if first:
        done = _cover(draft, 0, first, Said("org", None, 0.8), done)
        _read_place(draft, first)
        index = first
    while index < len(draft.items):
        said = _take_name(draft, index) if index == own else _read(draft, index)
        end = index + 1 if said.tokens == 1 else _after(draft, index, said.tokens)
        done = _cover(draft, index, end, said, done)
        index = end
    return done


def _after(draft: Draft, index: int, count: int) -> int:
    """The index behind `count` tokens that begin with this item's."""
    last = draft.items[index].at + count
    while index < len(draft.items) and draft.items[index].at < last:
        index += 1
    return index


def _cover(draft: Draft, index: int, end: int, said: Said, done: int) -> int:
    """The items from `index` to `end` as one part, the separator before it as another."""
    text, tokens, parts, last = draft.text, draft.tokens, draft.parts, draft.items[end - 1]
    start, stop = tokens[draft.items[index].at].start, tokens[last.at + last.span - 1].end
    if start > done:
        parts.append(part_of("separator", text[done:start], None, None))
    parts.append(part_of(said.kind, text[start:stop], said.value, said.confidence))
    if said.other is not None:
        value = said.value if said.other in ("context", "function") else text[start:stop]
        draft.others.append(part_of(said.other, text[start:stop], value, round(1 - said.confidence, 2)))
    return stop


@functools.lru_cache(maxsize=16384)
def part_of(kind: str, text: str, value: str | None, confidence: float | None) -> Part:
    """A part with its reason; the same part is the same value."""
    if kind == "separator":
        return Part(kind=kind, text=text)
    return Part(
        kind=_KINDS.get(kind, kind), text=text, value=value, why=_why(kind, value or text), confidence=confidence
    )


# A reason of its own, but a kind that others share.
_KINDS = {"tokens": "training", "steps": "training", "epochs": "training", "codebook": "quant"}


def _why(kind: str, value: str) -> Saying:
    if kind == "function":
        return Saying(f"function.{value}")
    if kind == "training":
        return Saying(f"training.{value}")
    if kind == "quant" and (real := real_bits().get(value)) is not None:
        return Saying("part.quant_bits", value=value, bits=real)
    return Saying(f"part.{kind}", value=int(value) if kind in ("context", "budget") else value)


def _read_place(draft: Draft, first: int) -> None:
    """Of the path before a name only the loader that its place is named for is said."""
    if any(item.low.startswith("mlx") for item in draft.items[:first]):
        draft.format = "mlx"


def _read(draft: Draft, index: int) -> Said:
    item = draft.items[index]
    if item.sort == "figure" and item.low.isdecimal() and (said := _shard(draft, index)) is not None:
        return said
    if index == len(draft.items) - 1 and index and (said := _extension(draft, index)) is not None:
        return said
    words = draft.family.words if draft.family is not None else None
    if words is not None and index != draft.brand and (own := words.get(item.low)) is not None:
        return _keep(draft, own, item)
    return _mean(draft, index, item)


def _mean(draft: Draft, index: int, item: Item) -> Said:
    match item.meaning:
        case Suffix() as suffix:
            return _suffix(draft, suffix)
        case NamingFamily() as brand:
            return _brand(draft, index, item, brand)
        case Label() as label:
            draft.labels.append(label)
            return Said("quant", label.scheme or label.method)
        case tuple() as readings:
            return read_figure(draft, index, item, readings) or UNKNOWN
    if draft.family is None and draft.guessed is not None and item.low == draft.guessed.lower():
        return Said("family", draft.guessed, 0.5)
    return UNKNOWN


# What stands here


def _shard(draft: Draft, index: int) -> Said | None:
    item = draft.items[index]
    if len(item.low) < 2:
        return None
    tokens = draft.tokens[item.at : item.at + 3]
    if len(tokens) < 3 or tokens[1].low != "of" or not tokens[2].low.isdecimal() or len(tokens[2].low) > 6:
        return None
    draft.shard = Shard(index=int(item.low[:6]), count=int(tokens[2].low))
    return Said("shard", f"{draft.shard.index}/{draft.shard.count}", tokens=3)


def _extension(draft: Draft, index: int) -> Said | None:
    """The last word behind a dot, where it is what files end in."""
    item = draft.items[index]
    if draft.tokens[item.at].before != ".":
        return None
    if (format := EXTENSIONS.get(item.low)) is not None:
        draft.format = format
        return Said("format", format)
    return Said("extension", item.low) if item.low in FILES else None


def _brand(draft: Draft, index: int, item: Item, brand: NamingFamily) -> Said:
    """The model's own brand; another that is a word too is that word; any other is what the model is made from."""
    if index == draft.brand:
        for spelling, said in (brand.fused or {}).items():
            if spelling.replace(" ", "") == item.low.replace(" ", ""):
                _note_all(draft, said)
        return Said("family", brand.name, 0.95)
    if (word := shadowed(item.low)) is not None:
        return _suffix(draft, word)
    if "yields" in brand.habits and index < draft.brand:
        draft.function.update(brand.function)
    if brand is draft.family:
        return Said("family", brand.name, 0.8)
    if len(item.low) > 2:
        return Said("base", brand.name, 0.8)
    return read_figure(draft, index, item, figures(item.low)) or Said("base", brand.name, 0.6)


def _note_all(draft: Draft, said: str) -> None:
    for one in said.split(","):
        kind, _, value = one.partition(":")
        if value:
            _note(draft, kind, value)


def _keep(draft: Draft, own: str, item: Item) -> Said:
    """What a word means in this family."""
    kind, _, value = own.partition(",")[0].partition(":")
    if not value or kind == "kind":
        value, kind = item.low, "word"
    _note_all(draft, own)
    return Said(kind, value)


def _suffix(draft: Draft, suffix: Suffix) -> Said:
    kind, value = suffix.kind, suffix.value
    if value == "base" and kind == "function" and _is_size_class(draft):
        kind = "tier"
        _note(draft, kind, value)
        return Said(kind, value, other="function")
    if value == _AUTOROUND and kind == "language" and draft.labels:
        draft.labels.append(Label("AutoRound", None, None, 0, 0))  # `int4-mixed-ar`
        return Said("quant", "AutoRound", 0.8, other="language")
    if suffix.field:
        _note(draft, kind, value)
    return _said(kind, value)


@functools.cache
def _said(kind: str, value: str) -> Said:
    return Said(kind, value)


def _is_size_class(draft: Draft) -> bool:
    family = draft.family
    return family is not None and (family.kind in _SIZED_ENCODERS or has(draft, "base_is_size"))


def _note(draft: Draft, kind: str, value: str) -> None:
    match kind:
        case "function" | "tier" | "training" | "language":
            kept: set[str] = getattr(draft, kind)
            kept.add(value)
        case "format":
            draft.format = draft.format or value
        case "version":
            draft.version = draft.version or value
        case "kind":
            draft.kind = value


def _take_name(draft: Draft, index: int) -> Said:
    """From here on the name is the derivative's; what came before was its base's."""
    token = draft.tokens[draft.items[index].at]
    draft.guessed = draft.text[token.start : token.end]
    draft.version = None
    draft.renamed = index < draft.brand
    return Said("family", draft.guessed, 0.6)
