"""The family and the version that a name states, held against the architecture."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator

from weigh.core.claim import Claim
from weigh.core.model import Model
from weigh.core.name import Name
from weigh.core.saying import Saying
from weigh.describe.claims import claim, verdict
from weigh.knowledge.architectures import architectures
from weigh.knowledge.base_models import base_models


def families(name: Name, model: Model) -> Iterator[Claim]:
    """Claims of the family, and of its version where its versions are built in several ways."""
    if name.family is None:
        return
    found = model.model_type.value if model.model_type is not None else None
    row = architectures().get(found or "")
    if row is None or found is None:
        yield claim("family", name.family, found, "cannot_tell", Saying("claim.family.unknown"))
        return
    theirs = {family.lower() for family in row.family}
    bases = bases_of(name)
    taught = "distill" in name.training and bool(bases)
    if taught:
        fits = any(base.lower() in theirs for base in bases)
        yield _told(name.family, found, bases, fits=fits)
    elif name.family.lower() in theirs:
        yield claim("family", name.family, found, "holds", Saying("claim.family.holds"))
        if not bases:
            yield from _version(name, found)
    elif not is_known(name.family) or "distill" in name.training or bases_said(name):
        yield claim("family", name.family, found, "cannot_tell", Saying("claim.family.derived"))
    else:
        yield _told(name.family, found, (name.family,), fits=False)


def is_known(family: str) -> bool:
    """Is any architecture known to be this family's?"""
    return any(family in row.family for row in architectures().values())


def bases_of(name: Name) -> tuple[str, ...]:
    """The known families that a name says its model was made from."""
    said = [part.value for part in name.parts if part.kind == "base" and part.value]
    return tuple(value for value in said if is_known(value))


def bases_said(name: Name) -> bool:
    """Does the name speak of a model that this one was made from?"""
    return any(part.kind == "base" for part in name.parts)


def _told(family: str, found: str, built: tuple[str, ...], *, fits: bool) -> Claim:
    if fits:
        return claim("family", family, found, "holds", Saying("claim.family.holds"))
    own = sorted(row.id for row in architectures().values() if set(built) & set(row.family))
    return claim("family", family, found, "does_not_hold", Saying("claim.family.other", expected=", ".join(own[:4])))


def _version(name: Name, found: str) -> Iterator[Claim]:
    """Only where this architecture is known to be another version's, or this one's. An architecture that the name
    itself spells out is meant.
    """
    if name.version is None or name.family is None:
        return
    own = _versions().get((name.family, name.version), frozenset())
    others = {kind for (family, _), kinds in _all_versions().items() if family == name.family for kind in kinds}
    spelled = all(word in name.name.lower() for word in re.findall(r"[a-z]+\d*", found.lower()))
    if found in own or (found in others and own and not spelled):
        fits = found in own
        because = (
            Saying("claim.version.holds") if fits else Saying("claim.version.other", expected=", ".join(sorted(own)))
        )
        yield claim("version", name.version, found, verdict(fits=fits), because)


_Key = tuple[str, str | None]


@functools.cache
def _versions() -> dict[_Key, frozenset[str]]:
    """How each version of a family is built, without what was distilled into other families' models."""
    return _gathered(with_bases=False)


@functools.cache
def _all_versions() -> dict[_Key, frozenset[str]]:
    return _gathered(with_bases=True)


def _gathered(*, with_bases: bool) -> dict[_Key, frozenset[str]]:
    found: dict[_Key, set[str]] = {}
    for row in base_models():
        kind = row.config.get("model_type")
        if row.family is not None and isinstance(kind, str) and (with_bases or not row.base):
            found.setdefault((row.family, row.version), set()).add(kind)
    return {key: frozenset(kinds) for key, kinds in found.items()}
