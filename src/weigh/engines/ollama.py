"""Ollama, where the user has the command or a server that runs; spoken to by its OpenAI routes."""

from __future__ import annotations

import os
import re
import tempfile

import msgspec

from weigh.core.engine import Candidate, Engine, Launch
from weigh.core.work import Work
from weigh.engines.command import HOST, Start, free_port, started
from weigh.engines.openai_http import Served, client_for

_STRANGE = re.compile(r"[^a-z0-9._-]+")


async def connect(launch: Launch) -> Served:
    """To the address, or to a server of our own that is handed the file."""
    if launch.address is not None:
        return Served(client_for(launch.address, launch.key), launch)
    port, name = free_port(), launch.name or label(launch.path)
    with tempfile.TemporaryDirectory(prefix="weigh-") as folder:
        recipe = os.path.join(folder, "Modelfile")
        with open(recipe, "w", encoding="utf-8") as file:
            file.write(f"FROM {os.path.abspath(launch.path)}\n")
        start = Start(
            command=("ollama", "serve"),
            port=port,
            health="/api/version",
            environment=environment(launch, port),
            then=("ollama", "create", name, "-f", recipe),
        )
        return await started(start, msgspec.structs.replace(launch, name=name))


def environment(launch: Launch, port: int) -> dict[str, str]:
    """As `fit` writes it, and where it listens."""
    told = {"OLLAMA_HOST": f"{HOST}:{port}", "OLLAMA_NUM_PARALLEL": str(launch.parallel)}
    if launch.context_length is not None:
        told["OLLAMA_CONTEXT_LENGTH"] = str(launch.context_length)
    if launch.kv not in (None, "f16"):
        told["OLLAMA_KV_CACHE_TYPE"] = str(launch.kv)
    return told


def label(path: str) -> str:
    """What the model is called there.

    >>> label("/models/Qwen3-8B Q4_K_M.gguf")
    'qwen3-8b-q4_k_m'
    """
    name = os.path.basename(os.path.normpath(path)).lower().removesuffix(".gguf")
    return _STRANGE.sub("-", name).strip("-._") or "model"


def _works(candidate: Candidate) -> tuple[Work, ...]:
    if candidate.format != "gguf" or "rerank" in candidate.works:
        return ()
    return ("embed",) if "embed" in candidate.works else ("chat", "complete")


ENGINE = Engine(name="ollama", command="ollama", reach="http", module="weigh.engines.ollama", works=_works)
