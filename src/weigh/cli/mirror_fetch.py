"""Filling a private hub ahead: models that are named are pulled through the same gate, one after another."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from weigh.app.mirror.origin import origin
from weigh.app.mirror.shelf import MAIN, is_id
from weigh.cli.mirror_upstream import FAILED, Far, bring, renewed_now
from weigh.core.errors import BadReference, SourceError
from weigh.core.saying import Saying
from weigh.names.reference import parse
from weigh.serve.mirror.upstream import HELD, RELEASED, Fetched

MOST_LIST = 1 << 20  # bytes of a list


class Wanted(NamedTuple):
    """A model as it was named, its id, and the revision it is taken at."""

    text: str
    id: str
    revision: str


def wanted(references: Sequence[str], listing: str | None) -> tuple[Wanted, ...]:
    """What is named, and a line each what a file lists. Raises BadReference, SourceError."""
    lines: list[str] = []
    if listing is not None:
        try:
            with open(listing, encoding="utf-8") as file:
                lines = [line.partition("#")[0].strip() for line in file.read(MOST_LIST).splitlines()]
        except (OSError, ValueError) as error:
            raise SourceError("cannot_read", path=listing, reason=str(error)) from error
    return tuple(_wanted(text) for text in dict.fromkeys([*references, *filter(None, lines)]))


async def fill(far: Far, models: Sequence[Wanted]) -> int:
    """The worst of what came of them: 0 all are here, 1 one is held, 2 one could not be had."""
    statuses = []
    for at, one in enumerate(models, 1):
        far.tell(Saying("mirror.filling", reference=one.text, at=at, count=len(models)))
        fetched = await _one(far, one)
        statuses.append(fetched.status)
        far.tell(_outcome(one, fetched))
    here = statuses.count(RELEASED)
    if models:
        far.tell(Saying("mirror.filled", here=here, count=len(models)))
    return max(statuses, default=0)


async def _one(far: Far, one: Wanted) -> Fetched:
    """What is here already and follows the other hub's main revision is brought up to date."""
    is_whole = one.text.count(":") == 1
    if one.text.startswith("hf:") and is_whole and one.revision == MAIN and origin(far.shelf, one.id) is not None:
        return await renewed_now(far, one.id)
    try:
        return await bring(far, one.id, one.revision, one.text)
    except OSError as error:
        return Fetched(FAILED, error.strerror or str(error))


def _outcome(one: Wanted, fetched: Fetched) -> Saying:
    if fetched.status == RELEASED:
        return Saying("mirror.fill_here", id=one.id)
    key = "mirror.fill_held" if fetched.status == HELD else "mirror.fill_failed"
    return Saying(key, id=one.id, said=fetched.said)


def _wanted(text: str) -> Wanted:
    reference = parse(text, exists=lambda path: False)
    id = f"{reference.namespace}/{reference.name}"
    if reference.hub not in ("hf", "ms") or not is_id(id):
        raise BadReference("mirror.fill", text=text)
    return Wanted(text, id, reference.revision or MAIN)
