"""`weigh run` as a function of Python: the answer as a value."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import aclosing
from typing import TYPE_CHECKING, TypeVar

import msgspec

from weigh.app.ask import Given, job_of
from weigh.app.run import Asked
from weigh.cli.run_files import Place, path_of, place_of, usual_place, write
from weigh.core.errors import EngineError
from weigh.core.work import (
    Delta,
    Event,
    Fault,
    Job,
    Label,
    Labels,
    Media,
    Rerank,
    Scores,
    Segment,
    Tensors,
    Vectors,
    Work,
    work_of,
)

if TYPE_CHECKING:
    from weigh.app.offer import Offer

T = TypeVar("T")
# A text; the files that were written; vectors; place, score and text of each document; labels.
Answer = str | list[str] | list[list[float]] | list[tuple[int, float, str]] | list[Label]


def run(
    reference: str,
    given: str | Given = "",
    *,
    work: Work | None = None,
    out: str | None = None,
    asked: Asked | None = None,
) -> Answer:
    """What a model on this machine makes of a text, a file, or all that a `Given` says; nothing is fetched.

    A text for chat, complete and transcribe; the path of the file for a picture, sound, film, depth or arrays, several
    paths where several were made; a list of vectors for embed; (position, score, document) for rerank, the best first;
    labels for classify and detect. `out` says where a file goes, else it is called as the model is.
    `asked` says how it runs: engine, context, what is let through. Raises WeighError.
    """
    how = asked or Asked()
    how = msgspec.structs.replace(how, work=work or how.work)
    offer = _offer(reference, how)
    does = how.work or offer.chosen.launch.works[0]
    place = place_of(out, does, offer.name, as_json=False)
    job = job_of(does, given if isinstance(given, Given) else _given(given))
    events = _apart(lambda: asyncio.run(_events(offer, job)))
    return _value(job, events, place, offer.name)


def _offer(reference: str, asked: Asked) -> Offer:
    from weigh.app.offer import name_of, offered, refuse_unfit
    from weigh.cli.bring import Wanted, bring
    from weigh.sources.machine import start

    found = bring(reference, Wanted("en", offline=True, yes=False, quiet=True))
    offer = offered(found.path, asked, start, name=name_of(found.text))
    if asked.address is None:
        refuse_unfit(offer)
    return offer


def _given(text: str) -> Given:
    from weigh.cli.run_input import input_of

    return msgspec.structs.replace(Given(), **input_of(text, offline=True))


def _apart(ask: Callable[[], T]) -> T:
    """In a thread of its own where a loop runs here already, as it does in a notebook."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return ask()
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(ask).result()


async def _events(offer: Offer, job: Job) -> list[Event]:
    model = await offer.start()
    events = []
    try:
        async with aclosing(model.run(job)) as told:
            async for event in told:
                events.append(event)
                if isinstance(event, Fault):
                    raise EngineError("index.fault", path=offer.name, detail=event.detail)
    finally:
        await model.close()
    return events


def _value(job: Job, events: Iterable[Event], place: Place | None, name: str) -> Answer:
    told = ""
    files: list[str] = []
    for event in events:
        match event:
            case Delta(text=text) | Segment(text=text):
                told += text
            case Vectors() | Scores() | Labels():
                return _list(job, event)
            case Media() | Tensors():
                files.append(_kept(event, place or usual_place(work_of(job), name), len(files) + 1))
    if files:
        return files[0] if len(files) == 1 else files
    return told.strip() if work_of(job) == "transcribe" else told


def _list(job: Job, event: Vectors | Scores | Labels) -> Answer:
    from weigh.text.answers import ranking, rows

    if isinstance(event, Vectors):
        return rows(event)
    if isinstance(event, Labels):
        return list(event.labels)
    assert isinstance(job, Rerank)
    return ranking(event.scores, job.documents)


def _kept(event: Media | Tensors, place: Place, number: int) -> str:
    path = path_of(place, number)
    if isinstance(event, Media):
        from weigh.engines.forms import reformed

        write(path, reformed(event, place.form))
    else:
        from weigh.engines.arrays import npz

        write(path, npz(event.arrays))
    return path
