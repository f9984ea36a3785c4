"""Traces through OpenTelemetry, where it is installed: a span a request, joined to the trace of who asks."""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from weigh.core.errors import EngineError
from weigh.serve.api.log import Record, Span


def spans() -> Span:
    """By the provider that its SDK is configured with (OTEL_* variables). Raises EngineError where it is not here."""
    try:
        trace = importlib.import_module("opentelemetry.trace")
    except ImportError as error:
        raise EngineError("serve.traces") from error
    _provide(trace)
    tracer = trace.get_tracer("weigh")

    @contextmanager
    def span(name: str, record: Record) -> Iterator[None]:
        with tracer.start_as_current_span(name, kind=trace.SpanKind.SERVER) as mark:
            try:
                yield
            finally:
                for key, value in record.items():
                    if isinstance(value, str | int | float | bool):
                        mark.set_attribute(f"weigh.{key}", value)

    return span


def _provide(trace: Any) -> None:
    """Sends spans by OTLP, where the SDK and its exporter are installed and nobody has configured another."""
    try:
        exporter = importlib.import_module("opentelemetry.exporter.otlp.proto.http.trace_exporter")
        sdk = importlib.import_module("opentelemetry.sdk.trace")
        export = importlib.import_module("opentelemetry.sdk.trace.export")
    except ImportError:
        return
    provider = sdk.TracerProvider()
    provider.add_span_processor(export.BatchSpanProcessor(exporter.OTLPSpanExporter()))
    trace.set_tracer_provider(provider)
