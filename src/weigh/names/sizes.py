"""Figures of a name by what stands around them: sizes, contexts, dates, release marks."""

from __future__ import annotations

from weigh.knowledge.naming import NamingFamily, Suffix
from weigh.names.dates import date, date_of_parts
from weigh.names.draft import Draft, Said, has
from weigh.names.figures import Figure
from weigh.names.items import Item
from weigh.names.lexicon import shadowed
from weigh.names.quants import Label

_EMBEDS = frozenset(["embedding", "rerank"])
_DRAWS = frozenset(["image-generation", "video-generation"])
_SIZES = frozenset(["mixture", "active", "epochs", "experts", "effective", "size", "size_b", "size_m", "size_t"])
_PACKING = frozenset(["bpw", "bits", "group", "head", "codebook"])
_RELEASES = frozenset(["line", "version", "revision"])
_COUNTERS = frozenset(["step", "steps"])
_LONGEST_CONTEXT_IN_M = 0.016


def read_figure(draft: Draft, index: int, item: Item, readings: tuple[Figure, ...]) -> Said | None:
    """The first reading that its neighbours allow; None where none is."""
    if (dated := _date_of_parts(draft, item)) is not None:
        return dated
    if (counted := _count(draft, index, item)) is not None:
        return counted
    for reading in readings:
        if (said := _read(draft, index, item, reading)) is not None:
            return said
    return None


def _read(draft: Draft, index: int, item: Item, reading: Figure) -> Said | None:
    kind = reading.kind
    if kind == "size_k":
        return _thousands(draft, item, reading)
    if kind in _SIZES:
        return _size(draft, index, item, reading)
    if kind in _PACKING:
        return _packing(draft, item, reading)
    if kind in ("context", "tokens"):
        return _context(draft, reading)
    if kind == "date":
        return _date(draft, item)
    return _release(draft, index, item, reading) if kind in _RELEASES else _measure(draft, reading)


def _count(draft: Draft, index: int, item: Item) -> Said | None:
    """`step-480k` was taken after so many steps, `4steps` draws in so many, `L-6` has so many layers."""
    before = draft.items[index - 1].low if index else ""
    follows = draft.items[index + 1].low if index + 1 < len(draft.items) else ""
    if before in _COUNTERS and index - 1 != draft.brand and item.low[0] != "v":
        draft.training.add(f"steps:{item.low}")
        return Said("steps", item.low)
    if item.low.isdecimal() and follows in _COUNTERS and draft.tokens[item.at + 1].before == "":
        return Said("rate", item.low, 0.8)
    return Said("shape", item.low, 0.8) if before == "l" and item.low.isdecimal() else None


def _measure(draft: Draft, reading: Figure) -> Said | None:
    if reading.kind == "steps":
        draft.training.add(f"steps:{reading.mark}")
    elif reading.kind == "shape" and draft.family is not None and draft.family.kind in ("llm", "multimodal"):
        return None
    return Said(reading.kind, reading.mark, 0.8)


# Sizes


def _size(draft: Draft, index: int, item: Item, reading: Figure) -> Said | None:
    sizes, value = draft.sizes, reading.value
    match reading.kind:
        case "mixture":
            sizes |= {"experts": value, "expert_b": reading.second}
            return Said("mixture", item.low)
        case "active":
            sizes["active_b"] = value
            return Said("active", item.low.upper())
        case "epochs":
            draft.training |= {f"epochs:{value:g}", f"tokens:{reading.second:g}T"}
            return Said("epochs", item.low)
        case "experts" if has(draft, "experts_total") or "total_b" in sizes:
            sizes["experts"] = value
            return Said("experts", f"{value:g}")
        case "effective" if has(draft, "effective"):
            sizes["effective_b"] = value
            return Said("effective", item.low.upper())
        case "experts" | "effective":
            return None
    return _plain_size(draft, index, item, reading)


def _plain_size(draft: Draft, index: int, item: Item, reading: Figure) -> Said | None:
    """The first figure with a unit is the size; the next is context, training tokens or the other part."""
    sizes, value, low = draft.sizes, reading.value, item.low
    sized = "total_b" in sizes or "experts" in sizes
    if reading.kind == "size_m" and value <= _LONGEST_CONTEXT_IN_M and (sized or _talks(draft)):
        return None
    if sized and has(draft, "active_first") and "active_b" not in sizes:
        sizes["active_b"], sizes["total_b"] = sizes["total_b"], value
        return Said("size", f"{value:g}B")
    if sizes.get("total_b") == value:
        return Said("size", low.upper(), 0.8)
    if "total_b" not in sizes and sizes.get("expert_b", value) < value <= sizes.get("experts", 0) * sizes["expert_b"]:
        sizes["total_b"] = value  # `8X3B ... 18.4B`
        return Said("size", low.upper())
    follows = draft.items[index + 1].low if index + 1 < len(draft.items) else ""
    if (sized and reading.kind != "size_m") or follows in ("token", "tokens"):
        draft.training.add(f"tokens:{low.upper()}")
        return Said("tokens", low.upper(), 0.7, other="size")
    if sized:
        return None
    sizes["total_b"] = value
    return Said("size", low.upper().replace("_", "."))


def _talks(draft: Draft) -> bool:
    """A hosted chat model, which is sold by its context and tells no size."""
    family = draft.family
    return family is not None and family.kind in ("llm", "multimodal") and bool(draft.version or draft.tier)


def _thousands(draft: Draft, item: Item, reading: Figure) -> Said | None:
    if not has(draft, "thousands") or draft.sizes:
        return None
    draft.sizes["total_b"] = reading.value
    return Said("size", item.low.upper())


# Packing


def _packing(draft: Draft, item: Item, reading: Figure) -> Said | None:
    token = draft.tokens[item.at]
    match reading.kind:
        case "bpw" | "bits":
            draft.group = int(reading.second) or draft.group
            method = "BitNet" if reading.mark.startswith("b1") else None
            draft.labels.append(Label(method, reading.mark, reading.value, token.start, token.end))
            return Said("bpw" if reading.kind == "bpw" else "quant", reading.mark)
        case "group" if draft.quantised:
            draft.group = int(reading.value)
            return Said("group", f"{reading.value:g}")
        case "head" if draft.quantised and _is_exl(draft):
            return Said("head", f"{reading.value:g}")
        case "codebook" if draft.quantised:
            draft.labels.append(Label(None, reading.mark, None, token.start, token.end))
            return Said("codebook", reading.mark)
    return None


def _is_exl(draft: Draft) -> bool:
    """A head's width is told only beside bits per weight."""
    return any("exl" in item.low or "bpw" in item.low for item in draft.items)


# Context and date


def _context(draft: Draft, reading: Figure) -> Said | None:
    family = draft.family
    if draft.context is not None or (family is not None and family.kind in {*_DRAWS, "speech", "audio-generation"}):
        return Said("rate", None, 0.5) if family is not None and family.kind not in ("llm",) else None
    if reading.kind == "tokens" and not (draft.sizes or draft.version):
        return None
    if has(draft, "budget") and draft.version is not None and draft.version[0] == "M":
        return Said("budget", str(int(reading.value)), 0.8, other="context")
    if "thinking" in draft.function and draft.tagged and reading.kind == "tokens":
        return Said("budget", str(int(reading.value)), 0.8, other="context")
    draft.context = int(reading.value)
    return Said("context", str(draft.context), other=None if draft.sizes else "size")


def _date_of_parts(draft: Draft, item: Item) -> Said | None:
    low = item.low
    if len(low) not in (2, 4) or not low.isdecimal() or draft.date is not None:
        return None
    rest = draft.tokens[item.at : item.at + 3]
    if len(rest) < 2 or rest[1].before != "-":
        return None
    found = date_of_parts([token.low for token in rest])
    if found is None or (draft.family is None and draft.guessed is None):
        return None
    draft.date = found[0]
    return Said("date", found[0], tokens=found[1])


def _date(draft: Draft, item: Item) -> Said | None:
    if draft.family is not None and draft.family.kind in _DRAWS and len(item.low) == 4 and int(item.low) % 64 == 0:
        return Said("resolution", item.low, 0.8)
    found = date(item.low, month_first=has(draft, "month_first"))
    if found is None or draft.date is not None:
        return None
    draft.date = found
    return Said("date", found, 0.9 if len(item.low) > 4 else 0.8)


# Release marks


def _release(draft: Draft, index: int, item: Item, reading: Figure) -> Said | None:
    """The first mark of the model's own; a mark that hangs on another brand is that brand's."""
    if draft.family is None and draft.guessed is None:
        return None
    if reading.kind == "revision":
        draft.revision = draft.revision or reading.mark
        return Said("revision", reading.mark, 0.7)
    if _hangs_on_another(draft, index, item, reading):
        return Said("base", reading.mark, 0.8)
    if reading.kind == "line" and not _is_line(draft, index, reading):
        return None
    if draft.version is not None and draft.version.isalpha() and reading.kind == "version":
        draft.version = f"{draft.version} {reading.mark}"  # `XL 1.0`
        return Said("version", draft.version)
    if draft.version is not None:
        return Said("release", reading.mark, 0.6) if reading.kind == "version" and reading.value else None
    if _is_measure(draft, index, item):
        return None
    mark, count = _with_minor(draft, index, reading)
    draft.version = _bare(draft, mark)
    return Said("version", draft.version, 0.95, count)


def _hangs_on_another(draft: Draft, index: int, item: Item, reading: Figure) -> bool:
    before = draft.items[index - 1].meaning if index else None
    if (
        index < draft.brand
        and reading.kind == "version"
        and reading.value
        and isinstance(before, Suffix | NamingFamily)
    ):
        return True
    if has(draft, "derived") and reading.mark[:1] == "l":
        return True  # `L2` of MythoMax-L2: Llama 2
    if draft.renamed and isinstance(before, NamingFamily):
        return True
    if not isinstance(before, NamingFamily) or index - 1 == draft.brand or shadowed(draft.items[index - 1].low):
        return False
    if draft.family is before:
        return False
    if index < draft.brand:
        return True
    loose = draft.tokens[item.at].before != "" and reading.value == 1.0
    return not (loose and draft.version is None)


def _is_line(draft: Draft, index: int, reading: Figure) -> bool:
    """Letter and digit name a line (`R1`, `K2`) only before any size, and of models that embed only as `m3`."""
    family = draft.family
    if draft.version is not None or family is None or (draft.sizes and index - 1 != draft.brand):
        return False
    if family.kind in _EMBEDS:
        return reading.mark[0] == "m"
    scales = family.kind == "image-generation" and reading.mark[0] == "x"  # `x4` draws larger
    return family.kind != "vision" and not scales


def _is_measure(draft: Draft, index: int, item: Item) -> bool:
    """A whole number that stands apart in a vision or protein model's name counts something of its architecture."""
    kind = draft.family.kind if draft.family is not None else None
    counts = kind == "vision" or (kind == "vertical" and len(item.low) > 1)
    return counts and item.low.isdecimal() and index - 1 != draft.brand


def _with_minor(draft: Draft, index: int, reading: Figure) -> tuple[str, int]:
    """`3-5` of `claude-3-5` is 3.5, `v1-5-2` is 1.5.2: single digits behind single dashes."""
    mark, count = reading.mark, 1
    low = draft.items[index].low.lstrip("v")
    if not (low[-1:].isdigit() and len(low) <= 2 and "." not in low and "_" not in low) or low[0] == "0":
        return mark, 1
    for item in draft.items[index + 1 : index + 3]:
        token = draft.tokens[item.at]
        if token.before not in ("-", "_") or len(item.low) != 1 or not item.low.isdigit() or not item.low.isascii():
            break
        mark, count = f"{mark}.{item.low}", count + 1
    return mark, count


def _bare(draft: Draft, mark: str) -> str:
    """The mark as the maker writes it: `r1` is R1, `15` of sd15 is 1.5, `5v` is 5 with vision."""
    family = draft.family
    if mark[0].isalpha():
        keeps = family is not None and (family.kind in _EMBEDS or mark[0] == "o")
        return mark if keeps and not mark.startswith("or") else mark.upper()
    if mark[-1] == "v" and mark[:-1].replace(".", "").isdigit():
        draft.function.add("vision")
        mark = mark[:-1]
    if family is not None and family.kind == "vision" and mark[-1].isalpha():
        mark = mark[:-1]  # `11x`: the size class of a detector
    if has(draft, "two_digits") and len(mark) == 2 and mark.isdigit():
        return f"{mark[0]}.{mark[1]}"
    return mark
