"""llama.cpp, by the wheel that holds it whole: GGUF files that chat, complete, see, embed and rank."""

from __future__ import annotations

import importlib
import json
import queue
import secrets
import struct
import threading
from collections.abc import Callable, Generator, Iterator
from typing import Any

from weigh.core.engine import Candidate, Engine, Failed, Launch, Ready
from weigh.core.work import (
    Chat,
    Complete,
    Delta,
    Done,
    Embed,
    Event,
    Fault,
    Job,
    Rerank,
    Scores,
    Usage,
    Vectors,
    Work,
    work_of,
)
from weigh.engines.insisted import insisted, must_call
from weigh.engines.openai_words import Answer, chat_request, complete_request, fault_of
from weigh.engines.prompts import in_the_middle
from weigh.engines.stopping import Stopping

Chunk = str | dict[str, Any]
Call = Callable[[dict[str, Any], Callable[[Chunk], bool]], Any]
_TEXT: tuple[Work, ...] = ("chat", "complete")
_BERTS = ("bert", "modern-bert", "nomic-bert", "nomic-bert-moe", "jina-bert-v2", "jina-bert-v3", "neo-bert", "eurobert")
_EMBED_ONLY = (*_BERTS, "gemma-embedding", "t5encoder", "llama-embed")


def load(launch: Launch) -> Llama:
    """In the child. Raises Failed with what llama.cpp prints where it does not load."""
    xllamacpp = importlib.import_module("xllamacpp")
    given = xllamacpp.CommonParams()
    given.model.path = launch.path
    given.warmup, given.verbosity, given.kv_unified, given.fit_params = False, 1, False, False
    given.api_keys = [secrets.token_hex(16)]  # its own door stays shut: jobs come through our frames
    given.use_jinja, given.ctx_shift = True, False
    given.n_parallel = launch.parallel
    _plan(given, launch, xllamacpp)
    _purpose(given, launch, xllamacpp)
    try:
        server = xllamacpp.Server(given)
    except RuntimeError as error:
        raise Failed(Fault(kind="failed", detail=str(error))) from error
    return Llama(server, launch)


def _plan(given: Any, launch: Launch, library: Any) -> None:
    """As `fit` planned it."""
    if launch.context_length is not None:
        given.n_ctx = launch.context_length * launch.parallel
    if launch.n_gpu_layers is not None:
        given.n_gpu_layers = launch.n_gpu_layers
    if launch.threads is not None:
        given.cpuparams.n_threads = given.cpuparams_batch.n_threads = launch.threads
    if launch.kv is not None:
        given.cache_type_k = given.cache_type_v = getattr(library.ggml_type, f"GGML_TYPE_{launch.kv.upper()}")
    if launch.projector is not None:
        given.mmproj.path = launch.projector


def _purpose(given: Any, launch: Launch, library: Any) -> None:
    if launch.works[0] == "rerank":
        given.embedding, given.pooling_type = True, library.llama_pooling_type.LLAMA_POOLING_TYPE_RANK
    elif launch.works[0] == "embed":
        given.embedding = True
        if launch.architecture not in _EMBED_ONLY:
            given.pooling_type = library.llama_pooling_type.LLAMA_POOLING_TYPE_LAST
    if launch.works[0] in ("rerank", "embed"):
        given.n_ubatch = given.n_batch = max(given.n_batch, min(launch.context_length or 0, 1 << 15))


class Llama:
    """One loaded file. Jobs run at once; llama.cpp batches them."""

    def __init__(self, server: Any, launch: Launch) -> None:
        self._server = server
        self._path = launch.path
        works = launch.works[:1] if launch.works[0] in ("embed", "rerank") else _TEXT
        self.ready = Ready(works=works, parallel=launch.parallel, context_length=launch.context_length)

    def run(self, job: Job, cancelled: threading.Event) -> Generator[Event, None, None]:
        """Text as it comes; vectors and scores at once."""
        match job:
            case Chat() if must_call(job):
                yield from insisted(job, lambda job: self._chat(job, cancelled))
            case Chat():
                yield from self._chat(job, cancelled)
            case Complete():
                answer = Answer(job.sampling.top_logprobs)
                body = _telling(complete_request(in_the_middle(job, self._path)))
                yield from _stream(self._server.handle_completions, body, answer, cancelled)
            case Embed():
                yield from self._embed(job)
            case Rerank():
                yield from self._rank(job)
            case _:
                yield Fault(kind="unsupported", detail=f"llama.cpp does not {work_of(job)}")

    def _chat(self, job: Chat, cancelled: threading.Event) -> Generator[Event, None, None]:
        answer = Answer(job.sampling.top_logprobs)
        yield from _stream(self._server.handle_chat_completions, _telling(chat_request(job)), answer, cancelled)

    def _embed(self, job: Embed) -> Generator[Event, None, None]:
        if any(piece.text is None for piece in job.pieces):
            yield Fault(kind="unsupported", detail="llama.cpp embeds text alone")
            return
        texts = [piece.text for piece in job.pieces]
        said = _told(self._server.handle_embeddings({"input": texts, "encoding_format": "float"}))
        rows = [row["embedding"] for row in sorted(said["data"], key=lambda row: row["index"])]
        width = min(job.dimensions or len(rows[0]), len(rows[0]))
        data = b"".join(struct.pack(f"<{width}f", *_shortened(row, width)) for row in rows)
        yield Vectors(dimensions=width, data=data)
        yield Done(usage=Usage(prompt_tokens=said.get("usage", {}).get("prompt_tokens", 0)))

    def _rank(self, job: Rerank) -> Generator[Event, None, None]:
        said = _told(self._server.handle_rerank({"query": job.query, "documents": list(job.documents)}))
        scores = {row["index"]: row["relevance_score"] for row in said["results"]}
        yield Scores(scores=tuple(scores[index] for index in range(len(job.documents))))
        yield Done(usage=Usage(prompt_tokens=said.get("usage", {}).get("prompt_tokens", 0)))


def _telling(body: dict[str, Any]) -> dict[str, Any]:
    """Which of the signs ended it, and what was counted so far, is told only where it is asked for."""
    if not body.get("stop"):
        return body
    return {**body, "verbose": True, "response_fields": ["stopping_word"], "timings_per_token": True}


def _shortened(row: list[float], width: int) -> list[float]:
    """The first of it, of unit length again where something was cut."""
    if width == len(row):
        return row
    length = sum(value * value for value in row[:width]) ** 0.5 or 1.0
    return [value / length for value in row[:width]]


def _told(answer: Any) -> dict[str, Any]:
    """Raises Failed where the answer is an error."""
    said = json.loads(answer) if isinstance(answer, str | bytes) else answer
    if "error" in said:
        error = said["error"]
        raise Failed(fault_of(str(error.get("type", "")), str(error.get("message", ""))))
    assert isinstance(said, dict)
    return said


def _stream(
    call: Call, body: dict[str, Any], answer: Answer, cancelled: threading.Event
) -> Generator[Event, None, None]:
    """Up to the end that llama.cpp finds, or that we find in what it says."""
    stopping = Stopping(tuple(body.get("stop") or ()))
    for chunk in _chunks(call, body, lambda: cancelled.is_set() or stopping.stopped_by is not None):
        told = (stopping.take(event) for event in answer.take(chunk))
        yield from (event for event in told if event is not None)
    if stopping.stopped_by is not None:
        yield answer.stopped(stopping.stopped_by)
        return
    if stopping.rest():
        yield Delta(text=stopping.rest())
    yield answer.last(is_cancelled=cancelled.is_set())


def _chunks(call: Call, body: dict[str, Any], is_over: Callable[[], bool]) -> Iterator[Chunk]:
    """llama.cpp calls back from within; a thread of its own turns that into a stream."""
    chunks: queue.SimpleQueue[Chunk | Exception | None] = queue.SimpleQueue()

    def tell(chunk: Chunk) -> bool:
        chunks.put(chunk)
        return is_over()

    def ask() -> None:
        try:
            if said := call(body, tell):
                chunks.put(said)
        except Exception as error:  # of another thread: told to the one that waits
            chunks.put(Failed(fault_of("", str(error))))
        chunks.put(None)

    threading.Thread(target=ask, daemon=True).start()
    while (chunk := chunks.get()) is not None:
        if isinstance(chunk, Exception):
            raise chunk
        yield chunk


def _works(candidate: Candidate) -> tuple[Work, ...]:
    if candidate.format != "gguf" or candidate.architecture == "clip":
        return ()
    if candidate.architecture in _EMBED_ONLY:
        return () if "rerank" in candidate.works else ("embed",)  # its ranking of BERTs is wrong: the head is lost
    first = next((work for work in candidate.works if work in ("rerank", "embed")), None)
    return (first,) if first is not None else (*_TEXT, "embed")


ENGINE = Engine(
    name="llama.cpp",
    extra="llama",
    needs=("xllamacpp",),
    reach="child",
    module="weigh.engines.xllamacpp",
    works=_works,
)
