"""The kind of model, and what goes in and out, from a brand's kind and the functions a name shows."""

from __future__ import annotations

import functools

# The first of these that a name shows decides; what stands earlier says more.
_BY_FUNCTION: tuple[tuple[str, str], ...] = (
    ("rerank", "rerank"),
    ("embedding", "embedding"),
    ("tts", "speech"),
    ("asr", "speech"),
    ("voice-clone", "speech"),
    ("voice-design", "speech"),
    ("speaker-verification", "speech"),
    ("ocr", "vision"),
    ("detection", "vision"),
    ("t2v", "video-generation"),
    ("i2v", "video-generation"),
    ("ti2v", "video-generation"),
    ("flf2v", "video-generation"),
    ("t2w", "video-generation"),
    ("animate", "video-generation"),
    ("motion-control", "video-generation"),
    ("t2i", "image-generation"),
    ("i2i", "image-generation"),
    ("edit", "image-generation"),
    ("inpaint", "image-generation"),
    ("controlnet", "image-generation"),
    ("vae", "image-generation"),
    ("music", "audio-generation"),
    ("medical", "vertical"),
    ("finance", "vertical"),
    ("sql", "vertical"),
    ("protein", "vertical"),
    ("robotics", "vertical"),
    ("omni", "multimodal"),
    ("vision", "multimodal"),
    ("projector", "multimodal"),
    ("audio", "multimodal"),
    ("realtime", "multimodal"),
    ("multimodal", "multimodal"),
    ("caption", "multimodal"),
)
# Of a brand that talks, or of none, these make something else.
_OF_TALKERS: tuple[tuple[str, str], ...] = (
    ("video", "video-generation"),
    ("image", "image-generation"),
    ("upscale", "image-generation"),
    ("refiner", "image-generation"),
    ("prior", "image-generation"),
    ("speech", "speech"),
    ("depth", "vision"),
)
_DEDICATED = frozenset(
    {"embedding", "rerank", "speech", "image-generation", "video-generation", "audio-generation", "vertical", "vision"}
)
_FILMS = frozenset(["video", "t2v", "i2v", "ti2v", "flf2v", "animate"])
_TALKS = frozenset(["chat", "instruct", "code", "math", "reasoning", "thinking", "reward", "guard", "translate"])
_MODALITY: dict[str, tuple[str, ...]] = {
    "llm": ("text",),
    "multimodal": ("image", "text"),
    "vision": ("image",),
    "embedding": ("text",),
    "rerank": ("text",),
    "speech": ("audio", "text"),
    "image-generation": ("image",),
    "video-generation": ("video",),
    "audio-generation": ("audio",),
    "vertical": ("text",),
}


@functools.lru_cache(maxsize=1024)
def kind_of(brand: str | None, functions: frozenset[str]) -> str:
    """One kind; `unknown` where neither brand nor function says one."""
    shown = functions
    if "rerank" in shown and brand in ("embedding", "llm", "multimodal", None):
        return "rerank"
    if brand == "image-generation" and shown & _FILMS:
        return "video-generation"
    if brand in _DEDICATED:
        return brand
    if brand == "multimodal" and "image" in shown:
        return "image-generation"
    talkers = _OF_TALKERS if brand in ("llm", None) else ()
    if shown:
        for function, kind in (*_BY_FUNCTION, *talkers):
            if function in shown:
                return kind
    return brand or ("llm" if shown & _TALKS else "unknown")


@functools.lru_cache(maxsize=1024)
def modality_of(kind: str, functions: tuple[str, ...]) -> tuple[str, ...]:
    """Sorted; empty where the kind is unknown."""
    shown = set(functions)
    found = set(_MODALITY.get(kind, ()))
    if shown & {"omni"}:
        found |= {"audio"}
    if "audio" in shown and kind == "multimodal":
        found |= {"audio"}
        if "vision" not in shown and "omni" not in shown:
            found -= {"image"}
    if (kind in ("embedding", "rerank") and "vision" in shown) or "robotics" in shown:
        found |= {"image", "text"}
    if "ocr" in shown:
        found |= {"text"}
    return tuple(sorted(found))
