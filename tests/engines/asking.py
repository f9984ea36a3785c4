"""Models asked in this process as their children would ask them: loaded once, all that is said through its encoding."""

from __future__ import annotations

import functools
import importlib
import io
import math
import threading
from pathlib import Path
from typing import Any

import msgspec

from weigh.app.run import Asked, chosen
from weigh.app.weigh import weigh
from weigh.core.engine import Failed, Launch, Loaded
from weigh.core.work import Delta, Event, Fault, Job, Label, Labels, Media, Vectors, job_from, work_of
from weigh.engines.frames import answer_from, encode, event_of


def run(path: Path, job: Job, asked: Asked | None = None) -> list[Event]:
    """Weighed, checked and planned as a command does it; what the engine raises is a Fault, as its child tells it."""
    loaded = load(path, msgspec.structs.replace(asked or Asked(), work=work_of(job)))
    events: list[Event] = []
    try:
        for event in loaded.run(job_from(encode(job)), threading.Event()):
            events.append(event_of(answer_from(encode(event))))
    except Failed as error:
        events.append(error.fault)
    except Exception as error:
        events.append(Fault(kind="failed", detail=repr(error)))
    return events


@functools.cache
def load(path: Path, asked: Asked) -> Loaded:
    """One a model and work for all tests."""
    found = chosen(weigh(str(path)), str(path), asked)
    launch = msgspec.msgpack.decode(encode(found.launch), type=Launch)
    loaded: Loaded = importlib.import_module(found.engine.module).load(launch)
    return loaded


def picture(side: int = 48) -> bytes:
    """A PNG of noise, the same always."""
    import numpy
    from PIL import Image

    pixels = numpy.random.default_rng(0).integers(0, 255, (side, side, 3), "uint8")
    into = io.BytesIO()
    Image.fromarray(pixels).save(into, "PNG")
    return into.getvalue()


def tone(seconds: float = 1.0, rate: int = 16000) -> bytes:
    """A WAV of 440 Hz."""
    import numpy
    import soundfile

    into = io.BytesIO()
    samples = 0.3 * numpy.sin(numpy.arange(int(seconds * rate)) / rate * 440 * 2 * math.pi)
    soundfile.write(into, samples, rate, format="WAV")
    return into.getvalue()


def labels(events: list[Event]) -> tuple[Label, ...]:
    """What it told of them."""
    return next(event for event in events if isinstance(event, Labels)).labels


def media(events: list[Event]) -> Media:
    """The first file."""
    assert not isinstance(events[-1], Fault), events[-1]
    return next(event for event in events if isinstance(event, Media))


def rows(events: list[Event]) -> Any:
    """Vectors as an array."""
    import numpy

    assert not isinstance(events[-1], Fault), events[-1]
    vectors = next(event for event in events if isinstance(event, Vectors))
    return numpy.frombuffer(vectors.data, "<f4").reshape(-1, vectors.dimensions)


def said(events: list[Event]) -> str:
    """The text of an answer."""
    assert not isinstance(events[-1], Fault), events[-1]
    return "".join(event.text for event in events if isinstance(event, Delta))
