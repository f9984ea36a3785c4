"""Models that can do a task: those the catalogue's families have, and what shuts each of them out."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import msgspec

from weigh.app.need import Understood
from weigh.core.name import Name, Size
from weigh.fit.bases import base_of
from weigh.knowledge.aptitudes import ALL_LANGUAGES, Aptitude, Candidate, aptitudes
from weigh.knowledge.catalog import Family, Licence, families, licences
from weigh.names.decode import decode

_RANK = {"yes": 0, "conditional": 1, "no": 3}
_UNKNOWN = 2  # nobody says: worse than a condition, better than no


class Able(NamedTuple):
    """A model that can do the task: its family, what it is good for, its name with its size, its licence."""

    id: str
    ms: str | None
    family: Family
    aptitude: Aptitude
    name: Name
    licence: Licence | None
    size: Size | None


def able(task: str) -> Iterator[Able]:
    """Every model of open weights that is said to do this."""
    known = families()
    for aptitude in aptitudes():
        family = known[aptitude.id]
        if task in aptitude.tasks and family.weights == "open":
            yield from _models(family, aptitude, task)


def shut_out(model: Able, need: Understood) -> str | None:
    """The first reason against it that is no matter of the device."""
    if need.licence is not None and not _may(model.licence, need.licence):
        return "licence"
    if not _speaks(model.aptitude, need):
        return "language"
    if need.takes is not None and need.takes not in model.family.inputs:
        return "takes"
    if need.hub is not None and not (model.ms if need.hub == "ms" else model.id):
        return "hub"
    if model.size is None or not model.size.total_b:
        return "sizeless"
    if need.max_size_b is not None and model.size.total_b > need.max_size_b * 1.1:
        return "size"
    limit = model.family.context_length
    if need.context_length is not None and (limit is None or limit < need.context_length):
        return "context"
    return None


def _speaks(aptitude: Aptitude, need: Understood) -> bool:
    spoken = set(aptitude.languages)
    return ALL_LANGUAGES in spoken or set(need.languages) <= spoken


def _may(licence: Licence | None, wanted: str) -> bool:
    """Is it of the class, or the licence, that was asked for? What nobody says is neither."""
    if licence is None:
        return False
    match wanted:
        case "commercial":
            return licence.commercial == "yes"
        case "conditional":
            return licence.commercial in ("yes", "conditional")
        case _:
            return licence.id == wanted


def _models(family: Family, aptitude: Aptitude, task: str) -> Iterator[Able]:
    """One a size, tuned rather than bare, as it was trained rather than packed."""
    if aptitude.models:
        for one in aptitude.models:
            if not one.tasks or task in one.tasks:
                yield _able(family, aptitude, one)
        return
    found: dict[float, Able] = {}
    for id in family.hf:
        model = _able(family, aptitude, Candidate(id=id, size=family.sizes[0] if len(family.sizes) == 1 else ""))
        if model.name.quant is not None or id.endswith("-BF16"):
            continue
        size = (model.size.total_b if model.size is not None else None) or 0.0
        if size not in found or _tuned(model.name) > _tuned(found[size].name):
            found[size] = model
    yield from found.values()


def _tuned(name: Name) -> int:
    return ("instruct" in name.function) - ("base" in name.function)


def _able(family: Family, aptitude: Aptitude, one: Candidate) -> Able:
    name = decode(one.id)
    tail = one.id.rpartition("/")[2].lower()
    return Able(
        id=one.id,
        ms=next((id for id in family.ms if id.rpartition("/")[2].lower() == tail), None),
        family=family,
        aptitude=aptitude,
        name=name,
        licence=_licence(family, one),
        size=_size(name, one.size),
    )


def _licence(family: Family, one: Candidate) -> Licence | None:
    """Its own, else of the family's the one that allows least."""
    ids = (one.licence,) if one.licence is not None else family.licences
    rows = [licences()[id] for id in ids]
    return max(rows, key=lambda row: _RANK[row.commercial], default=None)


def _size(name: Name, written: str) -> Size | None:
    """What the table says, then the name, then what is published of the model so called."""
    if written:
        return decode(f"x-{written}").size
    if name.size is not None and name.size.total_b:
        return name.size
    base = base_of(name)
    return Size(total_b=base.parameters_b) if base is not None else None


def named_so(model: Able, kind: str | None) -> Name:
    """The name as `fit` is to read it: of this kind, with the size, unless a published shape is known by it."""
    name = model.name if kind is None else msgspec.structs.replace(model.name, kind=kind)
    return name if base_of(name) is not None else msgspec.structs.replace(name, size=model.size)
