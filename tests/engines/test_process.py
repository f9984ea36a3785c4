"""A model in a process of its own: its answers arrive, its faults stay with it."""

from __future__ import annotations

import asyncio
import os
import re
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from weigh.core.engine import Launch
from weigh.core.errors import EngineError
from weigh.core.work import Complete, Delta, Done, Event, Fault, Speak
from weigh.engines.process import Child, start

HERE = str(Path(__file__).parent)


@pytest.fixture(autouse=True)
def the_puppet_can_be_imported(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", HERE)


def launch(path: str = "model") -> Launch:
    return Launch(engine="puppet", path=path, works=("complete",), format="gguf")


def with_child(use: Callable[[Child], Awaitable[None]]) -> None:
    async def go() -> None:
        child = await start("puppet", launch())
        try:
            await use(child)
        finally:
            await child.close()

    asyncio.run(go())


async def answer(child: Child, prompt: str) -> list[Event]:
    return [event async for event in child.run(Complete(prompt=prompt))]


def text(events: list[Event]) -> str:
    return "".join(event.text for event in events if isinstance(event, Delta))


def test_events_arrive_in_order_and_end_with_done() -> None:
    async def use(child: Child) -> None:
        events = await answer(child, "count 100")
        assert text(events) == "".join(f"{number} " for number in range(100))
        assert isinstance(events[-1], Done)

    with_child(use)


def test_jobs_at_once_do_not_mix() -> None:
    async def use(child: Child) -> None:
        answers = await asyncio.gather(*(answer(child, f"say-{number}") for number in range(20)))
        assert [text(events) for events in answers] == [f"say-{number}" for number in range(20)]

    with_child(use)


def test_what_a_library_prints_does_not_disturb_the_frames() -> None:
    async def use(child: Child) -> None:
        assert isinstance((await answer(child, "print hello"))[-1], Done)
        assert text(await answer(child, "count 2")) == "0 1 "

    with_child(use)


def test_closing_the_stream_cancels_the_job_and_frees_its_place() -> None:
    async def use(child: Child) -> None:
        for _ in range(8):
            events = child.run(Complete(prompt="wait"))
            assert isinstance(await anext(events), Delta)
            await events.aclose()
        assert text(await answer(child, "count 1")) == "0 "

    with_child(use)


@pytest.mark.parametrize(
    ("prompt", "kind", "detail"),
    [
        ("overflow", "context_overflow", "70 tokens for a context of 64"),
        ("raise boom", "bad_input", "ValueError: boom and more"),
        ("silence", "failed", "the engine ended without an answer"),
    ],
)
def test_a_fault_is_told_and_the_next_job_runs(prompt: str, kind: str, detail: str) -> None:
    async def use(child: Child) -> None:
        assert (await answer(child, prompt))[-1] == Fault(kind=kind, detail=detail)  # type: ignore[arg-type]
        assert text(await answer(child, "count 1")) == "0 "

    with_child(use)


def test_a_job_the_engine_does_not_know_is_a_fault_of_the_job() -> None:
    async def use(child: Child) -> None:
        events = [event async for event in child.run(Speak(text="aloud"))]
        assert isinstance(events[-1], Fault)
        assert text(await answer(child, "count 1")) == "0 "

    with_child(use)


def test_a_child_that_dies_ends_every_job_with_its_last_words() -> None:
    async def use(child: Child) -> None:
        waiting = asyncio.create_task(answer(child, "wait"))
        await asyncio.sleep(0.2)
        dead = (await answer(child, "die"))[-1]
        assert isinstance(dead, Fault) and dead.kind == "engine_died"
        assert dead.detail == "exit status 3: assertion failed: the puppet is dead"
        assert (await waiting)[-1] == dead
        assert not child.is_alive
        assert isinstance((await answer(child, "count 1"))[-1], Fault)

    with_child(use)


@pytest.mark.parametrize(("path", "key"), [("bad", "engine.not_loaded"), ("deadly", "engine.not_loaded")])
def test_what_does_not_load_says_why(path: str, key: str) -> None:
    with pytest.raises(EngineError, match=re.escape(key)):
        asyncio.run(start("puppet", launch(path)))


def test_what_loads_too_slowly_is_ended() -> None:
    with pytest.raises(EngineError, match=r"engine\.slow"):
        asyncio.run(start("puppet", launch("slow"), seconds=1.0))


def test_closing_leaves_no_process() -> None:
    async def go() -> int:
        child = await start("puppet", launch())
        await child.close()
        await child.close()
        return child.pid

    pid = asyncio.run(go())
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
