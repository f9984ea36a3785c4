"""llama.cpp's own server, where the user has the command or one that runs."""

from __future__ import annotations

import secrets

from weigh.core.engine import Candidate, Engine, Launch
from weigh.core.work import Work
from weigh.engines.command import HOST, Start, free_port, started
from weigh.engines.openai_http import Served, client_for


async def connect(launch: Launch) -> Served:
    """To the address, or to a server of our own."""
    if launch.address is not None:
        return Served(client_for(launch.address, launch.key), launch)
    port, key = free_port(), secrets.token_hex(16)
    start = Start(command=command(launch, port), port=port, key=key, environment={"LLAMA_API_KEY": key})
    return await started(start, launch)


def command(launch: Launch, port: int) -> tuple[str, ...]:
    """As `fit` writes it, then where it listens."""
    line = ["llama-server", "-m", launch.path]
    if launch.context_length is not None:
        line += ["-c", str(launch.context_length)]
    if launch.n_gpu_layers is not None:
        line += ["-ngl", str(launch.n_gpu_layers)]
    if launch.kv not in (None, "f16"):
        line += ["-ctk", str(launch.kv), "-ctv", str(launch.kv)]
    if launch.parallel != 1:
        line += ["-np", str(launch.parallel)]
    if launch.projector is not None:
        line += ["--mmproj", launch.projector]
    if launch.works[0] in ("embed", "rerank"):
        line += ["--embedding" if launch.works[0] == "embed" else "--reranking"]
    return (*line, "--host", HOST, "--port", str(port))


def _works(candidate: Candidate) -> tuple[Work, ...]:
    if candidate.format != "gguf":
        return ()
    first = next((work for work in candidate.works if work in ("rerank", "embed")), None)
    return (first,) if first is not None else ("chat", "complete")


ENGINE = Engine(
    name="llama-server", command="llama-server", reach="http", module="weigh.engines.llama_server", works=_works
)
