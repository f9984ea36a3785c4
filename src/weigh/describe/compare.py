"""The name held against the content, claim by claim."""

from __future__ import annotations

import re
from collections.abc import Iterator

from weigh.core.claim import Claim, Field, Verdict
from weigh.core.facts import Origin
from weigh.core.model import Model
from weigh.core.name import Name, Quant
from weigh.core.saying import Saying
from weigh.core.units import in_parameters
from weigh.describe.merge import nominal_bits
from weigh.knowledge.architectures import architectures
from weigh.knowledge.gguf_mixes import gguf_mixes

# A size in a name is rounded, and may leave the embeddings out: 7B is 7.6 B for Qwen, 2B was 2.5 B for Gemma.
SIZE_FROM, SIZE_TO = 0.82, 1.3
ACTIVE_FROM, ACTIVE_TO = 0.7, 1.45
SMALL = 1_000_000_000  # below this, embeddings weigh more than the name lets on
SMALL_TO = 1.6
_FORMAT_OF_WORD = {
    "gguf": ("gguf",),
    "safetensors": ("safetensors", "huggingface"),
    "pytorch": ("pytorch", "pytorch-legacy", "torchscript"),
    "onnx": ("onnx",),
    "mlx": ("safetensors",),
    "hf": ("safetensors", "pytorch", "pytorch-legacy", "huggingface"),
}


def compare(name: Name, model: Model) -> tuple[Claim, ...]:
    """A Claim for everything the name says that files could bear out. Nothing where no file was read."""
    if model.format is None:
        return ()
    return tuple(_claims(name, model))


def _claims(name: Name, model: Model) -> Iterator[Claim]:
    yield from _family(name, model)
    yield from _size(name, model)
    yield from _active_size(name, model)
    yield from _quant(name, model)
    yield from _format(name, model)
    yield from _function(name, model)
    yield from _context(name, model)
    yield from _modality(name, model)


def _claim(field: Field, said: str, found: str | None, verdict: Verdict, because: Saying) -> Claim:
    by = None if found is None else Origin.COUNTED if field in ("size", "active_size", "quant") else Origin.HEADER
    return Claim(
        field=field, said=said, found=found, verdict=verdict, said_by=Origin.NAME, found_by=by, because=because
    )


def _family(name: Name, model: Model) -> Iterator[Claim]:
    if name.family is None:
        return
    found = model.model_type.value if model.model_type is not None else None
    row = architectures().get(found or "")
    if row is None or found is None:
        yield _claim("family", name.family, found, "cannot_tell", Saying("claim.family.unknown"))
        return
    families = {family.lower() for family in row.family}
    own = [known.id for known in architectures().values() if name.family in known.family]
    if name.family.lower() in families:
        yield _claim("family", name.family, found, "holds", Saying("claim.family.holds"))
    elif not own or "distill" in name.training or len({part.text for part in name.parts if part.kind == "base"}):
        yield _claim("family", name.family, found, "cannot_tell", Saying("claim.family.derived"))
    else:
        listed = ", ".join(sorted(own)[:4])
        yield _claim("family", name.family, found, "does_not_hold", Saying("claim.family.other", expected=listed))


def _size(name: Name, model: Model) -> Iterator[Claim]:
    if name.size is None or name.size.total_b is None:
        return
    said = _billions(name.size.total_b)
    if model.num_parameters is None:
        yield _claim("size", said, None, "cannot_tell", Saying("claim.size.uncounted"))
        return
    found, stated = model.num_parameters.value, name.size.total_b * 1e9
    to = SMALL_TO if stated < SMALL else SIZE_TO
    fits = SIZE_FROM * stated <= found <= to * stated
    key = "claim.size.holds" if fits else "claim.size.smaller" if found < stated else "claim.size.larger"
    because = Saying(
        key, found=found, times=round(max(found, 1) / stated if found > stated else stated / max(found, 1), 1)
    )
    yield _claim("size", said, in_parameters(found), "holds" if fits else "does_not_hold", because)


def _active_size(name: Name, model: Model) -> Iterator[Claim]:
    if name.size is None or name.size.active_b is None:
        return
    said = _billions(name.size.active_b)
    if model.num_active_parameters is None:
        yield _claim("active_size", said, None, "cannot_tell", Saying("claim.active.uncounted"))
        return
    found, stated = model.num_active_parameters.value, name.size.active_b * 1e9
    fits = ACTIVE_FROM * stated <= found <= ACTIVE_TO * stated
    because = Saying("claim.active.holds" if fits else "claim.active.other", found=found)
    yield _claim("active_size", said, in_parameters(found), "holds" if fits else "does_not_hold", because)


def _billions(size: float) -> str:
    return f"{size:g}B" if size < 1000 else f"{size / 1000:g}T"


def _quant(name: Name, model: Model) -> Iterator[Claim]:
    said, found = name.quant, model.quantisation
    if said is None:
        return
    text = " ".join(
        dict.fromkeys(word for word in (said.method if said.method != "none" else None, said.scheme) if word)
    )
    if found is None or model.dtypes is None or model.bits_per_weight is None:
        yield _claim("quant", text, None, "cannot_tell", Saying("claim.quant.uncounted"))
        return
    main, bits = next(iter(model.dtypes.value), ""), model.bits_per_weight.value
    shown = _shown(found.value, main)
    if model.format is not None and model.format.value == "gguf" and said.scheme is not None:
        fits, because = _gguf_label(said, main, bits)
    else:
        fits, because = _packed(said, found.value, bits)
    yield _claim("quant", text, shown, "holds" if fits else "does_not_hold", because)


def _shown(quant: Quant, main: str) -> str:
    words = dict.fromkeys(
        word for word in (quant.method if quant.method not in ("none", "GGUF") else None, quant.scheme) if word
    )
    return " ".join(words) or main


def _gguf_label(said: Quant, main: str, bits: float) -> tuple[bool, Saying]:
    """By the type that holds the most bytes; a label nobody tabled is held against its own digit."""
    label = (said.scheme or "").removeprefix("UD-").removeprefix("I1-")
    mix = gguf_mixes().get(label)
    if mix is not None and not (said.scheme or "").startswith("UD-"):
        fits = main in mix.main
        return fits, Saying("claim.quant.main" if fits else "claim.quant.other_main", main=main, bits=bits)
    stated = said.bits if said.bits is not None else nominal_bits(label)
    fits = stated is None or stated - 0.6 <= bits <= stated + 2.2
    return fits, Saying("claim.quant.bits" if fits else "claim.quant.other_bits", bits=bits)


def _packed(said: Quant, found: Quant, bits: float) -> tuple[bool, Saying]:
    """Method against method, bits against bits; what the name leaves open is not held against it."""
    same_method = said.method is None or found.method is None or said.method.lower() == found.method.lower()
    if said.method in ("AutoRound", "GPTQ", "AWQ") and found.method in ("AutoRound", "GPTQ", "AWQ"):
        same_method = said.method == found.method or "AutoRound" in (
            said.method,
            found.method,
        )  # it writes both layouts
    stated = said.bits
    same_bits = stated is None or found.bits is None or abs(found.bits - stated) < 0.6
    fits = same_method and same_bits
    return fits, Saying("claim.quant.packed" if fits else "claim.quant.other_packed", bits=bits)


def _format(name: Name, model: Model) -> Iterator[Claim]:
    if name.format is None or model.format is None or name.format not in _FORMAT_OF_WORD:
        return
    found = model.format.value
    fits = found in _FORMAT_OF_WORD[name.format]
    because = Saying("claim.format.holds" if fits else "claim.format.other")
    yield _claim("format", name.format, found, "holds" if fits else "does_not_hold", because)


def _function(name: Name, model: Model) -> Iterator[Claim]:
    """Chat and instruct models carry a template; a base model need not lack one."""
    if "base" in name.function:
        key = "claim.function.base_with" if model.chat_template else "claim.function.base_without"
        yield _claim("function", "base", None, "cannot_tell", Saying(key))
    said = next((word for word in ("instruct", "chat", "thinking") if word in name.function), None)
    if said is None:
        return
    if model.chat_template is not None:
        found, verdict, key = "chat_template", "holds", "claim.function.template"
        yield _claim("function", said, found, verdict, Saying(key))  # type: ignore[arg-type]
    elif model.tokenizer is not None:
        yield _claim("function", said, None, "does_not_hold", Saying("claim.function.no_template"))
    else:
        yield _claim("function", said, None, "cannot_tell", Saying("claim.function.no_tokenizer"))


def _context(name: Name, model: Model) -> Iterator[Claim]:
    if name.context_tokens is None:
        return
    said = f"{name.context_tokens:,}"
    if model.context_length is None:
        yield _claim("context", said, None, "cannot_tell", Saying("claim.context.unsaid"))
        return
    found = model.context_length.value
    fits = found >= 0.95 * name.context_tokens
    because = Saying("claim.context.holds" if fits else "claim.context.shorter")
    yield _claim("context", said, f"{found:,}", "holds" if fits else "does_not_hold", because)


_VISION_TENSOR = re.compile(r"(?:^|\.)(?:visual|vision|vision_model|vision_tower|vit|image_encoder|v\.blk|mm)\.")


def _modality(name: Name, model: Model) -> Iterator[Claim]:
    """A vision model has a part that sees, in its configuration or among its tensors."""
    if "vision" not in name.function:
        return
    sees = model.modalities is not None and "image" in model.modalities.value
    seen = any(
        _VISION_TENSOR.search(tensor.name) for file in model.files if file.header for tensor in file.header.tensors
    )
    if seen or sees:
        yield _claim("modality", "vision", "image", "holds", Saying("claim.modality.holds"))
    elif model.format is not None and model.format.value == "gguf":
        yield _claim("modality", "vision", None, "cannot_tell", Saying("claim.modality.projector"))
    else:
        yield _claim("modality", "vision", None, "does_not_hold", Saying("claim.modality.missing"))
