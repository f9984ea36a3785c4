"""A value as JSON: every Saying in it becomes a sentence in the language asked for."""

from __future__ import annotations

import functools
import json
from collections.abc import Callable, Sequence

import msgspec

from weigh.core.saying import Saying
from weigh.core.value import Value
from weigh.text import Language, say


def to_json(value: object, language: Language, *, indent: int = 2) -> str:
    """JSON text; `indent` 0 puts it on one line."""
    plain = msgspec.to_builtins(value, enc_hook=_hook(language), str_keys=True)
    try:
        data = msgspec.json.encode(plain)
    except UnicodeEncodeError:  # a file's name that is no UTF-8: its odd bytes are written as escapes
        return json.dumps(plain, ensure_ascii=True, indent=indent or None)
    return (msgspec.json.format(data, indent=indent) if indent else data).decode()


def filled(value: Value, language: Language, lists: Sequence[str]) -> dict[str, object]:
    """The value as a table in which each of these lists is there, empty where nothing was found."""
    plain: dict[str, object] = msgspec.to_builtins(value, enc_hook=_hook(language), str_keys=True)
    return plain | {key: [] for key in lists if key not in plain}


def to_line(value: Value, language: Language, *, schema: int) -> str:
    """One object on one line, `schema` first."""
    try:
        return f'{{"schema":{schema},{msgspec.json.encode(value, enc_hook=_hook(language)).decode()[1:]}'
    except UnicodeEncodeError:
        plain = msgspec.to_builtins(value, enc_hook=_hook(language))
        return json.dumps({"schema": schema, **plain}, ensure_ascii=True)


def schema() -> dict[str, object]:
    """JSON Schema of a Report."""
    from weigh.core.report import Report  # its whole tree of values is of no use to a name

    return msgspec.json.schema(Report, schema_hook=lambda kind: {"type": "string"})


@functools.cache
def _hook(language: Language) -> Callable[[object], object]:
    @functools.lru_cache(maxsize=8192)
    def said(saying: Saying) -> str:
        return say(saying, language)

    def put_into_words(value: object) -> object:
        if isinstance(value, Saying):
            return said(value)
        raise TypeError(type(value))

    return put_into_words
