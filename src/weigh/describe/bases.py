"""The model that a card says this one was made from, held against the architecture and the shape."""

from __future__ import annotations

from collections.abc import Iterator

from weigh.core.claim import Claim
from weigh.core.facts import Fact
from weigh.core.model import Model
from weigh.core.name import Name
from weigh.core.saying import Saying
from weigh.describe.claims import claim, verdict
from weigh.describe.family import bases_of, families
from weigh.knowledge.architectures import architectures
from weigh.knowledge.base_models import BaseModelRow, base_models

_SHAPE = ("hidden_size", "num_attention_heads")  # what further training does not change; layers may be cut or doubled


def based_on(base: Name | None, model: Model) -> Iterator[Claim]:
    """One claim, where the card or the header names a base. An adapter's own base is not here to be looked at."""
    stated = model.base_model
    if base is None or stated is None or stated.where == "adapter_config.json":
        return
    one = _claim(base, stated, model)
    yield Claim(
        field=one.field,
        said=one.said,
        found=one.found,
        verdict=one.verdict,
        said_by=stated.origin,
        found_by=one.found_by,
        because=one.because,
    )


def _claim(base: Name, stated: Fact[str], model: Model) -> Claim:
    found = model.model_type.value if model.model_type is not None else None
    told = next(families(base, model), None)
    if found is None or told is None or told.verdict == "cannot_tell" or _takes_more(base, found):
        return claim("base_model", stated.value, found, "cannot_tell", Saying("claim.base_model.unknown"))
    if told.verdict == "does_not_hold":
        return claim("base_model", stated.value, found, "does_not_hold", Saying("claim.base_model.family"))
    rows = [row for row in base_models() if _is_of(row, base) and row.config.get("model_type") == found]
    if not rows or model.architecture is None or model.architecture.hidden_size is None:
        return claim("base_model", stated.value, found, "cannot_tell", Saying("claim.base_model.shape_unknown"))
    fits = any(_has_shape(row, model) for row in rows)
    shown = f"{found}, hidden_size {model.architecture.hidden_size}"
    because = Saying("claim.base_model.holds" if fits else "claim.base_model.shape")
    return claim("base_model", stated.value, shown, verdict(fits=fits), because)


def _takes_more(base: Name, found: str) -> bool:
    """A model that sees or hears is often built upon one that only reads."""
    row = architectures().get(found)
    return row is not None and bool(set(row.modality) - set(base.modality or ("text",)))


def _is_of(row: BaseModelRow, base: Name) -> bool:
    size = base.size
    return (
        row.family == base.family
        and row.version == base.version
        and set(bases_of(base)) == set(row.base) & set(bases_of(base))
        and bool(row.base) == bool(bases_of(base))
        and row.total_b == (size.total_b if size is not None else None)
        and row.experts == (size.experts if size is not None else None)
        and set(row.tier) == set(base.tier)
    )


def _has_shape(row: BaseModelRow, model: Model) -> bool:
    shape = model.architecture
    return shape is not None and all(
        (stated := row.config.get(key)) is None or (own := getattr(shape, key)) is None or own == stated
        for key in _SHAPE
    )
