"""SGLang, where the user has it beside some Python or a server that runs."""

from __future__ import annotations

from weigh.core.engine import Candidate, Engine, Launch
from weigh.core.work import Work
from weigh.engines.command import HOST, Start, free_port, started
from weigh.engines.openai_http import Served, client_for

_WORKS: tuple[Work, ...] = ("chat", "complete", "embed", "rerank")


async def connect(launch: Launch) -> Served:
    """To the address, or to a server of our own."""
    if launch.address is not None:
        return Served(client_for(launch.address, launch.key), launch)
    port = free_port()
    return await started(Start(command=command(launch, port), port=port), launch)


def command(launch: Launch, port: int) -> tuple[str, ...]:
    """Its own words for what was planned."""
    line = ["sglang", "serve", "--model-path", launch.path]
    if launch.context_length is not None:
        line += ["--context-length", str(launch.context_length)]
    if launch.parallel > 1:
        line += ["--max-running-requests", str(launch.parallel)]
    if launch.dtype is not None:
        line += ["--dtype", launch.dtype]
    if launch.works[0] == "embed":
        line += ["--is-embedding"]
    if launch.trust_remote_code:
        line += ["--trust-remote-code"]
    return (*line, "--host", HOST, "--port", str(port))


def _works(candidate: Candidate) -> tuple[Work, ...]:
    if candidate.format != "huggingface":
        return ()
    return tuple(work for work in candidate.works if work in _WORKS)


ENGINE = Engine(name="sglang", command="sglang", reach="http", module="weigh.engines.sglang", works=_works)
