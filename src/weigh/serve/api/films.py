"""Videos as jobs: made one after another in the background, kept in a folder, bounded in number and in age."""

from __future__ import annotations

import asyncio
import contextlib
import os
import secrets
import shutil
import tempfile
import time
from collections.abc import Callable
from contextlib import aclosing
from pathlib import Path
from typing import Literal

import msgspec

from weigh.core.saying import Saying
from weigh.core.work import MakeVideo, Media, Progress
from weigh.serve.api.refusal import Refusal
from weigh.serve.api.serving import Serving
from weigh.serve.api.tell import sentence

LEAST_FREE = 64 << 20  # bytes of the disk, below which no job is begun
Status = Literal["queued", "in_progress", "completed", "failed"]


class Trouble(msgspec.Struct):
    """Why there is no film."""

    code: str
    message: str


class Film(msgspec.Struct, kw_only=True):
    """In OpenAI's words; times in seconds of the day's clock."""

    id: str
    model: str
    prompt: str
    created_at: int
    object: Literal["video"] = "video"
    status: Status = "queued"
    progress: int = 0
    seconds: str | None = None
    size: str | None = None
    completed_at: int | None = None
    expires_at: int | None = None
    error: Trouble | None = None
    seed: int | None = None

    @property
    def is_over(self) -> bool:
        """Nothing will change any more."""
        return self.status in ("completed", "failed")


class Films:
    """Of one server. Without a folder of the settings they are gone with it."""

    def __init__(self, serving: Serving, write: Callable[[Path, bytes], int] = Path.write_bytes) -> None:
        self.all: dict[str, Film] = {}
        self._serving = serving
        self._settings = serving.settings
        self._write = write
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._is_ours = serving.settings.media_folder is None
        self._root: Path | None = None

    def folder(self) -> Path:
        """Made when first wanted. Raises Refusal where that fails."""
        if self._root is None:
            given = self._settings.media_folder
            try:
                self._root = Path(given) if given is not None else Path(tempfile.mkdtemp(prefix="weigh-media-"))
                self._root.mkdir(parents=True, exist_ok=True)
                self._find()
            except OSError as error:
                self._root = None
                raise _no_disk(error) from error
        return self._root

    def path(self, film: Film) -> Path:
        """Of the file itself."""
        return self.folder() / f"{film.id}.mp4"

    def begin(self, film: Film, job: MakeVideo) -> None:
        """Raises Refusal: too many under way, or no room on the disk."""
        self.tidy()
        waiting = sum(not one.is_over for one in self.all.values())
        if waiting >= self._settings.queue + 1:
            raise Refusal(429, "queue_full", Saying("refusal.queue", model=film.model, waiting=waiting), retry_after=5)
        if shutil.disk_usage(self.folder()).free < LEAST_FREE:
            raise Refusal(507, "disk_full", Saying("refusal.disk", reason=os.strerror(28)))
        self.all[film.id] = film
        task = asyncio.create_task(self._make(film, job))
        self._tasks[film.id] = task
        task.add_done_callback(lambda _: self._tasks.pop(film.id, None))

    async def drop(self, film: Film) -> None:
        """Ended where it is under way, and forgotten."""
        task = self._tasks.get(film.id)
        if task is not None:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
        self._forget(film)

    def tidy(self) -> None:
        """What is too old goes, and of what is over the oldest until there is room for one more."""
        now = time.time()
        over = sorted((film for film in self.all.values() if film.is_over), key=lambda film: film.created_at)
        spare = len(self.all) + 1 - self._settings.media_number
        for at, film in enumerate(over):
            if at < spare or film.created_at + self._settings.media_seconds < now:
                self._forget(film)

    async def close(self) -> None:
        """Jobs under way end; a folder of our own goes."""
        tasks = list(self._tasks.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        if self._is_ours and self._root is not None:
            shutil.rmtree(self._root, ignore_errors=True)

    async def _make(self, film: Film, job: MakeVideo) -> None:
        try:
            await self._run(film, job)
        except Refusal as refusal:
            self._fail(film, refusal)
        except OSError as error:
            self.path(film).unlink(missing_ok=True)
            self._fail(film, _no_disk(error))

    def _fail(self, film: Film, refusal: Refusal) -> None:
        film.status = "failed"
        film.error = Trouble(refusal.code, sentence(refusal, self._serving.language))

    async def _run(self, film: Film, job: MakeVideo) -> None:
        async with aclosing(self._serving.run(film.model, job)) as events:
            async for event in events:
                film.status = "in_progress"
                if isinstance(event, Progress) and event.number:
                    film.progress = min(event.done * 100 // event.number, 99)
                elif isinstance(event, Media):
                    await asyncio.to_thread(self._write, self.path(film), event.data)
                    film.seed = event.seed
        film.status, film.progress, film.completed_at = "completed", 100, int(time.time())
        film.expires_at = int(film.created_at + self._settings.media_seconds)
        await asyncio.to_thread(self._write, self.path(film).with_suffix(".json"), msgspec.json.encode(film))

    def _forget(self, film: Film) -> None:
        self.all.pop(film.id, None)
        for path in (self.path(film), self.path(film).with_suffix(".json")):
            with contextlib.suppress(OSError):
                path.unlink(missing_ok=True)

    def _find(self) -> None:
        """Those of a server before us."""
        assert self._root is not None
        for path in sorted(self._root.glob("video_*.json")):
            with contextlib.suppress(OSError, msgspec.DecodeError):
                film = msgspec.json.decode(path.read_bytes(), type=Film)
                if path.stem == film.id and path.with_suffix(".mp4").exists():
                    self.all[film.id] = film


def new_id() -> str:
    """Of a film; nobody guesses it."""
    return f"video_{secrets.token_hex(16)}"


def _no_disk(error: OSError) -> Refusal:
    return Refusal(507, "disk_full", Saying("refusal.disk", reason=error.strerror or str(error)))
