"""Frames between the program and an engine's child process: a head of 13 bytes, then msgpack.

The head is little-endian: u32 bytes of the body, u64 number of the job, u8 kind. The page in docs/architecture.md says
what each kind means.
"""

from __future__ import annotations

import struct
from enum import IntEnum
from typing import BinaryIO

import msgspec

from weigh.core.engine import Ready
from weigh.core.errors import EngineError
from weigh.core.work import Delta, Done, Event, Fault, Labels, Media, Progress, Scores, Segment, Tensors, Vectors

HEAD = struct.Struct("<IQB")
MOST_BODY = 1 << 30

encode = msgspec.msgpack.Encoder().encode
Answer = Ready | Delta | Vectors | Scores | Labels | Segment | Media | Tensors | Progress | Done | Fault
_ANSWERS: msgspec.msgpack.Decoder[Answer] = msgspec.msgpack.Decoder(Answer)


class Kind(IntEnum):
    """What a frame is."""

    LOAD = 1
    START = 2
    CANCEL = 3
    ANSWER = 4


_KINDS = {kind.value: kind for kind in Kind}


def frame(kind: Kind, number: int, body: bytes) -> bytes:
    """Raises EngineError where the body is too long to send."""
    if len(body) > MOST_BODY:
        raise EngineError("engine.too_long", nbytes=len(body), most=MOST_BODY)
    return HEAD.pack(len(body), number, kind) + body


def head_of(data: bytes | bytearray) -> tuple[int, int, Kind]:
    """Bytes of the body, number of the job, kind. Raises EngineError for what is no head of ours."""
    nbytes, number, kind = HEAD.unpack(data)
    if nbytes > MOST_BODY or kind not in _KINDS:
        raise EngineError("engine.not_ours")
    return nbytes, number, _KINDS[kind]


def answer_from(body: bytes) -> Answer:
    """Raises EngineError for a body that is no answer."""
    try:
        return _ANSWERS.decode(body)
    except msgspec.DecodeError as error:
        raise EngineError("engine.not_ours") from error


def take(stream: BinaryIO) -> tuple[int, Kind, bytes] | None:
    """The next frame of a blocking stream; None where it has ended."""
    head = stream.read(HEAD.size)
    if len(head) < HEAD.size:
        return None
    nbytes, number, kind = head_of(head)
    body = stream.read(nbytes)
    return (number, kind, body) if len(body) == nbytes else None


def event_of(answer: Answer) -> Event:
    """Raises EngineError where a second Ready stands for an event."""
    if isinstance(answer, Ready):
        raise EngineError("engine.not_ours")
    return answer
