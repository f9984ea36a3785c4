"""What a hub is asked to search for, and what it says of the models it finds."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal, NamedTuple, TypeVar

import msgspec

from weigh.core.value import Value
from weigh.hubs.repository import id_of
from weigh.sources.refusals import NotFetched

Sort = Literal["downloads", "likes", "trending", "updated", "created"]
MOST_PAGES = 10
MOST_TEXT = 100
T = TypeVar("T")


class Query(Value, frozen=True, kw_only=True):
    """`task` as pipeline tags are spelt, `format` and `licence` as hubs tag them; `page` is how many at a time."""

    text: str
    task: str | None = None
    format: str | None = None
    licence: str | None = None
    sort: Sort = "downloads"
    page: int = 20


class Hit(Value, frozen=True, kw_only=True):
    """One repository; None where the hub does not say. `nbytes` is of the weights, on
    ModelScope of the whole repository; `tags` are in lower case."""

    hub: Literal["hf", "ms"]
    namespace: str | None
    name: str
    downloads: int | None = None
    likes: int | None = None
    created: str | None = None
    updated: str | None = None
    task: str | None = None
    licence: str | None = None
    gated: bool | None = None
    parameters: int | None = None
    nbytes: int | None = None
    tags: tuple[str, ...] = ()

    @property
    def id(self) -> str:
        """`namespace/name`."""
        return f"{self.namespace}/{self.name}" if self.namespace is not None else self.name


class Page(NamedTuple):
    """What one answer holds; `ill` rows in it were of a wrong shape."""

    hits: tuple[Hit, ...]
    ill: int = 0


def rows_of(rows: Iterable[msgspec.Raw], shape: type[T]) -> tuple[list[T], int]:
    """Those that have the shape, and how many have not: one bad row costs no other."""
    found, ill = list[T](), 0
    for row in rows:
        try:
            found.append(msgspec.json.decode(row, type=shape))
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            ill += 1
    return found, ill


def named(id: str, hub: str) -> tuple[str | None, str] | None:
    """Namespace and name; None for what can be no repository there."""
    namespace, slash, name = id.rpartition("/")
    try:
        id_of(namespace if slash else None, name, hub)
    except NotFetched:
        return None
    return (namespace if slash else None), name


def short(text: str | None) -> str | None:
    """A word of a hub's, bounded."""
    return text[:MOST_TEXT] if text else None


def count(number: float | None) -> int | None:
    """A count that can be one."""
    return int(number) if number is not None and 0 <= number < 1 << 62 else None
