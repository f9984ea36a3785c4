"""What the server counts, for Prometheus."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from weigh.core.work import Done, Fault, Work
from weigh.serve.api.pool import Pool, Slot

_SECONDS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300)


class Metrics:
    """A registry of its own, so that two servers in one process do not mix."""

    def __init__(self, pool: Pool) -> None:
        self._registry = CollectorRegistry()
        self._jobs = Counter("weigh_jobs", "Jobs that ended.", ("model", "work", "outcome"), registry=self._registry)
        self._tokens = Counter("weigh_tokens", "Tokens.", ("model", "direction"), registry=self._registry)
        self._first = Histogram(
            "weigh_first_token_seconds", "To the first token.", ("model",), buckets=_SECONDS, registry=self._registry
        )
        self._whole = Histogram(
            "weigh_job_seconds", "To the end.", ("model", "work"), buckets=_SECONDS, registry=self._registry
        )
        self._count = functools.cache(Counter.labels)  # looked up once for each
        self._time = functools.cache(Histogram.labels)
        for name, read in _GAUGES.items():
            gauge = Gauge(f"weigh_model_{name}", f"Of a model: {name}.", ("model",), registry=self._registry)
            for model, slot in pool.slots.items():
                gauge.labels(model).set_function(functools.partial(read, slot))

    def count(self, model: str, work: Work, last: Done | Fault, first: float | None, whole: float) -> None:
        """A job that ended; `first` and `whole` in seconds."""
        outcome = last.finish_reason if isinstance(last, Done) else last.kind
        self._count(self._jobs, model, work, outcome).inc()
        self._time(self._whole, model, work).observe(whole)
        if first is not None:
            self._time(self._first, model).observe(first)
        if isinstance(last, Done):
            self._count(self._tokens, model, "read").inc(last.usage.prompt_tokens)
            self._count(self._tokens, model, "written").inc(last.usage.completion_tokens)

    def page(self) -> bytes:
        """In Prometheus' text form."""
        return generate_latest(self._registry)


def _is_loaded(slot: Slot) -> float:
    return float(slot.is_loaded)


def _running(slot: Slot) -> float:
    return float(slot.using)


def _waiting(slot: Slot) -> float:
    return float(slot.waiting)


def _loads(slot: Slot) -> float:
    return float(slot.loads)


_GAUGES: Mapping[str, Callable[[Slot], float]] = {
    "loaded": _is_loaded,
    "loads": _loads,
    "running": _running,
    "waiting": _waiting,
}
