"""Servers of the user's, by a command that stands for them: started, asked, and ended; and what they do wrong is told."""

from __future__ import annotations

import asyncio
import json
import os
import shlex
import struct
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from safetensors.numpy import save_file

from tests.engines.asking import said
from weigh.app.run import Asked, chosen, running
from weigh.app.weigh import weigh
from weigh.core.engine import Candidate, Launch, Running
from weigh.core.errors import EngineError
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
    Rerank,
    Scores,
    Speak,
    Vectors,
    Work,
)
from weigh.engines import command as commands
from weigh.engines import engines, llama_server, ollama, sglang, vllm

NAMES = ("llama-server", "vllm", "sglang", "ollama")
FAKE = Path(__file__).with_name("fake_server.py")


@pytest.fixture
def calls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[], list[list[str]]]:
    """The commands on the path, and how they were called."""
    for name in NAMES:
        place = tmp_path / "bin" / name
        place.parent.mkdir(exist_ok=True)
        place.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} {shlex.quote(str(FAKE))} "$@"\n')
        place.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path / "bin"), prepend=os.pathsep)
    monkeypatch.setenv("FAKE_CALLS", str(tmp_path / "calls"))
    return lambda: [json.loads(line)["argv"] for line in (tmp_path / "calls").read_text().splitlines()]


def launch(engine: str, *works: Work, seconds: float | None = 20.0, address: str | None = None) -> Launch:
    return Launch(
        engine=engine,
        path="model.gguf",
        works=works or ("chat", "complete"),
        format="gguf",
        job_seconds=seconds,
        context_length=64,
        address=address,
    )


def connect(one: Launch) -> Awaitable[Running]:
    modules = {"llama-server": llama_server, "vllm": vllm, "sglang": sglang, "ollama": ollama}
    return modules[one.engine].connect(one)


def ask(one: Launch, *jobs: Job) -> list[list[Event]]:
    async def go() -> list[list[Event]]:
        model = await connect(one)
        try:
            return [[event async for event in model.run(job)] for job in jobs]
        finally:
            await model.close()
            await model.close()

    return asyncio.run(go())


def chat(text: str) -> Chat:
    return Chat(messages=(Message(role="user", pieces=(Piece(text=text),)),))


@pytest.mark.parametrize("engine", NAMES)
def test_a_command_is_started_asked_and_ended(calls: Callable[[], list[list[str]]], engine: str) -> None:
    events, more = ask(launch(engine), chat("hello"), Complete(prompt="hello"))
    name = "model" if engine == "ollama" else "model.gguf"
    assert said(events) == said(more) == f"{name} says hello"
    assert isinstance(events[-1], Done) and events[-1].usage.completion_tokens == 3
    pid = json.loads(Path(os.environ["FAKE_CALLS"]).read_text().splitlines()[0])["pid"]
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


def test_ollama_is_handed_the_file(calls: Callable[[], list[list[str]]]) -> None:
    ask(launch("ollama"))
    assert calls()[0] == ["serve"] and calls()[1][:3] == ["create", "model", "-f"]


def test_vectors_and_scores_come_in_order(calls: Callable[[], list[list[str]]]) -> None:
    one, two = ask(
        launch("vllm", "embed", "rerank"),
        Embed(pieces=(Piece(text="a"), Piece(text="b"))),
        Rerank(query="q", documents=("long one", "x")),
    )
    assert one[0] == Vectors(dimensions=2, data=struct.pack("<4f", 0, 1, 1, 1))
    assert two[0] == Scores(scores=(8.0, 1.0))


@pytest.mark.parametrize(
    ("prompt", "kind", "detail"),
    [
        ("die", "engine_died", ""),
        ("cut", "engine_died", "broke off"),
        ("busy", "failed", "429"),
        ("garbage", "failed", "does not answer as the API says"),
        ("overflow", "context_overflow", "maximum context length is 64"),
        ("page", "failed", "502"),
    ],
)
def test_what_a_server_does_wrong_is_told(
    calls: Callable[[], list[list[str]]], prompt: str, kind: str, detail: str
) -> None:
    (events,) = ask(launch("llama-server"), chat(prompt))
    last = events[-1]
    assert isinstance(last, Fault) and last.kind == kind and detail in last.detail


def test_after_a_fault_the_next_job_runs_and_after_a_death_it_is_told_again(
    calls: Callable[[], list[list[str]]],
) -> None:
    _, fine, _, dead = ask(launch("llama-server"), chat("busy"), chat("hello"), chat("die"), chat("hello"))
    assert isinstance(fine[-1], Done)
    assert isinstance(dead[-1], Fault) and dead[-1].kind == "engine_died"


def test_a_job_that_takes_too_long_is_ended(calls: Callable[[], list[list[str]]]) -> None:
    (events,) = ask(launch("llama-server", seconds=0.5), chat("slow"))
    assert isinstance(events[0], Delta)
    assert isinstance(events[-1], Fault) and events[-1].kind == "timed_out"


def test_closing_the_stream_gives_the_job_up(calls: Callable[[], list[list[str]]]) -> None:
    async def go() -> list[Event]:
        model = await connect(launch("llama-server"))
        try:
            events = model.run(chat("slow"))
            assert isinstance(await anext(events), Delta)
            await events.aclose()
            return [event async for event in model.run(chat("hello"))]
        finally:
            await model.close()

    assert isinstance(asyncio.run(go())[-1], Done)


def test_what_such_servers_do_not_do_is_told(calls: Callable[[], list[list[str]]]) -> None:
    (events,) = ask(launch("llama-server"), Speak(text="aloud"))
    assert isinstance(events[-1], Fault) and events[-1].kind == "unsupported"


def test_a_command_that_does_not_start_says_why(
    calls: Callable[[], list[list[str]]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FAKE_BAD", "1")
    with pytest.raises(EngineError, match="this is no model"):
        ask(launch("llama-server"))


def test_a_command_that_is_never_ready_is_ended(calls: Callable[[], list[list[str]]]) -> None:
    start = commands.Start(command=("sleep", "60"), port=commands.free_port())
    with pytest.raises(EngineError, match=r"engine\.slow"):
        asyncio.run(commands.started(start, launch("llama-server"), seconds=0.3))


def test_a_server_that_runs_is_asked_at_its_address(calls: Callable[[], list[list[str]]]) -> None:
    async def go() -> list[Event]:
        port = commands.free_port()
        line = sglang.command(launch("sglang"), port)
        own = await commands.started(commands.Start(command=line, port=port), launch("sglang"))
        other = await connect(launch("vllm", address=f"http://127.0.0.1:{port}/v1"))
        events = [event async for event in other.run(chat("hello"))]
        await other.close()
        assert isinstance([event async for event in own.run(chat("still here"))][-1], Done)
        await own.close()
        return events

    assert said(asyncio.run(go())) == "model.gguf says hello"


def test_nobody_at_the_address_is_a_fault() -> None:
    (events,) = ask(launch("vllm", address=f"http://127.0.0.1:{commands.free_port()}"), chat("hello"))
    assert isinstance(events[-1], Fault) and events[-1].kind == "engine_died"


def repository(folder: Path) -> Path:
    import numpy

    folder.mkdir()
    (folder / "config.json").write_text(json.dumps({"architectures": ["Qwen3ForCausalLM"], "model_type": "qwen3"}))
    save_file({"a": numpy.zeros(2, "f4")}, folder / "model.safetensors")
    return folder


def test_an_engine_that_is_named_is_started_by_its_command(
    calls: Callable[[], list[list[str]]], tmp_path: Path
) -> None:
    folder = repository(tmp_path / "model")
    found = chosen(weigh(str(folder)), str(folder), Asked(engine="vllm", context_length=64))

    async def go() -> list[Event]:
        model = await running(found)
        try:
            return [event async for event in model.run(chat("hello"))]
        finally:
            await model.close()

    assert said(asyncio.run(go())) == f"{folder} says hello"
    assert calls()[0][:4] == ["serve", str(folder), "--max-model-len", "64"]


def test_a_command_that_is_not_here_is_one_line_unless_an_address_is_given(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    folder = str(repository(tmp_path / "model"))
    with pytest.raises(EngineError, match=r"run\.no_command.*vllm"):
        chosen(weigh(folder), folder, Asked(engine="vllm"))
    found = chosen(weigh(folder), folder, Asked(address="http://127.0.0.1:1", name="theirs"))
    assert (found.launch.engine, found.launch.name) == ("vllm", "theirs")


@pytest.mark.parametrize(
    ("one", "line"),
    [
        (launch("llama-server"), "llama-server -m model.gguf -c 64"),
        (launch("llama-server", "embed"), "llama-server -m model.gguf -c 64 --embedding"),
        (launch("sglang", "embed"), "sglang serve --model-path model.gguf --context-length 64 --is-embedding"),
        (launch("vllm"), "vllm serve model.gguf --max-model-len 64"),
    ],
)
def test_the_command_line_is_the_plan_s(one: Launch, line: str) -> None:
    modules = {"llama-server": llama_server, "vllm": vllm, "sglang": sglang}
    assert modules[one.engine].command(one, 1) == (*line.split(), "--host", "127.0.0.1", "--port", "1")


def test_servers_are_asked_last() -> None:
    order = [engine.name for engine in engines() if engine.works(Candidate(path="x.gguf", format="gguf"))]
    assert order == ["llama.cpp", "llama-server", "ollama"]
