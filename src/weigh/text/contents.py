"""What a set of tensors is, as one line for a screen."""

from __future__ import annotations

from weigh.core.model import Contents
from weigh.text import Language, say


def contents_line(contents: Contents, language: Language) -> str:
    """`SDXL checkpoint: UNet + VAE + two text encoders`."""
    line = _main(contents, language)
    beside = say("name.and", language).join(say(f"beside.{key}", language) for key in contents.beside)
    return line + (say("contents.with", language, what=beside) if beside else "")


def _main(contents: Contents, language: Language) -> str:
    family, method = contents.family, contents.method or "?"
    match contents.kind:
        case "adapter" if family is not None:
            return say("contents.adapter_for", language, method=method, family=family)
        case "adapter":
            return say("contents.adapter", language, method=method)
        case "embedding" if family is not None:
            return say("contents.embedding_for", language, family=family)
        case "embedding":
            return say("contents.embedding", language)
        case "training-state":
            return say("contents.training", language)
    named = family or "?"
    if contents.variant is not None:
        named = say("contents.variant", language, family=named, variant=say(f"variant.{contents.variant}", language))
    return say(f"contents.{contents.kind}", language, family=named, parts=_parts(contents, language))


def _parts(contents: Contents, language: Language) -> str:
    """Each component once, text encoders by their number."""
    components = [part.component for part in contents.parts]
    words = []
    for component in dict.fromkeys(components):
        number = components.count(component)
        key = f"text_encoders_{min(number, 4)}" if component == "text-encoder" and number > 1 else component
        words.append(say(f"component.{key}", language))
    return " + ".join(words)
