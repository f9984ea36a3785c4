"""The size a name states, held against the parameters counted."""

from __future__ import annotations

from collections.abc import Iterator

from weigh.core.claim import Claim
from weigh.core.model import Model
from weigh.core.name import Name, Size
from weigh.core.saying import Saying
from weigh.core.units import in_parameters
from weigh.describe.claims import claim, verdict
from weigh.describe.parameters import count
from weigh.describe.weights import missing_shards, one_set, tensors_of
from weigh.knowledge.tolerances import Tolerance, tolerances

BILLION = 1_000_000_000


def sizes(name: Name, model: Model) -> Iterator[Claim]:
    """Claims of total and active size; nobody can tell where the files are not the whole the name speaks of."""
    if name.size is None:
        return
    because = _only_a_part(name, model)
    if because is None:
        yield from _total(name.size, model)
        yield from _active(name.size, model)
    elif (stated := _stated(name.size)) is not None:
        yield claim("size", stated[0], None, "cannot_tell", because)


def absent(name: Name, model: Model) -> Iterator[Claim]:
    """The claim of a size where pointers lie in place of weights: nobody can tell until they are fetched."""
    if name.size is None or (stated := _stated(name.size)) is None:
        return
    if any(file.format == "git-lfs-pointer" for file in model.files):
        yield claim("size", stated[0], None, "cannot_tell", Saying("claim.size.pointer"))


def _only_a_part(name: Name, model: Model) -> Saying | None:
    """A set with shards missing, or an adapter or projector, which go by their model's name."""
    if (gap := missing_shards(model.files)) is not None:
        missing, count_of_all = gap
        return Saying("claim.size.shards", here=count_of_all - missing, count=count_of_all)
    kinds = {file.header.metadata.get("general.type") for file in model.files if file.header is not None}
    adapts = model.base_model is not None and model.base_model.where == "adapter_config.json"
    if adapts or is_projector(name, model) or kinds & {"adapter", "mmproj", "imatrix"}:
        return Saying("claim.size.part")
    return None


def is_projector(name: Name, model: Model) -> bool:
    """The part of a GGUF model that sees or hears, in a file of its own."""
    in_gguf = model.format is not None and model.format.value == "gguf"
    return "projector" in name.function or (
        in_gguf and model.model_type is not None and model.model_type.value == "clip"
    )


def _total(size: Size, model: Model) -> Iterator[Claim]:
    stated = _stated(size)
    if stated is None:
        return
    said, billions, tolerance = stated
    if model.num_parameters is None:
        pointers = any(file.format == "git-lfs-pointer" for file in model.files)
        because = Saying("claim.size.pointer" if pointers else "claim.size.uncounted")
        yield claim("size", said, None, "cannot_tell", because)
        return
    found, meant = model.num_parameters.value, billions * BILLION
    fits = any(
        tolerance.allows(found - part, meant) or _is_truncated(found - part, billions) for part in _left_out(model)
    )
    key = "claim.size.holds" if fits else "claim.size.smaller" if found < meant else "claim.size.larger"
    times = round(max(found, meant) / max(1, min(found, meant)), 1)
    yield claim("size", said, in_parameters(found), verdict(fits=fits), Saying(key, found=found, times=times))


def _stated(size: Size) -> tuple[str, float, Tolerance] | None:
    """As the name has it, in billions, and how exactly that is meant. Experts share all but their feed-forwards, so
    8x7B is less than 56 B.
    """
    if size.total_b is not None:
        small = size.total_b < 1
        return _billions(size.total_b), size.total_b, tolerances()["size_below_1b" if small else "size"]
    if size.experts is not None and size.expert_b is not None:
        said = f"{size.experts}x{_billions(size.expert_b)}"
        return said, size.experts * size.expert_b, tolerances()["expert_product"]
    return None


def _is_truncated(found: int, billions: float) -> bool:
    """Some makers cut a size to its first digit where others round: 2.6 B goes by 2B."""
    return found // BILLION == billions and tolerances()["size_truncated"].allows(found, billions * BILLION)


def _left_out(model: Model) -> Iterator[int]:
    """Parameters that makers leave out of the size in a name, one custom after the other: nothing, token embeddings,
    the parts that see or hear, both.
    """
    yield 0
    tied = model.architecture is not None and model.architecture.tie_word_embeddings is True
    tensors = tensors_of(one_set(model.files, None))
    counted = count(tensors, {"tie_word_embeddings": tied})
    yield counted.embedding_parameters
    yield counted.sense_parameters
    yield counted.embedding_parameters + counted.sense_parameters


def _active(size: Size, model: Model) -> Iterator[Claim]:
    if size.active_b is None:
        return
    said = _billions(size.active_b)
    if model.num_active_parameters is None:
        yield claim("active_size", said, None, "cannot_tell", Saying("claim.active.uncounted"))
        return
    found, meant, tolerance = model.num_active_parameters.value, size.active_b * BILLION, tolerances()["active_size"]
    fits = any(tolerance.allows(found - part, meant) for part in _left_out(model))
    because = Saying("claim.active.holds" if fits else "claim.active.other", found=found)
    yield claim("active_size", said, in_parameters(found), verdict(fits=fits), because)


def _billions(size: float) -> str:
    return f"{size:g}B" if size < 1000 else f"{size / 1000:g}T"
