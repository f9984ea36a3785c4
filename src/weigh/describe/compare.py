"""The name held against the content, claim by claim."""

from __future__ import annotations

from collections.abc import Iterator

from weigh.core.claim import Claim
from weigh.core.model import Model
from weigh.core.name import Name
from weigh.core.saying import Saying
from weigh.describe.bases import based_on
from weigh.describe.claims import claim, verdict
from weigh.describe.family import families
from weigh.describe.labels import labels
from weigh.describe.languages import languages
from weigh.describe.seen import NOTHING, Seen
from weigh.describe.senses import senses
from weigh.describe.sizes import absent, is_projector, sizes
from weigh.knowledge.tolerances import tolerances

_FORMAT_OF_WORD = {
    "gguf": ("gguf",),
    "safetensors": ("safetensors", "huggingface"),
    "pytorch": ("pytorch", "pytorch-legacy", "torchscript"),
    "onnx": ("onnx",),
    "mlx": ("safetensors",),
    "hf": ("safetensors", "pytorch", "pytorch-legacy", "huggingface"),
}
_WITHOUT_TALK = frozenset({"embedding", "rerank"})


def compare(name: Name, model: Model, seen: Seen = NOTHING) -> tuple[Claim, ...]:
    """A Claim for everything the name says that files could bear out, and for the base model that a card states.
    Nothing where no file was read.
    """
    if model.format is None and model.architecture is None:
        return tuple(absent(name, model))
    return tuple(_claims(name, model, seen))


def _claims(name: Name, model: Model, seen: Seen) -> Iterator[Claim]:
    if not is_projector(name, model):
        yield from families(name, model)
    yield from sizes(name, model)
    yield from labels(name, model)
    yield from _format(name, model)
    yield from _function(name, model)
    yield from _context(name, model)
    yield from senses(name, model)
    yield from languages(name, seen.vocabulary)
    yield from based_on(seen.base, model)
    if seen.weights is not None:
        from weigh.describe.trained import training  # statistics, where there is something to count

        yield from training(name, seen.weights)
    yield from _shard(name, model)


def _format(name: Name, model: Model) -> Iterator[Claim]:
    if name.format is None or model.format is None or name.format not in _FORMAT_OF_WORD:
        return
    found = model.format.value
    fits = found in _FORMAT_OF_WORD[name.format]
    because = Saying("claim.format.holds" if fits else "claim.format.other")
    yield claim("format", name.format, found, verdict(fits=fits), because)


def _function(name: Name, model: Model) -> Iterator[Claim]:
    """Chat and instruct models carry a template; a base model need not lack one, an embedding model needs none."""
    if name.kind in _WITHOUT_TALK or is_projector(name, model):
        return
    if "base" in name.function:
        key = "claim.function.base_with" if model.chat_template else "claim.function.base_without"
        yield claim("function", "base", None, "cannot_tell", Saying(key))
    said = next((word for word in ("instruct", "chat", "thinking") if word in name.function), None)
    if said is None:
        return
    if model.chat_template is not None:
        yield claim("function", said, "chat_template", "holds", Saying("claim.function.template"))
    elif model.tokenizer is not None:
        yield claim("function", said, None, "does_not_hold", Saying("claim.function.no_template"))
    else:
        yield claim("function", said, None, "cannot_tell", Saying("claim.function.no_tokenizer"))


def _context(name: Name, model: Model) -> Iterator[Claim]:
    if name.context_tokens is None:
        return
    said = f"{name.context_tokens:,}"
    if model.context_length is None:
        yield claim("context", said, None, "cannot_tell", Saying("claim.context.unsaid"))
        return
    found = model.context_length.value
    fits = tolerances()["context"].allows(found, name.context_tokens)
    because = Saying("claim.context.holds" if fits else "claim.context.shorter")
    yield claim("context", said, f"{found:,}", verdict(fits=fits), because)


def _shard(name: Name, model: Model) -> Iterator[Claim]:
    """A split GGUF says which part it is, counted from 0; other formats leave it to the name."""
    if name.shard is None or len(model.files) != 1:
        return
    header = model.files[0].header
    keys = header.metadata if header is not None else {}
    said, number, count = f"{name.shard.index}/{name.shard.count}", keys.get("split.no"), keys.get("split.count")
    if type(number) is not int or type(count) is not int:
        yield claim("shard", said, None, "cannot_tell", Saying("claim.shard.unsaid"))
        return
    fits = (name.shard.index, name.shard.count) == (number + 1, count)
    because = Saying("claim.shard.holds" if fits else "claim.shard.other")
    yield claim("shard", said, f"{number + 1}/{count}", verdict(fits=fits), because)
