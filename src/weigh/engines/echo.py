"""The engine that needs no weights: it says again what it is told, word by word."""

from __future__ import annotations

import asyncio
import hashlib
import json
import re
import struct
from collections.abc import AsyncGenerator, Iterator

from weigh.core.engine import Candidate, Engine, Launch, Ready
from weigh.core.work import (
    Chat,
    Complete,
    Delta,
    Done,
    Embed,
    Event,
    Fault,
    Job,
    Piece,
    Sampling,
    Usage,
    Vectors,
    Work,
    work_of,
)
from weigh.engines.spoken import until_stopped

DIMENSIONS = 32
TURN = 16  # events after which others have theirs
_WORD = re.compile(r"\s*\S+\s*")
_WORKS: tuple[Work, ...] = ("chat", "complete", "embed")


def connect(launch: Launch) -> Echo:
    """At once: there is nothing to load."""
    return Echo(launch)


class Echo:
    """A model in this process, for tests and for measuring what a server adds."""

    def __init__(self, launch: Launch) -> None:
        self.ready = Ready(works=_WORKS, parallel=1 << 10, context_length=launch.context_length)

    async def run(self, job: Job) -> AsyncGenerator[Event, None]:
        """Never fails, but for what is longer than its context and for works that it has not."""
        match job:
            case Chat():
                events = self._say(_last_of(job), job.sampling)
            case Complete():
                events = self._say(job.prompt, job.sampling)
            case Embed():
                events = iter(_embed(job))
            case _:
                events = iter((Fault(kind="unsupported", detail=f"echo does not {work_of(job)}"),))
        for number, event in enumerate(events, 1):
            yield event
            if not number % TURN:
                await asyncio.sleep(0)

    async def close(self) -> None:
        """Nothing to let go."""

    def _say(self, text: str, sampling: Sampling) -> Iterator[Event]:
        words = _WORD.findall(text)
        length = self.ready.context_length
        if length is not None and len(words) > length:
            yield Fault(kind="context_overflow", detail=f"{len(words)} words for a context of {length}")
            return
        said = words if sampling.max_tokens is None else words[: sampling.max_tokens]
        if sampling.stop:
            said, stopped_by = until_stopped(said, sampling.stop)
        else:
            stopped_by = None
        for word in said:
            yield Delta(text=word, logprobs=_sure(word) if sampling.top_logprobs is not None else None)
        usage = Usage(prompt_tokens=len(words), completion_tokens=len(said))
        is_whole = stopped_by is not None or len(said) == len(words)
        yield Done(finish_reason="stop" if is_whole else "length", usage=usage, stopped_by=stopped_by)


def _sure(word: str) -> str:
    """In OpenAI's form: it could have said nothing else."""
    read = list(word.encode("utf-8", "surrogatepass"))
    return json.dumps({"content": [{"token": word, "logprob": 0.0, "bytes": read, "top_logprobs": []}]})


def _last_of(job: Chat) -> str:
    """What the user said last."""
    said = next((message for message in reversed(job.messages) if message.role == "user"), None)
    return "".join(piece.text or "" for piece in said.pieces) if said else ""


def _embed(job: Embed) -> tuple[Event, ...]:
    """A direction of unit length that hangs on the text alone."""
    width = min(job.dimensions or DIMENSIONS, DIMENSIONS)
    rows = b"".join(_row(piece, width) for piece in job.pieces)
    words = sum(len(_WORD.findall(piece.text or "")) for piece in job.pieces)
    return Vectors(dimensions=width, data=rows), Done(usage=Usage(prompt_tokens=words))


def _row(piece: Piece, width: int) -> bytes:
    content = (piece.text or "").encode("utf-8", "surrogatepass") + (piece.image or b"") + (piece.audio or b"")
    raw = [byte - 127.5 for byte in hashlib.blake2b(content, digest_size=DIMENSIONS).digest()[:width]]
    length = sum(value * value for value in raw) ** 0.5
    return struct.pack(f"<{width}f", *(value / length for value in raw))


def _works(candidate: Candidate) -> tuple[Work, ...]:
    return _WORKS if candidate.format == "echo" else ()


ENGINE = Engine(name="echo", reach="here", module="weigh.engines.echo", works=_works)
