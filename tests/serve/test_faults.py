"""What goes wrong is bounded and clear, and nothing hangs."""

from __future__ import annotations

import asyncio
import json
import socket
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import psutil
import pytest

from tests.serve.server import Staged, serving, staging

PROMPT = 20 << 20


@pytest.fixture
def staged(tmp_path: Path) -> Iterator[Staged]:
    with staging(tmp_path, "stage", "other", parallel=2, queue=4, stall_seconds=1.0) as staged:
        yield staged


def body(text: str, model: str = "stage", **more: object) -> dict[str, object]:
    return {"model": model, "messages": [{"role": "user", "content": text}], **more}


def chat(staged: Staged, text: str, model: str = "stage", **more: object) -> httpx.Response:
    return httpx.post(f"{staged.address}/v1/chat/completions", json=body(text, model, **more), timeout=60)


def said(answer: httpx.Response) -> str:
    return str(answer.json()["choices"][0]["message"]["content"])


def running(staged: Staged, model: str = "stage") -> float:
    """Jobs under way in a model, as the metrics tell."""
    page = httpx.get(f"{staged.address}/metrics").text
    line = next(line for line in page.splitlines() if line.startswith(f'weigh_model_running{{model="{model}"}}'))
    return float(line.split()[-1])


def until(is_so: Callable[[], bool]) -> None:
    """Waits, but not for ever."""
    end = time.monotonic() + 20
    while not is_so():
        assert time.monotonic() < end
        time.sleep(0.05)


def test_an_engine_killed_in_mid_stream_is_told_and_comes_back(staged: Staged) -> None:
    assert said(chat(staged, "one", "other")) == "one"
    before = set(psutil.Process(staged.server.pid).children())
    url = f"{staged.address}/v1/chat/completions"
    with httpx.stream("POST", url, json=body("wait", stream=True), timeout=30) as answer:
        lines = answer.iter_lines()
        assert next(lines).startswith("data: ")
        (engine,) = set(psutil.Process(staged.server.pid).children()) - before
        engine.kill()
        rest = [json.loads(line[6:]) for line in lines if line.startswith("data: {")]
    assert rest[-1]["error"]["code"] == "engine_died"
    assert said(chat(staged, "back again")) == "back again"
    assert said(chat(staged, "two", "other")) == "two"
    assert before <= set(psutil.Process(staged.server.pid).children())


def test_a_bad_model_is_a_clear_error_and_the_others_answer(tmp_path: Path) -> None:
    with staging(tmp_path, "bad", "stage") as staged:
        answer = chat(staged, "hello", "bad")
        assert answer.status_code == 503
        assert "this is no model" in answer.json()["error"]["message"]
        assert said(chat(staged, "hello")) == "hello"


def test_of_two_hundred_at_once_those_that_fit_are_answered_and_the_rest_told_when_to_come_back(tmp_path: Path) -> None:
    async def go(address: str) -> list[httpx.Response]:
        limits = httpx.Limits(max_connections=None)
        async with httpx.AsyncClient(limits=limits, timeout=120) as client:
            url = f"{address}/v1/chat/completions"
            return await asyncio.gather(*(client.post(url, json=body("slow 2")) for _ in range(200)))

    with staging(tmp_path, parallel=4, queue=32) as staged:
        assert said(chat(staged, "awake")) == "awake"
        answers = asyncio.run(go(staged.address))
        statuses = Counter(answer.status_code for answer in answers)
        assert set(statuses) == {200, 429}
        assert statuses[200] >= 36
        assert all(answer.headers["retry-after"] for answer in answers if answer.status_code == 429)
        assert running(staged) == 0


def test_a_client_that_goes_frees_its_place(staged: Staged) -> None:
    url = f"{staged.address}/v1/chat/completions"
    for stream in (True, False):
        for _ in range(3):
            with (
                pytest.raises(httpx.ReadTimeout),
                httpx.stream("POST", url, json=body("wait", stream=stream), timeout=0.5) as answer,
            ):
                for line in answer.iter_lines():
                    if line:
                        raise httpx.ReadTimeout("enough")
    until(lambda: running(staged) == 0)
    assert said(chat(staged, "free")) == "free"


def test_a_client_that_waits_its_turn_and_goes_is_forgotten(staged: Staged) -> None:
    url = f"{staged.address}/v1/chat/completions"
    with httpx.Client(timeout=0.4) as client:
        for _ in range(8):
            with pytest.raises(httpx.ReadTimeout):
                client.post(url, json=body("slow 100"))
    until(lambda: running(staged) == 0)


def test_a_reader_that_takes_nothing_is_given_up(staged: Staged) -> None:
    host, port = staged.address.removeprefix("http://").split(":")
    text = json.dumps(body("flood 400", stream=True)).encode()
    with socket.create_connection((host, int(port))) as reader:
        head = f"POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nContent-Length: {len(text)}\r\n\r\n".encode()
        reader.sendall(head + text)
        reader.recv(100)
        until(lambda: running(staged) == 1)
        until(lambda: running(staged) == 0)
        assert said(chat(staged, "next")) == "next"


def test_a_prompt_of_twenty_megabytes_is_taken_or_refused_by_its_length(tmp_path: Path) -> None:
    with staging(tmp_path) as staged:
        assert len(said(chat(staged, "x" * PROMPT))) == PROMPT
    with staging(tmp_path, body_bytes=1 << 20) as staged:
        answer = chat(staged, "x" * PROMPT)
        assert (answer.status_code, answer.json()["error"]["code"]) == (413, "too_long")


@pytest.mark.parametrize(
    "path", ["chat/completions", "completions", "responses", "messages", "rerank", "images/generations"]
)
@pytest.mark.parametrize("content", [b"{", b"[]", b"\xff\xfe", b'{"messages": 3}', b"[" * 100_000])
def test_what_is_no_request_is_a_plain_refusal(one: Staged, path: str, content: bytes) -> None:
    answer = httpx.post(f"{one.address}/v1/{path}", content=content, timeout=30)
    assert answer.status_code == 400
    assert answer.json()["error"]["message"]


@pytest.fixture(scope="module")
def one(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Staged]:
    with staging(tmp_path_factory.mktemp("one"), job_seconds=1.0) as staged:
        yield staged


def test_a_job_that_takes_too_long_is_ended(one: Staged) -> None:
    answer = chat(one, "slow 1000")
    assert (answer.status_code, answer.json()["error"]["code"]) == (504, "timed_out")


def test_who_waits_too_long_for_a_place_is_told(tmp_path: Path) -> None:
    with staging(tmp_path, parallel=1, wait_seconds=0.5) as staged, httpx.Client(timeout=30) as client:
        url = f"{staged.address}/v1/chat/completions"
        with client.stream("POST", url, json=body("slow 30", stream=True)) as first:
            lines = first.iter_lines()
            next(lines)
            answer = chat(staged, "hello")
        assert (answer.status_code, answer.json()["error"]["code"]) == (503, "waited_too_long")
        assert answer.headers["retry-after"]


def loaded(staged: Staged) -> list[str]:
    return list(httpx.get(f"{staged.address}/health").json()["loaded"])


def test_an_idle_model_goes_and_a_pinned_one_stays(tmp_path: Path) -> None:
    with staging(tmp_path, "stage", "pinned", idle_seconds=0.5) as staged:
        assert said(chat(staged, "one")) == "one"
        assert said(chat(staged, "two", "pinned")) == "two"
        until(lambda: loaded(staged) == ["pinned"])
        assert said(chat(staged, "again")) == "again"


def test_the_least_recently_used_makes_room(tmp_path: Path) -> None:
    with staging(tmp_path, "a", "b", "c", "pinned", memory=3 << 20) as staged:
        for model in ("pinned", "a", "b", "a", "c"):
            assert said(chat(staged, "hello", model)) == "hello"
        assert loaded(staged) == ["a", "c", "pinned"]


def test_a_model_in_use_is_not_put_out(tmp_path: Path) -> None:
    with staging(tmp_path, "a", "b", memory=1 << 20, wait_seconds=0.5) as staged, httpx.Client(timeout=30) as client:
        url = f"{staged.address}/v1/chat/completions"
        with client.stream("POST", url, json=body("slow 20", "a", stream=True)) as first:
            lines = first.iter_lines()
            next(lines)
            answer = chat(staged, "hello", "b")
            assert (answer.status_code, answer.json()["error"]["code"]) == (503, "no_room")
            assert list(lines)[-1] == "" and first.status_code == 200
        assert said(chat(staged, "hello", "b")) == "hello"


def test_a_real_engine_killed_comes_back(tmp_path_factory: pytest.TempPathFactory) -> None:
    from tests.tiny import made
    from tools.tiny import text

    model = made(tmp_path_factory, "text", text.write) / "model-F32.gguf"
    with serving(str(model), "--context", "256") as address:
        asked = {"messages": [{"role": "user", "content": "weigh"}], "temperature": 0, "max_tokens": 60}
        url = f"{address}/v1/chat/completions"
        for _ in range(2):
            answer = httpx.post(url, json=asked, timeout=120)
            assert said(answer) == text.TEXT
            for child in psutil.Process().children(recursive=True):
                if "weigh.engines.child" in child.cmdline():
                    child.kill()
