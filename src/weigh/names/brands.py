"""Which of the brands in a name is the model's own, and what a brand says by itself."""

from __future__ import annotations

from collections.abc import Sequence

from weigh.knowledge.naming import NamingFamily
from weigh.names.draft import Draft
from weigh.names.items import Item

_TAUGHT = frozenset(["distill", "distilled", "distil"])  # what stands behind this is the pupil
_SHORT = 3  # a spelling shorter than this is a brand only where it stands first

# A function that a name shows stands in for those that its brand implies.
_ROLES = (
    frozenset(["embedding", "rerank"]),
    frozenset(["tts", "asr", "speech", "voice-clone", "voice-design", "speaker-verification"]),
    frozenset(["vision", "video", "caption", "image"]),
    frozenset(["audio", "music"]),
)


def choose_brand(items: Sequence[Item], first: int) -> int:
    """The index of the item that names the model: the first brand, unless a later one is built upon it; -1 if none."""
    brands = [index for index in range(first, len(items)) if items[index].sort == "brand"]
    if not brands:
        return -1
    chosen = brands[0]
    for index in brands[1:]:
        before, later, low = items[chosen].meaning, items[index].meaning, items[index].low
        assert isinstance(before, NamingFamily) and isinstance(later, NamingFamily)
        if len(low) < _SHORT and "yields" not in before.habits:
            continue
        if _gives_way(before, later, low) and not any(item.low in _TAUGHT for item in items[chosen:index]):
            chosen = index
    return chosen


def _gives_way(before: NamingFamily, later: NamingFamily, low: str) -> bool:
    if later.name == before.name or low in (before.words or ()):
        return False
    return "yields" in before.habits or ("derived" in later.habits and "built_upon" in before.habits)


def guess_brand(draft: Draft) -> str | None:
    """The first word that no table knows, where a size stands behind it: `Foo` of `Foo-7B`."""
    first: str | None = None
    for item in draft.items:
        if item.sort == "unknown" and first is None and item.low.isalpha() and len(item.low) >= _SHORT:
            token = draft.tokens[item.at]
            first = draft.text[token.start : token.end]
        elif isinstance(item.meaning, tuple) and item.meaning[0].kind in ("size_b", "mixture", "size_m"):
            return first
    return None


def own_name(draft: Draft) -> int | None:
    """The index of an unknown name that a derivative of a known brand bears: `Marvin` of `Qwen3.5-27B-Marvin-V2`.

    It stands behind the size, with a capital letter, and a release of its own follows it.
    """
    if not any([item.sort == "unknown" for item in draft.items]):
        return None
    if (first := _name_before_brand(draft)) is not None:
        return first
    found: int | None = None
    sized = False
    for index, item in enumerate(draft.items):
        token = draft.tokens[item.at]
        if isinstance(item.meaning, tuple):
            sized = sized or item.meaning[0].kind in ("size_b", "mixture")
            if found is not None and item.low[0] == "v" and item.meaning[-1].kind == "version":
                return found
        elif item.meaning is None and sized and found is None and item.low.isalpha() and len(item.low) > _SHORT:
            found = index if draft.text[token.start].isupper() else None
    return None


def _name_before_brand(draft: Draft) -> int | None:
    """`Reflection` of `Reflection-Llama-3.1-70B`: an unknown name with a capital, right before a language model's."""
    index = draft.brand - 1
    if index < 0 or draft.family is None or draft.family.kind != "llm" or "derived" in draft.family.habits:
        return None
    item = draft.items[index]
    start = draft.tokens[item.at].start
    alone = index == 0 or draft.text[start - 1] == "/"
    unknown = item.meaning is None and item.low.isalpha() and len(item.low) > _SHORT
    return index if alone and unknown and draft.text[start].isupper() else None


def imply(draft: Draft) -> None:
    """What the brand and its release mark are for, unless the name itself says otherwise."""
    family = draft.family
    if family is None:
        return
    shown = draft.function
    implied = set(family.function)
    if implied and shown:
        for role in _ROLES:
            if shown & role:
                implied -= role
    if draft.version is not None and (said := (family.lines or {}).get(draft.version)) is not None:
        implied |= {one.partition(":")[2] for one in said.split(",") if one.startswith("function:")}
    draft.function = shown | implied
