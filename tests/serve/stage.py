"""An engine for tests of the server: it does what it is told, fast or slowly, whole or in ruins."""

from __future__ import annotations

import io
import os
import struct
import time
import wave
import zlib
from collections.abc import Generator, Iterator
from threading import Event as Flag

from weigh.core.engine import Launch, Ready
from weigh.core.work import (
    WORKS,
    Chat,
    Classify,
    Complete,
    Delta,
    Depth,
    Detect,
    Done,
    Embed,
    Event,
    Fault,
    Job,
    Label,
    Labels,
    MakeImage,
    MakeSound,
    MakeVideo,
    Media,
    Progress,
    Rerank,
    Scores,
    Segment,
    Speak,
    ToolCall,
    Transcribe,
    Usage,
    Vectors,
)


def load(launch: Launch) -> Stage:
    """Anything but what is called bad."""
    if launch.path == "bad":
        raise ValueError("this is no model")
    return Stage(launch)


class Stage:
    """Chats by the last words of the user; media are tiny, and right."""

    def __init__(self, launch: Launch) -> None:
        self.ready = Ready(works=WORKS, parallel=launch.parallel, context_length=4096)

    def run(self, job: Job, cancelled: Flag) -> Generator[Event, None, None]:  # noqa: C901
        """Ends with Done, but for what dies."""
        match job:
            case Chat():
                yield from _chat(job, cancelled)
            case Complete():
                yield Delta(text=f"[{job.prompt}|{job.suffix or ''}]")
            case Embed():
                yield Vectors(dimensions=2, data=struct.pack("<2f", 0.6, 0.8) * len(job.pieces))
            case Rerank():
                yield Scores(scores=tuple(float(len(document)) for document in job.documents))
            case Classify():
                yield Labels(labels=tuple(Label(label=label, score=0.5) for label in job.labels or ("cat", "dog")))
            case Detect():
                yield Labels(labels=(Label(label="cat", score=0.9, box=(1, 2, 3, 4)),))
            case Depth():
                yield _png(4, 3)
            case Transcribe():
                yield Segment(text=" Hello", start=0.0, end=1.5, language=job.language or "en")
                yield Segment(text=" world.", start=1.5, end=3661.25, language=job.language or "en")
            case Speak() | MakeSound():
                yield _wav(0.5)
            case MakeImage():
                yield from _drawn(job, cancelled)
            case MakeVideo():
                yield from _steps(4, cancelled, 0.02 if job.prompt != "slowly" else 0.5)
                yield Media(mime="video/mp4", data=_mp4(), seed=7)
        yield Done(finish_reason="cancelled" if cancelled.is_set() else "stop", usage=Usage(prompt_tokens=5))


def _chat(job: Chat, cancelled: Flag) -> Iterator[Event]:  # noqa: C901
    said = "".join(piece.text or f"<{len(piece.image or b'')}>" for piece in job.messages[-1].pieces)
    word, _, rest = said.partition(" ")
    match word:
        case "call":
            yield Delta(reasoning="Let me see. ")
            yield Delta(text="I call. ")
            yield Delta(tool_calls=(ToolCall(index=0, id="call_a", name=rest, arguments='{"city":'),))
            yield Delta(tool_calls=(ToolCall(index=0, arguments=' "Paris"}'),))
            usage = Usage(prompt_tokens=9, cached_tokens=4, completion_tokens=6, reasoning_tokens=2)
            yield Done(finish_reason="tool_calls", usage=usage)
        case "wait":
            while not cancelled.is_set():
                yield Delta(text=".")
                time.sleep(0.01)
        case "slow":
            for number in range(int(rest)):
                time.sleep(0.1)
                yield Delta(text=f"{number} ")
        case "flood":
            for _ in range(int(rest)):
                yield Delta(text="x" * 60_000)
        case "die":
            yield Delta(text="farewell")
            time.sleep(0.2)
            os.write(2, b"the stage fell down\n")
            os._exit(3)
        case "overflow":
            yield Fault(kind="context_overflow", detail="5000 tokens for a context of 4096")
        case "long":
            yield Delta(text="and so on")
            yield Done(finish_reason="length", usage=Usage(prompt_tokens=3, completion_tokens=3))
        case "who":
            yield Delta(text=str([(message.role, len(message.pieces)) for message in job.messages]))
        case _:
            yield Delta(text=said)


def _steps(number: int, cancelled: Flag, pause: float) -> Iterator[Event]:
    for step in range(number):
        if cancelled.is_set():
            return
        time.sleep(pause)
        yield Progress(done=step + 1, number=number)


def _drawn(job: MakeImage, cancelled: Flag) -> Iterator[Event]:
    yield from _steps(3, cancelled, 0.01)
    for at in range(job.count):
        media = _png(job.width or 8, job.height or 6)
        yield Media(mime="image/png", data=media.data, seed=(job.seed or 0) + at)


def _png(width: int, height: int) -> Media:
    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    head = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    rows = b"".join(b"\0" + bytes(width) for _ in range(height))
    body = chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
    return Media(mime="image/png", data=b"\x89PNG\r\n\x1a\n" + body)


def _wav(seconds: float) -> Media:
    into = io.BytesIO()
    with wave.open(into, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(16000)
        file.writeframes(b"".join(struct.pack("<h", at % 200 * 50) for at in range(int(seconds * 16000))))
    return Media(mime="audio/wav", data=into.getvalue())


def _mp4() -> bytes:
    return b"\0\0\0\x18ftypisom\0\0\0\0isommp42" + bytes(5000)
