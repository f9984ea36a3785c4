"""What an engine is to the program: what it can run, and how it is reached."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Generator
from threading import Event as Flag
from typing import Literal, Protocol

from weigh.core.value import Value
from weigh.core.work import Event, Fault, Job, Work


class Candidate(Value, frozen=True, kw_only=True):
    """A model as an engine sees it, from its Report: where it lies and what it is for.

    `format` is a format identifier; of a repository `weights` names those of its files a loader would take.
    `architecture` is a class of config.json or general.architecture of a GGUF; `task` a hub's pipeline tag.
    """

    path: str
    format: str
    weights: tuple[str, ...] = ()
    architecture: str | None = None
    model_type: str | None = None
    task: str | None = None
    works: tuple[Work, ...] = ()
    beside: tuple[str, ...] = ()  # files next to it that an engine may want: a projector, a vocabulary


class Launch(Value, frozen=True, kw_only=True):
    """One model on one engine, with what `fit` planned for it. None leaves it to the engine.

    `allow_pickle` and `trust_remote_code` are never on unless the user said so, and the check was clean.
    `key` opens the server at `address`; it is shown nowhere.
    """

    engine: str
    path: str
    works: tuple[Work, ...]
    format: str
    architecture: str | None = None
    model_type: str | None = None
    task: str | None = None
    context_length: int | None = None
    parallel: int = 1
    job_seconds: float | None = None
    n_gpu_layers: int | None = None
    kv: str | None = None
    threads: int | None = None
    device: str | None = None
    dtype: str | None = None
    projector: str | None = None
    adapters: tuple[str, ...] = ()
    address: str | None = None  # of an engine that already runs, by its HTTP
    name: str | None = None  # what it is called there
    key: str | None = None
    allow_pickle: bool | None = None
    trust_remote_code: bool | None = None


class Ready(Value, frozen=True, kw_only=True, tag="ready", tag_field="event"):
    """Loaded: what it can do, how many jobs at once, and how many tokens fit into one."""

    works: tuple[Work, ...]
    parallel: int = 1
    context_length: int | None = None


class Loaded(Protocol):
    """A model inside the child process."""

    ready: Ready

    def run(self, job: Job, cancelled: Flag) -> Generator[Event, None, None]:
        """Ends with Done or Fault; looks at `cancelled` between steps. Called in `ready.parallel` threads at most."""


class Running(Protocol):
    """A model as the program holds it: a child process, another program's server, or nothing but this one."""

    ready: Ready

    def run(self, job: Job) -> AsyncGenerator[Event, None]:
        """Ends with Done or Fault, whatever happens to the engine. Closing the iterator cancels the job."""

    async def close(self) -> None:
        """Let it go; jobs under way end with Fault(engine_died). May be called twice."""


class Engine(Value, frozen=True, kw_only=True):
    """`suits` looks at the Candidate alone and loads nothing; `works` names what it could do with it, best first.

    `extra` is the extra that installs it. `reach`: in a child process of ours, by HTTP, or here in this one.
    `module` holds `load(launch) -> Loaded` for a child, `connect(launch) -> Running` for the others.
    """

    name: str
    extra: str | None = None
    needs: tuple[str, ...] = ()  # modules that must be importable for it
    command: str | None = None  # what must be on the path, unless one that runs is named by its address
    reach: Literal["child", "http", "here"] = "child"
    module: str
    works: Callable[[Candidate], tuple[Work, ...]]


class Failed(Exception):
    """Raised by an engine's `load` or `run`: the job, or the model, ends with this Fault."""

    def __init__(self, fault: Fault) -> None:
        self.fault = fault
        super().__init__(fault.kind)
