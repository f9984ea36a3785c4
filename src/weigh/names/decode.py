"""A model's name taken apart: the longest known words first, then figures by what stands around them."""

from __future__ import annotations

from weigh.core.name import Name, Size
from weigh.knowledge.naming import NamingFamily
from weigh.names.brands import choose_brand, guess_brand, imply
from weigh.names.cut import tokens_of
from weigh.names.draft import Draft, has
from weigh.names.items import Item, items_of
from weigh.names.kinds import kind_of, modality_of
from weigh.names.quants import quant_of
from weigh.names.walk import part_of, walk

MOST = 4096  # characters that are taken apart; the rest of a longer text is one unknown part
_MOST_SLASHES = 3
_OF_SPEECH = frozenset(["asr", "tts", "speaker-verification", "voice-clone"])


def decode(text: str) -> Name:
    """What the text says, part by part; the parts joined are the text. Never raises; linear in the text."""
    head = text[:MOST]
    tokens = tokens_of(head)
    draft = Draft(text=head, tokens=tokens, items=items_of(tokens, head))
    first = _first_item(draft)
    _prepare(draft, first)
    done = walk(draft, first)
    if done < len(head):
        draft.parts.append(part_of("separator", head[done:], None, None))
    if len(text) > MOST:
        draft.parts.append(part_of("unknown", text[MOST:], None, 0.0))
    return _name(draft, text)


def _prepare(draft: Draft, first: int) -> None:
    """What figures are read by: the brand, whether there is a tag, whether weights are packed."""
    draft.tagged = ":" in draft.text
    draft.quantised = any([item.sort == "label" or _is_width(item) for item in draft.items])
    draft.brand = choose_brand(draft.items, first)
    if draft.brand < 0:
        draft.guessed = guess_brand(draft)
        return
    family = draft.items[draft.brand].meaning
    assert isinstance(family, NamingFamily)
    draft.family = family


def _is_width(item: Item) -> bool:
    return item.sort == "figure" and isinstance(item.meaning, tuple) and item.meaning[0].kind in ("bpw", "bits")


def _first_item(draft: Draft) -> int:
    """The first item behind the last slash; an earlier slash where only what lies behind that has a brand."""
    cut = draft.text.rfind("/")
    best = 0
    for tried in range(_MOST_SLASHES):
        if cut < 0:
            break
        first = sum(1 for item in draft.items if draft.tokens[item.at].start < cut)
        if first == len(draft.items) or (tried and "/" not in draft.text[:cut]):
            break
        best = best or first
        if any([item.sort == "brand" for item in draft.items[first:]]):
            return first
        cut = draft.text.rfind("/", 0, cut)
    return best


# What it comes to


def _name(draft: Draft, text: str) -> Name:
    family = draft.family
    unquantised = "qat" in draft.training and "unquantized" in draft.text.lower()
    quant, format = None, draft.format
    if (draft.labels and not unquantised) or format == "exl2":
        quant, format = quant_of(draft.labels, draft.text, format=format, group=draft.group, tagged=draft.tagged)
    imply(draft)
    kind = _kind(draft)
    functions = _functions(draft)
    return Name(
        name=text,
        org=None if family is None or draft.guessed is not None else family.org,
        family=draft.guessed or (family.name if family is not None else None),
        version=draft.version or draft.revision,
        size=_size(draft),
        tier=tuple(sorted(draft.tier)),
        function=functions,
        modality=modality_of(kind, functions),
        quant=quant,
        format=format,
        context_tokens=draft.context,
        date=draft.date,
        training=tuple(sorted(draft.training)),
        language=tuple(sorted(draft.language)),
        shard=draft.shard,
        kind=kind,
        confidence=_confidence(draft),
        parts=tuple(draft.parts),
        other_readings=tuple(draft.others),
    )


def _kind(draft: Draft) -> str:
    """The brand's, or that of its line (`4o`); with neither, a size in billions is a language model's."""
    family = draft.family
    if family is None:
        return kind_of("llm" if draft.guessed is not None else None, frozenset(draft.function))
    if family.lines is None:
        return kind_of(draft.kind or family.kind, frozenset(draft.function))
    said = family.lines.get(draft.version or "", "")
    lined = next((one[5:] for one in said.split(",") if one.startswith("kind:")), None)
    return kind_of(draft.kind or lined or family.kind, frozenset(draft.function))


def _functions(draft: Draft) -> tuple[str, ...]:
    """Without what is only the means: what a ControlNet is steered by, the speech that is written down."""
    shown = draft.function
    if "controlnet" in shown:
        shown = shown - {"depth"}
    if "adapter" in shown:
        shown = shown - {"controlnet"}
    if draft.family is not None and draft.family.kind == "speech" and shown & _OF_SPEECH:
        shown = shown - {"speech"}
    return tuple(sorted(shown)) if shown else ()


def _size(draft: Draft) -> Size | None:
    sizes = draft.sizes
    if not sizes:
        return None
    if "experts" in sizes and "expert_b" not in sizes and "total_b" in sizes and has(draft, "experts_total"):
        sizes["active_b"] = sizes.pop("total_b")
    plain = {key: int(value) if value == int(value) else value for key, value in sizes.items()}
    return Size(**plain)  # type: ignore[arg-type]


def _confidence(draft: Draft) -> float | None:
    """Of the characters that are no separators, how many are understood and how surely."""
    total = sure = 0.0
    for part in draft.parts:
        if part.confidence is not None:
            total += len(part.text)
            sure += len(part.text) * part.confidence
    return round(sure / total, 2) if total else None
