"""Pulling through: `weigh pull` in a process of its own brings what the private hub lacks."""

from __future__ import annotations

import asyncio
import os
import shutil
import sys
from collections.abc import Awaitable, Callable
from contextlib import suppress

from weigh.app.mirror.shelf import Shelf
from weigh.serve.mirror.upstream import RELEASED, Fetched

MOST_SAID = 300  # characters


def fetcher(shelf: Shelf, upstream: str, policy: str | None) -> Callable[[str, str], Awaitable[Fetched]]:
    """`upstream` is `hf` for wherever the environment says Hugging Face is, or the address of a hub that answers as it
    does. All files of the revision are taken; into a folder of models they come by one rename."""

    async def fetch(id: str, revision: str) -> Fetched:
        flags = ["--include", "*", "--yes", "--quiet", "--lang", "en"]
        flags += ["--policy", policy] if policy is not None else []
        if shelf.is_cache:
            return await _pull(id, revision, [*flags, "--layout", "hf"], _environment(upstream, shelf.root))
        stage = os.path.join(shelf.root, ".weigh", "upstream", id.replace("/", "--"))
        fetched = await _pull(id, revision, [*flags, "--to", stage], _environment(upstream, None))
        if fetched.status == RELEASED:
            await asyncio.to_thread(_place, stage, os.path.join(shelf.root, *id.split("/")))
        return fetched

    return fetch


def _place(stage: str, target: str) -> None:
    """Another worker may have been first: then it is there."""
    os.makedirs(os.path.dirname(target), exist_ok=True)
    with suppress(OSError):
        os.rename(stage, target)
    shutil.rmtree(stage, ignore_errors=True)


def _environment(upstream: str, cache: str | None) -> dict[str, str]:
    environment = dict(os.environ)
    if upstream != "hf":
        environment["HF_ENDPOINT"] = upstream
    return environment | ({"HF_HUB_CACHE": cache} if cache is not None else {})


async def _pull(id: str, revision: str, flags: list[str], environment: dict[str, str]) -> Fetched:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "weigh", "pull", f"hf:{id}@{revision}", *flags,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
        env=environment,
    )  # fmt: skip
    try:
        _, said = await process.communicate()
    except asyncio.CancelledError:
        process.terminate()
        await process.wait()
        raise
    lines = said.decode("utf-8", "replace").strip().splitlines()
    return Fetched(process.returncode if process.returncode is not None else 2, lines[-1][:MOST_SAID] if lines else "")
