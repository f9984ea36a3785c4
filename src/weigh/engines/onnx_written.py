"""What comes next of a text or in a chat, by an ONNX repository."""

from __future__ import annotations

import secrets
import threading
from collections.abc import Generator, Iterator
from typing import Any

from weigh.core.engine import Failed, Launch, Ready
from weigh.core.work import Chat, Complete, Delta, Done, Event, Fault, FinishReason, Job, Sampling, Usage, work_of
from weigh.engines.decoding import Decoding
from weigh.engines.drawing import drawn, settled
from weigh.engines.likelihoods import told
from weigh.engines.onnx_steps import Graph, Steps
from weigh.engines.prompts import between, templated
from weigh.engines.repository import signs_of, table, template_of
from weigh.engines.spoken import Spoken, hidden


class Writer:
    """One job at a time."""

    def __init__(self, graphs: tuple[Graph, ...], tokenizer: Any, launch: Launch, context: int) -> None:
        self._graphs = graphs
        self._tokenizer = tokenizer
        self._context = context
        self._template, self._signs = template_of(launch.path), signs_of(launch.path)
        self._own = {**table(launch.path, "config.json"), **table(launch.path, "generation_config.json")}
        ends = self._own.get("eos_token_id")
        self._ends = set(ends if isinstance(ends, list) else [ends])
        added = tokenizer.get_added_tokens_decoder().items()
        self._special = {id: one.content for id, one in added if one.special}
        self.ready = Ready(works=("chat", "complete"), parallel=1, context_length=context)

    def run(self, job: Job, cancelled: threading.Event) -> Generator[Event, None, None]:
        """Deltas, then Done."""
        if not isinstance(job, Chat | Complete) or job.schema is not None:
            what = "keep to a schema" if isinstance(job, Chat | Complete) else work_of(job)
            yield Fault(kind="unsupported", detail=f"onnxruntime does not {what}")
            return
        ids = self._read(job)
        if len(ids) >= self._context:
            detail = f"{len(ids)} tokens of prompt for a context of {self._context}"
            raise Failed(Fault(kind="context_overflow", detail=detail))
        if isinstance(job, Complete) and job.echo:
            yield Delta(text=job.prompt)
        spoken = Spoken(stop=job.sampling.stop, tools=isinstance(job, Chat) and bool(job.tools))
        yield from self._answer(ids, job.sampling, spoken, cancelled)

    def _read(self, job: Chat | Complete) -> list[int]:
        """Its tokens. A template writes the signs of a beginning itself."""
        if isinstance(job, Chat):
            text = templated(job, self._template, self._signs)
            return list(self._tokenizer.encode(text, add_special_tokens=False).ids)
        text = job.prompt
        if job.suffix is not None:
            text = between(job.prompt, job.suffix, self._tokenizer.get_vocab())
        return list(self._tokenizer.encode(text).ids)

    def _answer(
        self, ids: list[int], sampling: Sampling, spoken: Spoken, cancelled: threading.Event
    ) -> Generator[Event, None, None]:
        decoding = Decoding(lambda written: str(self._tokenizer.decode(written, skip_special_tokens=False)))
        unsaid = hidden(self._special, sampling.stop) | self._ends
        written, finish = 0, "length"
        for token, likely in self._tokens(ids, sampling):
            written += 1
            is_last = token in self._ends
            yield from _likely(spoken.feed("" if token in unsaid else decoding.feed(token)), likely)
            if is_last or spoken.is_stopped or cancelled.is_set():
                finish = "stop" if is_last or spoken.is_stopped else "cancelled"
                break
        yield from spoken.feed(decoding.flush())
        yield from spoken.flush()
        usage = Usage(prompt_tokens=len(ids), completion_tokens=written)
        yield Done(finish_reason=_reason(finish, spoken), usage=usage)

    def _tokens(self, ids: list[int], sampling: Sampling) -> Iterator[tuple[int, str | None]]:
        """One after another, with its likelihood where it was asked for."""
        import numpy

        chance = numpy.random.default_rng(sampling.seed if sampling.seed is not None else secrets.randbits(64))
        settings = settled(sampling, self._own)
        room = self._context - len(ids)
        steps, fresh = Steps(*self._graphs), ids
        written: list[int] = []
        for _ in range(min(sampling.max_tokens if sampling.max_tokens is not None else room, room)):
            logits = steps.read(fresh)
            token = drawn(logits, settings, chance, ids, written)
            written.append(token)
            fresh = [token]
            yield token, self._likelihood(logits, token, sampling.top_logprobs)

    def _likelihood(self, logits: Any, token: int, top: int | None) -> str | None:
        import numpy

        if top is None:
            return None
        likely = logits - logits.max()
        likely = likely - numpy.log(numpy.exp(likely).sum())
        order = numpy.argsort(-likely, kind="stable")[:top]
        likeliest = [(int(one), float(likely[one])) for one in order]
        return told(token, float(likely[token]), likeliest, lambda one: str(self._tokenizer.decode([one], False)))


def _likely(deltas: Iterator[Delta], likely: str | None) -> Iterator[Delta]:
    """With the likelihood on the first; alone where the token's text comes later."""
    if likely is not None:
        first = next(deltas, Delta())
        yield Delta(text=first.text, reasoning=first.reasoning, tool_calls=first.tool_calls, logprobs=likely)
    yield from deltas


def _reason(finish: str, spoken: Spoken) -> FinishReason:
    if finish == "cancelled":
        return "cancelled"
    if spoken.calls:
        return "tool_calls"
    return "length" if finish == "length" else "stop"
