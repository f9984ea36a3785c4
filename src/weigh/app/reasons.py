"""What speaks for a model and against it, as points count it and as words say it."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from datetime import date

from weigh.app.candidates import Able
from weigh.app.need import Understood
from weigh.app.plans import Plan
from weigh.core.fit import Fit
from weigh.core.name import Size
from weigh.core.saying import Saying
from weigh.fit.choice import Step
from weigh.fit.rank import Merit
from weigh.knowledge.catalog import AS_OF, Family, Licence, families


def merit_of(model: Able, size: Size, step: Step, plan: Plan, need: Understood) -> Merit:
    family = model.family
    return Merit(
        grade=model.aptitude.tasks[step.task],
        is_current=family.status == "current",
        years=_years(family.released),
        total_b=size.total_b or 0.0,
        active_b=size.active_b or size.total_b or 0.0,
        by_size=plan.taking.by_size,
        has_field=need.field is not None and model.aptitude.field == need.field,
        is_at_home=bool(need.languages) and set(need.languages) <= set(model.aptitude.languages),
        confidence=family.confidence,
        commercial=model.licence.commercial if model.licence is not None else None,
        wants_speed=need.prefer == "speed",
    )


def why(model: Able, merit: Merit, fit: Fit, need: Understood) -> Iterator[Saying]:
    """The reasons for it and against it, the weightiest first."""
    yield Saying(f"choose.grade.{merit.grade}")
    if merit.has_field:
        yield Saying("choose.field")
    yield from _place(model.family)
    if need.languages:
        yield Saying("choose.speaks", languages=", ".join(need.languages))
    yield _terms(model.licence)
    yield fit.because
    if fit.speed is not None and fit.speed.decode is not None:
        yield Saying("choose.speed", rate=round(fit.speed.decode.typical))
    if model.family.confidence == "low":
        yield Saying("choose.unsure")


def _place(family: Family) -> Iterator[Saying]:
    """Where it stands in its line of versions."""
    after = [families()[id] for id in family.successors]
    if family.status != "current":
        names = ", ".join(one.names.en for one in after)
        yield Saying("choose.superseded_by", names=names) if after else Saying("choose.superseded")
    elif newer := [one.names.en for one in after if one.weights == "open"]:
        yield Saying("choose.followed", names=", ".join(newer))
    elif family.released is not None:
        yield Saying("choose.current", released=family.released)


def _terms(licence: Licence | None) -> Saying:
    if licence is None:
        return Saying("choose.licence.unknown")
    return Saying(f"choose.licence.{licence.commercial}", licence=licence.id)


@functools.cache
def _years(released: str | None) -> float:
    """Since its release, on the catalogue's day; a year alone is its middle."""
    if released is None:
        return 2.0
    year, month = int(released[:4]), int(released[5:7] or 7)
    today = date.fromisoformat(AS_OF)
    return max(today.year - year + (today.month - month) / 12, 0.0)
