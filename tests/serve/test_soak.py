"""Two minutes of mixed load leave the server as large as they found it."""

from __future__ import annotations

import asyncio
import itertools
import time
from pathlib import Path

import httpx
import psutil
import pytest

from tests.serve.server import staging

SECONDS = 120
MOST_GROWTH = 1.10
MEGABYTE = 1 << 20


def asked(number: int) -> tuple[str, dict[str, object]]:
    """By turns: short and long, whole and streamed, what fails and what is given up."""
    messages = [{"role": "user", "content": "hello there"}]
    long = [{"role": "user", "content": "x" * 200_000}]
    kinds: list[tuple[str, dict[str, object]]] = [
        ("/v1/chat/completions", {"model": "stage", "messages": messages}),
        (
            "/v1/chat/completions",
            {"model": "stage", "messages": [{"role": "user", "content": "slow 2"}], "stream": True},
        ),
        ("/v1/messages", {"model": "other", "max_tokens": 5, "messages": messages, "stream": True}),
        ("/api/chat", {"model": "other", "messages": long}),
        ("/v1/embeddings", {"model": "stage", "input": ["one", "two"]}),
        ("/v1/images/generations", {"model": "stage", "prompt": "a scale", "size": "256x256"}),
        ("/v1/responses", {"model": "other", "input": "call weather"}),
        ("/v1/chat/completions", {"model": "stage", "messages": [{"role": "user", "content": "overflow"}]}),
        ("/v1/chat/completions", {"model": "stage", "messages": [{"role": "user", "content": "wait"}], "stream": True}),
        ("/v1/chat/completions", {"model": "nobody", "messages": messages}),
    ]
    return kinds[number % len(kinds)]


async def load(address: str, pid: int, seconds: float) -> list[int]:
    """Eight clients; resident bytes of the server every second."""
    ends = time.monotonic() + seconds
    numbers = itertools.count()
    sizes: list[int] = []

    async def client() -> None:
        async with httpx.AsyncClient(base_url=address, timeout=0.7) as http:
            while time.monotonic() < ends:
                path, body = asked(next(numbers))
                try:
                    await http.post(path, json=body)
                except httpx.TimeoutException:
                    continue

    async def watch() -> None:
        while time.monotonic() < ends:
            sizes.append(psutil.Process(pid).memory_info().rss)
            await asyncio.sleep(1)

    await asyncio.gather(watch(), *(client() for _ in range(8)))
    return sizes


@pytest.mark.heavy
def test_two_minutes_of_mixed_load_leave_memory_flat(tmp_path: Path) -> None:
    with (tmp_path / "log").open("w") as log, staging(tmp_path, "stage", "other", log=log) as staged:
        sizes = asyncio.run(load(staged.address, staged.server.pid, SECONDS))
        quarter = len(sizes) // 4
        early, late = max(sizes[quarter : 2 * quarter]), max(sizes[-quarter:])
        assert late < early * MOST_GROWTH, [size // MEGABYTE for size in sizes]
        health = httpx.get(f"{staged.address}/health").json()
        assert sorted(health["loaded"]) == ["other", "stage"]
