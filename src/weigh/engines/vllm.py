"""vLLM, where the user has the command or a server that runs."""

from __future__ import annotations

import secrets

from weigh.core.engine import Candidate, Engine, Launch
from weigh.core.work import Work
from weigh.engines.command import HOST, Start, free_port, started
from weigh.engines.openai_http import Served, client_for

WORKS: tuple[Work, ...] = ("chat", "complete", "embed", "rerank")


async def connect(launch: Launch) -> Served:
    """To the address, or to a server of our own."""
    if launch.address is not None:
        return Served(client_for(launch.address, launch.key), launch)
    port, key = free_port(), secrets.token_hex(16)
    start = Start(command=command(launch, port), port=port, key=key, environment={"VLLM_API_KEY": key})
    return await started(start, launch)


def command(launch: Launch, port: int) -> tuple[str, ...]:
    """As `fit` writes it, then where it listens."""
    line = ["vllm", "serve", launch.path]
    if launch.context_length is not None:
        line += ["--max-model-len", str(launch.context_length)]
    if launch.kv in ("fp8", "q8_0"):
        line += ["--kv-cache-dtype", "fp8"]
    if launch.parallel > 1:
        line += ["--max-num-seqs", str(launch.parallel)]
    if launch.dtype is not None:
        line += ["--dtype", launch.dtype]
    if launch.trust_remote_code:
        line += ["--trust-remote-code"]
    return (*line, "--host", HOST, "--port", str(port))


def works(candidate: Candidate) -> tuple[Work, ...]:
    """Text models in the layout of transformers."""
    if candidate.format != "huggingface":
        return ()
    return tuple(work for work in candidate.works if work in WORKS)


ENGINE = Engine(name="vllm", command="vllm", reach="http", module="weigh.engines.vllm", works=works)
