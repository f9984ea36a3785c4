"""A file of a revision as the answer, also where it was replaced a moment ago."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping

from aiohttp import web

from weigh.app.mirror.snapshot import Snapshot, StoredFile
from weigh.core.saying import Saying
from weigh.serve.mirror.content import Changed, send
from weigh.serve.mirror.library import Library
from weigh.serve.mirror.refusal import Refusal

TRIES = 3

Open = Callable[[], Awaitable[Snapshot]]
Pick = Callable[[Snapshot], tuple[StoredFile, Mapping[str, str]]]  # a file, and what the head says besides


async def give(request: web.Request, library: Library, open: Open, pick: Pick) -> web.StreamResponse:
    """What was replaced since it was looked at is looked at anew. Raises Refusal."""
    for _ in range(TRIES):
        snapshot = await open()
        stored, headers = pick(snapshot)
        try:
            return await send(request, stored, headers)
        except Changed:
            library.forget(snapshot)
    raise Refusal(503, "Other", Saying("mirror.changing", id=snapshot.place.id))
