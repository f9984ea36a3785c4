"""What comes next of a text, by an ONNX graph without a cache: the whole is read again for each token."""

from __future__ import annotations

import secrets
import threading
from collections.abc import Generator, Iterator
from typing import Any

from weigh.core.engine import Failed, Launch, Ready
from weigh.core.work import Complete, Done, Event, Fault, FinishReason, Job, Sampling, Usage, work_of
from weigh.engines.decoding import Decoding
from weigh.engines.repository import table
from weigh.engines.spoken import Spoken


class Writer:
    """One job at a time. Raises Failed for a graph that wants a cache."""

    def __init__(self, session: Any, tokenizer: Any, launch: Launch, context: int) -> None:
        self._session = session
        self._tokenizer = tokenizer
        self._context = context
        self._inputs = {one.name for one in session.get_inputs()}
        if strange := self._inputs - {"input_ids", "attention_mask", "position_ids"}:
            detail = f"it wants {', '.join(sorted(strange)[:3])}: only graphs without a cache run here"
            raise Failed(Fault(kind="unsupported", detail=detail))
        ends = {**table(launch.path, "config.json"), **table(launch.path, "generation_config.json")}.get("eos_token_id")
        self._ends = set(ends if isinstance(ends, list) else [ends])
        self.ready = Ready(works=("complete",), parallel=1, context_length=context)

    def run(self, job: Job, cancelled: threading.Event) -> Generator[Event, None, None]:
        """Deltas, then Done."""
        if not isinstance(job, Complete) or job.suffix is not None or job.schema is not None:
            yield Fault(kind="unsupported", detail=f"this graph does not {work_of(job)} in that way")
            return
        ids = list(self._tokenizer.encode(job.prompt).ids)
        if len(ids) >= self._context:
            detail = f"{len(ids)} tokens of prompt for a context of {self._context}"
            raise Failed(Fault(kind="context_overflow", detail=detail))
        yield from self._answer(ids, job.sampling, cancelled)

    def _answer(self, ids: list[int], sampling: Sampling, cancelled: threading.Event) -> Generator[Event, None, None]:
        decoding = Decoding(lambda written: str(self._tokenizer.decode(written, skip_special_tokens=False)))
        spoken = Spoken(stop=sampling.stop)
        written, finish = 0, "length"
        for token in self._tokens(list(ids), sampling):
            written += 1
            if token in self._ends:
                finish = "stop"
                break
            yield from spoken.feed(decoding.feed(token))
            if spoken.is_stopped or cancelled.is_set():
                finish = "stop" if spoken.is_stopped else "cancelled"
                break
        yield from spoken.feed(decoding.flush())
        yield from spoken.flush()
        reason: FinishReason = "stop" if finish == "stop" else "cancelled" if finish == "cancelled" else "length"
        yield Done(finish_reason=reason, usage=Usage(prompt_tokens=len(ids), completion_tokens=written))

    def _tokens(self, ids: list[int], sampling: Sampling) -> Iterator[int]:
        import numpy

        chance = numpy.random.default_rng(sampling.seed if sampling.seed is not None else secrets.randbits(64))
        room = self._context - len(ids)
        for _ in range(min(sampling.max_tokens if sampling.max_tokens is not None else room, room)):
            token = drawn(self._next(ids), sampling, chance)
            ids.append(token)
            yield token

    def _next(self, ids: list[int]) -> Any:
        import numpy

        read = numpy.array([ids], dtype="int64")
        given = {"input_ids": read, "attention_mask": numpy.ones_like(read)}
        given["position_ids"] = numpy.arange(len(ids), dtype="int64")[None]
        fed = {name: value for name, value in given.items() if name in self._inputs}
        return self._session.run(["logits"], fed)[0][0, -1].astype("float64")


def drawn(logits: Any, sampling: Sampling, chance: Any) -> int:
    """The next token: the likeliest, unless a temperature was asked for."""
    import numpy

    if not sampling.temperature:
        return int(logits.argmax())
    raised = numpy.exp((logits - logits.max()) / sampling.temperature)
    order = numpy.argsort(-raised, kind="stable")[: sampling.top_k or None]
    shares = raised[order] / raised[order].sum()
    likely = (numpy.cumsum(shares) - shares < (sampling.top_p or 1)) & (shares >= (sampling.min_p or 0) * shares[0])
    kept = shares * likely
    return int(chance.choice(order, p=kept / kept.sum()))
