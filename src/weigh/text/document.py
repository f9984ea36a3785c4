"""A value as JSON: every Saying in it becomes a sentence in the language asked for."""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from weigh.core.report import Report
from weigh.core.saying import Saying
from weigh.core.value import Value
from weigh.text import Language, say


def to_json(value: object, language: Language, *, indent: int = 2) -> str:
    """JSON text; `indent` 0 puts it on one line."""
    data = msgspec.json.encode(value, enc_hook=_hook(language))
    return (msgspec.json.format(data, indent=indent) if indent else data).decode()


def to_builtins(value: Value, language: Language) -> dict[str, object]:
    """The same as Python's own dicts and lists."""
    plain: dict[str, object] = msgspec.to_builtins(value, enc_hook=_hook(language))
    return plain


def schema() -> dict[str, object]:
    """JSON Schema of a Report."""
    return msgspec.json.schema(Report, schema_hook=lambda kind: {"type": "string"})


def _hook(language: Language) -> Callable[[object], object]:
    def put_into_words(value: object) -> object:
        if isinstance(value, Saying):
            return say(value, language)
        raise TypeError(type(value))

    return put_into_words
