"""The engine without weights."""

from __future__ import annotations

import asyncio
import math
import struct

from weigh.core.engine import Candidate, Launch
from weigh.core.work import (
    Chat,
    Complete,
    Delta,
    Done,
    Embed,
    Event,
    Fault,
    Job,
    Message,
    Piece,
    Sampling,
    Speak,
    Vectors,
)
from weigh.engines import engines
from weigh.engines.echo import DIMENSIONS, connect


def run(job: Job, context_length: int | None = None) -> list[Event]:
    model = connect(Launch(engine="echo", path="echo:", works=("chat",), format="echo", context_length=context_length))

    async def go() -> list[Event]:
        return [event async for event in model.run(job)]

    return asyncio.run(go())


def said(events: list[Event]) -> str:
    return "".join(event.text for event in events if isinstance(event, Delta))


def test_it_says_again_what_the_user_said_last() -> None:
    messages = tuple(
        Message(role=role, pieces=(Piece(text=text),))
        for role, text in (("system", "be brief"), ("user", "one"), ("assistant", "one"), ("user", " two  words\n"))
    )
    assert said(run(Chat(messages=messages))) == " two  words\n"


def test_it_stops_at_the_limit_and_says_so() -> None:
    events = run(Complete(prompt="a b c", sampling=Sampling(max_tokens=2)))
    assert said(events) == "a b "
    assert isinstance(events[-1], Done) and events[-1].finish_reason == "length"


def test_what_is_longer_than_its_context_is_refused() -> None:
    assert run(Complete(prompt="a b c"), context_length=2)[-1].kind == "context_overflow"  # type: ignore[union-attr]


def test_vectors_are_of_unit_length_and_the_same_for_the_same_text() -> None:
    vectors = run(Embed(pieces=(Piece(text="a"), Piece(text="b"), Piece(text="a"))))[0]
    assert isinstance(vectors, Vectors)
    rows = list(struct.iter_unpack(f"<{DIMENSIONS}f", vectors.data))
    assert rows[0] == rows[2] != rows[1]
    assert all(math.isclose(sum(value * value for value in row), 1, rel_tol=1e-6) for row in rows)


def test_what_it_cannot_do_is_said() -> None:
    assert isinstance(run(Speak(text="aloud"))[-1], Fault)


def test_it_takes_nothing_but_echo() -> None:
    echo = next(engine for engine in engines() if engine.name == "echo")
    assert echo.works(Candidate(path="x", format="gguf")) == ()
    assert "chat" in echo.works(Candidate(path="echo:", format="echo"))
