"""Pulling through: `weigh pull` in a process of its own brings what the private hub lacks, or what is newer."""

from __future__ import annotations

import asyncio
import os
import shutil
import sys
import threading
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from typing import NamedTuple

from weigh.app.mirror.origin import laid_out, note_asked, note_origin, origin, record_of, swapped, tidied
from weigh.app.mirror.shelf import MAIN, Shelf, find, folder_of
from weigh.app.mirror.snapshot import scan
from weigh.cli.mirror_ask import ask
from weigh.core.errors import WeighError
from weigh.core.saying import Saying
from weigh.serve.mirror.upstream import HELD, RELEASED, Fetched
from weigh.store.guard import alone

FAILED = 2
MOST_SAID = 300  # characters


class Far(NamedTuple):
    """The other hub, and what is served here. `address` is `hf` for wherever the environment says Hugging Face is, or
    that of a hub that answers as it does; `tell` takes what an operator wants to know."""

    shelf: Shelf
    address: str
    policy: str | None
    state: str
    renew_seconds: float
    tell: Callable[[Saying], None]


async def fetch(far: Far, id: str, revision: str) -> Fetched:
    """All files of the revision; into a folder of models they come by one rename."""
    fetched = await bring(far, id, revision, f"hf:{id}@{revision}")
    if fetched.status in (RELEASED, HELD):
        return fetched
    answer = await ask(_endpoint(far.address), id, revision)
    return fetched._replace(code=answer.code)


async def bring(far: Far, id: str, revision: str, reference: str) -> Fetched:
    """What is not here yet, once for all workers."""
    async with _alone(far, id):
        here = await asyncio.to_thread(find, far.shelf, "models", id)
        folder = None if here is None else folder_of(here, revision if far.shelf.is_cache else MAIN)
        seen = () if folder is None else await asyncio.to_thread(scan, far.shelf, folder)
        if seen:
            return Fetched(RELEASED, "")
        fetched = await _pulled(far, id, reference)
        if fetched.status == RELEASED:
            await asyncio.to_thread(_placed, far, id, is_main=revision == MAIN)
        return fetched


async def renew(far: Far, id: str) -> None:
    """Where its time has come and the other hub has another commit. What fails is asked for again."""
    if not _is_due(far, id):
        return
    async with _alone(far, id):
        if _is_due(far, id):
            await _renewed(far, id)


async def renewed_now(far: Far, id: str) -> Fetched:
    """The same whatever the time."""
    async with _alone(far, id):
        return await _renewed(far, id)


async def _renewed(far: Far, id: str) -> Fetched:
    """What is served goes on being served until the newer one is whole, verified and checked."""
    known = origin(far.shelf, id)
    answer = await ask(_endpoint(far.address), id, MAIN)
    if known is None or answer.commit in (None, known.commit):
        if answer.is_answered:
            note_asked(far.shelf, id)
        return Fetched(RELEASED, "")  # the one that is here is the best that can be had
    try:
        fetched = await _pulled(far, id, f"hf:{id}@{MAIN}", is_renewal=True)
        if fetched.status == RELEASED:
            await asyncio.to_thread(_exchanged, far, id)
            far.tell(Saying("mirror.renewed", id=id, commit=answer.commit))
        elif fetched.status == HELD:
            note_asked(far.shelf, id)
            far.tell(Saying("mirror.renewal_held", id=id, said=fetched.said))
    except (OSError, WeighError):
        return Fetched(FAILED, "")
    return fetched


@asynccontextmanager
async def _alone(far: Far, id: str) -> AsyncIterator[None]:
    """One worker at a time, of all hosts that share the store."""
    ended = threading.Event()

    def wait(seconds: float) -> None:
        if ended.is_set():
            raise InterruptedError
        time.sleep(seconds)

    lock = alone(os.path.join(far.shelf.root, ".weigh", "locks", f"upstream-{_flat(id)}.lock"), wait)
    try:
        await asyncio.to_thread(lock.__enter__)
    except asyncio.CancelledError:
        ended.set()
        raise
    try:
        yield
    finally:
        lock.__exit__(None, None, None)


def _is_due(far: Far, id: str) -> bool:
    known = origin(far.shelf, id)
    return known is not None and time.time() - known.asked >= far.renew_seconds


async def _pulled(far: Far, id: str, reference: str, *, is_renewal: bool = False) -> Fetched:
    flags = ["--yes", "--quiet", "--lang", "en", "--lock", _lock(far, id)]
    flags += ["--include", "*"] if reference.count(":") == 1 else []
    flags += ["--policy", far.policy] if far.policy is not None else []
    os.makedirs(os.path.dirname(_lock(far, id)), exist_ok=True)
    if far.shelf.is_cache:
        return await _pull(reference, [*flags, "--layout", "hf"], _environment(far.address, far.shelf.root))
    if is_renewal:
        await asyncio.to_thread(laid_out, far.shelf, id, _stage(far, id))
    return await _pull(reference, [*flags, "--to", _stage(far, id)], _environment(far.address, None))


def _placed(far: Far, id: str, *, is_main: bool) -> None:
    """Where it is served, with a note of where it came from; what is pinned to a revision is not renewed."""
    if not far.shelf.is_cache:
        target = os.path.join(far.shelf.root, *id.split("/"))
        os.makedirs(os.path.dirname(target), exist_ok=True)
        with suppress(OSError):
            os.rmdir(target)  # an empty folder is no model
        os.rename(_stage(far, id), target)
    if is_main:
        note_origin(far.shelf, id, _lock(far, id))
    else:
        os.unlink(_lock(far, id))


def _exchanged(far: Far, id: str) -> None:
    if not far.shelf.is_cache:
        tidied(_stage(far, id), _lock(far, id))
        swapped(far.shelf, id, _stage(far, id), far.state)
        shutil.rmtree(_stage(far, id), ignore_errors=True)
    note_origin(far.shelf, id, _lock(far, id))


def _flat(id: str) -> str:
    return f"models--{id.replace('/', '--')}"


def _stage(far: Far, id: str) -> str:
    return os.path.join(far.shelf.root, ".weigh", "upstream", _flat(id))


def _lock(far: Far, id: str) -> str:
    return f"{record_of(far.shelf, id)}.new"


def _endpoint(address: str) -> str | None:
    return None if address == "hf" else address


def _environment(address: str, cache: str | None) -> dict[str, str]:
    environment = dict(os.environ)
    if address != "hf":
        environment["HF_ENDPOINT"] = address
    return environment | ({"HF_HUB_CACHE": cache} if cache is not None else {})


async def _pull(reference: str, flags: list[str], environment: dict[str, str]) -> Fetched:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "weigh", "pull", reference, *flags,
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
    status = process.returncode if process.returncode is not None else FAILED
    return Fetched(status, lines[-1][:MOST_SAID] if lines else "")
