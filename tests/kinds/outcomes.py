"""What a model made, in one shape however it was asked: as text, numbers, labels, stretches of speech, or a file."""

from __future__ import annotations

import io
import json
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import av
import numpy
import soundfile

from tests.kinds.asked import pixels
from weigh.core.work import Delta, Event, Fault, Labels, Media, Scores, Segment, Tensors, Vectors
from weigh.engines.arrays import numbers
from weigh.text.answers import rows

CLOSE = 1e-4
Outcome = Any


def of_events(events: Sequence[Event]) -> Outcome:
    """Of an engine asked in this process."""
    assert not isinstance(events[-1], Fault), events[-1]
    for event in events:
        match event:
            case Vectors():
                return rows(event)
            case Scores():
                return list(event.scores)
            case Labels():
                return [[one.label, one.score, *(one.box or ())] for one in event.labels]
            case Media():
                return event.data
            case Tensors():
                return {one.name: numbers(one).tolist() for one in event.arrays}
    if any(isinstance(event, Segment) for event in events):
        return [[one.text, one.start, one.end] for one in events if isinstance(one, Segment)]
    return "".join(event.text for event in events if isinstance(event, Delta))


def of_document(said: dict[str, Any], folder: Path) -> Outcome:
    """Of what `weigh run --json` printed in a folder."""
    if "files" in said:
        path = folder / said["files"][0]["path"]
        if path.suffix != ".npz":
            return path.read_bytes()
        with numpy.load(path) as arrays:
            return {name: arrays[name].tolist() for name in arrays.files}
    if "embeddings" in said:
        return said["embeddings"]
    if "results" in said:
        return [one["score"] for one in sorted(said["results"], key=lambda one: one["index"])]
    if "labels" in said:
        return of_labels(said["labels"])
    if "segments" in said:
        return [[one["text"], one["start"], one["end"]] for one in said["segments"]]
    return said["text"]


def of_labels(told: list[dict[str, Any]]) -> Outcome:
    """As the route and the command write them."""
    return [[one["label"], one["score"], *one.get("box", ())] for one in told]


def same(found: Outcome, own: Outcome) -> bool:
    """Numbers within a tolerance, the rest to the letter."""
    match found, own:
        case float(), int() | float():
            return math.isclose(found, own, abs_tol=CLOSE, rel_tol=CLOSE)
        case list() | tuple(), list() | tuple():
            return len(found) == len(own) and all(map(same, found, own))
        case dict(), dict():
            return found.keys() == own.keys() and all(same(found[key], own[key]) for key in own)
    return bool(found == own)


def told_of(work: str, data: bytes) -> dict[str, Any]:
    """What a file says of itself; it is opened and decoded to the end, and measured."""
    match work:
        case "image":
            image = pixels(data)
            return {**json.loads(image.info["weigh"]), "size": image.size}
        case "depth":
            image = pixels(data)
            assert image.mode.startswith("I;16") and numpy.asarray(image).std() > 0
            return {**json.loads(image.info["weigh"]), "size": image.size}
        case "video":
            with av.open(io.BytesIO(data)) as film:
                frames = list(film.decode(video=0))
                told = json.loads(film.metadata["comment"])
                rate = float(film.streams.video[0].average_rate)
            return {**told, "size": (frames[0].width, frames[0].height), "frames": len(frames), "rate": rate}
    with soundfile.SoundFile(io.BytesIO(data)) as sound:
        samples = sound.read()
        assert len(samples) == sound.frames and numpy.abs(samples).max() > 0
        return {**json.loads(sound.comment), "frames": sound.frames, "rate": sound.samplerate}
