"""Two minutes of mixed load leave the server as large as they found it."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import time
from pathlib import Path

import httpx
import psutil
import pytest

from tests.serve.server import staging

SECONDS = 120
PATIENCE = 3.0  # of a client
MOST_GROWTH = 1.10
MEGABYTE = 1 << 20


HELLO = [{"role": "user", "content": "hello there"}]


def told(text: str, **more: object) -> dict[str, object]:
    return {"model": "stage", "messages": [{"role": "user", "content": text}], **more}


# What is another path to the same, what a server of stage engines has not, and what takes no time.
NOT_ASKED = {"/", "/rerank", "/v2/rerank", "/api/embeddings", "/api/version", "/v1/audio/translations", "/v1/weigh"}
Asked = tuple[str, str, dict[str, object] | None]
FORM = "form"
# Every route, by turns: short and long, whole and streamed, what fails and what is given up.
KINDS: tuple[Asked, ...] = (
    ("POST", "/v1/chat/completions", told("hello there", n=3)),
    ("POST", "/v1/chat/completions", told("slow 2", stream=True)),
    ("POST", "/v1/chat/completions", told("wait", stream=True)),
    ("POST", "/v1/chat/completions", told("wait")),
    ("POST", "/v1/chat/completions", told("overflow")),
    ("POST", "/v1/chat/completions", {"model": "nobody", "messages": HELLO}),
    ("POST", "/v1/chat/completions", told("x", temperature="hot")),
    ("POST", "/v1/completions", {"model": "stage", "prompt": ["one", "two"], "stream": True}),
    ("POST", "/v1/messages", {"model": "other", "max_tokens": 5, "messages": HELLO, "stream": True}),
    ("POST", "/v1/messages/count_tokens", {"model": "other", "messages": HELLO}),
    ("POST", "/v1/responses", {"model": "other", "input": "call weather", "stream": True}),
    ("POST", "/v1/embeddings", {"model": "stage", "input": ["one", "two"], "encoding_format": "base64"}),
    ("POST", "/v1/rerank", {"model": "stage", "query": "one", "documents": ["two", "three"]}),
    ("POST", "/api/chat", {"model": "other", "messages": [{"role": "user", "content": "x" * 200_000}]}),
    ("POST", "/api/generate", {"model": "other", "prompt": "hello", "stream": False}),
    ("POST", "/api/embed", {"model": "other", "input": "hello"}),
    ("POST", "/api/show", {"model": "other"}),
    ("GET", "/api/tags", None),
    ("GET", "/api/ps", None),
    ("POST", "/v1/images/generations", {"model": "stage", "prompt": "a scale", "size": "256x256"}),
    (FORM, "/v1/images/edits", {"model": "stage", "prompt": "a scale"}),
    ("POST", "/v1/audio/speech", {"model": "stage", "input": "hello"}),
    ("POST", "/v1/audio/generations", {"model": "stage", "prompt": "a bell"}),
    (FORM, "/v1/audio/transcriptions", {"model": "stage"}),
    ("POST", "/v1/videos", {"model": "stage", "prompt": "a film"}),
    ("GET", "/v1/videos", None),
    (FORM, "/v1/classify", {"model": "stage"}),
    (FORM, "/v1/detect", {"model": "stage"}),
    (FORM, "/v1/depth", {"model": "stage"}),
    ("GET", "/v1/models", None),
    ("GET", "/metrics", None),
    ("GET", "/health", None),
    ("GET", "/openapi.json", None),
    ("GET", "/nowhere", None),
)


async def ask(http: httpx.AsyncClient, asked: Asked) -> None:
    method, path, body = asked
    if method == FORM:
        files = {"file": ("a.wav", b"x" * 50_000), "image": ("a.png", b"x" * 50_000)}
        await http.post(path, data=body, files=files)
    else:
        await http.request(method, path, json=body)


def taken(pid: int) -> int:
    """Resident bytes of the server and of all that it started."""
    server = psutil.Process(pid)
    return sum(one.memory_info().rss for one in (server, *server.children(recursive=True)))


async def load(address: str, pid: int, seconds: float) -> list[int]:
    """Eight clients; resident bytes every second."""
    ends = time.monotonic() + seconds
    turns = itertools.cycle(KINDS)
    sizes: list[int] = []

    async def client() -> None:
        async with httpx.AsyncClient(base_url=address, timeout=60) as http:
            while time.monotonic() < ends:
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(ask(http, next(turns)), PATIENCE)

    async def watch() -> None:
        while time.monotonic() < ends:
            sizes.append(taken(pid))
            await asyncio.sleep(1)

    await asyncio.gather(watch(), *(client() for _ in range(8)))
    return sizes


@pytest.mark.heavy
def test_two_minutes_of_mixed_load_leave_memory_flat(tmp_path: Path) -> None:
    with (tmp_path / "log").open("w") as log, staging(tmp_path, "stage", "other", log=log, media_number=5) as staged:
        paths = httpx.get(f"{staged.address}/openapi.json").json()["paths"]
        assert {path for path in paths if "{" not in path} - {path for _, path, _ in KINDS} == NOT_ASKED
        sizes = asyncio.run(load(staged.address, staged.server.pid, SECONDS))
        quarter = len(sizes) // 4
        early, late = max(sizes[quarter : 2 * quarter]), max(sizes[-quarter:])
        assert late < early * MOST_GROWTH, [size // MEGABYTE for size in sizes]
        health = httpx.get(f"{staged.address}/health").json()
        assert sorted(health["loaded"]) == ["other", "stage"]
